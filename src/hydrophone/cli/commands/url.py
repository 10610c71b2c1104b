"""`hydrophone url`: the addresses of a stream, for other players."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydrophone.cli import screen
from hydrophone.cli.context import Common

if TYPE_CHECKING:
    from hydrophone.app import AsyncHydrophone


def url(link: str, /, *, common: Common = Common()) -> int:  # noqa: B008  (frozen)
    """Print the addresses of the stream, for other players.

    An address is a key: whoever has it can listen. Generic players lose audio
    silently; to keep a recording, use `hydrophone record`. With -q only the
    first address is printed.

    For example:
      hydrophone url https://x.com/i/spaces/1vOxwdyYrlqKB
      mpv "$(hydrophone url -q 1vOxwdyYrlqKB)"
      hydrophone url 1vOxwdyYrlqKB --json

    Parameters
    ----------
    link
        A link, an id, a post or an @name.
    """
    from hydrophone.cli.running import run

    async def work(engine: AsyncHydrophone) -> list[tuple[str, str]]:
        return list((await engine.stream(link)).playlists)

    playlists = run(common.settings(), work)
    if common.as_json:
        screen.say_json([{"name": name, "url": address} for name, address in playlists])
    elif common.quiet:
        screen.say(screen.safe(playlists[0][1], 10_000) if playlists else "")
    else:
        common.say(*screen.table((screen.safe(name), screen.safe(address, 10_000)) for name, address in playlists))
    return 0

"""`hydrophone broadcast`: the other direction, from here to the world."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from hydrophone.cli.context import Common
from hydrophone.errors import SettingsError

if TYPE_CHECKING:
    from hydrophone.app import AsyncHydrophone
    from hydrophone.broadcasting.events import TargetOutcome

ADDRESSES = "HYDROPHONE_BROADCAST_TO"


def broadcast(
    source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    to: Annotated[list[str] | None, Parameter(name="--to", negative=())] = None,
    to_file: Annotated[Path | None, Parameter(name="--to-file")] = None,
    yes: Annotated[bool, Parameter(name="--yes", show_default=False)] = False,
    title: Annotated[str, Parameter(name="--title", show_default=False)] = "",
    picture: Annotated[Path | None, Parameter(name="--picture")] = None,
    from_start: Annotated[bool, Parameter(name="--from-start", show_default=False)] = False,
    post: Annotated[bool, Parameter(name="--post", show_default=False)] = False,
    speed: Annotated[float, Parameter(name="--speed")] = 1.0,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Play a file, a stream, a device or a recording to RTMP addresses.

    In real time, to any number of addresses at once. H.264 and AAC are passed
    on as they are, all else is encoded; sound alone gets a still picture. An
    address that is away or too slow does not hold up the others: it is tried
    again and goes on at the next key frame. Ctrl-C ends it cleanly.

    The last part of an address is a key to broadcast in your name, and the
    arguments of a process can be read by others on this machine: put it into
    a file (--to-file) or the environment (HYDROPHONE_BROADCAST_TO).

    For example:
      hydrophone broadcast talk.m4a --to rtmp://127.0.0.1/live/test
      hydrophone broadcast 1vOxwdyYrlqKB --to-file addresses.txt --yes
      hydrophone broadcast device:alsa:default --to-file addresses.txt --yes
      hydrophone broadcast - --to periscope --title "From the quay" --yes

    Parameters
    ----------
    source
        A file, - for standard input, device:KIND:NAME, or a recording's folder or id, also while it is growing.
    to
        rtmp://HOST/APP/KEY, rtmps://HOST/APP/KEY, or periscope; may be given more than once.
    to_file
        Read addresses from a file, one on each line.
    yes
        Broadcast to where others can see it; without it only to this machine.
    title
        What the service calls the broadcast; the source's name if not set.
    picture
        A JPEG or PNG to show with sound alone.
    from_start
        Begin a recording that is still growing with its first second, not with what is live now.
    post
        Let the service post about the broadcast.
    speed
        Media seconds in a second; other than 1 only for tests.
    """
    from hydrophone.broadcasting.targets import check_consent
    from hydrophone.cli.onair import OnAirLines, code_of_targets
    from hydrophone.cli.running import run, signals_to
    from hydrophone.onair import OnAir
    from hydrophone.recorder.options import StopSignal

    if not 0.01 <= speed <= 1000:
        raise SettingsError(f"a speed of {speed} makes no sense", setting="--speed")
    settings = common.settings()
    addresses = addresses_of(to or (), to_file)
    # Before the engine is opened: what lacks consent must not even look anything up.
    check_consent(addresses, is_agreed=yes)
    on_air = OnAir(is_agreed=yes, title=title, picture=picture, from_start=from_start, posts_to_x=post, speed=speed)
    listener = OnAirLines(as_json=common.as_json, quiet=common.quiet)

    async def work(engine: AsyncHydrophone) -> list[TargetOutcome]:
        stop = StopSignal()
        with signals_to(stop, say=listener.note):
            return await engine.broadcast(source, addresses, on_air=on_air, on_event=listener, stop=stop)

    try:
        return code_of_targets(run(settings, work))
    finally:
        listener.close()


def addresses_of(typed: Sequence[str], file: Path | None) -> list[str]:
    """All addresses: those of the command line, of the file, of the environment."""
    from hydrophone.broadcasting.targets import load_targets

    return [*typed, *(load_targets(file) if file is not None else ()), *os.environ.get(ADDRESSES, "").split()]

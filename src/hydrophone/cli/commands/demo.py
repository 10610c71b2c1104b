"""`hydrophone demo`: the main job, shown and checked on this machine."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hydrophone.cli import screen
from hydrophone.cli.exits import Exit

DEFAULT_FOLDER = Path("demo")


def demo(
    *,
    folder: Annotated[Path, Parameter(name=("--paths", "-P"))] = DEFAULT_FOLDER,
    discard: Annotated[bool, Parameter(name="--discard", show_default=False)] = False,
    as_json: Annotated[bool, Parameter(name="--json", show_default=False)] = False,
) -> int:
    """Record two Spaces from a pretend X, through faults and a SIGKILL, and check every frame.

    Needs no login and no network: the sandbox runs on this machine. One Space
    is over and two hours long; its recorder is killed half-way and run again.
    The other is live; its host drops out for 40 s and its CDN fails. Takes
    about a minute.

    For example:
      hydrophone demo
      hydrophone demo --paths /tmp/demo --json
      hydrophone demo --discard

    Parameters
    ----------
    folder
        Where the two recordings are put; ./demo if not set.
    discard
        Keep nothing.
    as_json
        Print the checked facts as JSON.
    """
    from hydrophone.cli.demonstration import HEADER, perform, stage
    from hydrophone.render.tables import plain_table

    def say(text: str) -> None:
        if not as_json:
            screen.say(f"  {text}")

    with _folder(folder, discard=discard) as where:
        say("starting the sandbox: an ended and a live Space, on a clock that runs 12 times as fast")
        with stage() as box:
            shown = perform(box, where, say)
        if as_json:
            screen.say_json(shown)
        else:
            screen.say()
            screen.say(plain_table(HEADER, [one.row() for one in shown], right=(2, 3, 4, 5, 6, 8)).rstrip("\n"))
            screen.say()
            for one in shown:
                screen.say(str(one.media) if not discard else f"{one.title}: checked and discarded")
    return Exit.DONE if all(one.is_good for one in shown) else Exit.GAPS


@contextlib.contextmanager
def _folder(folder: Path, *, discard: bool) -> Iterator[Path]:
    """A fresh folder below the one that was named: what an earlier demo left there stays."""
    if discard:
        with tempfile.TemporaryDirectory(prefix="hydrophone-demo-") as name:
            yield Path(name)
        return
    base = folder.expanduser().absolute()
    base.mkdir(parents=True, exist_ok=True)
    number = 1
    while (base / f"run-{number}").exists():
        number += 1
    fresh = base / f"run-{number}"
    fresh.mkdir()
    yield fresh

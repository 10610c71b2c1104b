"""`hydrophone record`: the main job."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from hydrophone.cli.context import Common
from hydrophone.errors import RecordingError, SettingsError

if TYPE_CHECKING:
    from hydrophone.app import AsyncHydrophone
    from hydrophone.recorder.events import Outcome
    from hydrophone.settings import Settings


def record(
    *links: str,
    output: Annotated[str | None, Parameter(name=("--output", "-o"))] = None,
    connections: Annotated[int | None, Parameter(name=("--concurrent-fragments", "--connections", "-N"))] = None,
    format: Annotated[str | None, Parameter(name=("--format", "-f"))] = None,  # noqa: A002  (the flag's own name)
    wait: Annotated[bool | None, Parameter(name="--wait", negative="--no-wait")] = None,
    wait_for_video: Annotated[str | None, Parameter(name="--wait-for-video")] = None,
    live_edge: Annotated[
        bool | None, Parameter(name=("--live-edge", "--no-live-from-start"), negative="--live-from-start")
    ] = None,
    transcript: Annotated[bool | None, Parameter(name="--transcript", negative="--no-transcript")] = None,
    chapters: Annotated[Literal["both", "turns", "gaps", "none"] | None, Parameter(name="--chapters")] = None,
    lyrics: Annotated[bool | None, Parameter(name="--lyrics", negative="--no-lyrics")] = None,
    batch_file: Annotated[str | None, Parameter(name=("--batch-file", "-a"))] = None,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Record Spaces and broadcasts: ended, live or not yet started.

    All links are recorded at the same time, each from the first second that
    the service still offers. Run the same command again to continue or repair.
    Ctrl-C once finishes what is there, twice aborts; nothing is ever deleted.

    For example:
      hydrophone record https://x.com/i/spaces/1vOxwdyYrlqKB
      hydrophone record --wait @creator
      hydrophone record -P ~/Spaces -N 32 URL1 URL2 URL3
      hydrophone record --batch-file links.txt --json
      hydrophone record --cookies cookies.txt --live-edge URL

    Parameters
    ----------
    links
        Links or ids of Spaces and broadcasts, posts that carry one, @names, or playlist addresses.
    output
        Template of the item's folder below the archive, e.g. "%(creator)s/%(title)s [%(id)s]".
    connections
        Segments fetched at once for each recording (16 if not set).
    format
        Variant of a video: best, worst, audio, 720p, and the like.
    wait
        Wait for a Space that has not started yet.
    wait_for_video
        Like --wait, looking every SECONDS (or MIN-MAX, of which the first counts).
    live_edge
        Record a live Space from now on, or (the default) from its beginning.
    transcript
        Make transcripts of what is said, or not; the chat is kept either way.
    chapters
        Where chapters begin: where somebody begins to hold the floor, at gaps, at both (the default), or nowhere.
    lyrics
        Put what is said into the packaged audio as lyrics, and beside it as an LRC file.
    batch_file
        Read links from a file, one on each line; - is standard input.
    """
    everything = [*links, *(_from_batch(batch_file) if batch_file is not None else ())]
    if not everything:
        raise SettingsError("there is nothing to record", setting="links", advice="Name a link, or --batch-file FILE.")
    poll_seconds = _seconds(wait_for_video) if wait_for_video is not None else None
    settings = common.settings(
        output=output,
        connections=connections,
        format=format,
        wait=True if poll_seconds is not None else wait,
        wait_poll_seconds=poll_seconds,
        live_edge=live_edge,
        transcript=transcript,
        chapters=chapters,
        lyrics=lyrics,
    )
    outcomes = _record_all(settings, everything, common)
    from hydrophone.cli.outcomes import code_of_outcomes

    return code_of_outcomes(outcomes)


def _record_all(settings: Settings, links: list[str], common: Common) -> list[Outcome]:
    import hydrophone.recorder.recorder  # noqa: F401  (before the loop runs, not within it)
    from hydrophone.cli.progress import listener_for
    from hydrophone.cli.running import run, signals_to
    from hydrophone.recorder.options import StopSignal

    listener = listener_for(as_json=common.as_json, quiet=common.quiet)

    async def work(engine: AsyncHydrophone) -> list[Outcome]:
        stop = StopSignal()
        with signals_to(stop, say=listener.note):
            return await engine.record(links, on_event=listener, stop=stop)

    try:
        return run(settings, work)
    finally:
        listener.close()


def record_one(settings: Settings, link: str, common: Common) -> Path:
    """Record one link and return the item's folder; what kept it from being recorded is raised."""
    (outcome,) = _record_all(settings, [link], replace(common, as_json=False, quiet=common.quiet or common.as_json))
    if outcome.directory is None:
        raise outcome.error or RecordingError("nothing was recorded")
    return outcome.directory


def _from_batch(name: str) -> list[str]:
    """The links of a batch file: blank lines and those that begin with ``#``, ``;`` or ``]`` are comments."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the batch file cannot be read: {error}", setting="--batch-file") from None
    return list(_links_in(text.splitlines()))


def _links_in(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        link = line.strip()
        if link and link[0] not in "#;]":
            yield link


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:-\d+(?:\.\d+)?)?", text.strip())
    if not match:
        raise SettingsError(
            f"{text!r} is no number of seconds", setting="--wait-for-video", advice="For example: --wait-for-video 60"
        )
    return max(5.0, float(match[1]))

"""`hydrophone clip`: a stretch of a recording as files of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hydrophone.cli import screen
from hydrophone.cli.context import Common


def clip(
    item: str,
    /,
    *,
    begin: Annotated[str, Parameter(name="--from")],
    end: Annotated[str, Parameter(name="--to")],
    output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = None,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Cut a stretch out of a recording: the audio, and what is said in it.

    The audio is copied frame by frame and never encoded anew. The transcript
    of the stretch lies beside it as .vtt, .txt and .json.

    For example:
      hydrophone clip 1vOxwdyYrlqKB --from 12:34 --to 13:10
      hydrophone clip ./item --from 1:02:00 --to 1:05:30 -o answer.m4a

    Parameters
    ----------
    item
        The folder of an item, an id, or a link.
    begin
        Begin here: 12:34, 1:02:03 or 754.5.
    end
        End here.
    output
        The audio file to write; by default one in this folder, named after the recording.
    """
    from hydrophone.cli.clipping import cut_clip
    from hydrophone.cli.transcripts import item_meant, stretch_of
    from hydrophone.render.times import duration_text

    first, last = stretch_of(begin, end)
    made = cut_clip(item_meant(item, common.settings().archive), first, last, output)
    if common.as_json:
        screen.say_json(
            {
                "files": [str(path) for path in made.files],
                "begin_seconds": round(made.begin_seconds, 3),
                "end_seconds": round(made.end_seconds, 3),
            }
        )
        return 0
    common.say(
        f"{duration_text(round(made.begin_seconds))} to {duration_text(round(made.end_seconds))}",
        *(screen.safe(str(path), 500) for path in made.files),
    )
    return 0

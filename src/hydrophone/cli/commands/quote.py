"""`hydrophone quote`: what was said at a moment."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from hydrophone.cli import screen
from hydrophone.cli.context import Common


def quote(
    item: str,
    /,
    *,
    at: Annotated[str, Parameter(name="--at")],
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Print what was said at a moment, by whom, and the link that leads there.

    For example:
      hydrophone quote 1vOxwdyYrlqKB --at 12:34
      hydrophone quote ./item --at 1:02:03 --json

    Parameters
    ----------
    item
        The folder of an item, an id, or a link.
    at
        The moment: 12:34, 1:02:03 or 754.5.
    """
    from hydrophone.captions.quoting import quote as quote_at
    from hydrophone.cli.jsonlines import jsonable
    from hydrophone.cli.transcripts import check_within, item_meant, load_transcript, nothing_said, seconds_of
    from hydrophone.render.subtitles import spoken_text
    from hydrophone.render.times import duration_text

    moment = seconds_of(at, "--at")
    transcript = load_transcript(item_meant(item, common.settings().archive))
    check_within(moment, transcript.seconds)
    found = quote_at(transcript, moment)
    if found is None:
        raise nothing_said(transcript, moment)
    if common.as_json:
        screen.say_json(jsonable(found))
        return 0
    speaker = found.speaker
    who = f"{speaker.name} (@{speaker.handle})" if speaker.name and speaker.handle else speaker.label
    common.say(
        screen.safe(f"“{spoken_text(found.text)}”", 2000),
        screen.safe(f"— {who}, {duration_text(found.begin_seconds)}"),
        *([screen.safe(found.permalink, 500)] if found.permalink else []),
    )
    return 0

"""`hydrophone transcript`: who said what."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from hydrophone.cli import screen
from hydrophone.cli.context import Common


def transcript(
    item: str,
    /,
    *,
    speaker: Annotated[str | None, Parameter(name="--speaker")] = None,
    begin: Annotated[str | None, Parameter(name="--from")] = None,
    to: Annotated[list[str] | None, Parameter(name="--to", negative=())] = None,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Print who said what in a recording.

    Words are the service's own live captions; without them it is who spoke
    when. A link that is not in the archive yet is recorded first.

    For example:
      hydrophone transcript 1vOxwdyYrlqKB
      hydrophone transcript 1vOxwdyYrlqKB --to vtt > space.vtt
      hydrophone transcript ./item --speaker @creator --from 12:00 --to 15:30
      hydrophone transcript https://x.com/i/spaces/1vOxwdyYrlqKB --json

    Parameters
    ----------
    item
        The folder of an item, an id, or a link.
    speaker
        Only what this person says: an @name, a name or an id.
    begin
        Begin here: 12:34, 1:02:03 or 754.5.
    to
        What to print: txt (the default), md, vtt, srt or json. With a moment, where to end; it may be given for both.
    """
    import json

    from hydrophone.cli.transcripts import form_and_end, item_meant, load_transcript, part_of
    from hydrophone.errors import NotFoundError
    from hydrophone.recorder.transcribing import transcript_as

    form, end = form_and_end(to or [])
    settings = common.settings()
    try:
        found = item_meant(item, settings.archive)
    except NotFoundError:
        if "://" not in item:
            raise
        from hydrophone.archive.item import Item
        from hydrophone.cli.commands.record import record_one

        found = Item(record_one(settings, item, common))
    part = part_of(load_transcript(found), speaker=speaker, begin=begin, end=end)
    text = transcript_as(part, "json" if common.as_json else form)
    if common.as_json:
        screen.say_json(json.loads(text))
    else:
        for line in text.rstrip("\n").split("\n"):
            screen.say(line)
    return 0

"""`hydrophone transcript`: who said what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from hydrophone.cli import screen
from hydrophone.cli.context import Common

if TYPE_CHECKING:
    from hydrophone.archive.item import Item
    from hydrophone.recorder.listening import Listened
    from hydrophone.settings import Settings


def transcript(
    item: str,
    /,
    *,
    speaker: Annotated[str | None, Parameter(name="--speaker")] = None,
    begin: Annotated[str | None, Parameter(name="--from")] = None,
    to: Annotated[list[str] | None, Parameter(name="--to", negative=())] = None,
    engine: Annotated[Literal["captions", "whisper"], Parameter(name="--engine")] = "captions",
    model: Annotated[Path | None, Parameter(name="--model")] = None,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Print who said what in a recording.

    Words are the service's own live captions; without them it is who spoke
    when, until a local recogniser has listened (--engine whisper). A link that
    is not in the archive yet is recorded first.

    For example:
      hydrophone transcript 1vOxwdyYrlqKB
      hydrophone transcript 1vOxwdyYrlqKB --to vtt > space.vtt
      hydrophone transcript ./item --speaker @creator --from 12:00 --to 15:30
      hydrophone transcript https://x.com/i/spaces/1vOxwdyYrlqKB --json
      hydrophone transcript 1vOxwdyYrlqKB --engine whisper --model ~/weights

    Parameters
    ----------
    item
        The folder of an item, an id, or a link.
    speaker
        Only what this person says: an @name, a name or an id.
    begin
        Begin here: 12:34, 1:02:03 or 754.5.
    to
        What to print: txt (the default), md, vtt, srt, lrc or json. With a moment, where to end; both may be given.
    engine
        Where words come from that the service has not written down: whisper listens on this machine and adds them to
        the item, for as long as it takes; Ctrl-C stops, and the same command goes on.
    model
        The folder with the weights for whisper (setting `whisper_model`).
    """
    import json

    from hydrophone.cli.transcripts import form_and_end, item_meant, load_transcript, part_of
    from hydrophone.errors import NotFoundError
    from hydrophone.recorder.transcribing import transcript_as

    form, end = form_and_end(to or [])
    settings = common.settings(whisper_model=model)
    try:
        found = item_meant(item, settings.archive)
    except NotFoundError:
        if "://" not in item:
            raise
        from hydrophone.archive.item import Item
        from hydrophone.cli.commands.record import record_one

        found = Item(record_one(settings, item, common))
    if engine == "whisper":
        listen(found, settings, common)
    part = part_of(load_transcript(found), speaker=speaker, begin=begin, end=end)
    text = transcript_as(part, "json" if common.as_json else form)
    if common.as_json:
        screen.say_json(json.loads(text))
    else:
        for line in text.rstrip("\n").split("\n"):
            screen.say(line)
    return 0


def listen(item: Item, settings: Settings, common: Common) -> None:
    """Have the recogniser listen to an item that has no words yet, and say how far it is.

    Raises:
        SettingsError: no weights are named, or they cannot be used.
        MediaError: there is nothing to listen to.
        TakeInUseError: the item is being recorded.
    """
    from hydrophone.app import recogniser_of
    from hydrophone.archive.lock import TakeLock
    from hydrophone.archive.state import WORK_FOLDER
    from hydrophone.errors import SettingsError
    from hydrophone.recorder.listening import fill_words
    from hydrophone.render.times import duration_text

    recogniser = recogniser_of(settings)
    if recogniser is None:
        raise SettingsError(
            "no weights are named for the recogniser",
            setting="whisper_model",
            advice="Name a folder: --model PATH, or the setting whisper_model.",
        )

    def tell(heard: Listened) -> None:
        if not common.quiet:
            screen.warn(f"heard {duration_text(heard.seconds)} of {duration_text(heard.whole_seconds)}")

    lock = TakeLock(item.path / WORK_FOLDER)
    try:
        if fill_words(item, recogniser, on_progress=tell) is None:
            screen.warn("note: the service has written the words of this recording down; these are they")
    finally:
        lock.release()

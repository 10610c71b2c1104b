"""From a take to the files of an item: original, packaged media, what was said about it, and the manifest.

Everything here is derived from the take alone, in the same way each time: the same segments give the same bytes,
however often the recorder was killed on the way.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hydrophone import __version__
from hydrophone.archive import DurableWriter, Item, StoredSegment, Take, write_file, write_manifest, write_original
from hydrophone.archive.durable import disk_errors
from hydrophone.archive.manifest import digest_file
from hydrophone.captions.account import Account
from hydrophone.captions.people import people_facts
from hydrophone.captions.slicing import sliced
from hydrophone.errors import DiskError, MediaError
from hydrophone.http.redaction import redact_url
from hydrophone.media.cover import draw_cover, usable_cover
from hydrophone.media.m4a import write_m4a
from hydrophone.media.tags import Chapter, Tags
from hydrophone.model import Coverage, Gap, MediaKind, Participant, SpaceState, User, UserId
from hydrophone.recorder.audience import read_audience, read_people
from hydrophone.recorder.layout import Layout, Part, lay_out
from hydrophone.recorder.options import Chapters, Packaging
from hydrophone.recorder.partframes import PartFrames
from hydrophone.recorder.plan import Plan
from hydrophone.recorder.sources import Look
from hydrophone.recorder.transcribing import (
    account_of,
    listener_for,
    merged_chapters,
    speech_chapters,
    transcript_as,
    write_transcripts,
)
from hydrophone.render.csvtext import audience_csv
from hydrophone.render.jsontext import json_text
from hydrophone.render.lyrics import lyrics_text
from hydrophone.render.times import duration_text, instant_text

if TYPE_CHECKING:
    from hydrophone.media.rotation import Turn

T = TypeVar("T")

log = logging.getLogger("hydrophone.recorder")

SCHEMA = 1
_MEDIA_ADDRESS = re.compile(
    r"https?://(?:[^/]*\.(?:pscp|periscope)\.tv(?::\d+)?/|[^/]*/Transcoding/|[^?#]*/[A-Za-z0-9_-]{80,120}={0,2}/)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The files of an item. `media` is the packaged file, None when nothing could be packaged."""

    directory: Path
    media: Path | None
    layout: Layout
    notices: tuple[str, ...] = ()

    @property
    def coverage(self) -> Coverage:
        return self.layout.coverage


@dataclass(frozen=True, slots=True)
class Turned:
    """By which quarter turn the packaged video is shown, and how the camera was held on the way."""

    degrees: int = 0
    turns: tuple[Turn, ...] = ()

    def facts(self) -> dict[str, Any]:
        """For ``space.json``; nothing where nothing was said about it."""
        if not self.degrees and not self.turns:
            return {}
        turns = [{"seconds": round(turn.seconds, 3), "degrees": turn.degrees} for turn in self.turns]
        return {"rotation": {"shown_degrees": self.degrees, "turns": turns}}


def finish_item(
    take: Take,
    plan: Plan,
    look: Look,
    kind: MediaKind,
    *,
    cover: bytes | None,
    on_step: Callable[[str], None],
    with_transcript: bool = True,
    packaging: Packaging | None = None,
) -> Finished:
    """Write all files of the item. Blocking; call it in a thread.

    Args:
        with_transcript: say who said what, as far as chat and tags tell.
        packaging: which chapters, and whether the audio holds what is said; None is the default.

    Raises:
        DiskError: a file could not be written. The take is untouched; finishing again is safe.
    """
    paths = Item(take.directory)
    notices: list[str] = []
    on_step("original")
    original = paths.original("ts" if kind is MediaKind.VIDEO else "aac")
    # Copying and hashing leave the interpreter alone, so that the segments can be heard meanwhile.
    with _beside(write_original, take, original) as copying:
        people = read_people(take.events("person"))
        layout: Layout
        account: Account | None = None
        if with_transcript:
            on_step("transcript")
            layout, account = _laid_out_and_heard(take, paths, plan, look, people, notices)
        else:
            layout = lay_out(take.segments(), plan)
        digest = copying.result()
    on_step("video" if kind is MediaKind.VIDEO else "audio")
    media: list[Path] = []
    turned = Turned()
    try:
        if kind is MediaKind.VIDEO:
            media, turned = _package_video(take, paths, original, look, cover)
            if len({turn.degrees for turn in turned.turns}) > 1:
                notices.append("the camera was turned on the way; the video is shown as it was held longest")
        else:
            packaging = packaging or Packaging()
            media = _package_audio(paths, original, layout, look, cover, account, packaging)
            _write_lyrics(paths, account if packaging.lyrics else None)
    except MediaError as error:
        notices.append(f"not packaged: {error.message}; {original.name} holds everything")
    on_step("manifest")
    with _beside(lambda: {path.name: digest_file(path) for path in media}) as digests:
        _write_facts(take, paths, layout, look, kind, original, media, turned)
        if account is not None:
            write_transcripts(paths, account)
            people = people_facts(people, account)
        write_file(paths.people, json_text({"schema": SCHEMA, "people": people}).encode())
        known = {original.name: digest.sha256, **digests.result()}
    write_manifest(take.directory, known=known)
    return Finished(directory=take.directory, media=media[0] if media else None, layout=layout, notices=tuple(notices))


@contextlib.contextmanager
def _beside(work: Callable[..., T], *arguments: object) -> Iterator[Future[T]]:
    """Have something done in a thread for the length of the block, which does not end before it."""
    future = _hands().submit(work, *arguments)
    try:
        yield future
    finally:
        wait([future])


@functools.cache
def _hands() -> ThreadPoolExecutor:
    """The threads that help with finishing: as many as recordings are finished at a time."""
    return ThreadPoolExecutor(2, thread_name_prefix="hydrophone-beside")


def _laid_out_and_heard(
    take: Take, paths: Item, plan: Plan, look: Look, people: list[dict[str, Any]], notices: list[str]
) -> tuple[Layout, Account | None]:
    """Where every second comes from, and who said what, in one pass over the segments.

    Whatever a stranger's captions and tags hold, the recording gets its files without them.

    Raises:
        DiskError: nobody knows what they hold. A recording without a transcript must not pass for a whole one.
    """
    listener = listener_for(look, people)
    failures: list[Exception] = []

    def see(position: float, stored: StoredSegment) -> None:
        if failures:
            return
        try:
            listener.see(position, stored)
        except DiskError:
            raise
        except Exception as error:
            log.exception("no transcript")
            failures.append(error)

    layout = lay_out(take.segments(), plan, see=see)
    account: Account | None = None
    try:
        if not failures:
            with disk_errors(paths.path):
                account = account_of(paths, listener.finish(layout.seconds), layout, look, people, take.events("spoke"))
    except DiskError:
        raise
    except Exception as error:
        log.exception("no transcript")
        failures.append(error)
    notices.extend(f"no transcript: {error}" for error in failures)
    return layout, account


# ---------------------------------------------------------------- media


def _package_audio(
    paths: Item,
    original: Path,
    layout: Layout,
    look: Look,
    cover: bytes | None,
    account: Account | None,
    packaging: Packaging,
) -> list[Path]:
    tags = tags_of(look, cover)
    written: list[Path] = []
    offset = 0.0
    for number, part in enumerate((part for part in layout.parts if part.frames), start=1):
        path = paths.audio if number == 1 else paths.path / f"audio-{number}.m4a"
        frames = PartFrames(original, part)
        with DurableWriter(path) as out:
            write_m4a(
                out,
                frames,
                frames.config,
                tags=replace(tags, lyrics=_lyrics(account, offset, part.seconds)) if packaging.lyrics else tags,
                chapters=_chapters(packaging.chapters, layout, account, offset, part),
                created_at=look.started_at or look.created_at,
            )
        written.append(path)
        offset += part.seconds
    return written


def _chapters(wanted: Chapters, layout: Layout, account: Account | None, offset: float, part: Part) -> list[Chapter]:
    gaps = gap_chapters(layout.gaps, offset, part) if wanted in (Chapters.GAPS, Chapters.BOTH) else []
    turns = speech_chapters(account, offset, part.seconds) if wanted in (Chapters.TURNS, Chapters.BOTH) else []
    return merged_chapters(gaps, turns)


def _lyrics(account: Account | None, offset: float, seconds: float) -> str:
    """What is said in the part of the recording that begins at `offset`."""
    return lyrics_text(sliced(account.transcript, offset, offset + seconds)) if account else ""


def _write_lyrics(paths: Item, account: Account | None) -> None:
    """The LRC file beside the audio; one of an earlier run goes where it is not wanted any more."""
    if account is None:
        with disk_errors(paths.lyrics):
            # Made of the transcript, which stays.
            paths.lyrics.unlink(missing_ok=True)  # nosemgrep: files-deleted-only-by-their-writers
    else:
        write_file(paths.lyrics, transcript_as(account.transcript, "lrc").encode())


def _package_video(
    take: Take, paths: Item, original: Path, look: Look, cover: bytes | None
) -> tuple[list[Path], Turned]:
    if not len(take.index):
        return [], Turned()
    from hydrophone.media.mp4 import file_chunks, write_mp4  # most recordings are audio

    with DurableWriter(paths.video) as out, original.open("rb") as file:
        summary = write_mp4(
            out,
            file_chunks(file),
            tags=tags_of(look, cover),
            created_at=look.started_at or look.created_at,
            scratch=take.directory,
            rotation_degrees=look.rotation_degrees,
        )
    return [paths.video], Turned(summary.rotation_degrees, summary.turns)


def tags_of(look: Look, cover: bytes | None) -> Tags:
    """What the packaged file says about itself. Pure."""
    creator = look.creator
    name = (creator.name or creator.handle or "") if creator else ""
    handle = f"@{creator.handle}" if creator and creator.handle else ""
    at = look.started_at or look.scheduled_at or look.created_at
    return Tags(
        title=look.title,
        artist=name or handle,
        album_artist=handle,
        album="X Spaces",
        date=at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else "",
        comment=look.link,
        description=f"{look.title}\n{name} {handle}\n{look.link}".strip(),
        cover=usable_cover(cover) or draw_cover(look.key),
    )


def gap_chapters(gaps: tuple[Gap, ...], offset: float, part: Part) -> list[Chapter]:
    """A chapter at each gap and one where the recording goes on; none for a recording without gaps. Pure."""
    marks: list[Chapter] = []
    for gap in gaps:
        begin, end = gap.begin_seconds - offset, gap.end_seconds - offset
        if end <= 0 or begin >= part.seconds or end - begin < 0.5:
            continue
        marks.append(Chapter(max(0.0, begin), f"Gap: {duration_text(end - begin)} missing ({gap.cause.value})"))
        if end < part.seconds:
            marks.append(Chapter(end, "Recording"))
    if marks and marks[0].start_seconds > 0:
        marks.insert(0, Chapter(0.0, "Recording"))
    return marks


# ---------------------------------------------------------------- facts


def _write_facts(
    take: Take,
    paths: Item,
    layout: Layout,
    look: Look,
    kind: MediaKind,
    original: Path,
    media: list[Path],
    turned: Turned,
) -> None:
    facts = space_facts(look, layout, kind)
    facts |= turned.facts()
    facts["files"] = {"original": original.name, "media": [path.name for path in media]}
    write_file(paths.space, json_text(facts).encode())
    write_file(paths.audience, audience_csv(read_audience(take.events("audience"))).encode())


def space_facts(look: Look, layout: Layout, kind: MediaKind) -> dict[str, Any]:
    """What ``space.json`` says. Pure."""
    coverage = layout.coverage
    return {
        "schema": SCHEMA,
        "hydrophone": __version__,
        "id": look.key,
        "kind": kind.value,
        "link": look.link,
        "title": look.title,
        "creator": _user(look.creator),
        "state": look.state.value,
        "language": look.language,
        "created_at": _instant(look.created_at),
        "scheduled_at": _instant(look.scheduled_at),
        "started_at": _instant(look.started_at),
        "ended_at": _instant(look.ended_at),
        "has_replay": look.has_replay,
        "listeners": look.listeners,
        "duration_seconds": round(layout.seconds, 6),
        "coverage": coverage.as_json(),
        "record": without_stream_addresses(look.raw),
    }


def without_stream_addresses(value: Any) -> Any:
    """A raw record whose addresses at the media service have lost their keys. Pure.

    The key of a stream stands in the addresses of its preview pictures too, and whoever has it can listen.
    """
    if isinstance(value, Mapping):
        return {name: without_stream_addresses(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_stream_addresses(item) for item in value]
    if isinstance(value, str) and _MEDIA_ADDRESS.match(value):
        return redact_url(value)
    return value


def read_coverage(facts: Mapping[str, Any]) -> Coverage:
    """The coverage that a ``space.json`` states. Pure; the file is ours, so a missing field is an error of type."""
    stated = facts["coverage"]
    return Coverage(
        segments=stated["segments"],
        expected=stated["expected"],
        seconds=stated["seconds"],
        missing_seconds=stated["missing_seconds"],
        gaps=tuple(Gap(**gap) for gap in stated["gaps"]),
    )


def look_facts(look: Look) -> dict[str, Any]:
    """A look without its people, as it goes into the journal. Pure."""
    facts: dict[str, Any] = {
        "key": look.key,
        "link": look.link,
        "state": look.state.value,
        "title": look.title,
        "creator": _user(look.creator),
        "media_key": look.media_key,
        "has_replay": look.has_replay,
    }
    if look.rotation_degrees is not None:
        facts["rotation_degrees"] = look.rotation_degrees
    for name in ("scheduled_at", "started_at", "ended_at", "created_at"):
        facts[name] = _instant(getattr(look, name))
    return facts


def read_look(facts: Mapping[str, Any]) -> Look:
    """The look that a journal line holds. Pure."""
    creator = facts.get("creator") or {}
    return Look(
        key=str(facts["key"]),
        link=str(facts["link"]),
        state=SpaceState(facts.get("state", "unknown")),
        title=str(facts["title"]),
        creator=User(
            id=UserId(str(creator.get("id", ""))),
            handle=creator.get("handle"),
            name=creator.get("name"),
            avatar_url=creator.get("avatar_url"),
            periscope_id=creator.get("periscope_id"),
        )
        if creator
        else None,
        media_key=facts.get("media_key"),
        has_replay=facts.get("has_replay"),
        rotation_degrees=facts.get("rotation_degrees"),
        scheduled_at=_read_instant(facts.get("scheduled_at")),
        started_at=_read_instant(facts.get("started_at")),
        ended_at=_read_instant(facts.get("ended_at")),
        created_at=_read_instant(facts.get("created_at")),
    )


def _user(user: User | Participant | None) -> dict[str, Any] | None:
    if user is None:
        return None
    return {
        name: _instant(value) if isinstance(value, datetime) else value
        for name, value in asdict(user).items()
        if value is not None
    }


def _instant(at: datetime | None) -> str | None:
    return instant_text(at) if at else None


def _read_instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def load_facts(path: Path) -> dict[str, Any]:
    """Read a ``space.json`` back."""
    facts: dict[str, Any] = json.loads(path.read_bytes())
    return facts

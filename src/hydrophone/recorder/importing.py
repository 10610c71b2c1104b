"""Recordings from the export of somebody's data: their files become items like any other, without any network.

What an export holds is kept byte for byte as the original. It knows no titles and no lists of segments, so an imported
item is as complete as the file that it was made of, and says where it is from.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO

from hydrophone.archive import DurableWriter, Item, find_item, write_file, write_manifest, write_original
from hydrophone.audio import first_ticks, scan_adts
from hydrophone.errors import HydrophoneError, MediaError
from hydrophone.hls import NumberSet
from hydrophone.hls.transport import PACKET_BYTES, SYNC, judge_transport
from hydrophone.links import build_link
from hydrophone.media.boxes import box
from hydrophone.media.probe import probe_media
from hydrophone.media.relocate import relocate
from hydrophone.media.tags import metadata_box
from hydrophone.model import (
    Broadcast,
    BroadcastId,
    MediaKind,
    PeriscopeBroadcastRef,
    Space,
    SpaceId,
    SpaceRef,
    SpaceState,
    User,
)
from hydrophone.periscope.export import ExportedMedia, PeriscopeExport, read_export
from hydrophone.periscope.export_files import ExportFiles, open_export
from hydrophone.periscope.exported_speech import ExportedSpeech, speech_of
from hydrophone.recorder.exported import audio_began_at, note_speech
from hydrophone.recorder.finishing import finish_item, look_facts, space_facts, tags_of
from hydrophone.recorder.layout import lay_out
from hydrophone.recorder.opening import Work, open_work
from hydrophone.recorder.options import RecordOptions
from hydrophone.recorder.plan import Plan
from hydrophone.recorder.sources import Look, look_of_broadcast, look_of_space
from hydrophone.render.jsontext import json_text

PIECE_BYTES = 1 << 20
TRANSPORT_BYTES = PACKET_BYTES * 22_310  #: about 4 MiB
HEAD_BYTES = 1 << 16  #: holds the first tag of any file


class Fate(StrEnum):
    """What has become of a recording of the export."""

    IMPORTED = "imported"
    POSSIBLE = "can be imported"
    KNOWN = "already in the archive"
    NO_MEDIA = "no media in the export"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One recording of the export. `directory` is the item's folder, `text` what is to be said about it."""

    id: str
    link: str
    fate: Fate
    directory: Path | None = None
    media: Path | None = None
    duration_seconds: float = 0.0
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A recording of the export, with its files and who spoke in it when."""

    look: Look
    media: tuple[ExportedMedia, ...]
    speech: tuple[ExportedSpeech, ...] = ()


class _Form(StrEnum):
    AUDIO = "aac"
    TRANSPORT = "ts"
    MP4 = "mp4"
    OTHER = "bin"


def import_export(
    path: Path,
    options: RecordOptions,
    *,
    on_item: Callable[[Imported], None] = lambda _: None,
    only_spaces: bool = False,
    is_trial: bool = False,
) -> tuple[PeriscopeExport, list[Imported]]:
    """Make items of all recordings in an export, a folder or a ZIP file. Blocks.

    What is in the archive already stays as it is, so an import can be repeated and gone on with.

    Args:
        only_spaces: leave the broadcasts of Periscope alone.
        is_trial: write nothing; say what would be imported.

    Raises:
        ArchiveError: it is no export that can be read.
    """
    results: list[Imported] = []
    with open_export(path) as files:
        export = read_export(files)
        for found in _spaces(export) if only_spaces else _recordings(export):
            result = _import_one(files, found, options, is_trial=is_trial)
            results.append(result)
            on_item(result)
    return export, results


def _spaces(export: PeriscopeExport) -> Iterator[_Found]:
    known = {space.id for space in export.spaces}
    is_space = {one.id for one in export.media if one.kind is MediaKind.AUDIO} | known
    return (found for found in _recordings(export) if found.look.key in is_space)


def _recordings(export: PeriscopeExport) -> Iterator[_Found]:
    """Every recording that the export knows by record or by file, with its files."""
    owner = export.owner or (export.account.as_user() if export.account else None)
    seen: set[str] = set()
    for broadcast in export.broadcasts:
        seen.add(broadcast.id)
        yield _Found(look=_look_of_broadcast(broadcast, owner), media=export.media_of(broadcast.id))
    for space in export.spaces:
        seen.add(space.id)
        yield _Found(look=_look_of_space(space, owner), media=export.media_of(space.id), speech=tuple(speech_of(space)))
    for one in export.media:
        if one.id is None or one.id in seen:
            continue
        seen.add(one.id)
        yield _Found(look=_look_of_file(one, owner), media=export.media_of(one.id))


def _look_of_broadcast(broadcast: Broadcast, owner: User | None) -> Look:
    look = look_of_broadcast(broadcast, build_link(PeriscopeBroadcastRef(broadcast.id)))
    return _over(look, f"Broadcast {broadcast.id}", owner)


def _look_of_space(space: Space, owner: User | None) -> Look:
    known = owner if space.creator is None or (owner and owner.id == space.creator.id) else space.creator
    return _over(look_of_space(space, build_link(SpaceRef(space.id))), f"Space {space.id}", known)


def _look_of_file(media: ExportedMedia, owner: User | None) -> Look:
    is_audio = media.kind is MediaKind.AUDIO
    if is_audio:
        return _look_of_space(Space(id=SpaceId(str(media.id)), state=SpaceState.ENDED), owner)
    return _look_of_broadcast(Broadcast(id=BroadcastId(str(media.id)), state=SpaceState.ENDED), owner)


def _over(look: Look, title: str, creator: User | None) -> Look:
    """The record with what an export leaves out: it is over, and has the owner as its creator."""
    return replace(look, title=title, state=SpaceState.ENDED, creator=creator, cover_url=None)


# ---------------------------------------------------------------- one recording


def _import_one(files: ExportFiles, found: _Found, options: RecordOptions, *, is_trial: bool) -> Imported:
    look, media = found.look, found.media
    known = find_item(options.archive, look.key)
    if known is not None and known.manifest.is_file():
        return Imported(id=look.key, link=look.link, fate=Fate.KNOWN, directory=known.path)
    if not media:
        text = "its record is in the export, its media is not; `hydrophone record` with its link asks X for it"
        return Imported(id=look.key, link=look.link, fate=Fate.NO_MEDIA, text=text)
    if is_trial:
        size_bytes = sum(one.size_bytes for one in media)
        return Imported(id=look.key, link=look.link, fate=Fate.POSSIBLE, text=f"{len(media)} files, {size_bytes} bytes")
    try:
        return _make_item(files, found, options)
    except HydrophoneError as error:
        return Imported(id=look.key, link=look.link, fate=Fate.FAILED, text=error.message)


def _make_item(files: ExportFiles, found: _Found, options: RecordOptions) -> Imported:
    look, media = found.look, found.media
    form = _form_of(files, media[0].name)
    kind = MediaKind.AUDIO if form is _Form.AUDIO else MediaKind.VIDEO
    if form is _Form.AUDIO:
        look = _begun_by_audio(files, media[0], look)
    work = open_work(look, kind, options, frozenset())
    try:
        work.take.note("look", **look_facts(look))
        work.audience.see(look, look.ended_at or look.started_at or datetime.now(UTC), is_live=False)
        note_speech(work.take, found.speech)
        # Parts of a Space follow one another; further files of a video are recordings of their own and stay outside.
        parts = media if form is _Form.AUDIO else media[:1]
        count = 0
        for part in parts:
            with files.open(part.name) as stream:
                count = _store(work, stream, form, count, part.name.rpartition("/")[2])
        work.take.note("settled", reason="imported from an export", final=True)
        work.take.flush()
        held = NumberSet()
        if count:
            held.add_range(0, count - 1)
        plan = Plan({0: held})
        finished = _finish(work, plan, look, kind, form, options)
        work.take.release_media()
        left = len(media) - len(parts)
        note = f"{left} further files of this broadcast were left out" if left else finished.text
        return Imported(
            id=look.key,
            link=look.link,
            fate=Fate.IMPORTED,
            directory=work.take.directory,
            media=finished.media,
            duration_seconds=finished.seconds,
            text=note,
        )
    finally:
        work.take.close()


def _begun_by_audio(files: ExportFiles, media: ExportedMedia, look: Look) -> Look:
    with files.open(media.name) as stream:
        return replace(look, started_at=audio_began_at(_filled(stream, HEAD_BYTES), look))


def _form_of(files: ExportFiles, name: str) -> _Form:
    """What a file is, by its first bytes: files of Spaces are called ``.ts`` and are none."""
    with files.open(name) as stream:
        head = stream.read(PACKET_BYTES * 3)
    if head[4:8] in (b"ftyp", b"moov", b"mdat"):
        return _Form.MP4
    if head[:1] == bytes((SYNC,)) and head[PACKET_BYTES : PACKET_BYTES + 1] in (b"", bytes((SYNC,))):
        return _Form.TRANSPORT
    if head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0):
        return _Form.AUDIO
    return _Form.OTHER


def _store(work: Work, stream: IO[bytes], form: _Form, first: int, name: str) -> int:
    """Put a file into the take, in pieces of some megabytes. Returns the number for the next piece."""
    pieces = _audio_pieces(stream) if form is _Form.AUDIO else _plain_pieces(stream, form)
    number = first
    for body in pieces:
        if form is _Form.AUDIO:
            _add_audio(work, number, body, name)
        else:
            span = judge_transport(body, None).span_seconds if form is _Form.TRANSPORT else None
            work.take.add_segment(
                0, number, body, frames=None, verdict="complete", name=name, duration_seconds=span, source="export"
            )
        work.take.flush()
        number += 1
    return number


def _add_audio(work: Work, number: int, body: bytes, name: str) -> None:
    scan = scan_adts(body)
    work.take.add_segment(
        0,
        number,
        body,
        frames=scan.frame_sizes if scan.rate else None,
        runs=scan.runs,
        verdict="complete",
        name=name,
        duration_seconds=scan.frames * 1024 / scan.rate if scan.rate else None,
        ticks=first_ticks(body),
        rate=scan.rate,
        channels=scan.channels,
        source="export",
    )


def _plain_pieces(stream: IO[bytes], form: _Form) -> Iterator[bytes]:
    size = TRANSPORT_BYTES if form is _Form.TRANSPORT else PIECE_BYTES
    while body := _filled(stream, size):
        yield body


def _audio_pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Pieces that end where a frame ends, or a tag begins, so that no frame is torn."""
    rest = b""
    while fresh := _filled(stream, PIECE_BYTES):
        body = rest + fresh
        cut = _end_of_frames(body)
        # Without a single frame in it there is nothing to tear.
        yield body[:cut] if cut else body
        rest = body[cut:] if cut else b""
    if rest:
        yield rest


def _end_of_frames(body: bytes) -> int:
    scan = scan_adts(body)
    if not scan.frames:
        return 0
    offset, count = scan.runs[-1]
    sizes: array[int] = scan.frame_sizes[len(scan.frame_sizes) - count :]
    return int(offset) + sum(sizes)


def _filled(stream: IO[bytes], size: int) -> bytes:
    """So many bytes, fewer only at the end; a ZIP file gives what it has at the moment."""
    pieces: list[bytes] = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


# ---------------------------------------------------------------- finishing


@dataclass(frozen=True, slots=True)
class _Finished:
    media: Path | None
    seconds: float
    text: str = ""


def _finish(work: Work, plan: Plan, look: Look, kind: MediaKind, form: _Form, options: RecordOptions) -> _Finished:
    if form in (_Form.AUDIO, _Form.TRANSPORT):
        finished = finish_item(
            work.take,
            plan,
            look,
            kind,
            cover=None,
            on_step=lambda _: None,
            with_transcript=options.transcript,
            packaging=options.packaging,
        )
        return _Finished(finished.media, finished.layout.seconds, "; ".join(finished.notices))
    return _finish_whole_file(work, plan, look, form)


def _finish_whole_file(work: Work, plan: Plan, look: Look, form: _Form) -> _Finished:
    """An mp4 has its pictures and sound in its own order already: only the index is moved and tags are added."""
    take, paths = work.take, Item(work.take.directory)
    original = paths.original(form.value)
    digest = write_original(take, original)
    media: Path | None = None
    seconds, text = 0.0, ""
    try:
        if form is not _Form.MP4:
            raise MediaError("the file is of no kind that we know")
        with DurableWriter(paths.video) as out, original.open("rb") as file:
            relocate(out, file, box(b"udta", metadata_box(tags_of(look, None))))
        media = paths.video
        seconds = probe_media(media).duration_seconds or 0.0
    except MediaError as error:
        text = f"not packaged: {error.message}; {original.name} holds everything"
    facts = space_facts(look, lay_out(take.segments(), plan), MediaKind.VIDEO)
    facts["duration_seconds"] = round(seconds, 6)
    facts["coverage"]["seconds"] = round(seconds, 6)
    facts["files"] = {"original": original.name, "media": [media.name] if media else []}
    write_file(paths.space, json_text(facts).encode())
    write_file(paths.people, json_text({"schema": facts["schema"], "people": []}).encode())
    write_manifest(take.directory, known={original.name: digest.sha256})
    return _Finished(media, seconds, text)

"""What an export of somebody's data from X holds of Periscope and of Spaces: records, and which media files there are.

Each file is one assignment of JavaScript whose right side is JSON. Most accounts have these files empty or not at all;
anything may be missing, and a file that cannot be read costs nothing but itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hydrophone.errors import HydrophoneError, WireError
from hydrophone.http.reading import Node, node_of
from hydrophone.links import is_broadcast_id
from hydrophone.model import (
    Broadcast,
    BroadcastId,
    MediaKind,
    Participant,
    PeriscopeUserId,
    Role,
    Space,
    SpaceId,
    SpaceState,
    User,
    UserId,
)
from hydrophone.periscope.export_files import ExportFiles, read_bytes
from hydrophone.periscope.records import PeriscopeUser

ID_LENGTH = 13
MAX_BYTES = 256 * 1024 * 1024
_ASSIGNMENT = re.compile(rb"\s*(?:window\s*\.\s*)?[A-Za-z_$][\w$.]{0,200}\s*=")
_ID_IN_NAME = re.compile(r"(?<![0-9A-Za-z])(1[0-9A-Za-z]{12}|[0-9]{5,12})(?![0-9A-Za-z])")
_SPACE_FILE = re.compile(r"space-([0-9A-Za-z]{13})(?:_([0-9]{1,6}))?(?:\.[A-Za-z0-9]{1,5})?")
_BROADCAST_FOLDER, _SPACE_FOLDER = "periscope_broadcast_media", "spaces_media"
_PROBLEMS_SHOWN = 1000
_PARTS_SHOWN = 10

_ACCOUNT = "periscope-account-information"
_PROFILE = "periscope-profile-description"
_BROADCASTS = "periscope-broadcast-metadata"
_COMMENTS = "periscope-comments-made-by-user"
_EXPIRED = "periscope-expired-broadcasts"
_FOLLOWERS = "periscope-followers"
_BANS = "periscope-ban-information"
_SPACES = "spaces-metadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedComment:
    """What the account's owner once wrote under somebody's broadcast."""

    broadcast_id: BroadcastId
    text: str
    by_id: PeriscopeUserId | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedMedia:
    """A media file of the export, by its name in there.

    Files of Spaces end in ``.ts`` and are none: they are plain ADTS audio with timed metadata, as in the segments.
    `part` orders several files of one recording. `id` is None where the name has nothing that looks like one.
    """

    name: str
    kind: MediaKind
    id: BroadcastId | SpaceId | None
    part: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriscopeExport:
    """All of it. Followers and comments concern other people too: they are only read on request.

    `made_at` and `owner` come from the manifest. `expired_ids` are broadcasts of which no replay was kept. `problems`
    are files and records that could not be read.
    """

    owner: User | None = None
    made_at: datetime | None = None
    is_partial: bool = False
    account: PeriscopeUser | None = None
    broadcasts: tuple[Broadcast, ...] = ()
    expired_ids: tuple[BroadcastId, ...] = ()
    spaces: tuple[Space, ...] = ()
    comments: tuple[ExportedComment, ...] = ()
    followers: tuple[PeriscopeUserId, ...] = ()
    bans: tuple[Mapping[str, Any], ...] = ()
    media: tuple[ExportedMedia, ...] = ()
    problems: tuple[str, ...] = ()

    def media_of(self, item_id: str) -> tuple[ExportedMedia, ...]:
        """The files of one broadcast or Space, in order."""
        return tuple(sorted((one for one in self.media if one.id == item_id), key=lambda one: (one.part, one.name)))

    @property
    def is_empty(self) -> bool:
        return not (self.account or self.broadcasts or self.expired_ids or self.spaces or self.media)


@dataclass(slots=True)
class _Reading:
    """One export while it is read: its manifest, and what went wrong so far."""

    files: ExportFiles
    manifest: Node = field(default_factory=lambda: Node({}))
    problems: list[str] = field(default_factory=list)

    def note(self, problem: str) -> None:
        if len(self.problems) < _PROBLEMS_SHOWN:
            self.problems.append(problem)


def read_export(files: ExportFiles, *, with_people: bool = False) -> PeriscopeExport:
    """Everything of Periscope and of Spaces in an export.

    Args:
        with_people: also the followers and the comments, which concern other people.
    """
    reading = _Reading(files, problems=list(files.problems[:_PROBLEMS_SHOWN]))
    reading.manifest = _read_manifest(reading)
    info = reading.manifest.at("archiveInfo")
    broadcasts = [_read_broadcast(node) for node in _records(reading, _BROADCASTS) if _has_id(reading, node)]
    spaces = [_read_space(node) for node in _records(reading, _SPACES) if _has_id(reading, node)]
    media = list_media(files.sizes, reading.manifest)
    for problem in _odd_media(media):
        reading.note(problem)
    return PeriscopeExport(
        owner=_read_owner(reading.manifest.at("userInfo")),
        made_at=info.at("generationDate").instant(),
        is_partial=info.at("isPartialArchive").flag() or False,
        account=_read_account(reading),
        broadcasts=tuple({one.id: one for one in broadcasts}.values()),
        expired_ids=tuple(dict.fromkeys(_expired(_records(reading, _EXPIRED)))),
        spaces=tuple({one.id: one for one in spaces}.values()),
        comments=tuple(_comments(_records(reading, _COMMENTS))) if with_people else (),
        followers=tuple(dict.fromkeys(_followers(_records(reading, _FOLLOWERS)))) if with_people else (),
        bans=tuple(node.mapping() for node in _records(reading, _BANS)),
        media=tuple(media),
        problems=tuple(reading.problems),
    )


# ---------------------------------------------------------------- files


def parse_assignment(data: bytes, name: str = "") -> Node:
    """The right side of the one assignment in a file.

    Raises:
        WireError: it is no assignment, or its right side is no JSON.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    match = _ASSIGNMENT.match(data)
    body = data[match.end() :] if match else data
    try:
        value = json.loads(body.strip().rstrip(b";"))
    except (ValueError, RecursionError) as error:
        raise WireError(f"{name} in the export is not what it should be: {type(error).__name__}", path=name) from error
    return node_of(value, name)


def _read_manifest(reading: _Reading) -> Node:
    for name in _ending_with(reading.files, "manifest.js"):
        try:
            manifest = parse_assignment(read_bytes(reading.files, name, limit_bytes=MAX_BYTES), name)
        except HydrophoneError as error:
            reading.note(error.message)
            continue
        if manifest.at("dataTypes").is_object():
            return manifest
    return Node({})


def _records(reading: _Reading, topic: str) -> list[Node]:
    """The objects in all files about a topic. Each stands under one key of its own, which is taken off."""
    records = []
    for name in _files_about(reading, topic):
        try:
            root = parse_assignment(read_bytes(reading.files, name, limit_bytes=MAX_BYTES), name)
        except HydrophoneError as error:
            reading.note(error.message)
            continue
        for item in root.items():
            inner = item.at(_camel(topic))
            if inner.is_object():
                records.append(inner)
            elif item.is_object():
                records.append(item)
            else:
                reading.note(f"{name}: {item.path or 'an element'} is no object")
    return records


def _files_about(reading: _Reading, topic: str) -> list[str]:
    """Those that the manifest names, and all that are there and look like parts, in the order of their numbers."""
    part = re.compile(rf"(?:.*/)?{re.escape(topic)}(?:-part([0-9]{{1,6}}))?\.js")
    found = {name: int(match[1] or 0) for name in reading.files.sizes if (match := part.fullmatch(name))}
    for entry in reading.manifest.at("dataTypes", _camel(topic), "files").items():
        named = entry.at("fileName").text() or ""
        names = _ending_with(reading.files, named) if named else []
        if named and not names:
            reading.note(f"{named} is named by the manifest, and missing")
        for name in names:
            found.setdefault(name, len(found))
    return sorted(found, key=lambda name: (found[name], name))


def _ending_with(files: ExportFiles, tail: str) -> list[str]:
    """Names that are `tail` or end with it: an export may lie in a folder of its own."""
    return [name for name in files.sizes if name == tail or name.endswith("/" + tail)]


def _camel(topic: str) -> str:
    first, *rest = topic.split("-")
    return first + "".join(word.capitalize() for word in rest)


# ---------------------------------------------------------------- records


def _has_id(reading: _Reading, record: Node) -> bool:
    if is_broadcast_id(record.at("id").text() or ""):
        return True
    reading.note(f"{record.endpoint}: {record.path} has no id")
    return False


def _read_broadcast(record: Node) -> Broadcast:
    """A broadcast; the export knows neither its title nor its state."""
    return Broadcast(
        id=BroadcastId(record.at("id").need_text()),
        state=SpaceState.UNKNOWN,
        created_at=record.at("createdAt").instant(),
        updated_at=record.at("updatedAt").instant(),
        raw=record.mapping(),
    )


def _read_space(record: Node) -> Space:
    """A Space. The file was made while it was live and knows those who spoke, each time they did."""
    creator_id = record.at("creatorUserId").some_text()
    ended_at = record.at("endedAt").instant()
    return Space(
        id=SpaceId(record.at("id").need_text()),
        state=SpaceState.ENDED if ended_at else SpaceState.UNKNOWN,
        creator=User(id=UserId(creator_id)) if creator_id else None,
        created_at=record.at("createdAt").instant(),
        started_at=record.at("createdAt").instant(),
        ended_at=ended_at,
        listeners=record.at("totalParticipated").count(),
        participants=tuple(_speakers(record, creator_id)),
        raw=record.mapping(),
    )


def _speakers(record: Node, creator_id: str | None) -> Iterator[Participant]:
    hosts = {text for node in record.at("hostUserIds").items() if (text := node.some_text())}
    since: dict[str, datetime | None] = dict.fromkeys(sorted(hosts))
    for speaker in record.at("speakers").items():
        user_id = speaker.first("userId", "id").some_text() or speaker.some_text()
        if user_id and since.get(user_id) is None:
            since[user_id] = speaker.at("startedAt").instant()
    for user_id, at in since.items():
        role = Role.CREATOR if user_id == creator_id else Role.HOST if user_id in hosts else Role.SPEAKER
        yield Participant(role=role, user_id=UserId(user_id), since_at=at)


def _read_owner(record: Node) -> User | None:
    account_id = record.at("accountId").some_text()
    if account_id is None:
        return None
    return User(
        id=UserId(account_id), handle=record.at("userName").some_text(), name=record.at("displayName").some_text()
    )


def _read_account(reading: _Reading) -> PeriscopeUser | None:
    record = next(iter(_records(reading, _ACCOUNT)), None)
    profile = next(iter(_records(reading, _PROFILE)), Node({}))
    if record is None or not record.at("id").some_text():
        return None
    x_id = record.at("twitterId").some_text()
    return PeriscopeUser(
        id=PeriscopeUserId(record.at("id").need_text()),
        username=record.at("username").some_text(),
        display_name=record.at("displayName").some_text(),
        description=profile.at("description").text(),
        x_id=UserId(x_id) if x_id else None,
        x_handle=record.at("twitterScreenName").some_text(),
        is_verified=record.at("isTwitterVerified").flag(),
        created_at=record.at("createdAt").instant(),
        avatar_urls=tuple(url for node in profile.at("profileImageUrls").items() if (url := node.some_text())),
        raw={**profile.mapping(), **record.mapping()},
    )


def _expired(records: Iterable[Node]) -> Iterator[BroadcastId]:
    for record in records:
        for node in record.at("broadcastIds").items():
            if is_broadcast_id(text := node.text() or ""):
                yield BroadcastId(text)


def _comments(records: Iterable[Node]) -> Iterator[ExportedComment]:
    for record in records:
        broadcast_id = record.at("broadcastId").text() or ""
        by_id = record.at("byAccountId").some_text()
        if is_broadcast_id(broadcast_id):
            yield ExportedComment(
                broadcast_id=BroadcastId(broadcast_id),
                text=record.at("text").text() or "",
                by_id=PeriscopeUserId(by_id) if by_id else None,
                created_at=record.at("createdAt").instant(),
            )


def _followers(records: Iterable[Node]) -> Iterator[PeriscopeUserId]:
    for record in records:
        for node in record.first("accountIds", "accountId").items():
            if text := node.some_text():
                yield PeriscopeUserId(text)
        if single := record.at("accountId").some_text():
            yield PeriscopeUserId(single)


# ---------------------------------------------------------------- media


def list_media(sizes: Mapping[str, int], manifest: Node) -> list[ExportedMedia]:
    """The media files of Periscope and of Spaces among the names of an export."""
    folders = {_BROADCAST_FOLDER: MediaKind.VIDEO, _SPACE_FOLDER: MediaKind.AUDIO}
    for key, entry in manifest.at("dataTypes").members():
        named = (entry.at("mediaDirectory").text() or "").rstrip("/").rpartition("/")[2]
        if named and key.startswith(("periscope", "spaces")):
            folders.setdefault(named, MediaKind.AUDIO if key.startswith("spaces") else MediaKind.VIDEO)
    found = []
    for name, size in sizes.items():
        folder, _, last = name.rpartition("/")
        kind = folders.get(folder.rpartition("/")[2])
        if kind is not None and last and size > 0:
            found.append(_media(name, last, kind, size))
    return sorted(found, key=lambda one: (one.id or "", one.part, one.name))


def _media(name: str, last: str, kind: MediaKind, size: int) -> ExportedMedia:
    if space := _SPACE_FILE.fullmatch(last):
        return ExportedMedia(
            name=name, kind=MediaKind.AUDIO, id=SpaceId(space[1]), part=int(space[2] or 0), size_bytes=size
        )
    # The id of a user may stand in front, so what can only be the newer kind of id is taken first.
    found = sorted(_ID_IN_NAME.findall(last), key=lambda text: len(text) != ID_LENGTH)
    return ExportedMedia(name=name, kind=kind, id=BroadcastId(found[0]) if found else None, size_bytes=size)


def _odd_media(media: Iterable[ExportedMedia]) -> Iterator[str]:
    """What a reader should know: files that belong to nothing, and Spaces of which a part is missing."""
    parts: dict[str, set[int]] = {}
    for one in media:
        if one.id is None:
            yield f"{one.name} has no id in its name, so it belongs to nothing; it was left out"
        elif one.kind is MediaKind.AUDIO:
            parts.setdefault(one.id, set()).add(one.part)
    for space_id, numbers in sorted(parts.items()):
        missing = sorted(set(range(min(max(numbers), len(numbers) + _PARTS_SHOWN))) - numbers)[:_PARTS_SHOWN]
        if missing:
            yield f"of the audio of {space_id}, these parts are missing: {', '.join(map(str, missing))}"

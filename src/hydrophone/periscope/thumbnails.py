"""The pictures of a replay, each at its position, and the cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hydrophone.errors import WireError
from hydrophone.http.messages import Question
from hydrophone.http.reading import Node
from hydrophone.model import BroadcastId
from hydrophone.periscope.asking import ask_private, ask_public
from hydrophone.periscope.closing import EXPORT_ADVICE, NO_PERISCOPE_PAGE
from hydrophone.periscope.pages import PAGE
from hydrophone.periscope.records import rounded_rotation
from hydrophone.periscope.session import PeriscopeSession
from hydrophone.periscope.users import page_at

_LONGEST_SECONDS = 10 * 366 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnail:
    """One picture. `at_seconds` is its position in the replay, None for the cover. The address is signed: it ends."""

    url: str = field(repr=False)
    at_seconds: float | None = None
    rotation_degrees: int | None = None  #: as the sensor said it

    @property
    def turn(self) -> int:
        """The quarter turn to show it with: 0, 90, 180 or 270."""
        return rounded_rotation(self.rotation_degrees or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnails:
    cover: Thumbnail | None = None
    pictures: tuple[Thumbnail, ...] = ()


def replay_thumbnails(session: PeriscopeSession, broadcast_id: BroadcastId, *, token: str = "") -> Question[Thumbnails]:
    """The thumbnails of a replay.

    Args:
        token: a session token for thumbnails; without one, the broadcast's page is asked for it.
    """
    if not token:
        page = yield from page_at(session, f"/w/{broadcast_id}")
        token = page.tokens.thumbnails or ""
        if not token:
            raise WireError(NO_PERISCOPE_PAGE, endpoint=PAGE, advice=EXPORT_ADVICE)
    params = {"broadcast_id": broadcast_id, "session_id": token}
    return read_thumbnails((yield from ask_public(session, "publicReplayThumbnailPlaylist", params)))


def own_thumbnails(session: PeriscopeSession, broadcast_id: BroadcastId) -> Question[Thumbnails]:
    """The same for a signed-in user."""
    return read_thumbnails((yield from ask_private(session, "replayThumbnailPlaylist", {"broadcast_id": broadcast_id})))


def read_thumbnails(root: Node) -> Thumbnails:
    """Thumbnails from their list: the first is the cover; times that are missing are filled in."""
    chunks = [chunk for chunk in root.need_object().at("chunks").items() if _is_web(chunk.at("tn").text() or "")]
    times = fill_in_times([_seconds(chunk.at("time")) for chunk in chunks[1:]])
    positions: list[float | None] = [None, *times]
    pictures = [
        Thumbnail(url=chunk.at("tn").need_text(), at_seconds=at, rotation_degrees=chunk.at("rotation").integer())
        for chunk, at in zip(chunks, positions, strict=False)
    ]
    return Thumbnails(cover=pictures[0] if pictures else None, pictures=tuple(pictures[1:]))


def fill_in_times(times: Sequence[float | None]) -> list[float]:
    """The same times without holes: the first is 0 where it is missing, any other the last plus the average step."""
    known = [
        (index, 0.0 if time is None else time) for index, time in enumerate(times) if time is not None or not index
    ]
    (first, begin), (last, end) = (known[0], known[-1]) if known else ((0, 0.0), (0, 0.0))
    average = max(end - begin, 0.0) / (last - first) if last > first else 0.0
    filled: list[float] = []
    for time in times:
        if time is not None:
            filled.append(time)
        else:
            filled.append(float(round(filled[-1] + average)) if filled else 0.0)
    return filled


def _seconds(node: Node) -> float | None:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        number = node.count()
        return float(number) if number is not None and number <= _LONGEST_SECONDS else None
    return float(value) if 0 <= value <= _LONGEST_SECONDS else None


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://")) and len(url) < 16_384 and url.isprintable()

"""What to do next with a live playlist. No request is made here and no clock is read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hydrophone.hls.epochs import Epoch
from hydrophone.hls.numbers import NumberSet
from hydrophone.hls.playlist import MediaPlaylist
from hydrophone.hls.window import fresh_segments
from hydrophone.model import Segment

MAX_POLL_SECONDS = 3.0
MIN_POLL_SECONDS = 1.0
#: When to look again after the live playlist answered 404: the host may come back, or the Space may be over.
AWAY_POLL_SECONDS = 10.0

# A hostile list could begin an epoch at every look.
_REMEMBERED_EPOCHS = 16


@dataclass(frozen=True, slots=True)
class Missed:
    """Numbers of one epoch that no playlist has listed to us, although later ones are listed."""

    epoch: int
    numbers: range


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next with a live playlist.

    `missed` is the range that slid out of the window before we looked, empty when there is none; `unlisted` is the
    whole truth where a load shows several such ranges, also holes inside the list and entries marked as gaps. Each
    number is reported once, and may still be fetched when a later list names it.
    """

    fetch: tuple[Segment, ...]  #: the new segments, in order of their numbers within each epoch
    missed: range
    wait: float | None  #: seconds from the start of this load to the start of the next; None when it claims to be ended
    epoch: int = 0  #: the newest epoch
    epochs: tuple[int, ...] = ()  #: the epoch of each segment of `fetch`
    restarted: bool = False  #: this load began a new epoch
    unlisted: tuple[Missed, ...] = ()
    refused: tuple[int, ...] = ()  #: numbers of the newest epoch whose entries were refused, each reported once


class LiveTracker:
    """Decide which segments of a live playlist to fetch, and when to look again.

    A recorder wants all that is still listed, so the first look starts with the oldest segment, not at the live edge.
    Each segment is handed out once, whatever the edges of the CDN show in whatever order. Memory grows with the holes
    in the stream, not with its length.

    Source: RFC 8216, section 6.3.4 (one target duration after a change, half of one without), but never longer than
    three seconds, because this service keeps a window of only four segments.
    """

    def __init__(self, *, epoch: int = 0, offered: NumberSet | None = None, newest_ns: int | None = None) -> None:
        """Begin, or go on where an earlier run stopped.

        Args:
            epoch: the number of the epoch to go on with.
            offered: the numbers of that epoch that are held already; the tracker takes the set over.
            newest_ns: the highest `written_ns` among them; without it a restart during the pause goes unnoticed.
        """
        first = Epoch(epoch)
        if offered is not None and offered:
            first.offered = offered
            first.highest = offered.highest
            first.newest_ns = newest_ns
        self._epochs = [first]
        self._shown: tuple[Segment, ...] = ()  # the last list

    @property
    def epoch(self) -> int:
        """The newest epoch."""
        return self._epochs[-1].number

    @property
    def highest(self) -> int | None:
        """The highest number listed in the newest epoch."""
        return self._epochs[-1].highest

    def see(self, playlist: MediaPlaylist) -> Step:
        """Digest one load of the playlist. Show loads in the order in which they were made."""
        before = self.epoch
        listed: dict[int, list[Segment]] = {}
        shown, self._shown = self._shown, playlist.segments
        # Within one epoch, what has been looked at in the list before changes nothing.
        fresh = fresh_segments(playlist.segments, shown) if len(self._epochs) == 1 else playlist.segments
        behind = _oldest_behind(fresh)
        for index, segment in enumerate(fresh):
            epoch = self._epoch_of(segment, behind[index + 1])
            epoch.take_in(segment)
            listed.setdefault(epoch.number, []).append(segment)

        fetch: list[Segment] = []
        epochs: list[int] = []
        unlisted: list[Missed] = []
        refused: tuple[int, ...] = ()
        for epoch in self._epochs:
            is_newest = epoch is self._epochs[-1]
            if is_newest and playlist.refused:
                refused = tuple(number for number in playlist.refused if _note(epoch, number))
            segments = listed.get(epoch.number)
            if segments:
                unlisted += _missed(epoch, segments)
                new = _offer(epoch, segments)
                fetch += new
                epochs += [epoch.number] * len(new)
        newest = self.epoch
        return Step(
            fetch=tuple(fetch),
            missed=next((missed.numbers for missed in unlisted if missed.epoch == newest), range(0)),
            wait=None if playlist.is_ended else _wait(playlist.target_duration, has_news=bool(fetch)),
            epoch=newest,
            epochs=tuple(epochs),
            restarted=newest != before,
            unlisted=tuple(unlisted),
            refused=refused,
        )

    def _epoch_of(self, segment: Segment, oldest_behind: int | None) -> Epoch:
        newest = self._epochs[-1]
        if len(self._epochs) > 1:
            # A stale edge may still show the end of an earlier epoch.
            for index in range(len(self._epochs) - 1, 0, -1):
                if self._epochs[index - 1].precedes(segment):
                    newest = self._epochs[index]
                    break
            else:
                return self._epochs[0]
            if newest is not self._epochs[-1]:
                return newest
        # One that was written late stands in its place, with older ones behind it; those of a restart stand last.
        if not newest.is_ended_by(segment) or newest.has_written(oldest_behind):
            return newest
        self._epochs.append(Epoch(newest.number + 1))
        del self._epochs[:-_REMEMBERED_EPOCHS]
        return self._epochs[-1]


def _oldest_behind(segments: tuple[Segment, ...]) -> list[int | None]:
    """For each place in a list, the oldest time of writing from there on; None where no name has any."""
    found: list[int | None] = [None] * (len(segments) + 1)
    oldest: int | None = None
    for place in range(len(segments) - 1, -1, -1):
        written_ns = segments[place].written_ns
        if written_ns is not None and (oldest is None or written_ns < oldest):
            oldest = written_ns
        found[place] = oldest
    return found


def _note(epoch: Epoch, number: int) -> bool:
    return number not in epoch.offered and epoch.noted.add(number)


def _missed(epoch: Epoch, segments: list[Segment]) -> list[Missed]:
    """The numbers below those listed that neither a list nor a report of ours has named yet, and marks them."""
    if len(segments) == 1 and segments[0].sequence - 1 == epoch.offered.highest and not segments[0].is_gap:
        return []  # the next one, as nearly always
    numbers = NumberSet(segment.sequence for segment in segments if not segment.is_gap)
    gaps = [segment.sequence for segment in segments if segment.is_gap]
    lowest, highest = min(segment.sequence for segment in segments), max(segment.sequence for segment in segments)
    known = epoch.offered.highest
    begin = lowest if known is None else min(lowest, known + 1)
    if known is not None and highest <= known and not gaps:
        return []
    missed = []
    for hole in epoch.offered.missing(begin, highest):
        for unheld in numbers.missing(hole.start, hole.stop - 1):
            for unnoted in epoch.noted.missing(unheld.start, unheld.stop - 1):
                missed.append(Missed(epoch.number, unnoted))
    for found in missed:
        epoch.noted.add_range(found.numbers.start, found.numbers.stop - 1)
    return missed


def _offer(epoch: Epoch, segments: list[Segment]) -> list[Segment]:
    """Those that have not been handed out yet, in order of their numbers, and marks them."""
    new = [segment for segment in segments if not segment.is_gap and epoch.offered.add(segment.sequence)]
    if any(earlier.sequence > later.sequence for earlier, later in pairwise(new)):
        new.sort(key=lambda segment: segment.sequence)
    return new


def _wait(target_duration: float | None, *, has_news: bool) -> float:
    whole = min(MAX_POLL_SECONDS, target_duration or MAX_POLL_SECONDS)
    return max(MIN_POLL_SECONDS, whole if has_news else whole / 2)

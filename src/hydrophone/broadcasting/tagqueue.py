"""What waits for one target: bounded, and after a loss only ever begun with a key frame. No clock, no socket."""

from __future__ import annotations

from collections import deque

from hydrophone.media.flv import Tag


class TagQueue:
    """The tags between the source and one connection.

    When more than `max_lag_ms` of media are waiting, the target is too slow: what is oldest is dropped up to the next
    key frame, so that the others never wait and a viewer sees a jump instead of damage.
    """

    def __init__(self, max_lag_ms: int, *, counts_start: bool = True) -> None:
        """Begin, closed.

        Args:
            counts_start: what comes before the first connection is missed; else nobody could have had it.
        """
        self.max_lag_ms = max_lag_ms
        self._counts_loss = counts_start
        self.missed_ms = 0  #: media that this target will never get
        self._tags: deque[Tag] = deque()
        self._needs_key = False
        self._lost_since: int | None = None
        self._is_open = False

    def __len__(self) -> int:
        return len(self._tags)

    def open(self) -> None:
        """A connection is there: keep what comes."""
        self._is_open = True

    def reset(self, delivered_ms: int | None) -> None:
        """The connection has gone, and nothing after `delivered_ms` arrived (None: nothing was taken from here)."""
        if self._lost_since is None:
            self._lost_since = self._tags[0].at_ms if delivered_ms is None and self._tags else delivered_ms
        # What waits is of no use any more: by then it would be late.
        self._tags.clear()
        self._is_open = False
        self._needs_key = True

    def put(self, tag: Tag) -> None:
        """Take a tag, or let it go. Never waits."""
        if not self._is_open:
            self._lose(tag)
            return
        if self._needs_key:
            if not tag.is_key:
                self._lose(tag)
                return
            self._needs_key = False
        if self._lost_since is not None and self._counts_loss:
            self.missed_ms += max(0, tag.at_ms - self._lost_since)
        self._lost_since = None
        self._counts_loss = True
        self._tags.append(tag)
        if tag.at_ms - self._tags[0].at_ms > self.max_lag_ms:
            self._catch_up()

    def take(self) -> Tag | None:
        """The next tag, None when nothing waits."""
        return self._tags.popleft() if self._tags else None

    def close(self, end_ms: int) -> None:
        """The source has ended at `end_ms`: what was lost until then is missed."""
        if self._lost_since is not None and self._counts_loss:
            self.missed_ms += max(0, end_ms - self._lost_since)
        self._lost_since = None

    def _lose(self, tag: Tag) -> None:
        self._needs_key = True
        if self._lost_since is None:
            self._lost_since = tag.at_ms

    def _catch_up(self) -> None:
        """Drop the oldest, up to the newest key frame that waits; without one, all."""
        tags = self._tags
        begin = tags[0].at_ms
        at = next((index for index in range(len(tags) - 1, 0, -1) if tags[index].is_key), None)
        if at is None:
            tags.clear()
            self._needs_key = True
            self._lost_since = begin
            return
        for _ in range(at):
            tags.popleft()
        self.missed_ms += max(0, tags[0].at_ms - begin)

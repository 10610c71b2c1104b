"""A log of chat, in the order in which the service sent it: the order that captions must be merged in.

Socket, history and the second history after the end stand one after the other in the log. Only a time stamp and an
offset are kept for each line, so a million messages cost some tens of megabytes and are read twice.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator

from hydrophone.chat.identities import IdentitySet
from hydrophone.chat.intake import identify_line, read_line
from hydrophone.model import ChatMessage


class MessageOrder:
    """Show it all lines with their places, then ask for the places in order, each message once."""

    def __init__(self) -> None:
        self._known = IdentitySet()
        self._times = array("q")
        self._places = array("q")
        self.is_sorted = True  #: so far, the log itself is in order
        self._last_ns = 0

    def __len__(self) -> int:
        return len(self._places)

    def add(self, identity: str, sent_ns: int | None, place: int) -> bool:
        """The next message of the log and where it stands: an offset or an index. False for one that is known."""
        if not self._known.add(identity):
            return False
        # What has no time belongs behind its neighbour.
        sent_ns = min(self._last_ns if sent_ns is None else sent_ns, 2**63 - 1)
        if self._times and sent_ns < self._times[-1]:
            self.is_sorted = False
        self._last_ns = sent_ns
        self._times.append(sent_ns)
        self._places.append(place)
        return True

    def places(self) -> Iterator[int]:
        """Places by time of sending, ties as they stand in the log."""
        if self.is_sorted:
            yield from self._places
            return
        # Stable, and linear for what it mostly gets: a few sorted runs one after the other.
        for index in sorted(range(len(self._times)), key=self._times.__getitem__):
            yield self._places[index]


class StraightReading:
    """A log read once, for those who can begin anew: most logs are in order already, and nobody knows before the end.

    Iterate: as long as `is_straight` stays true, the messages come in order, each once. When a line is met that belongs
    further up, they stop, `is_straight` is False, and `again` gives all of them from the beginning.

    Args:
        lines: each line with its place. None is held longer than it takes to read it.
        line_at: the line at a place, for the second reading.
    """

    def __init__(self, lines: Iterable[tuple[int, bytes]], line_at: Callable[[int], bytes]) -> None:
        self.is_straight = True
        self._lines = iter(lines)
        self._line_at = line_at
        self._order = MessageOrder()

    def __iter__(self) -> Iterator[ChatMessage]:
        for place, line in self._lines:
            message = read_line(line)
            is_new = self._order.add(message.identity, message.sent_ns, place)
            if not self._order.is_sorted:
                self.is_straight = False
                return
            if is_new:
                yield message

    def again(self) -> Iterator[ChatMessage]:
        """All messages in order, once more from the beginning."""
        for place, line in self._lines:
            self._order.add(*identify_line(line), place)
        for place in self._order.places():
            yield read_line(self._line_at(place))


def sorted_messages(lines: Iterable[bytes]) -> list[ChatMessage]:
    """The same for a log that fits into memory."""
    order = MessageOrder()
    messages = [read_line(line) for line in lines]
    for index, message in enumerate(messages):
        order.add(message.identity, message.sent_ns, index)
    return [messages[index] for index in order.places()]

"""Which messages are known already: sixteen bytes a message, however long their uuids are.

A Space of hours has some ten thousand messages, and each comes at least twice: by socket and by history. A set of texts
would cost ten times as much in each of two thousand recordings.
"""

from __future__ import annotations

from array import array
from hashlib import blake2b

_SMALLEST = 64


class IdentitySet:
    """A set of texts that only grows. Two texts are taken for one with a probability of about n² / 2^65."""

    __slots__ = ("_count", "_mask", "_slots")

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _SMALLEST))
        self._mask = _SMALLEST - 1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, identity: str) -> bool:
        return self._slots[self._find(_hash(identity))] != 0

    def add(self, identity: str) -> bool:
        """True when it is new."""
        value = _hash(identity)
        place = self._find(value)
        if self._slots[place]:
            return False
        self._slots[place] = value
        self._count += 1
        if self._count * 3 > len(self._slots) * 2:
            self._grow()
        return True

    def _find(self, value: int) -> int:
        """Where the value is, or the free place where it belongs."""
        slots, mask = self._slots, self._mask
        place = value & mask
        while slots[place] not in (0, value):
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("Q", bytes(16 * len(old)))
        self._mask = len(self._slots) - 1
        for value in old:
            if value:
                self._slots[self._find(value)] = value


def _hash(identity: str) -> int:
    # Keyed by nothing: messages are foreign, but a flood of colliding ones would have to be computed for 64 bits.
    digest = blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1

"""How long to wait before the next try: longer each time, never the same for all, short again after a good while."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """A random wait between half of and the whole of a bound that doubles up to `most` seconds."""

    first: float = 1.0
    most: float = 30.0
    good_after: float = 20.0  #: a connection that lasted this long was a good one
    chance: random.Random = field(default_factory=random.Random, repr=False)
    _failures: int = 0

    def after(self, lasted_seconds: float) -> float:
        """Seconds to wait after a connection that lasted so long (0: it never came about)."""
        if lasted_seconds >= self.good_after:
            self._failures = 0
        bound = min(self.most, self.first * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return bound * self.chance.uniform(0.5, 1.0)

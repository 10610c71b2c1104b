"""The source, played in real time on a thread of its own: reading and encoding block, and nobody else may wait for it.

Time is the monotonic clock's. When the source cannot keep up, the plan moves with it: what is late is not made up for
by a burst.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hydrophone.errors import HydrophoneError, MediaError
from hydrophone.media.flv import HEADER, Kind, Tag, build_tag
from hydrophone.media.inputs import DeviceInput, Input
from hydrophone.media.playing import Plan, Player

LATE_SECONDS = 1.0  #: later than this, the plan moves
EARLY_SECONDS = 0.02  #: earlier than this is on time


class Pacer:
    """Says how long to wait before a tag is due. `speed` is media seconds in a second of the clock."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._began: float | None = None

    def wait(self, at_ms: int, now: float) -> float:
        """Seconds from `now` (a monotonic clock) until the tag is due; 0 when it is."""
        due_after = at_ms / 1000 / self._speed
        if self._began is None or now - (self._began + due_after) > LATE_SECONDS:
            self._began = now - due_after
        wait = self._began + due_after - now
        return wait if wait > EARLY_SECONDS else 0.0


@dataclass(frozen=True, slots=True)
class Setup:
    """The beginning of the stream: what a connection that starts in the middle must be told first, as an FLV file."""

    flv: bytes = field(repr=False)


class Prelude:
    """Gathers the setup from the first tags: the configuration of each track, and its first frame."""

    def __init__(self, kinds: frozenset[Kind]) -> None:
        self._kinds = kinds
        self._setups: dict[Kind, Tag] = {}
        self._firsts: dict[Kind, Tag] = {}
        self._script: Tag | None = None

    def add(self, tag: Tag) -> bool:
        """Take a tag. True when the configuration of a track that was known has changed."""
        if tag.kind is Kind.SCRIPT:
            self._script = self._script or tag
        elif tag.is_setup:
            before = self._setups.get(tag.kind)
            self._setups[tag.kind] = tag
            return before is not None and before.body != tag.body
        elif tag.kind not in self._firsts and (tag.kind is Kind.AUDIO or tag.is_key):
            self._firsts[tag.kind] = tag
        return False

    @property
    def is_complete(self) -> bool:
        """Every track that was announced is known."""
        return self._kinds <= self._setups.keys() & self._firsts.keys()

    @property
    def is_usable(self) -> bool:
        """At least one track is."""
        return bool(self._setups.keys() & self._firsts.keys())

    def setup(self) -> Setup:
        """What is known, as the beginning of a stream."""
        tags = [self._script] if self._script else []
        tags += [*self._setups.values(), *self._firsts.values()]
        return Setup(HEADER + b"".join(build_tag(tag.moved(-tag.at_ms)) for tag in tags))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who hears of it, on the feed's thread. `ended` comes last, once, with what went wrong."""

    ready: Callable[[Plan, Setup], None]
    tag: Callable[[Tag], None]
    changed: Callable[[Setup], None]
    ended: Callable[[HydrophoneError | None, str], None]


class Feed:
    """Plays a source once."""

    def __init__(
        self,
        source: Input,
        listener: Listener,
        *,
        picture: bytes | None = None,
        speed: float = 1.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._listener, self._picture = source, listener, picture
        self._pacer = Pacer(speed)
        self._now = now
        self._stop = threading.Event()
        self._go = threading.Event()
        # A daemon: it may be waiting for a device or a pipe that never says anything again.
        self._thread = threading.Thread(target=self._run, name="hydrophone-feed", daemon=True)

    def start(self) -> None:
        """Begin to read. `ready` is told when the stream's setup is known."""
        self._thread.start()

    def go(self) -> None:
        """Begin to play. A device does not wait for it."""
        self._go.set()

    def stop(self) -> None:
        """Play nothing more."""
        self._stop.set()
        self._go.set()

    @property
    def waits(self) -> bool:
        """True when nothing is played before `go`: a device cannot wait, what it says is gone."""
        return not isinstance(self._source, DeviceInput)

    def _run(self) -> None:
        error: HydrophoneError | None = None
        note = ""
        try:
            note = self._play(Player(self._source, picture=self._picture))
        except HydrophoneError as failure:
            error = failure
        except Exception as failure:
            error = MediaError(f"{self._source.name} cannot be played: {type(failure).__name__}")
            error.__cause__ = failure
        self._listener.ended(error, note)

    def _play(self, player: Player) -> str:
        """Hand on every tag when it is due; returns what a person should know about the end."""
        prelude = Prelude(player.plan.kinds)
        held: list[Tag] | None = []  # until the setup is known
        for tag in player.tags():
            if self._stop.is_set():
                break
            has_changed = prelude.add(tag)
            if held is not None:
                held.append(tag)
                if prelude.is_complete:
                    self._begin(player, prelude, held)
                    held = None
                continue
            if has_changed:
                self._listener.changed(prelude.setup())
            self._hand_on(tag)
        if held:
            if not prelude.is_usable:
                raise MediaError(f"{self._source.name} holds no frame that can be sent")
            self._begin(player, prelude, held)
        lost = f"{player.dropped:,} damaged frames were left out" if player.dropped else ""
        return player.problem or lost

    def _begin(self, player: Player, prelude: Prelude, held: list[Tag]) -> None:
        self._listener.ready(player.plan, prelude.setup())
        if self.waits:
            self._go.wait()
        for tag in held:
            self._hand_on(tag)

    def _hand_on(self, tag: Tag) -> None:
        if tag.is_setup or tag.kind is Kind.SCRIPT:
            return
        wait = self._pacer.wait(tag.at_ms, self._now())
        if (wait and self._stop.wait(wait)) or self._stop.is_set():
            return
        self._listener.tag(tag)

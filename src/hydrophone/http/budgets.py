"""Rate budgets: who may ask what again when, shared by all callers and kept across restarts.

A budget belongs to one endpoint and one credential. Asking is reserved before it is done, so that fifty callers who see
the last free request do not all take it.
"""

from __future__ import annotations

import json
import logging
import math
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import Random
from typing import Any

from hydrophone.http.messages import Headers, Reply
from hydrophone.http.rules import BudgetRule, refusal_seconds

log = logging.getLogger("hydrophone.http")

_UNKNOWN_RESET_SECONDS = 60.0  #: where the service says nothing sensible
_LONGEST_WAIT_SECONDS = 3600.0  #: then one request looks again
_MOST_ENTRIES = 2000
_SCHEMA = 1


class _SteadyClock:
    """Epoch seconds that run with the monotonic clock, so that a jump of the wall clock opens no forbidden interval."""

    __slots__ = ("_offset",)

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def __call__(self) -> float:
        return self._offset + time.monotonic()


@dataclass(slots=True)
class _Budget:
    """One budget: `reset_at` ends the window that `remaining` counts in; nothing is asked before `blocked_until`."""

    limit: int | None = None
    remaining: int | None = None
    reset_at: float = 0.0
    blocked_until: float = 0.0
    under_way: int = 0
    is_assumed: bool = False  #: the window is ours, from a rule; the service has said nothing about it yet
    paced_until: float = 0.0  #: the rule's interval after the last request
    refusals: int = 0  #: in a row, where there is a rule

    def roll(self, now: float) -> None:
        """Start the next window when this one is over."""
        if self.reset_at and now >= self.reset_at:
            self.remaining = None
            self.reset_at = 0.0

    def open(self, rule: BudgetRule, now: float) -> None:
        """Assume what the description states where the service has not spoken."""
        if self.remaining is None:
            self.limit = rule.limit if self.limit is None else self.limit
            self.remaining = self.limit
            self.reset_at = now + rule.window_seconds
            self.is_assumed = True

    def floor(self, reserve: int) -> int:
        """How many requests of the window are left alone; a small window can spare only a few."""
        return min(reserve, (self.limit or 0) // 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """What is known of one budget. `wait_seconds` is 0.0 when asking is allowed.

    `usable` is how many requests of this window may still go out, without those that are never used; `left_seconds` how
    long the window still lasts. Both are None where nobody knows.
    """

    endpoint: str
    fingerprint: str
    limit: int | None
    remaining: int | None
    reset_at: datetime | None
    wait_seconds: float
    usable: int | None = None
    left_seconds: float | None = None


class Budgets:
    """The budgets of this process; safe to share between threads and event loops.

    `path` None keeps them in memory only. `reserve` is how many requests of a window are never used; `jitter_seconds`
    is the most that a waiting caller comes late, so that they do not all come at once.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        clock: Callable[[], float] | None = None,
        rng: Random | None = None,
        reserve: int = 5,
        jitter_seconds: float = 3.0,
        save_every_seconds: float = 5.0,
    ) -> None:
        self._path = path
        self._clock = clock or _SteadyClock()
        self._rng = rng or Random()
        self._reserve = reserve
        self._jitter_seconds = jitter_seconds
        self._save_every_seconds = save_every_seconds
        self._lock = threading.Lock()
        self._budgets: dict[tuple[str, str], _Budget] = {}
        self._rules: dict[str, list[tuple[str, BudgetRule]]] = {}
        self._is_dirty = False
        self._saved_at = -math.inf
        self._has_warned = False
        if path is not None:
            self._budgets = _load(path, self._clock())

    def now(self) -> datetime:
        """The instant that waits are counted from."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def declare(self, endpoint: str, rule: BudgetRule, *, credential: str = "") -> None:
        """Make a documented limit hold for an endpoint, for credentials whose fingerprint begins like this."""
        with self._lock:
            self._rules.setdefault(endpoint, []).insert(0, (credential, rule))

    def _rule(self, endpoint: str, fingerprint: str) -> BudgetRule | None:
        rules = self._rules.get(endpoint, ())
        return next((rule for start, rule in rules if fingerprint.startswith(start)), None)

    def take(self, endpoint: str, fingerprint: str = "") -> float:
        """Reserve one request: 0.0 when it may go out now (then `give_back` must follow), else seconds to wait."""
        if not endpoint:
            return 0.0
        with self._lock:
            now = self._clock()
            budget = self._budgets.setdefault((endpoint, fingerprint), _Budget())
            budget.roll(now)
            wait = self._wait(budget, now)
            if wait > 0.0:
                return wait + self._rng.uniform(0.0, self._jitter_seconds)
            rule = self._rule(endpoint, fingerprint)
            if rule is not None:
                if now < budget.paced_until:
                    return budget.paced_until - now
                budget.paced_until = now + rule.interval_seconds
                budget.open(rule, now)
            budget.under_way += 1
            if budget.remaining is not None:
                budget.remaining -= 1
            return 0.0

    def give_back(self, endpoint: str, fingerprint: str = "", reply: Reply | None = None) -> None:
        """End a reserved request and learn from its reply; None where there was no answer."""
        if not endpoint:
            return
        with self._lock:
            budget = self._budgets.setdefault((endpoint, fingerprint), _Budget())
            budget.under_way = max(0, budget.under_way - 1)
            if reply is None:
                return
            now = self._clock()
            learnt = _learn(budget, reply, now, self._rule(endpoint, fingerprint))
            self._is_dirty = self._is_dirty or learnt
            is_blocked = reply.status == 429
            if self._is_dirty and (is_blocked or now - self._saved_at >= self._save_every_seconds):
                self._save(now)

    def flush(self) -> None:
        """Write what has not been written yet."""
        with self._lock:
            if self._is_dirty:
                self._save(self._clock())

    def snapshot(self) -> list[BudgetState]:
        """All budgets that are known, those that one must wait for first."""
        with self._lock:
            now = self._clock()
            states = []
            for key, budget in self._budgets.items():
                states.append(self._describe(key, budget, now))
        return sorted(states, key=lambda state: (-state.wait_seconds, state.endpoint, state.fingerprint))

    def state(self, endpoint: str, fingerprint: str = "") -> BudgetState | None:
        """What is known of one budget; None if nothing is."""
        key = (endpoint, fingerprint)
        with self._lock:
            budget = self._budgets.get(key)
            return self._describe(key, budget, self._clock()) if budget is not None else None

    def _describe(self, key: tuple[str, str], budget: _Budget, now: float) -> BudgetState:
        budget.roll(now)
        whole = budget.remaining if budget.remaining is not None else budget.limit
        return BudgetState(
            endpoint=key[0],
            fingerprint=key[1],
            limit=budget.limit,
            remaining=budget.remaining,
            reset_at=datetime.fromtimestamp(budget.reset_at, UTC) if budget.reset_at else None,
            wait_seconds=self._wait(budget, now),
            usable=whole - budget.floor(self._reserve) if whole is not None else None,
            left_seconds=budget.reset_at - now if budget.reset_at else None,
        )

    def _wait(self, budget: _Budget, now: float) -> float:
        until = budget.blocked_until
        if budget.remaining is not None and budget.remaining <= budget.floor(self._reserve):
            until = max(until, budget.reset_at)
        # Never longer than an hour, whatever a file or a clock says: then one request looks again.
        return min(max(0.0, until - now), _LONGEST_WAIT_SECONDS)

    def _save(self, now: float) -> None:
        self._is_dirty = False
        self._saved_at = now
        if self._path is None:
            return
        try:
            self._merge(_load(self._path, now), now)
            _write(self._path, self._budgets, now)
        except OSError as error:
            # A budget that cannot be kept across a restart is no reason to lose a recording.
            if not self._has_warned:
                log.warning("rate budgets cannot be kept across restarts: %s", error.strerror or type(error).__name__)
            self._has_warned = True

    def _merge(self, stored: Mapping[tuple[str, str], _Budget], now: float) -> None:
        """Take over what another process has learnt since."""
        for key, theirs in stored.items():
            ours = self._budgets.setdefault(key, theirs)
            ours.blocked_until = max(ours.blocked_until, theirs.blocked_until)
        if len(self._budgets) > _MOST_ENTRIES:
            idle = [
                key
                for key, budget in self._budgets.items()
                if budget.under_way == 0 and budget.reset_at <= now and budget.blocked_until <= now
            ]
            for key in idle:
                del self._budgets[key]


def _learn(budget: _Budget, reply: Reply, now: float, rule: BudgetRule | None) -> bool:
    """Digest the headers of one reply; True when something worth saving changed."""
    if rule is not None and reply.status == 429:
        return _learn_refusal(budget, reply, now, rule)
    budget.refusals = 0
    limit = _count(reply.headers, "x-rate-limit-limit")
    remaining = _count(reply.headers, "x-rate-limit-remaining")
    reset_at = _reset_at(reply.headers, now)
    if reply.status == 429:
        budget.limit = limit if limit is not None else budget.limit
        budget.blocked_until = max(budget.blocked_until, reset_at or _retry_at(reply.headers, now))
        return True
    if remaining is None:
        return False
    budget.limit = limit if limit is not None else budget.limit
    reset_at = reset_at or now + _UNKNOWN_RESET_SECONDS
    is_same_window = abs(reset_at - budget.reset_at) < _UNKNOWN_RESET_SECONDS
    was_assumed, budget.is_assumed = budget.is_assumed, False
    if is_same_window and budget.remaining is not None:
        # Our own count already holds what is under way, and replies may overtake each other.
        left = min(remaining, budget.remaining)
    elif reset_at < budget.reset_at and not was_assumed:
        return False
    else:
        # What is under way may not be in the server's count yet.
        left = remaining - budget.under_way
    budget.remaining = left
    budget.reset_at = max(reset_at, budget.reset_at) if is_same_window else reset_at
    return True


def _learn_refusal(budget: _Budget, reply: Reply, now: float, rule: BudgetRule) -> bool:
    """A 429 of a service that tells pace, window and breakage apart."""
    budget.refusals += 1
    try:
        told = float(reply.headers.get("x-rate-limit-reset", ""))
    except ValueError:
        told = math.nan
    reset_in = told - _server_now(reply.headers, now) if math.isfinite(told) else None
    remaining = _count(reply.headers, "x-rate-limit-remaining")
    wait = refusal_seconds(rule, remaining=remaining, reset_in_seconds=reset_in, refusals=budget.refusals)
    if "retry-after" in reply.headers:
        wait = max(wait, _retry_at(reply.headers, now) - now)
    budget.blocked_until = max(budget.blocked_until, now + wait)
    return True


def _count(headers: Headers, name: str) -> int | None:
    text = headers.get(name, "").strip()
    if not (text.isascii() and text.lstrip("-").isdigit()) or len(text) > 18:
        return None
    return max(0, int(text))


def _reset_at(headers: Headers, now: float) -> float | None:
    """When the window ends on our own clock; None where absent. In the past: a minute. Absurd: an hour."""
    text = headers.get("x-rate-limit-reset", "").strip()
    if not text:
        return None
    try:
        reset = float(text)
    except ValueError:
        return None
    if not math.isfinite(reset):
        return None
    wait = reset - _server_now(headers, now)
    if wait <= 0.0:
        return now + _UNKNOWN_RESET_SECONDS
    return now + min(wait, _LONGEST_WAIT_SECONDS)


def _server_now(headers: Headers, now: float) -> float:
    """The server's clock where it says so and is near ours: an instant of its clock means nothing on another."""
    try:
        date = parsedate_to_datetime(headers.get("date", "")).replace(tzinfo=UTC).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return now
    # The Date header has whole seconds and may come from a cache.
    return date if abs(date - now) > 5.0 and not headers.get("age") else now


def _retry_at(headers: Headers, now: float) -> float:
    text = headers.get("retry-after", "").strip()
    seconds = float(text[:12]) if text.isascii() and text.isdigit() else 0.0
    return now + min(max(seconds, _UNKNOWN_RESET_SECONDS), _LONGEST_WAIT_SECONDS)


# ---------------------------------------------------------------- the file


def _load(path: Path, now: float) -> dict[tuple[str, str], _Budget]:
    """What a file says; a file that is absent, torn or foreign says nothing."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
        return {}
    rows = document.get("budgets")
    budgets: dict[tuple[str, str], _Budget] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("endpoint"), str) and isinstance(row.get("fingerprint"), str):
            budget = _Budget(
                limit=_whole(row.get("limit")),
                remaining=_whole(row.get("remaining")),
                reset_at=_instant(row.get("reset_at"), now),
                blocked_until=_instant(row.get("blocked_until"), now),
            )
            if budget.reset_at or budget.blocked_until:
                budgets[row["endpoint"], row["fingerprint"]] = budget
    return budgets


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53 else None


def _instant(value: Any, now: float) -> float:
    """An epoch instant that still matters, at most an hour ahead (the clock may have been set since); else 0.0."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value) or value <= now:
        return 0.0
    return min(float(value), now + _LONGEST_WAIT_SECONDS)


def _write(path: Path, budgets: Mapping[tuple[str, str], _Budget], now: float) -> None:
    """Replace the file in one step; it names credentials (irreversibly), so it is for its owner only."""
    rows = [
        {
            "endpoint": endpoint,
            "fingerprint": fingerprint,
            "limit": budget.limit,
            "remaining": budget.remaining,
            "reset_at": budget.reset_at,
            "blocked_until": budget.blocked_until,
        }
        for (endpoint, fingerprint), budget in budgets.items()
        if budget.reset_at > now or budget.blocked_until > now
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.{os.getpid()}-", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            # Not synced: this runs on the event loop, and a disk can take longer for it than a recording may wait.
            # What a power cut can cost is a quarter of an hour of counting; a killed process costs nothing.
            json.dump({"schema": _SCHEMA, "budgets": rows}, file)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise

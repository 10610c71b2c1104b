"""The fault table: rules that say which request is bent, when, how often, and how. What they do is in `fault_effects`.

A rule as JSON (all but `kind` optional)::

    {"kind": "status", "status": 503, "service": "cdn", "path": "chunk_", "segments": [[10, 12], 17], "method": "GET",
     "space": "1abc…", "count": 3, "per": "path", "skip": 0, "probability": 0.5, "seed": 7,
     "begin": 20, "end": 45}

`path` is a regular expression searched in path and query. `segments` are numbers in the segment's name. `count` is how
often it strikes (`per`: each path for itself, or the rule as a whole). `begin` and `end` are scene seconds: since the
scene's start in its own upsets, from now on in the control room. Seconds inside an effect (a stall, a delay) are real
seconds, because the client's deadlines are.
"""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hydrophone.sandbox.clock import SceneClock, to_us
from hydrophone.sandbox.fault_effects import EFFECTS, Effect

if TYPE_CHECKING:
    from hydrophone.sandbox.scene import Scene
    from hydrophone.sandbox.serving import Answer, Exchange

SEGMENT_NUMBER = re.compile(r"chunk_(?:\d+_)?(\d+)(?:_a)?\.(?:aac|ts)$")
MATCHERS = ("service", "method", "host", "path", "segments", "space", "count", "per", "skip", "probability", "seed")
FAR = 1 << 62


@dataclass(slots=True)
class Rule:
    """One fault. `params` is what its effect reads; `struck` counts."""

    id: str
    kind: str
    effect: Effect
    service: str = "cdn"
    method: str = ""
    host: str = ""
    path: re.Pattern[str] | None = None
    segments: tuple[tuple[int, int], ...] = ()
    within: tuple[str, ...] = ()  #: one of these must stand in path or query
    count: int | None = None
    per: str = "rule"
    skip: int = 0
    probability: float = 1.0
    begin_us: int = -FAR
    end_us: int = FAR
    params: Mapping[str, Any] = field(default_factory=dict)
    struck: int = 0
    _dice: random.Random = field(default_factory=random.Random)
    _seen: dict[str, int] = field(default_factory=dict)

    @property
    def needs_answer(self) -> bool:
        """Whether the effect bends a real answer; else it acts alone."""
        return self.effect.needs_answer

    def matches(self, exchange: Exchange, now_us: int) -> bool:
        """Whether it strikes here and now; striking is counted."""
        if not self.begin_us <= now_us < self.end_us or self.service not in ("*", exchange.service):
            return False
        if (self.method and self.method != exchange.method) or (self.host and self.host not in exchange.host):
            return False
        text = f"{exchange.path}?{exchange.query}" if exchange.query else exchange.path
        if self.path is not None and not self.path.search(text):
            return False
        if self.within and not any(word in text for word in self.within):
            return False
        if self.segments and not self._has_segment(exchange.path):
            return False
        return self._strikes(exchange.path)

    def _has_segment(self, path: str) -> bool:
        found = SEGMENT_NUMBER.search(path)
        return found is not None and any(first <= int(found[1]) <= last for first, last in self.segments)

    def _strikes(self, path: str) -> bool:
        key = path if self.per == "path" else ""
        seen = self._seen[key] = self._seen.get(key, 0) + 1
        if seen <= self.skip or (self.count is not None and seen > self.skip + self.count):
            return False
        if self.probability < 1.0 and self._dice.random() >= self.probability:
            return False
        self.struck += 1
        return True

    def perform(self, exchange: Exchange) -> Awaitable[None]:
        return self.effect.act(exchange, None, self.params)

    def bend(self, exchange: Exchange, answer: Answer) -> Awaitable[None]:
        return self.effect.act(exchange, answer, self.params)

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "kind": self.kind, "service": self.service, "struck": self.struck, **dict(self.params)}


class FaultTable:
    """The rules in force; the first that strikes wins."""

    def __init__(self, clock: SceneClock) -> None:
        self._clock = clock
        self._rules: dict[str, Rule] = {}
        self._number = 0

    def add(self, fault: Mapping[str, Any], *, origin_us: int | None = None, within: tuple[str, ...] = ()) -> Rule:
        """Put a fault in force. Raises ValueError for one that we do not know."""
        kind = str(fault.get("kind", ""))
        if kind not in EFFECTS:
            raise ValueError(f"no such fault: {kind!r}; there are {', '.join(sorted(EFFECTS))}")
        origin = self._clock.now_us() if origin_us is None else origin_us
        self._number += 1
        rule = Rule(
            id=str(fault.get("id") or f"f{self._number}"),
            kind=kind,
            effect=EFFECTS[kind],
            service=str(fault.get("service", "cdn")),
            method=str(fault.get("method", "")),
            host=str(fault.get("host", "")),
            path=re.compile(str(fault["path"])) if fault.get("path") else None,
            segments=tuple(_span(s) for s in fault.get("segments", ())),
            within=within,
            count=fault.get("count"),
            per=str(fault.get("per", "rule")),
            skip=int(fault.get("skip", 0)),
            probability=float(fault.get("probability", 1.0)),
            begin_us=origin + round(float(fault["begin"]) * 1e6) if "begin" in fault else -FAR,
            end_us=origin + round(float(fault["end"]) * 1e6) if "end" in fault else FAR,
            params={k: v for k, v in fault.items() if k not in (*MATCHERS, "kind", "id", "begin", "end")},
        )
        rule._dice.seed(fault.get("seed", self._number))
        self._rules[rule.id] = rule
        return rule

    def add_upset(self, upset: Mapping[str, Any], scene: Scene) -> Rule:
        """A scene's own fault: in scene seconds, and on the CDN only for this scene's stream."""
        started_at = scene.started_at or scene.created_at
        within = (scene.stream_key,) if upset.get("service", "cdn") == "cdn" else ()
        return self.add(upset, origin_us=to_us(started_at), within=within)

    def remove(self, rule_id: str) -> bool:
        return self._rules.pop(rule_id, None) is not None

    def clear(self) -> None:
        self._rules.clear()

    @property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(self._rules.values())

    def refusing(self) -> frozenset[str]:
        """Services that take no connections now, ``"*"`` for all.

        They have a ``refuse`` rule in force that neither counts nor asks for a path.
        """
        rules = [rule for rule in self._rules.values() if rule.kind == "refuse" and rule.count is None]
        if not rules:
            return frozenset()
        now_us = self._clock.now_us()
        open_now = (r for r in rules if r.begin_us <= now_us < r.end_us and r.path is None and not r.segments)
        return frozenset(rule.service for rule in open_now)

    def match(self, exchange: Exchange) -> Rule | None:
        """The rule that strikes this request, if any."""
        if not self._rules:
            return None
        now_us = self._clock.now_us()
        return next((rule for rule in self._rules.values() if rule.matches(exchange, now_us)), None)


def _span(value: Any) -> tuple[int, int]:
    if isinstance(value, (list, tuple)):
        return int(value[0]), int(value[1])
    return int(value), int(value)

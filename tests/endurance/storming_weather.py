"""What a storm is made of: spells in which the CDN, the API or the disk fail at random, all drawn from one seed.

All of it can be made good: a minute after the end of a Space nothing fails there any more. Only what a Space lacks from
the beginning (`Air.missing`) stays missing, and that must be told.
"""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass, field
from random import Random

import aiohttp

from endurance.sky import Air, Answer
from hydrophone.model import SpaceState

PAGE = b"<!doctype html><title>503 backend read error</title>"
CALM_AFTER = 60.0  #: seconds after the end of a Space from which on its CDN is in order
CALM_BEFORE = 20.0  #: the API answers the first questions: a recorder that cannot learn what to record says so and ends
LENGTHS = (3.0, 10.0, 40.0, 200.0)
WORST = 900.0

CDN_KINDS = (
    *("503", "500", "404", "403", "lost", "refused", "stall", "drip", "torn", "page", "empty", "cut", "garbled"),
    *("slow", "stale", "end", "reset numbers", "foreign", "circle"),
)
API_KINDS = ("503", "429", "lost", "stall", "page", "nothing", "new ct0", "foreign")


@dataclass(frozen=True, slots=True)
class Spell:
    """Between two moments, requests with `word` in their name fail by `chance`, in one of these ways."""

    begin: float
    end: float
    word: str
    chance: float
    kinds: tuple[str, ...]


@dataclass
class Weather:
    """Bends answers. `struck` counts by kind."""

    dice: Random
    airs: list[Air]
    api_calm_from: float
    per_hour: float = 6.0
    struck: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        dice = self.dice
        self._cdn = {air.number: self._spells(air.ends_at, ("dynamic", "chunk", "playlist", "")) for air in self.airs}
        self._api = self._spells(self.api_calm_from, ("AudioSpaceById", "28_", ""), API_KINDS)
        self._full = self._spells(self.api_calm_from, ("",), ("full",)) if dice.random() < 0.5 else []

    def _spells(self, until: float, words: tuple[str, ...], kinds: tuple[str, ...] = CDN_KINDS) -> list[Spell]:
        dice = self.dice
        spells = []
        for _ in range(dice.randint(2, max(3, round(self.per_hour * until / 3600)))):
            begin = dice.uniform(0, until)
            length = WORST if until > 3600 and dice.random() < 0.05 else dice.choice(LENGTHS)
            chosen = tuple(dice.sample(kinds, dice.randint(1, min(4, len(kinds)))))
            spells.append(Spell(begin, begin + length, dice.choice(words), dice.choice((0.2, 0.6, 1.0)), chosen))
        return spells

    def __call__(self, air: Air | None, name: str, now: float) -> Answer | None:
        if air is None:
            spells, begin, end = self._api, CALM_BEFORE, self.api_calm_from
        else:
            spells, begin, end = self._cdn[air.number], 0.0, air.ends_at + CALM_AFTER
        if begin <= now < end:
            for spell in spells:
                if spell.begin <= now < spell.end and spell.word in name and self.dice.random() < spell.chance:
                    kind = self.dice.choice(spell.kinds)
                    bent = self._api_trouble(kind) if air is None else self._cdn_trouble(kind, air, name, now)
                    if bent is not None:
                        self._count(kind)
                    return bent
        return None

    def is_full(self, now: float) -> bool:
        """Whether the disk takes nothing now."""
        if any(spell.begin <= now < min(spell.end, spell.begin + 40.0) for spell in self._full):
            self._count("disk full")
            return True
        return False

    def _count(self, kind: str) -> None:
        self.struck[kind] = self.struck.get(kind, 0) + 1

    def _any_trouble(self, kind: str) -> Answer | None:
        match kind:
            case "503" | "500" | "404" | "403":
                return Answer(int(kind), PAGE)
            case "lost":
                self._count(kind)
                raise aiohttp.ServerDisconnectedError
            case "refused":
                self._count(kind)
                raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")
            case "stall":
                return Answer(delay=3600.0)
            case "page":
                return Answer(200, PAGE)
            case "foreign":
                return Answer(302, headers={"location": "https://foreign.invalid/somewhere"})
        return None

    def _api_trouble(self, kind: str) -> Answer | None:
        match kind:
            case "429":
                after = str(self.dice.choice((30.0, 90.0, 600.0)))
                return Answer(429, b"Rate limit exceeded\n", {"after": after})
            case "nothing":
                return Answer(200, b'{"data": {"audioSpace": {}}}')
            case "new ct0":
                fresh = f"{self.dice.getrandbits(512):0128x}"
                told = json.dumps({"errors": [{"code": 353, "message": "a matching csrf cookie is required"}]})
                return Answer(403, told.encode(), {"set-cookie": f"ct0={fresh}; Path=/; Secure; HttpOnly"})
        return self._any_trouble(kind)

    def _cdn_trouble(self, kind: str, air: Air, name: str, now: float) -> Answer | None:
        count = air.count(now)
        match kind:
            case "empty":
                return Answer(200)
            case "slow":
                status, body = air.listing(name, now)
                return Answer(status, body, delay=self.dice.uniform(2.0, 6.0))
            case "drip" | "torn":
                status, body = air.listing(name, now)
                return Answer(status, body, drips=kind == "drip", breaks=kind == "torn")
            case "circle":
                return Answer(302, headers={"location": name})
            case "cut" | "garbled" if "chunk_" in name:
                status, body = air.listing(name, now)
                return self._damaged(kind, body) if status == 200 else None
            case "stale" if "dynamic" in name and count > 8:
                return Answer(200, air.media_list(range(count - 6, count - 2)).encode())
            case "end" if "dynamic" in name and count > 4:
                return Answer(200, air.media_list(range(count - 4, count), is_ended=True).encode())
            case "reset numbers" if "dynamic" in name and count > 4:
                text = air.media_list(range(count - 4, count))
                return Answer(200, text.replace(f"MEDIA-SEQUENCE:{count - 4}", "MEDIA-SEQUENCE:0").encode())
        return self._any_trouble(kind)

    def _damaged(self, kind: str, body: bytes) -> Answer:
        at = self.dice.randrange(100, len(body) - 300)
        return Answer(200, body[:at] if kind == "cut" else body[:at] + b"\x55" * 200 + body[at + 200 :])


def draw_airs(dice: Random, spaces: int, seconds: float) -> list[Air]:
    """Spaces of about that length: with hosts who are away, late lists, and now and then segments that nobody has."""
    airs = []
    for number in range(spaces):
        count = max(20, round(dice.uniform(0.6, 1.0) * seconds / 3))
        aways = tuple(
            (dice.randrange(1, count), dice.choice((20.0, 40.0, 400.0))) for _ in range(dice.choice((0, 0, 1, 2)))
        )
        gone = dice.sample(range(2, count - 2), dice.randint(1, 3)) if dice.random() < 0.3 else []
        air = Air(
            count,
            aways=aways,
            snapshot_every=dice.choice((5, 20, 60)),
            final_after=dice.choice((5.0, 45.0, 400.0)),
            missing=frozenset(gone),
            number=number,
        )
        for _ in range(dice.choice((0, 0, 1, 2))):
            begin = dice.uniform(CALM_BEFORE, air.ends_at)
            states = (SpaceState.ENDED, SpaceState.TIMED_OUT)
            air.flaps.append((begin, min(begin + dice.uniform(5, 120), air.ends_at), dice.choice(states)))
        airs.append(air)
    return airs

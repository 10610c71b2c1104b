"""One request to the Periscope side: its parameters however they came, who asks, and which addresses to tell them."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from hydrophone.sandbox.hosts import service_of_host
from hydrophone.sandbox.periscope.switches import read_switches
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.addresses import Addresses


@dataclass(frozen=True, slots=True)
class Places:
    """Addresses for one client: loopback, or the real names for those who came under a real name."""

    bases: Mapping[str, str]  #: empty: the real ones
    site: str = "periscope"  #: pscp: the younger domain

    @classmethod
    def seen_by(cls, world: World, exchange: Exchange) -> Places:
        is_real = exchange.via_proxy or service_of_host(exchange.host) is not None
        site = "pscp" if "pscp.tv" in exchange.host else "periscope"
        return cls({} if is_real else world.bases, site)

    @property
    def is_real(self) -> bool:
        return not self.bases

    @property
    def api(self) -> str:
        return self.bases.get("periscope") or "https://api.periscope.tv"

    def www(self, *, is_2016: bool = False) -> str:
        """Where pages are; the domain changed in 2017."""
        return self.bases.get("pscp") or f"https://www.{'periscope' if is_2016 else 'pscp'}.tv"

    def cdn(self, region: str) -> str:
        return self.bases.get("cdn") or f"https://prod-fastly-{region}.video.pscp.tv"

    @property
    def replay(self) -> str:
        """The replays of 2015 to 2017."""
        return self.bases.get("cdn") or "https://replay.periscope.tv"

    @property
    def thumbnails(self) -> str:
        """The thumbnails of 2015 to 2017."""
        return self.bases.get("cdn") or "https://tn.periscope.tv"

    def chat(self, region: str, *, is_replay: bool = False) -> str:
        host = f"{'chatman-replay' if is_replay else 'prod-chatman-ancillary'}-{region}.pscp.tv"
        return self.bases.get("chat") or f"https://{host}"

    @property
    def x(self) -> str:
        return self.bases.get("x") or "https://twitter.com"

    def picture(self, url: str) -> str:
        return Addresses(self.bases).picture(url)


@dataclass(frozen=True)
class Asked:
    """A request, ready to be answered."""

    world: World
    exchange: Exchange = field(repr=False)
    switches: Mapping[str, Any] = field(repr=False)
    places: Places

    @cached_property
    def params(self) -> dict[str, Any]:
        """Query and body together; the body may be JSON, a form, or multipart."""
        return {**self.exchange.params, **read_body(self.exchange)}

    def text(self, name: str) -> str:
        """A parameter as text, empty when it is missing."""
        value = self.params.get(name)
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)

    def names(self, name: str) -> list[str]:
        """A list, however it was spelt: JSON, or text with commas."""
        value = self.params.get(name) or self.params.get(f"{name}[]") or ()
        return [str(v) for v in value] if isinstance(value, list) else [v for v in str(value or "").split(",") if v]

    @property
    def now_us(self) -> int:
        return self.world.clock.now_us()

    def since_start(self, scene: Scene) -> float:
        """Scene seconds since the broadcast began."""
        return (self.now_us - self.world.timeline(scene.id).started_us) / 1_000_000


Work = Callable[[Asked], Answer | Awaitable[Answer]]


def read_body(exchange: Exchange) -> dict[str, Any]:
    kind = exchange.header("content-type").lower()
    if kind.startswith("multipart/form-data"):
        head = f"content-type: {exchange.header('content-type')}\r\n\r\n".encode()
        parts = email.message_from_bytes(head + exchange.body, policy=email.policy.HTTP)
        return {
            str(part.get_param("name", header="content-disposition")): str(part.get_content()).rstrip("\r\n")
            for part in parts.iter_parts()
        }
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(exchange.body.decode("utf-8", "replace"), keep_blank_values=True))
    value = exchange.json() if exchange.body else None
    return value if isinstance(value, dict) else {}


def asked_of(world: World, exchange: Exchange) -> Asked:
    return Asked(world, exchange, read_switches(world), Places.seen_by(world, exchange))


def say(world: World, exchange: Exchange, answer: Answer) -> Awaitable[None] | None:
    """Put an answer on its way, dated in scene time."""
    date = ("date", format_datetime(world.now(), usegmt=True))
    return exchange.reply(answer.status, (*answer.headers, date), answer.body)

"""Everything that a recorder can talk to, in memory: x.com's API and the CDN, for any number of live Spaces at once.

It stands where the transport's session stands, so that all of the production code above it runs: policy, credentials,
budgets, retries, deadlines, reading of bodies, and the whole recorder. Time is the loop's (see `virtual_time`).
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from audio_building import clock as clock_frame
from audio_building import frame, tag
from hydrophone.hls import parse_segment_name, playlist_number
from hydrophone.model import SpaceState
from recorder.stage import FOLDER, FRAMES, KEY, ORIGIN, STEP, Space

SAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "samples/xweb/audiospace_by_id.running.json").read_text(encoding="utf-8")
)
SECRETS = ("cookie", "authorization", "x-csrf-token", "x-guest-token")
API_HOSTS = frozenset(("x.com", "api.x.com", "twitter.com", "api.twitter.com"))
WINDOW = 900.0  #: of a budget
LIMIT = 500
FRAME_BYTES = 11
_HEADER = frame(FRAME_BYTES)[:7]
_WORDS = {SpaceState.LIVE: "Running", SpaceState.ENDED: "Ended", SpaceState.TIMED_OUT: "TimedOut"}


@dataclass
class Air(Space):
    """One Space on the air. No other Space, and no other segment of this one, has the same frames.

    Its names and dates follow from when it began, as those of the service do.
    """

    number: int = 0
    flaps: list[tuple[float, float, SpaceState]] = field(default_factory=list)
    _entries: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"1stormSpace{self.number:02d}"

    @property
    def media_key(self) -> str:
        return f"28_{2_000_000_000_000_000_000 + self.number}"

    @property
    def stream_key(self) -> str:
        return f"{self.number:02d}" + KEY[2:]

    @property
    def url(self) -> str:
        return FOLDER.replace(KEY, self.stream_key) + "audio-space/dynamic_playlist.m3u8?type=live"

    def instant(self, seconds: float) -> datetime:
        """On the service's clock."""
        return ORIGIN + timedelta(seconds=self.began - START + seconds)

    def body(self, number: int) -> bytes:
        """What the CDN sends for a segment."""
        payload = struct.pack(">BHB", self.number, number, 0)
        return tag(clock_frame(number * 270_000)) + (_HEADER + payload) * FRAMES

    def media_list(self, numbers: Iterable[int], *, is_ended: bool = False) -> str:
        """A list of these segments."""
        if not self._entries:
            self._entries += map(self._entry, range(self.segments))
        wanted = list(numbers)
        lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:4", f"#EXT-X-MEDIA-SEQUENCE:{wanted[0] if wanted else 0}"]
        lines += [self._entries[number] for number in wanted]
        return "\n".join([*lines, "#EXT-X-ENDLIST"] if is_ended else lines) + "\n"

    def _entry(self, number: int) -> str:
        at = self.instant(self.cut_at(number) - STEP)
        name = f"chunk_{round(at.timestamp() * 1e6) * 1000}_{number}_a.aac"
        return f"#EXT-X-PROGRAM-DATE-TIME:{at:%Y-%m-%dT%H:%M:%S}.000Z\n#EXTINF:3.008,\n{name}"

    def listing(self, name: str, now: float) -> tuple[int, bytes]:
        """Status and body of whatever lies in the folder of the stream."""
        found = parse_segment_name(name)
        if found is not None:
            is_there = found.sequence < self.segments and found.sequence not in self.missing
            return (200, self.body(found.sequence)) if is_there and self.cut_at(found.sequence) <= now else (404, b"")
        if name == "dynamic_playlist.m3u8":
            count = self.count(now)
            return (404, b"") if self.is_away(now) else (200, self.media_list(range(max(0, count - 4), count)).encode())
        count, written = self._snapshot(now)
        if name == "master_playlist.m3u8":
            number = playlist_number(round(self.instant(written).timestamp() * 1e6) * 1000)
            return 200, f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=350000\nplaylist_{number}.m3u8\n".encode()
        if name.startswith("playlist_") and not self.ends_at <= now < self.ends_at + self.final_after:
            listed = [number for number in range(count) if number not in self.missing]
            return 200, self.media_list(listed, is_ended=now >= self.ends_at).encode()
        return 404, b""

    def state(self, now: float) -> SpaceState:
        for begin, end, flap in self.flaps:
            if begin <= now < end:
                return flap
        return SpaceState.ENDED if now >= self.ends_at else SpaceState.LIVE


@dataclass
class Answer:
    """What is sent back. `pieces` come one second apart; `breaks` ends it with a lost connection."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.05
    drips: bool = False
    breaks: bool = False


Weather = Callable[["Air | None", str, float], "Answer | None"]


class Sky:
    """The session of every lane. `weather` is asked before anything answers; it returns an answer, or raises.

    What it saw: `leaks` (credentials at a host that must not have them), `impolite` (requests in an interval that was
    forbidden), `strangers` (hosts that must not be asked at all).
    """

    def __init__(self, airs: list[Air], weather: Weather) -> None:
        self._by_key = {air.stream_key: air for air in airs}
        self._by_media = {air.media_key: air for air in airs}
        self._by_id = {air.id: air for air in airs}
        self._weather = weather
        self._windows: dict[str, tuple[float, int]] = {}
        self.blocked: dict[str, float] = {}
        self.requests = 0
        self.api_requests = 0
        self.leaks: list[str] = []
        self.impolite: list[str] = []
        self.strangers: list[str] = []

    async def request(
        self, method: str, url: URL, *, headers: Mapping[str, str] | None, **how: Any
    ) -> aiohttp.ClientResponse:
        """As `aiohttp.ClientSession.request`."""
        self.requests += 1
        now = asyncio.get_running_loop().time()
        host = url.raw_host or ""
        if host not in API_HOSTS and any(name.lower() in SECRETS for name in headers or ()):
            self.leaks.append(host)
        if host in API_HOSTS:
            answer = self._api(url, now)
        elif host.endswith(".video.pscp.tv"):
            answer = self._cdn(url, now)
        else:
            answer = Answer(404)
            if host != "pbs.twimg.com":
                self.strangers.append(host)
        await asyncio.sleep(answer.delay)
        if answer.status == 429:
            # Whoever was on the way meanwhile could not know it.
            self.blocked[self._endpoint(url)] = float(answer.headers["x-rate-limit-reset"])
        response: Any = _Response(answer, url)
        return response

    async def close(self) -> None:
        """Nothing is open."""

    # ------------------------------------------------------------ the two services

    def _cdn(self, url: URL, now: float) -> Answer:
        parts = url.path.split("/")
        air = next((self._by_key[part] for part in parts if part in self._by_key), None)
        if air is None:
            return Answer(404)
        since = now - air.began
        bent = self._weather(air, parts[-1], since)
        if bent is not None:
            return bent
        status, body = air.listing(parts[-1], since)
        return Answer(status, body)

    def _api(self, url: URL, now: float) -> Answer:
        self.api_requests += 1
        name, endpoint = url.path.rpartition("/")[2], self._endpoint(url)
        wall = (ORIGIN + timedelta(seconds=now - START)).timestamp()
        if wall < self.blocked.get(endpoint, 0.0):
            self.impolite.append(f"{endpoint} at {now:.1f}")
        air = self._by_media.get(name) or next(
            (air for key, air in self._by_id.items() if key in unquote(url.raw_query_string)), None
        )
        bent = self._weather(None, name, now - START)
        if bent is not None:
            if bent.status == 429:
                bent.headers = _limits(0, wall + float(bent.headers["after"]))
            return bent
        left, reset = self._spend(endpoint, wall)
        if left < 0:
            self.impolite.append(f"{endpoint} beyond its budget at {now:.1f}")
            return Answer(429, b"Rate limit exceeded\n", _limits(0, reset))
        if air is None:
            return Answer(404, b"{}", _limits(left, reset))
        facts = self._record(air, now - air.began) if name == "AudioSpaceById" else self._stream(air, now - air.began)
        return Answer(200 if facts else 404, json.dumps(facts).encode(), _limits(left, reset))

    def _endpoint(self, url: URL) -> str:
        name = url.path.rpartition("/")[2]
        return "status" if name in self._by_media else name

    def _spend(self, endpoint: str, wall: float) -> tuple[int, float]:
        reset, used = self._windows.get(endpoint, (0.0, 0))
        reset, used = (wall + WINDOW, 1) if wall >= reset else (reset, used + 1)
        self._windows[endpoint] = reset, used
        return LIMIT - used, reset

    def _record(self, air: Air, since: float) -> dict[str, Any]:
        space = SAMPLE["data"]["audioSpace"]
        started = ORIGIN.timestamp() + air.began - START
        metadata = space["metadata"] | {
            "rest_id": air.id,
            "state": _WORDS[air.state(since)],
            "title": f"Storm {air.number}",
            "media_key": air.media_key,
            "created_at": round(started * 1000) - 1000,
            "scheduled_start": None,
            "started_at": round(started * 1000),
        }
        if since >= air.ends_at:
            metadata["ended_at"] = str(round((started + air.ends_at) * 1000))
        return {"data": {"audioSpace": {"metadata": metadata, "participants": {"total": 0}}}}

    def _stream(self, air: Air, since: float) -> dict[str, Any]:
        if since >= air.ends_at:
            return {}
        return {"source": {"location": air.url, "noRedirectPlaybackUrl": air.url, "status": "LIVE_PUBLIC"}}


START = 1000.0  #: the loop's clock when it begins


def _limits(left: int, reset: float) -> dict[str, str]:
    names = ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")
    return dict(zip(names, (str(LIMIT), str(max(0, left)), str(int(reset))), strict=True))


class _Content:
    """A body on its way."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._rest = answer.body

    async def readany(self) -> bytes:
        if self._answer.drips and self._rest:
            await asyncio.sleep(1.0)
            piece, self._rest = self._rest[:100], self._rest[100:]
            return piece
        if self._answer.breaks:
            if not self._rest:
                raise aiohttp.ClientPayloadError("the connection was lost")
            piece, self._rest = self._rest[: len(self._rest) // 2], b""
            return piece
        piece, self._rest = self._rest, b""
        return piece

    def at_eof(self) -> bool:
        return not self._rest and not self._answer.breaks


class _Response:
    """As much of `aiohttp.ClientResponse` as the driver uses."""

    def __init__(self, answer: Answer, url: URL) -> None:
        self.status = answer.status
        self.url = url
        self.content = _Content(answer)
        told = {"content-length": str(len(answer.body)), **answer.headers}
        self.headers = CIMultiDict(told)
        self.raw_headers = tuple((name.encode(), value.encode()) for name, value in told.items())

    def close(self) -> None:
        """Nothing is open."""

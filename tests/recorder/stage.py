"""A Space in memory for the recorder's own loops: lists and segments by the clock, a record, and all that can fail.

Time is the loop's (see `virtual_time`). Segment k is cut at 3 (k + 1) seconds after the start of the Space.
"""

from __future__ import annotations

import asyncio
import dataclasses
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from audio_building import clock as clock_frame
from audio_building import frame, tag
from hydrophone.errors import HydrophoneError, NotFoundError, UnreachableError
from hydrophone.hls import parse_segment_name, playlist_number
from hydrophone.http import Endpoints, Headers, Reply, Request
from hydrophone.model import MediaKey, MediaKind, SpaceState, Stream
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.download import Failure, Media
from hydrophone.recorder.epochs import EpochMap
from hydrophone.recorder.fetching import Fetcher
from hydrophone.recorder.listing import Listing
from hydrophone.recorder.live import Hooks, LiveEnd, LivePhase
from hydrophone.recorder.options import Patience, RecordOptions
from hydrophone.recorder.plan import Job, Plan
from hydrophone.recorder.sealing import KeyRing
from hydrophone.recorder.settling import Settled, Settling
from hydrophone.recorder.sources import Look
from hydrophone.recorder.turns import Lane

ORIGIN = datetime(2026, 3, 3, 19, 0, tzinfo=UTC)
ORIGIN_NS = int(ORIGIN.timestamp()) * 10**9
KEY = "k" * 86
FOLDER = f"https://prod-fastly-eu-central-1.video.pscp.tv/Transcoding/v1/hls/{KEY}/non_transcode/eu-central-1/bucket/"
LIVE_URL = f"{FOLDER}audio-space/dynamic_playlist.m3u8?type=live"
STEP = 3.0
FRAMES = 141
Answer = Callable[[Request, float], "Reply | None"]


def name_of(number: int, shift_seconds: float = 0.0) -> str:
    return f"chunk_{ORIGIN_NS + round((number * STEP + shift_seconds) * 1e9)}_{number}_a.aac"


def body_of(number: int) -> bytes:
    """A segment: its clock, and frames of a size that nobody else has."""
    return tag(clock_frame(number * 270_000)) + frame(16 + number % 50) * FRAMES


@dataclass
class Space:
    """What is on the air. Seconds are of the loop's clock, from `began` on.

    `answers` are asked first: whoever returns a reply (or raises) speaks in place of the CDN.
    """

    segments: int = 100
    aways: tuple[tuple[int, float], ...] = ()  #: before this number, so long without any audio
    snapshot_every: int = 30
    final_after: float = 30.0  #: from the end until the final list; None for never
    has_final: bool = True
    missing: frozenset[int] = frozenset()
    answers: list[Answer] = field(default_factory=list)
    asked: list[tuple[float, str]] = field(default_factory=list)
    closing: float = 6.0  #: from the last cut to the end: long enough for each segment to be seen live
    began: float = 0.0

    def cut_at(self, number: int) -> float:
        return (number + 1) * STEP + sum(seconds for before, seconds in self.aways if number >= before)

    @property
    def ends_at(self) -> float:
        return self.cut_at(self.segments - 1) + self.closing

    def count(self, now: float) -> int:
        return bisect_right(range(self.segments), now, key=self.cut_at)

    def is_away(self, now: float) -> bool:
        count = self.count(now)
        return now >= self.ends_at or not count or (count < self.segments and now - self.cut_at(count - 1) > 15.0)

    # ------------------------------------------------------------ as the recorder's client

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints.production()

    async def send(self, request: Request) -> Reply:
        now = asyncio.get_running_loop().time() - self.began
        name = request.target.rpartition("/")[2]
        self.asked.append((now, name))
        await asyncio.sleep(0.05)
        for answer in self.answers:
            reply = answer(request, now)
            if reply is not None:
                return reply
        return self._answer(request, name.partition("?")[0], now)

    def _answer(self, request: Request, name: str, now: float) -> Reply:
        if name == "dynamic_playlist.m3u8":
            count = self.count(now)
            return said(404) if self.is_away(now) else said(200, media_list(range(max(0, count - 4), count)))
        if name == "master_playlist.m3u8":
            target = f"playlist_{playlist_number(ORIGIN_NS + round(self._snapshot(now)[1] * 1e9))}.m3u8"
            return said(200, f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=350000\n{target}\n")
        if name.startswith("playlist_"):
            count, _ = self._snapshot(now)
            if now >= self.ends_at and (not self.has_final or now < self.ends_at + self.final_after):
                return said(404)
            listed = [number for number in range(count) if number not in self.missing]
            return said(200, media_list(listed, is_ended=now >= self.ends_at))
        found = parse_segment_name(name)
        if found is None or found.sequence in self.missing or self.cut_at(found.sequence) > now:
            return said(404)
        return said(200, body_of(found.sequence))

    def _snapshot(self, now: float) -> tuple[int, float]:
        """How many segments the newest one names, and when it was written."""
        if now >= self.ends_at:
            return self.segments, self.ends_at + 4.7
        count = max(1, self.count(now) // self.snapshot_every * self.snapshot_every)
        return count, self.cut_at(count - 1)


def said(status: int, body: str | bytes = b"", url: str = "") -> Reply:
    return Reply(status, Headers(), body.encode() if isinstance(body, str) else body, url)


def media_list(numbers: Any, *, is_ended: bool = False, names: Callable[[int], str] = name_of, first: int = 0) -> str:
    numbers = list(numbers)
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:4", f"#EXT-X-MEDIA-SEQUENCE:{numbers[0] if numbers else first}"]
    for number in numbers:
        at = ORIGIN + timedelta(seconds=number * STEP)
        lines += [f"#EXT-X-PROGRAM-DATE-TIME:{at:%Y-%m-%dT%H:%M:%S}.000Z", "#EXTINF:3.008,", names(number)]
    return "\n".join([*lines, "#EXT-X-ENDLIST"] if is_ended else lines) + "\n"


# ---------------------------------------------------------------- the record


@dataclass
class Record:
    """The record of the Space. `troubles` are raised in place of an answer between two moments."""

    space: Space
    has_states: bool = True
    says: list[tuple[float, float, SpaceState]] = field(default_factory=list)
    troubles: list[tuple[float, float, HydrophoneError]] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    streams: list[float] = field(default_factory=list)
    stream_urls: list[tuple[float, str]] = field(default_factory=lambda: [(0.0, LIVE_URL)])
    key: str = "1hydroPhoneXZ"
    link: str = "https://x.com/i/spaces/1hydroPhoneXZ"

    def _now(self) -> float:
        return asyncio.get_running_loop().time() - self.space.began

    async def look(self) -> Look:
        now = self._now()
        self.looks.append(now)
        for begin, end, error in self.troubles:
            if begin <= now < end:
                raise error
        is_over = now >= self.space.ends_at
        state = SpaceState.ENDED if is_over else SpaceState.LIVE
        for begin, end, flap in self.says:
            state = flap if begin <= now < end else state
        ended_at = ORIGIN + timedelta(seconds=self.space.ends_at) if is_over else None
        return dataclasses.replace(look_at(state), ended_at=ended_at)

    async def stream(self, media_key: MediaKey | None) -> Stream | None:
        now = self._now()
        self.streams.append(now)
        if now >= self.space.ends_at:
            return None
        return Stream(url=[url for since, url in self.stream_urls if since <= now][-1])


def look_at(state: SpaceState) -> Look:
    return Look(
        key="1hydroPhoneXZ",
        link="https://x.com/i/spaces/1hydroPhoneXZ",
        state=state if state is not None else SpaceState.LIVE,
        title="Stage",
        media_key=MediaKey("28_1"),
        started_at=ORIGIN,
        created_at=ORIGIN,
    )


# ---------------------------------------------------------------- the rest of a recording


@dataclass
class Shelf:
    """Stands in for a take: what was stored, in order of arrival, and what was noted."""

    stored: dict[tuple[int, int], bytes] = field(default_factory=dict)
    verdicts: dict[tuple[int, int], str] = field(default_factory=dict)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failing: list[HydrophoneError] = field(default_factory=list)

    def add_segment(self, epoch: int, sequence: int, body: bytes, *, verdict: str, **facts: Any) -> bool:
        if self.failing:
            raise self.failing[0]
        key = (epoch, sequence)
        if key in self.stored and verdict != "complete" and len(body) <= len(self.stored[key]):
            return False
        self.stored[key] = body
        self.verdicts[key] = verdict
        return True

    async def settle(self) -> None:
        """Everything is on this disk at once."""

    def note(self, kind: str, **facts: Any) -> None:
        self.notes.append((kind, facts))

    def noted(self, kind: str) -> list[dict[str, Any]]:
        return [facts for found, facts in self.notes if found == kind]


@dataclass
class Ear:
    """Listens to fetcher and phases."""

    failures: list[tuple[int, str]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    pauses: int = 0
    seen: list[Look] = field(default_factory=list)
    found_streams: list[str] = field(default_factory=list)

    def stored(self, job: Job, media: Media) -> None:
        """Counted by the shelf."""

    def failed(self, job: Job, failure: Failure) -> None:
        self.failures.append((job.segment.sequence, failure.cause.value))

    def paused(self, error: HydrophoneError) -> None:
        self.pauses += 1

    def resumed(self) -> None:
        self.notices.append("resumed")

    def notice(self, level: str, text: str) -> None:
        self.notices.append(text)

    async def on_stream(self, stream: Stream) -> None:
        self.found_streams.append(stream.url)


class Stage:
    """A recording's parts, wired to a `Space` in memory. Make it inside the loop."""

    def __init__(
        self,
        space: Space,
        *,
        record: Record | None = None,
        patience: Patience | None = None,
        kind: MediaKind = MediaKind.AUDIO,
        connections: int = 4,
        lane: Lane | None = None,
        **options: Any,
    ) -> None:
        space.began = asyncio.get_running_loop().time()
        self.space = space
        self.lane = lane
        self.record = record or Record(space)
        self.clock = Clock(origin_at=ORIGIN)
        self.clock.now()
        self.shelf = Shelf()
        self.ear = Ear()
        self.plan = Plan()
        self.patience = patience or Patience()
        self.options = RecordOptions(archive=Path("nowhere"), patience=self.patience, **options)
        client: Any = space
        take: Any = self.shelf
        self.fetcher = Fetcher(
            client=client,
            clock=self.clock,
            take=take,
            plan=self.plan,
            kind=kind,
            keys=KeyRing(client, None),
            tally=self.ear,
            patience=self.patience,
            connections=connections,
            rng=Random(1),
        )
        self.listing = Listing(
            client=client,
            endpoints=space.endpoints,
            clock=self.clock,
            take=take,
            plan=self.plan,
            epochs=EpochMap(),
            kind=kind,
            wanted="best",
            patience=self.patience,
            on_new=self.fetcher.wake,
            from_edge=self.options.live_edge,
        )

    async def follow(self, look: Look | None = None) -> LiveEnd:
        """The live phase from now on."""
        self.plan.begin_at(0, 0)
        phase = LivePhase(
            source=self.record,
            clock=self.clock,
            listing=self.listing,
            plan=self.plan,
            options=self.options,
            hooks=Hooks(self.ear.seen.append, self.ear.on_stream, self.ear.notice),
            lane=self.lane,
            rng=Random(2),
        )
        async with self.fetcher.running():
            end = await phase.run(look or look_at(SpaceState.LIVE), Stream(url=LIVE_URL))
            await self.fetcher.until_idle()
        return end

    async def settle(self, look: Look) -> Settled:
        """The phase after the end."""
        phase = Settling(
            source=self.record,
            clock=self.clock,
            listing=self.listing,
            fetcher=self.fetcher,
            plan=self.plan,
            patience=self.patience,
            on_stream=self.ear.on_stream,
            notice=self.ear.notice,
        )
        async with self.fetcher.running():
            return await phase.run(look, [LIVE_URL])

    @property
    def numbers(self) -> list[int]:
        return sorted(number for _, number in self.shelf.stored)

    def times(self, word: str) -> list[float]:
        """When something with this word in its name was asked for."""
        return [at for at, name in self.space.asked if word in name]


def cut_body(number: int, frames: int = 60) -> bytes:
    """A segment that ends too early, between two frames and in the middle of a third."""
    whole = frame(16 + number % 50)
    return tag(clock_frame(number * 270_000)) + whole * frames + whole[:9]


def lost_connection(request: Request, now: float) -> Reply:
    raise UnreachableError("the connection was lost", host="cdn")


def not_found() -> NotFoundError:
    return NotFoundError("there is no such Space", status=200)

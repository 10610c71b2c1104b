"""The activity stream: an answer without end, one JSON object per line, a bare line as heartbeat."""

from __future__ import annotations

import asyncio
import json
import re
import time
from datetime import UTC, datetime
from typing import Any

from hydrophone.sandbox.api2.activity import Event, events_between
from hydrophone.sandbox.api2.gate import Answering, Endpoint, Said, TakenOver, Visit
from hydrophone.sandbox.api2.meter import meter_of
from hydrophone.sandbox.api2.switches import read_switches
from hydrophone.sandbox.clock import to_us
from hydrophone.sandbox.serving import Answer, head_of

MOST_CONNECTIONS = 2
_LOOK_SECONDS = 0.05
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Streams:
    """How many are open."""

    def __init__(self) -> None:
        self.open = 0


def _stream(visit: Visit) -> Answering:
    visit.asking.check_names((), ("backfill_minutes", "start_time", "end_time"))
    backfill = visit.asking.number("backfill_minutes", 0, 5, 0)
    start_at, end_at = _instant(visit, "start_time"), _instant(visit, "end_time")

    def finish() -> Said:
        streams = visit.world.room(Streams)
        if streams.open >= MOST_CONNECTIONS or visit.switches["stream_full"]:
            return visit.tongue.too_many_streams()
        since = to_us(start_at) if start_at else visit.world.clock.now_us() - backfill * 60_000_000

        async def write(head: tuple[tuple[str, str], ...]) -> None:
            streams.open += 1
            try:
                await _run(visit, head, since, to_us(end_at) if end_at else None)
            except ConnectionError:
                pass  # the reader has gone
            finally:
                streams.open -= 1

        return TakenOver(write)

    return finish


def _instant(visit: Visit, name: str) -> datetime | None:
    value = visit.asking.given.get(name)
    if value is None:
        return None
    if not _INSTANT.fullmatch(value):
        visit.asking.complain(name, f"The `{name}` query parameter value [{value}] is not a valid date", value)
        return None
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


async def _run(visit: Visit, head: tuple[tuple[str, str], ...], since_us: int, until_us: int | None) -> None:
    world, exchange = visit.world, visit.exchange
    answer = Answer(
        200, (("content-type", "application/json; charset=utf-8"), *head, ("transfer-encoding", "chunked")), b""
    )
    exchange.write(head_of(answer), status=200)
    spoke = time.monotonic()
    while True:
        now_us = world.clock.now_us()
        switches = read_switches(world)
        news = events_between(world, since_us, now_us if until_us is None else min(now_us, until_us))
        since_us = max(since_us, now_us)
        if news:
            _tell(visit, news, switches)
            spoke = time.monotonic()
        if switches["stream_problem"]:
            _disconnect(visit, str(switches["stream_problem"]))
            return
        if exchange.transport.get_write_buffer_size() > int(switches["stream_buffer_bytes"]):
            exchange.connection.reset()  # what was buffered is lost
            return
        beat = float(switches["heartbeat_seconds"])
        if beat and time.monotonic() - spoke >= beat:
            _chunk(visit, b"\r\n")
            spoke = time.monotonic()
        if exchange.transport.is_closing():
            return
        if until_us is not None and now_us >= until_us:
            exchange.write(b"0\r\n\r\n")
            exchange.finish()
            return
        await asyncio.sleep(_LOOK_SECONDS)


def _tell(visit: Visit, news: list[Event], switches: dict[str, Any]) -> None:
    ordered = list(reversed(news)) if switches["stream_reversed"] else news
    for event in ordered:
        # Prices of events about broadcasts are not published.
        if event.type.startswith("spaces."):
            meter_of(visit.world).charge("event", [f"{event.type}:{event.uuid}"], visit.world.now())
        for _ in range(2 if switches["stream_twice"] else 1):
            _chunk(visit, json.dumps(event.body, ensure_ascii=False, separators=(",", ":")).encode() + b"\r\n")


def _disconnect(visit: Visit, why: str) -> None:
    body = {"errors": [visit.tongue.disconnect(why)]}
    _chunk(visit, json.dumps(body, separators=(",", ":")).encode() + b"\r\n")
    visit.exchange.write(b"0\r\n\r\n")
    visit.exchange.finish()
    visit.exchange.connection.close()


def _chunk(visit: Visit, data: bytes) -> None:
    visit.exchange.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


ENDPOINTS = (Endpoint(name="stream", method="GET", path=r"/2/activity/stream", prepare=_stream, takes="app"),)

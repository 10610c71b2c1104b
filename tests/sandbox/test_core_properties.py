"""What holds for every scene and for every byte that a client may send."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from hydrophone.sandbox.scene import Away, Format, Kind, Quirks, Scene
from hydrophone.sandbox.serving import Connection, Exchange
from hydrophone.sandbox.timeline import Timeline

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)

aways = st.lists(
    st.builds(Away, begin=st.floats(0.125, 400, width=16), seconds=st.floats(0, 3000, width=16)), max_size=3
).map(tuple)
formats = st.lists(
    st.builds(Format, at=st.integers(1, 60), rate=st.sampled_from([48_000, 44_100, 32_000]), channels=st.just(1)),
    max_size=2,
    unique_by=lambda f: f.at,
).map(lambda more: (Format(), *more))
scenes = st.builds(
    lambda away, form, count, kind, restarts: Scene.live(
        "any",
        since=0,
        seconds=count * 3.0,
        aways=away,
        kind=kind,
        formats=form if kind is Kind.AUDIO else (Format(),),
        quirks=Quirks(restarts=tuple(sorted(restarts))),
        turns=(),
    ).at(NOW),
    aways,
    formats,
    st.integers(1, 200),
    st.sampled_from([Kind.AUDIO, Kind.BROADCAST]),
    st.sets(st.integers(1, 150), max_size=2),
)


@given(scenes, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_cuts_join_and_become_ready_one_after_the_other(scene: Scene, dice: random.Random) -> None:
    timeline = Timeline(scene)
    total = timeline.total or 0
    for place in sorted(dice.sample(range(total), min(total, 12))):
        piece, following = timeline.piece(place), timeline.piece(place + 1)
        assert piece.first_frame + piece.frames == following.first_frame
        assert piece.starts_us < piece.ready_us <= following.starts_us
        assert timeline.count_at(piece.ready_us) == place + 1
        assert timeline.count_at(piece.ready_us - 1) == place
        assert timeline.find(piece.written_ns, piece.sequence) == piece
    assert timeline.ready_us(total - 1) <= timeline.ended_us


@given(scenes, st.integers(0, 4_000))
@settings(max_examples=60, deadline=None)
def test_snapshots_only_grow_and_numbers_only_fall(scene: Scene, seconds: int) -> None:
    timeline = Timeline(scene)
    found = timeline.snapshots(timeline.zero_us + seconds * 1_000_000)

    assert [s.count for s in found] == sorted(s.count for s in found)
    assert [s.number for s in found] == sorted((s.number for s in found), reverse=True)
    assert len({s.number for s in found}) == len(found)


class Ears(asyncio.Transport):
    """A transport that only listens."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = b""
        self.is_shut = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.heard += bytes(data)

    def close(self) -> None:
        self.is_shut = True

    def is_closing(self) -> bool:
        return self.is_shut


requests = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from(
            [
                b"GET /a HTTP/1.1\r\n\r\n",
                b"POST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
                b"POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                b"GET /c HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                b"GET http://t.co/x?y#z HTTP/1.1\r\n\r\n",
                b"\r\n\r\n",
            ]
        ),
    ),
    max_size=8,
)


@given(requests, st.integers(1, 40))
@settings(max_examples=200, deadline=None)
async def test_no_bytes_upset_the_server(parts: list[bytes], step: int) -> None:
    seen: list[Exchange] = []

    def app(exchange: Exchange) -> None:
        seen.append(exchange)
        exchange.reply(204)

    ears = Ears()
    connection = Connection(app, "cdn")
    connection.connection_made(cast(asyncio.BaseTransport, ears))
    data = b"".join(parts)
    for at in range(0, len(data), step):
        connection.data_received(data[at : at + step])
        if ears.is_shut:
            break

    assert ears.heard.count(b"HTTP/1.1 204") == len(seen)
    assert b"x-sandbox-problem" not in ears.heard

"""Whole broadcasts to real RTMP servers on loopback: several targets, dead, lost, stopped and public ones."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hydrophone.broadcasting.broadcast import BroadcastOptions, broadcast
from hydrophone.broadcasting.events import (
    BroadcastEvent,
    Connected,
    Lost,
    Opened,
    Published,
    Sending,
    Sent,
    TargetOutcome,
)
from hydrophone.broadcasting.producing import Ingest
from hydrophone.broadcasting.sending import Limits
from hydrophone.broadcasting.targets import Target, parse_target
from hydrophone.errors import AbortedError, MediaError, RefusedError, UnreachableError, UnsafeAddressError
from hydrophone.media.inputs import DeviceInput, FileInput, Input
from hydrophone.recorder.options import StopSignal
from playable_building import adts, mp4, payloads, written
from rtmp_sink import KEY, Sink, deaf_server, free_port, until

LIMITS = Limits(first_retry=0.2, last_retry=0.5, start=3.0, connect=3.0, stall=3.0, drain=5.0, patience=2.0, lag=20.0)
TONE = DeviceInput("lavfi", "sine=frequency=440:sample_rate=48000")  # goes on for ever


async def air(
    source: Input,
    urls: list[str],
    *,
    speed: float = 4.0,
    stop: StopSignal | None = None,
    producer: Producer | None = None,
    hear: Callable[[BroadcastEvent], None] | None = None,
    limits: Limits = LIMITS,
) -> tuple[list[TargetOutcome], list[BroadcastEvent]]:
    events: list[BroadcastEvent] = []

    def on_event(event: BroadcastEvent) -> None:
        events.append(event)
        if hear:
            hear(event)

    outcomes = await broadcast(
        source,
        [parse_target(url) for url in urls],
        stop=stop or StopSignal(),
        producer=producer,
        options=BroadcastOptions(speed=speed, limits=limits, allow_local_ingest=True),
        on_event=on_event,
    )
    assert KEY not in repr((outcomes, events))
    return outcomes, events


def dead() -> str:
    return f"rtmp://127.0.0.1:{free_port()}/live/{KEY}"


async def test_every_frame_of_sound_reaches_every_target_beside_dead_and_deaf_ones(tmp_path: Path) -> None:
    data = adts(280)
    sinks = [Sink(), Sink()]
    with deaf_server() as deaf:
        urls = [sinks[0].url, dead(), deaf, sinks[1].url]
        outcomes, events = await air(FileInput(written(tmp_path, "talk.aac", data)), urls)

    for sink in sinks:
        got = await asyncio.to_thread(sink.wait)
        assert got.audio == payloads(data)
        assert got.codecs == ["aac", "h264"]
    assert [outcome.result for outcome in outcomes] == [Sent.COMPLETE, Sent.FAILED, Sent.FAILED, Sent.COMPLETE]
    assert isinstance(outcomes[1].error, UnreachableError)
    assert outcomes[0].seconds == pytest.approx(6, abs=0.2)
    assert outcomes[0].missed_seconds == 0
    assert outcomes[1].missed_seconds == pytest.approx(6, abs=0.2)
    assert [event for event in events if isinstance(event, Opened)] == [
        Opened(source="talk.aac", audio="copy", video="still")
    ]
    assert {event.target for event in events if isinstance(event, Lost)} >= {outcomes[1].target}
    assert any(isinstance(event, Sending) and event.is_connected and event.seconds > 0 for event in events)


async def test_pictures_arrive_unchanged(tmp_path: Path) -> None:
    sink = Sink()
    outcomes, _ = await air(FileInput(written(tmp_path, "clip.mp4", mp4())), [sink.url])
    got = await asyncio.to_thread(sink.wait)
    assert outcomes[0].result is Sent.COMPLETE
    assert [data for data, _ in got.video] == payloads(mp4(), "video", "mp4")
    assert got.audio == payloads(mp4(), "audio", "mp4")


async def test_a_target_that_hangs_up_is_connected_again_and_goes_on_with_a_key_frame(tmp_path: Path) -> None:
    data = adts(660)
    lossy, steady = Sink(stop_after=60, publishers=2), Sink()
    outcomes, events = await air(FileInput(written(tmp_path, "talk.aac", data)), [lossy.url, steady.url], speed=2.0)
    await asyncio.to_thread(lossy.wait)
    kept = await asyncio.to_thread(steady.wait)

    assert kept.audio == payloads(data)
    assert [outcome.result for outcome in outcomes] == [Sent.GAPS, Sent.COMPLETE]
    assert outcomes[0].reconnects == 1
    assert 0 < outcomes[0].missed_seconds < 10
    first, second = lossy.publications
    assert first.audio == payloads(data)[: len(first.audio)]
    assert second.video[0][1], "it goes on with a key frame"
    # Byte for byte the end of the source, from a key frame on.
    assert second.audio == payloads(data)[-len(second.audio) :]
    assert second.times[0] < 200, "its times begin anew"
    assert [e.reconnects for e in events if isinstance(e, Connected) and e.target == outcomes[0].target] == [0, 1]


async def test_when_nobody_answers_at_the_beginning_it_ends_with_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="Connection refused") as caught:
        await air(FileInput(written(tmp_path, "talk.aac", adts(20))), [dead()])
    assert KEY not in str(caught.value)


async def test_the_first_stop_ends_cleanly() -> None:
    sink, stop = Sink(), StopSignal()

    def hear(event: BroadcastEvent) -> None:
        if isinstance(event, Sending) and event.seconds > 1:
            stop.finish()

    outcomes, _ = await air(TONE, [sink.url], stop=stop, hear=hear)
    got = await asyncio.to_thread(sink.wait)
    assert outcomes[0].result is Sent.STOPPED
    assert outcomes[0].error is None
    assert got.is_over
    assert got.audio
    assert children() == []


async def test_the_second_stop_leaves_at_once_and_leaves_no_process() -> None:
    stop = StopSignal()
    with deaf_server() as deaf:
        asyncio.get_running_loop().call_later(1.5, stop.abort)
        with pytest.raises(AbortedError):
            await air(TONE, [deaf], stop=stop)
    assert children() == []


async def test_a_source_that_is_no_media_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        await air(FileInput(written(tmp_path, "talk.aac", b"nothing" * 100)), [dead()])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_the_key_stands_in_no_argument_and_no_environment() -> None:
    sink, stop = Sink(), StopSignal()
    seen: list[str] = []

    def hear(event: BroadcastEvent) -> None:
        if isinstance(event, Sending) and event.is_connected:
            for pid in children():
                seen.extend(Path(f"/proc/{pid}/{name}").read_text(errors="replace") for name in ("cmdline", "environ"))
            stop.finish()

    await air(TONE, [sink.url], stop=stop, hear=hear)
    assert any("hydrophone.media.pushing" in text for text in seen)
    assert not any(KEY in text for text in seen)


def children() -> list[str]:
    """The pushing processes that this one has started and that still run."""
    if not sys.platform.startswith("linux"):
        return []
    found = []
    for entry in Path("/proc").iterdir():
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid() and b"hydrophone.media.pushing" in (entry / "cmdline").read_bytes():
                found.append(entry.name)
        except (OSError, ValueError, IndexError):
            continue
    return found


# ---------------------------------------------------------------- a service that publishes


@dataclass
class Producer:
    """A service in memory that remembers what it was asked."""

    server: str
    refuses: bool = False
    looks: int = 2
    calls: list[str] = field(default_factory=list)

    async def create(self, title: str) -> Ingest:
        self.calls.append(f"create {title}")
        return Ingest(broadcast_id="1b", server=self.server, stream_key=KEY, share_url="https://example.com/w/1b")

    async def is_receiving(self, ingest: Ingest) -> bool:
        self.looks -= 1
        return self.looks <= 0

    async def publish(self, ingest: Ingest, title: str) -> str:
        if self.refuses:
            raise RefusedError("not today")
        self.calls.append(f"publish {title}")
        return ingest.share_url

    async def stop(self, ingest: Ingest) -> None:
        self.calls.append("stop")


def at(sink: Sink) -> str:
    return sink.url.rpartition("/")[0]


async def test_a_service_is_told_in_order_and_stopped_at_the_end(tmp_path: Path) -> None:
    sink = Sink()
    service = Producer(at(sink))
    outcomes, events = await air(FileInput(written(tmp_path, "talk.aac", adts(280))), [], producer=service, speed=1.5)
    await asyncio.to_thread(sink.wait)
    assert service.calls == ["create talk.aac", "publish talk.aac", "stop"]
    assert outcomes[0].target == "periscope"
    assert outcomes[0].share_url == "https://example.com/w/1b"
    kinds = [type(event) for event in events]
    assert kinds.index(Connected) < kinds.index(Published)


async def test_what_was_created_is_stopped_also_after_an_abort_or_a_refusal(tmp_path: Path) -> None:
    source = FileInput(written(tmp_path, "talk.aac", adts(280)))
    sink = Sink()
    refusing = Producer(at(sink), refuses=True, looks=0)
    outcomes, _ = await air(source, [], producer=refusing)
    assert refusing.calls[-1] == "stop"
    assert outcomes[0].result is Sent.FAILED
    assert isinstance(outcomes[0].error, RefusedError)

    stop = StopSignal()
    with deaf_server() as deaf:
        unheard = Producer(deaf.rpartition("/")[0])
        asyncio.get_running_loop().call_later(1.0, stop.abort)
        with pytest.raises(AbortedError):
            await air(source, [], producer=unheard, stop=stop)
    assert unheard.calls == ["create talk.aac", "stop"]


async def test_an_ingest_outside_the_service_is_never_connected_to(tmp_path: Path) -> None:
    elsewhere = Producer("rtmp://ingest.example/app")
    with pytest.raises(UnsafeAddressError):
        await air(FileInput(written(tmp_path, "talk.aac", adts(20))), [], producer=elsewhere)
    assert elsewhere.calls == ["create talk.aac", "stop"]


def test_targets_hide_their_keys() -> None:
    target = parse_target(f"rtmp://127.0.0.1/live/{KEY}")
    assert isinstance(target, Target)
    assert KEY not in f"{target}{Ingest(broadcast_id='1', server=target.url, stream_key=KEY)}"
    assert until(lambda: True)

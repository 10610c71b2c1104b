"""A file goes on air at the sandbox's Periscope and is recorded back while it is live: the same sound in each frame."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import pytest

from broadcasting.test_at_periscope import token
from hydrophone.archive import verify_item
from hydrophone.broadcasting.events import BroadcastEvent, Published, Sent
from hydrophone.onair import OnAir
from hydrophone.recorder.events import Mode, Started
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.trials import PATIENCE, Trial, engine, record_links
from playable_building import adts, mp4, payloads, written


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with sandbox("periscope-replay", isolated=True) as running:
        yield running


def sound_of(data: bytes, demuxer: str) -> list[bytes]:
    """The AAC frames without their ADTS headers, where they have some."""
    with av.open(io.BytesIO(data), "r", format=demuxer) as container:
        frames = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    return [frame[7:] if demuxer == "mpegts" else frame for frame in frames]


def pictures_of(data: bytes, demuxer: str) -> int:
    with av.open(io.BytesIO(data), "r", format=demuxer) as container:
        stream = next(one for one in container.streams.video if one.codec_context.name == "h264")
        return sum(1 for _ in container.decode(stream))


async def on_air_and_back(box: SandboxBox, folder: Path, source: Path) -> tuple[Trial, str]:
    """Play the file at Periscope; record the link that it published, from the moment it was published."""
    published: asyncio.Queue[Published] = asyncio.Queue()

    def hear(event: BroadcastEvent) -> None:
        if isinstance(event, Published):
            published.put_nowait(event)

    settings = {"periscope_token": token(box), "poll_seconds": 5.0}
    async with engine(box, folder, **settings) as hydrophone:

        async def air() -> None:
            on_air = OnAir(is_agreed=True, title="From the quay")
            (outcome,) = await hydrophone.broadcast(str(source), ["periscope"], on_air=on_air, on_event=hear)
            assert outcome.result is Sent.COMPLETE

        async with asyncio.TaskGroup() as group:
            group.create_task(air())
            event = await asyncio.wait_for(published.get(), 60)
            (trial,) = await record_links(hydrophone, [event.share_url], patience=replace(PATIENCE, late_look=3.0))
    return trial, event.broadcast_id


@pytest.mark.parametrize("form", ["talk.aac", "clip.mp4"])
async def test_what_was_broadcast_is_what_was_recorded(box: SandboxBox, tmp_path: Path, form: str) -> None:
    data = adts(750) if form == "talk.aac" else mp4(14)
    sent = payloads(data) if form == "talk.aac" else sound_of(data, "mp4")

    trial, broadcast_id = await on_air_and_back(box, tmp_path, written(tmp_path, form, data))

    assert trial.exit_code == 0, trial.outcome
    assert [event.mode for event in trial.events if isinstance(event, Started)] == [Mode.LIVE]
    assert trial.outcome.media is not None
    assert trial.outcome.title == "From the quay"
    assert verify_item(trial.directory, is_deep=True).is_intact
    original = (trial.directory / "original.ts").read_bytes()
    assert sound_of(original, "mpegts") == sent
    assert sound_of(trial.outcome.media.read_bytes(), "mp4") == sent
    if form == "clip.mp4":
        assert pictures_of(trial.outcome.media.read_bytes(), "mp4") == 140
    facts = json.loads((trial.directory / "space.json").read_bytes())
    assert (facts["id"], facts["coverage"]["is_complete"]) == (broadcast_id, True)
    offered = box.ledger(broadcast_id)["segments"]
    assert facts["coverage"]["segments"] == len(offered)

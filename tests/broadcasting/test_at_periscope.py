"""On air at the sandbox's Periscope: create, push, publish, stop, and every frame of sound on its CDN."""

from __future__ import annotations

import io
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import av
import pytest

from hydrophone import AsyncHydrophone, Settings
from hydrophone.broadcasting.events import BroadcastEvent, Published, Sent
from hydrophone.errors import NotSignedInError, RemoteError, SettingsError
from hydrophone.onair import OnAir
from hydrophone.testing import SandboxBox, sandbox
from playable_building import adts, payloads, written


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with sandbox("periscope-replay", isolated=True) as running:
        yield running


def get(url: str) -> tuple[str, bytes]:
    """Where it finally came from, and what it is: a replay is reached by a redirect."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.geturl()), bytes(answer.read())


def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return dict(json.loads(answer.read()))


def token(box: SandboxBox) -> str:
    """Signed in by device code; the sandbox's user agrees at once."""
    box.control.ask("POST", "/periscope/switches", {"device_checks": 0})
    base = box.bases["producer"]
    code = post(f"{base}/v1/device_code/create", {"client_id": "encoder"})["device_code"]
    return str(post(f"{base}/v1/device_code/check", {"client_id": "encoder", "device_code": code})["access_token"])


def settings(box: SandboxBox, folder: Path, **more: Any) -> Settings:
    return Settings.load(
        provider="sandbox", sandbox=box.bases["control"], archive=folder, state_dir=folder / "state", **more
    )


def sound_on_the_cdn(box: SandboxBox, broadcast_id: str) -> list[bytes]:
    """The AAC frames of every segment of the replay, in order."""
    found = json.loads(get(f"{box.bases['periscope']}/api/v2/accessVideoPublic?broadcast_id={broadcast_id}")[1])
    url, playlist = get(found["replay_url"])
    lines = playlist.decode().splitlines()
    segments = [urljoin(url, line) for line in lines if line and not line.startswith("#")]
    stream = b"".join(get(segment)[1] for segment in segments)
    with av.open(io.BytesIO(stream), "r", format="mpegts") as container:
        return [bytes(packet)[7:] for packet in container.demux(audio=0) if packet.size]


async def test_a_file_is_created_pushed_published_and_stopped(box: SandboxBox, tmp_path: Path) -> None:
    data = adts(470)
    source = written(tmp_path, "talk.aac", data)
    events: list[BroadcastEvent] = []
    async with AsyncHydrophone(settings(box, tmp_path, periscope_token=token(box))) as engine:
        (outcome,) = await engine.broadcast(
            str(source), ["periscope"], on_air=OnAir(is_agreed=True, title="From the quay"), on_event=events.append
        )

    assert outcome.result is Sent.COMPLETE
    (published,) = [event for event in events if isinstance(event, Published)]
    assert published.share_url.endswith(published.broadcast_id)
    (row,) = box.control.ask("GET", "/periscope/published")["broadcasts"]
    assert (row["title"], row["has_posted"]) == ("From the quay", False)
    assert row["state"] in ("ended", "Ended")
    assert sound_on_the_cdn(box, published.broadcast_id) == payloads(data)


async def test_without_a_token_or_with_a_dead_one_nothing_is_created(box: SandboxBox, tmp_path: Path) -> None:
    source = str(written(tmp_path, "talk.aac", adts(20)))
    before = box.control.ask("GET", "/periscope/published")
    async with AsyncHydrophone(settings(box, tmp_path)) as engine:
        with pytest.raises(NotSignedInError):
            await engine.broadcast(source, ["periscope"], on_air=OnAir(is_agreed=True))
        with pytest.raises(SettingsError):
            await engine.broadcast(source, ["periscope"])
    async with AsyncHydrophone(settings(box, tmp_path, periscope_token="dead")) as engine:
        with pytest.raises(RemoteError):
            await engine.broadcast(source, ["periscope"], on_air=OnAir(is_agreed=True))
    assert box.control.ask("GET", "/periscope/published") == before

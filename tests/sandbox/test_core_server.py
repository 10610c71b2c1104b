"""The server, the control room, and the three ways in: a block, a fixture, a process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hydrophone.sandbox.cdn import warm_up
from hydrophone.sandbox.hosts import SERVICES
from hydrophone.sandbox.scene import Format, Scene
from hydrophone.sandbox.serving import Answer, Route, Router, head_of
from hydrophone.sandbox.voices import cache_directory, cached_blocks, voice_loop
from hydrophone.testing import ControlRoom, SandboxBox, sandbox
from hydrophone.testing.control import ControlRoomError
from sandbox.cdn_client import fetch, sibling


def ask_raw(base: str, data: bytes) -> bytes:
    """Send bytes and read until the far side closes or falls silent."""
    parts = urlsplit(base)
    seen = b""
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=0.5) as sock:
        try:
            sock.sendall(data)
            while part := sock.recv(65536):
                seen += part
        except (TimeoutError, ConnectionError):
            pass
    return seen


def test_every_service_has_a_port_of_its_own() -> None:
    with sandbox() as box:
        assert set(box.bases) == set(SERVICES)
        assert len(set(box.bases.values())) == len(SERVICES)
        assert box.control.is_healthy()


def test_requests_can_be_sent_in_one_go_and_are_answered_in_order() -> None:
    with sandbox() as box:
        request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
        request += b"GET /clock HTTP/1.1\r\nHost: a\r\n\r\n"
        seen = ask_raw(box.bases["control"], request)

    assert [part[:3] for part in seen.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"200"]


def test_bodies_may_come_in_chunks_and_in_pieces() -> None:
    body = json.dumps({"speed": 3}).encode()
    head = b"POST /clock HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (5, body[:5], len(body) - 5, body[5:])
    with sandbox() as box:
        seen = ask_raw(box.bases["control"], head + chunks)

    assert b'"speed":3.0' in seen


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 300_000, b"431"),
        (b"PUT /clock HTTP/1.1\r\nHost: a\r\n\r\n", b"405"),
    ],
)
def test_malformed_requests_are_told_so(request_bytes: bytes, status: bytes) -> None:
    with sandbox() as box:
        assert ask_raw(box.bases["control"], request_bytes).split(b" ")[1] == status
        assert box.control.is_healthy()


def test_router_finds_handlers_and_knows_wrong_methods() -> None:
    router = Router([Route("cdn", "GET", "/a(?P<n>\\d)", lambda exchange: None)])

    assert router.find("cdn", "GET", "/a1")[1] is not None
    assert router.find("cdn", "HEAD", "/a1")[0] is not None
    assert router.find("cdn", "POST", "/a1") == (None, None, True)
    assert router.find("x", "GET", "/a1") == (None, None, False)
    assert head_of(Answer(299, (), b"")).startswith(b"HTTP/1.1 299 Unknown\r\ncontent-length: 0")


def test_control_room_loads_turns_and_forgets() -> None:
    with sandbox(speed=5.0) as box:
        loaded = box.control.load("starts-soon", title="Another title")
        assert (loaded["state"], loaded["live_url"]) == ("NotStarted", None)
        assert box.scene("starts-soon").title == "Another title"
        box.control.pause()
        before = box.control.now()
        box.control.advance(130)
        assert box.control.now() - before == timedelta(seconds=130)
        assert box.control.show("starts-soon")["state"] == "Running"
        box.control.resume()
        box.control.set_speed(1000.0)
        deadline = time.monotonic() + 10
        while box.control.show("starts-soon")["state"] == "Running" and time.monotonic() < deadline:
            time.sleep(0.02)
        assert box.control.show("starts-soon")["state"] == "Ended"
        box.control.reset()
        with pytest.raises(ControlRoomError, match="404"):
            box.control.show("starts-soon")


def test_control_room_says_what_it_does_not_understand() -> None:
    with sandbox() as box:
        for body in ({"name": "no-such-scene"}, {"scene": {"colour": 1}}, [], {}):
            with pytest.raises(ControlRoomError, match="400"):
                box.control.ask("POST", "/scenes", body)
        with pytest.raises(ControlRoomError, match="400"):
            box.control.ask("POST", "/clock", {"speed": 0})


def test_a_scene_can_be_loaded_into_the_past() -> None:
    with sandbox() as box:
        box.control.load("live-now", at="now-2h")
        assert box.control.show("live-now")["state"] == "Ended"


def test_ledger_tells_the_whole_truth_of_an_ended_scene() -> None:
    with sandbox(scenes=[Scene.ended("mine", seconds=30)]) as box:
        truth = box.ledger("mine")
        frames = box.true_frames("mine")

    assert truth["total"] == len(truth["segments"]) == 10
    assert truth["frames"] == len(frames) == 1407
    assert truth["seconds"] == pytest.approx(1407 * 1024 / 48_000)
    assert len({row["payload_sha256"] for row in truth["segments"]}) == 10


def test_ledger_of_video_has_a_digest_of_each_variant() -> None:
    with sandbox("broadcast-aes") as box:
        rows = box.ledger("broadcast-aes")["segments"]
        small = box.ledger("broadcast-aes", variant="568x320")["segments"]

    assert len(rows) == 20
    assert rows[3]["payload_sha256"] != small[3]["payload_sha256"]


def test_link_is_what_a_user_would_paste() -> None:
    with sandbox("broadcast", "ended-short") as box:
        assert box.link("broadcast") == "https://x.com/i/broadcasts/1ferryDbroaGx"
        assert box.link("ended-short").startswith("https://x.com/i/spaces/1")


def test_fixture_starts_sandboxes(hydrophone_sandbox: Callable[..., SandboxBox]) -> None:
    box = hydrophone_sandbox("ended-short", speed=2.0)

    assert box.control.ask("GET", "/clock")["speed"] == 2.0


def test_process_says_where_it_is_and_ends_on_sigterm() -> None:
    command = [sys.executable, "-m", "hydrophone.sandbox", "--scene", "ended-short", "--speed", "10", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["scenes"][0]["name"] == "ended-short"
        control = ControlRoom(told["bases"]["control"])
        url = control.show("ended-short")["replay_url"]
        assert len(fetch(url).names) == 40
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        if process.stdout is not None:
            process.stdout.close()


def test_process_refuses_unknown_scenes() -> None:
    command = [sys.executable, "-m", "hydrophone.sandbox", "--scene", "no-such-scene"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 2
    assert "live-now" in done.stderr


def test_isolated_sandbox_serves_the_same_bytes_as_one_in_a_thread() -> None:
    scene = Scene.ended("same", seconds=9).at(datetime(2026, 5, 1, tzinfo=UTC))
    bodies = []
    for isolated in (False, True):
        with sandbox(scene, isolated=isolated) as box:
            replay = box.stream_url("same")
            assert replay is not None
            bodies.append([fetch(sibling(replay, name)).body for name in fetch(replay).names])

    assert bodies[0] == bodies[1]
    assert len(bodies[0]) == 3


def test_loops_are_made_before_a_scene_begins_and_kept_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDROPHONE_SANDBOX_CACHE", str(tmp_path))
    voice_loop.cache_clear()
    scene = Scene.ended(seconds=3, turns=(), formats=(Format(rate=32_000, channels=1),))

    warm_up(scene)

    kept = list(tmp_path.rglob("voices-none-32000-1.bin"))
    assert len(kept) == 1
    made = voice_loop(frozenset(), 32_000, 1)
    kept[0].write_bytes(kept[0].read_bytes()[:-1])  # a torn file is made anew
    voice_loop.cache_clear()
    assert voice_loop(frozenset(), 32_000, 1) == made


def test_without_a_writable_cache_loops_are_made_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    monkeypatch.setenv("HYDROPHONE_SANDBOX_CACHE", str(blocked))

    assert cache_directory() is None
    assert cached_blocks("anything", lambda: [b"a", b"b"]) == (b"a", b"b")

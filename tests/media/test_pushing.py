"""The process that pushes: what it reads, what it says, and that it always comes to an end."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.broadcasting.feed import Prelude
from hydrophone.errors import MediaError
from hydrophone.media.flv import HEADER, Kind, Tag, TagReader, build_tag
from hydrophone.media.inputs import ChunkInput
from hydrophone.media.playing import Player
from hydrophone.media.pushing import Order, reason_of
from playable_building import adts, payloads
from rtmp_sink import KEY, Sink, deaf_server, free_port

TAGS = st.builds(Tag, st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.binary(max_size=300))


@given(st.lists(TAGS, max_size=8), st.integers(1, 50))
def test_tags_come_back_from_pieces_of_any_size(tags: list[Tag], size: int) -> None:
    stream = HEADER + b"".join(map(build_tag, tags))
    reader = TagReader()
    found = [tag for at in range(0, len(stream), size) for tag in reader.feed(stream[at : at + size])]
    assert found == tags


@given(st.binary(max_size=200))
def test_any_bytes_are_tags_or_a_typed_error(data: bytes) -> None:
    for has_header in (True, False):
        try:
            for tag in TagReader(has_header=has_header).feed(data):
                assert tag.payload is not None
                assert isinstance(tag.shown_ms, int)
        except MediaError:
            pass


def test_a_moved_tag_keeps_its_frame_and_never_steps_before_zero() -> None:
    tag = Tag(Kind.AUDIO, 500, b"\xaf\x01frame")
    assert tag.moved(-200) == Tag(Kind.AUDIO, 300, b"\xaf\x01frame")
    assert tag.moved(-900).at_ms == 0
    assert tag.payload == b"frame"


def played(data: bytes) -> tuple[bytes, list[Tag]]:
    """The setup and the frames of an AAC stream."""
    player = Player(ChunkInput("noise", "aac", [data]))
    prelude, frames = Prelude(player.plan.kinds), []
    for tag in player.tags():
        prelude.add(tag)
        if tag.kind is not Kind.SCRIPT and not tag.is_setup:
            frames.append(tag)
    return prelude.setup().flv, frames


def pushed(order: Order, tags: list[Tag], *, timeout: float = 30.0) -> tuple[int, list[dict[str, object]], str]:
    done = subprocess.run(
        [sys.executable, "-m", "hydrophone.media.pushing"],
        input=order.line() + b"".join(map(build_tag, tags)),
        capture_output=True,
        timeout=timeout,
    )
    text = done.stdout.decode() + done.stderr.decode()
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], text


def test_every_frame_arrives_unchanged_and_in_order() -> None:
    setup, frames = played(adts())
    sink = Sink()
    for _ in range(20):  # the server may not listen yet
        code, reports, _ = pushed(Order(url=sink.url, setup=setup), frames)
        if code == 0:
            break
        time.sleep(0.2)
    got = sink.wait()

    assert code == 0
    assert reports[0] == {"state": "connected"}
    assert reports[-1] == {"state": "sent", "at_ms": frames[-1].at_ms, "bytes": sum(len(t.body) for t in frames)}
    assert got.codecs == ["aac", "h264"]
    assert got.audio == payloads(adts())
    assert [data for data, _ in got.video] == [tag.payload for tag in frames if tag.kind is Kind.VIDEO]
    assert got.times == sorted(got.times)


def test_a_refusal_is_told_without_the_key() -> None:
    setup, frames = played(adts(20))
    code, reports, text = pushed(Order(url=f"rtmp://127.0.0.1:{free_port()}/live/{KEY}", setup=setup), frames)
    assert code == 1
    assert reports == [{"state": "failed", "reason": "Connection refused"}]
    assert KEY not in text


def test_a_server_that_says_nothing_does_not_hold_the_process() -> None:
    setup, frames = played(adts(20))
    began = time.monotonic()
    with deaf_server() as url:
        code, reports, text = pushed(Order(url=url, setup=setup, connect_seconds=1.5), frames)
    assert code != 0
    assert time.monotonic() - began < 15
    assert reports == []
    assert KEY not in text


def test_a_secure_address_with_a_bad_certificate_is_refused() -> None:
    import socket
    import ssl
    import threading

    import trustme

    setup, frames = played(adts(20))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("elsewhere.example").configure_cert(context)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                with context.wrap_socket(server.accept()[0], server_side=True) as peer:
                    heard.append(peer.recv(100))
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"rtmps://127.0.0.1:{server.getsockname()[1]}/live/{KEY}"
        code, reports, text = pushed(Order(url=url, setup=setup), frames)
        thread.join(5)

    assert code == 1
    assert "certificate" in str(reports[0]["reason"])
    assert not any(heard)
    assert KEY not in text


def test_a_stream_without_tracks_is_refused() -> None:
    code, reports, _ = pushed(Order(url=f"rtmp://127.0.0.1:{free_port()}/live/{KEY}", setup=HEADER), [])
    assert code == 1
    assert reports[0]["state"] == "failed"


def test_an_order_survives_its_line_and_hides_its_secrets() -> None:
    order = Order(url=f"rtmp://127.0.0.1/live/{KEY}", setup=b"\0\xff", connect_seconds=3.0, ca_file="ca.pem")
    assert Order.parse(order.line()) == order
    assert KEY not in repr(order)


@pytest.mark.parametrize("error", [OSError(5, "Input/output error", f"rtmp://h/live/{KEY}"), RuntimeError(KEY)])
def test_reasons_never_hold_the_address(error: Exception) -> None:
    assert KEY not in reason_of(error)

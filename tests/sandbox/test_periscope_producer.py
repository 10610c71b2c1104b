"""The Producer API, from six digits on a screen to a broadcast that an encoder sent by RTMP and anybody can record."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import socket as sockets
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import av
import pytest

from hydrophone.testing import SandboxBox, sandbox
from sandbox.cdn_client import sibling
from sandbox.periscope_asking import Said, Socket, ask, call, page, push, sid, store_of, switch

OWNER = "1wXEgLpMdoAQe"


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox() as box:
        yield box


@pytest.fixture
def box(empty_box: SandboxBox) -> SandboxBox:
    empty_box.control.reset()
    empty_box.control.load("periscope-producer")
    empty_box.control.load("periscope-2016")
    return empty_box


def produce(box: SandboxBox, method: str, path: str, body: Any = None, token: str = "") -> Said:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return ask(f"{box.bases['producer']}/v1{path}", method, body, **headers)


def device(box: SandboxBox) -> Any:
    return produce(box, "POST", "/device_code/create", {"client_id": "encoder", "scope": "chat"}).json


def check(box: SandboxBox, code: str) -> Any:
    return produce(box, "POST", "/device_code/check", {"client_id": "encoder", "device_code": code}).json


def token_of(box: SandboxBox) -> str:
    switch(box, device_checks=0)
    return str(check(box, device(box)["device_code"])["access_token"])


def create(box: SandboxBox, token: str) -> Any:
    return produce(box, "POST", "/broadcast/create", {"region": "eu-central-1", "is_360": False}, token).json


# ---------------------------------------------------------------- device codes


def test_a_device_is_associated_when_the_user_agrees(box: SandboxBox) -> None:
    told = device(box)
    assert re.fullmatch(r"\d{6}", told["user_code"])
    assert (len(told["device_code"]), told["expires_in"], told["interval"]) == (50, 900, 10)

    assert check(box, told["device_code"]) == {"state": "authorization_pending"}
    form = f"user_code={told['user_code']}&username=harbour-radio".encode()
    assert ask(told["associate_url"], "POST", form, content_type="application/x-www-form-urlencoded").status == 200

    granted = check(box, told["device_code"])
    assert (granted["state"], granted["token_type"], granted["expires_in"]) == ("associated", "Bearer", 5_184_000)
    assert granted["user"]["id"] == OWNER
    me = produce(box, "GET", "/me", token=granted["access_token"]).json
    assert me == granted["user"]
    assert me["twitter_username"] == "harbour_radio"
    assert produce(box, "POST", "/device_code/check", {"device_code": told["device_code"]}).status == 400


def test_a_device_code_expires(box: SandboxBox) -> None:
    told = device(box)
    box.control.advance(901)

    assert check(box, told["device_code"]) == {"state": "expired"}


def test_a_device_that_moved_to_another_address_starts_over(box: SandboxBox) -> None:
    told = device(box)
    parts = urlsplit(box.bases["producer"])
    body = json.dumps({"client_id": "encoder", "device_code": told["device_code"]})
    head = f"POST /v1/device_code/check HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    with sockets.socket() as other:
        try:
            other.bind(("127.0.0.2", 0))
        except OSError:
            pytest.skip("this machine has one loopback address")
        other.connect((parts.hostname, parts.port))
        other.sendall(head.encode())
        seen = b""
        while b"}" not in seen:
            seen += other.recv(65_536)
    assert b'{"state":"network_changed"}' in seen

    switch(box, device_state="network_changed")
    assert check(box, told["device_code"]) == {"state": "network_changed"}


def test_a_browser_gets_a_code_and_tokens_are_renewed(box: SandboxBox) -> None:
    target = "http://127.0.0.1:9/callback"
    moved = ask(f"{box.bases['pscp']}/oauth?client_id=encoder&redirect_uri={target}")
    code = moved.headers["location"].rpartition("code=")[2]
    client = {"client_id": "encoder", "client_secret": "s"}
    wanted = {"grant_type": "authorization_code", "code": code, "redirect_uri": target, **client}

    granted = produce(box, "POST", "/oauth/token", wanted).json
    assert granted["expires_in"] == "5184000"
    assert produce(box, "POST", "/oauth/token", wanted).status == 400  # a code works once
    renewal = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"], **client}
    renewed = produce(box, "POST", "/oauth/token", renewal).json
    assert produce(box, "GET", "/me", token=renewed["access_token"]).status == 200
    box.control.advance(5_184_001)
    assert produce(box, "GET", "/me", token=renewed["access_token"]).status == 401


def test_the_region_is_told_after_a_redirect(box: SandboxBox) -> None:
    token = token_of(box)
    first = produce(box, "GET", "/region", token=token)

    assert first.status == 307
    assert first.headers["location"] == "/v1/region?hop=1"
    assert produce(box, "GET", "/region?hop=1", token=token).json == {"region": "eu-central-1"}


def test_without_a_token_nothing_can_be_made_and_a_closed_api_says_so(box: SandboxBox) -> None:
    for path in ("/broadcast/create", "/broadcast/publish", "/broadcast/stop", "/broadcast/delete"):
        assert produce(box, "POST", path, {"region": "eu-central-1"}).status == 401
    token = token_of(box)
    assert produce(box, "POST", "/broadcast/publish", {"broadcast_id": "1BRJjzLkWVaJw"}, token).status == 404
    assert produce(box, "POST", "/broadcast/create", {}, token).status == 400
    switch(box, producer="closed")
    assert produce(box, "GET", "/me", token=token).status == 410


# ---------------------------------------------------------------- RTMP


def names_of(playlist: Said) -> list[str]:
    return [line for line in playlist.text.splitlines() if line and not line.startswith("#")]


def audio_of(data: bytes) -> tuple[int, str]:
    """How many AAC frames a transport stream holds, and the SHA-256 of their payload without ADTS heads."""
    digest, count = hashlib.sha256(), 0
    with av.open(io.BytesIO(data), format="mpegts") as container:
        for packet in container.demux(audio=0):
            raw = bytes(packet)
            if raw:
                assert raw[:2] == b"\xff\xf1"
                digest.update(raw[7:])
                count += 1
    return count, digest.hexdigest()


def wait_for(box: SandboxBox, broadcast: str, *, segments: int) -> Any:
    for _ in range(200):
        ledger = box.ledger(broadcast, with_digests=False)
        if len(ledger["segments"]) >= segments:
            return ledger
        time.sleep(0.05)
    raise AssertionError("no segments came")


@pytest.mark.parametrize("scheme", ["rtmp", "rtmps"])
def test_what_an_encoder_sends_is_a_live_broadcast_with_the_same_sound(box: SandboxBox, scheme: str) -> None:
    token = token_of(box)
    made = create(box, token)
    broadcast, encoder = made["broadcast"]["id"], made["encoder"]
    assert made["broadcast"]["state"] == "not_started"
    live_url = made["video_access"]["hls_url"]
    assert ask(live_url).status == 404

    count, digest = push(f"{encoder[f'{scheme}_url']}/{encoder['stream_key']}", 7)
    wait_for(box, broadcast, segments=3)
    assert ask(live_url).status == 200  # the first playlist is there before anything is public
    assert call(box, "accessVideoPublic", broadcast_id=broadcast).json["broadcast"]["state"] == "NOT_STARTED"

    told = {"broadcast_id": broadcast, "title": "From a test", "should_not_tweet": True, "locale": "en_US"}
    published = produce(box, "POST", "/broadcast/publish", told, token).json["broadcast"]
    assert published == {"id": broadcast, "state": "running", "title": "From a test"}
    live = call(box, "accessVideoPublic", broadcast_id=broadcast).json
    assert (live["broadcast"]["state"], live["hls_url"]) == ("RUNNING", live_url)
    assert live["broadcast"]["broadcast_source"] == "producer"
    assert "ENDLIST" not in ask(live_url).text
    assert broadcast in store_of(page(box, "/harbour-radio"))["BroadcastCache"]["broadcasts"]

    assert produce(box, "POST", "/broadcast/stop", {"broadcast_id": broadcast}, token).status == 200
    ended = call(box, "accessVideoPublic", broadcast_id=broadcast, replay_redirect="false").json
    assert ended["broadcast"]["state"] == "ENDED"
    replay = ask(ended["replay_url"])
    assert replay.text.endswith("#EXT-X-ENDLIST\n")
    assert ask(live_url).text.endswith("#EXT-X-ENDLIST\n")
    data = b"".join(ask(sibling(ended["replay_url"], name)).body for name in names_of(replay))
    assert audio_of(data) == (count, digest)
    assert box.ledger(broadcast)["total"] == len(names_of(replay))
    assert produce(box, "GET", f"/broadcast?id={broadcast}", token=token).json["state"] == "ended"


def test_a_stop_keeps_what_was_sent_and_cuts_an_encoder_that_goes_on(box: SandboxBox) -> None:
    token = token_of(box)
    made = create(box, token)
    broadcast = made["broadcast"]["id"]
    target = f"{made['encoder']['rtmp_url']}/{made['encoder']['stream_key']}"
    produce(box, "POST", "/broadcast/publish", {"broadcast_id": broadcast, "should_not_tweet": True}, token)

    def encode() -> None:
        with contextlib.suppress(subprocess.CalledProcessError):  # it is hung up on
            push(target, 30, pace="real")

    encoder = threading.Thread(target=encode)
    encoder.start()
    wait_for(box, broadcast, segments=1)

    produce(box, "POST", "/broadcast/stop", {"broadcast_id": broadcast}, token)

    encoder.join(20)
    assert not encoder.is_alive()
    seconds = box.ledger(broadcast)["seconds"]
    ended = call(box, "accessVideoPublic", broadcast_id=broadcast, replay_redirect="false").json
    names = names_of(ask(ended["replay_url"]))
    data = b"".join(ask(sibling(ended["replay_url"], name)).body for name in names)
    assert audio_of(data)[0] * 1024 / 44_100 == pytest.approx(seconds, abs=0.3)


def test_a_wrong_stream_key_is_not_let_in(box: SandboxBox) -> None:
    made = create(box, token_of(box))
    with contextlib.suppress(subprocess.CalledProcessError):  # the encoder notices or not, as its buffers have it
        push(f"{made['encoder']['rtmp_url']}/guessed", 2)

    assert box.ledger(made["broadcast"]["id"])["segments"] == []


def test_an_encoder_that_comes_back_goes_on_after_a_discontinuity(box: SandboxBox) -> None:
    token = token_of(box)
    made = create(box, token)
    broadcast = made["broadcast"]["id"]
    target = f"{made['encoder']['rtmp_url']}/{made['encoder']['stream_key']}"
    produce(box, "POST", "/broadcast/publish", {"broadcast_id": broadcast, "should_not_tweet": True}, token)

    push(target, 2)
    first = len(wait_for(box, broadcast, segments=1)["segments"])
    push(target, 2)
    wait_for(box, broadcast, segments=first + 1)

    text = ask(made["video_access"]["hls_url"]).text
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert call(box, "getBroadcastPublic", broadcast_id=broadcast).json["broadcast"]["state"] == "RUNNING"


def test_a_producer_that_vanished_times_out(box: SandboxBox) -> None:
    token = token_of(box)
    made = create(box, token)
    broadcast = made["broadcast"]["id"]
    produce(box, "POST", "/broadcast/publish", {"broadcast_id": broadcast}, token)
    push(f"{made['encoder']['rtmp_url']}/{made['encoder']['stream_key']}", 1)
    wait_for(box, broadcast, segments=1)
    time.sleep(0.3)

    state = ""
    for _ in range(100):
        box.control.advance(10)
        state = call(box, "getBroadcastPublic", broadcast_id=broadcast).json["broadcast"]["state"]
        if state != "RUNNING":
            break
        time.sleep(0.03)
    assert state == "TIMED_OUT"


def test_an_unpublished_broadcast_is_handed_out_again_and_a_deleted_one_is_gone(box: SandboxBox) -> None:
    token = token_of(box)
    first, again = create(box, token), create(box, token)
    broadcast = first["broadcast"]["id"]
    assert again == first

    assert produce(box, "POST", "/broadcast/delete", {"broadcast_id": broadcast}, token).status == 200
    assert produce(box, "GET", f"/broadcast?id={broadcast}", token=token).status == 404
    assert call(box, "accessVideoPublic", broadcast_id=broadcast).status == 404
    assert create(box, token)["broadcast"]["id"] != broadcast


def test_publishing_posts_on_x_unless_told_not_to(box: SandboxBox) -> None:
    token = token_of(box)
    for told in ({"should_not_tweet": True}, {}):
        made = create(box, token)
        produce(box, "POST", "/broadcast/publish", {"broadcast_id": made["broadcast"]["id"], **told}, token)

    rows = box.control.ask("GET", "/periscope/published")["broadcasts"]
    assert [row["has_posted"] for row in rows] == [False, True]


def test_minted_ids_follow_the_rule_of_the_service(box: SandboxBox) -> None:
    made = create(box, token_of(box))

    assert re.fullmatch(r"1[A-Za-z]{2}[GJKx][A-Za-z]{7}[GJKx][A-Za-z]", made["broadcast"]["id"])


# ---------------------------------------------------------------- the apps' way, and chat


def test_the_apps_published_with_a_cookie(box: SandboxBox) -> None:
    cookie = sid(box, "mara_lind")
    made = call(box, "createBroadcast", post=True, cookie=cookie, width=320, height=568, region="eu-central-1").json
    broadcast = made["broadcast"]["id"]
    assert (made["protocol"], made["application"], made["broadcast"]["state"]) == ("RTMP", "liveorigin", "NOT_STARTED")
    assert ask(made["thumbnail_upload_url"], "PUT", b"\xff\xd8", content_type="image/jpeg").status == 200

    target = f"rtmp://{made['host']}:{made['port']}/{made['application']}?t={made['credential']}/{made['stream_name']}"
    count, _ = push(target, 2)
    ledger = wait_for(box, broadcast, segments=1)
    assert count > 80
    assert ledger["segments"]
    answers = [
        call(box, name, post=True, cookie=cookie, broadcast_id=broadcast, status="low tide").json
        for name in ("publishBroadcast", "pingBroadcast", "endBroadcast")
    ]
    assert answers[:2] == [{"success": True}] * 2
    assert (answers[2]["broadcast"]["state"], answers[2]["broadcast"]["status"]) == ("ENDED", "low tide")


def test_the_producers_chat_is_flat(box: SandboxBox) -> None:
    token = token_of(box)
    url = f"{box.bases['producer']}/v1/chat/connect?broadcast_id=1BRJjzLkWVaJw"
    refused = Socket(url)
    assert refused.status == 401
    refused.close()
    made = create(box, token)
    socket = Socket(url.replace("1BRJjzLkWVaJw", made["broadcast"]["id"]), Authorization=f"Bearer {token}")

    messages = [json.loads(socket.receive()[1]) for _ in range(7)]

    assert [m["type"] for m in messages] == [
        "viewer_count",
        "join",
        "chat",
        "heart",
        "screenshot",
        "share",
        "super_heart",
    ]
    assert "id" not in messages[-1]
    socket.send("{}")
    assert json.loads(socket.receive()[1])["type"] == "error"
    socket.close()


def test_a_reset_ends_the_process_that_takes_rtmp(box: SandboxBox) -> None:
    made = create(box, token_of(box))
    port = urlsplit(made["encoder"]["rtmp_url"]).port or 0
    sockets.create_connection(("127.0.0.1", port), timeout=2).close()

    box.control.reset()

    for _ in range(100):
        try:
            sockets.create_connection(("127.0.0.1", port), timeout=2).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)
    raise AssertionError("the port is still open")

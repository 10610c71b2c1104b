"""Chat of Periscope broadcasts: access by token, history in pages, the socket, one message of every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from hydrophone.testing import SandboxBox, sandbox
from sandbox.periscope_asking import Said, Socket, ask, call, sid, switch

LIVE, OLD, REPLAY = "1rmxPYOdkRvKN", "1yoKbWqNLdRGX", "1OyKADwqjpeJb"


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox() as box:
        yield box


@pytest.fixture
def box(empty_box: SandboxBox) -> SandboxBox:
    empty_box.control.reset()
    empty_box.control.resume()
    return empty_box


def chat_access(box: SandboxBox, broadcast: str, *, post: bool = False) -> Any:
    token = call(box, "accessVideoPublic", broadcast_id=broadcast, replay_redirect="false").json["chat_token"]
    return call(box, "accessChatPublic", post=post, chat_token=token).json


def history(granted: Any, **body: Any) -> Said:
    told = {"access_token": granted["access_token"], "cursor": "", "limit": 1000, "since": 0, **body}
    return ask(f"{granted['endpoint']}/chatapi/v1/history", "POST", told)


def everything(granted: Any, **body: Any) -> list[list[Any]]:
    """All pages."""
    pages, cursor = [], ""
    while True:
        said = history(granted, cursor=cursor, **body).json
        pages.append(said["messages"])
        cursor = said["cursor"]
        if not cursor or not said["messages"]:
            return pages


def body_of(message: Any) -> Any:
    return json.loads(json.loads(message["payload"])["body"])


# ---------------------------------------------------------------- access


def test_access_is_by_get_and_post_and_its_answer_has_the_leftovers_of_pubnub(box: SandboxBox) -> None:
    box.control.load("periscope-live")

    by_get, by_post = chat_access(box, LIVE), chat_access(box, LIVE, post=True)

    assert list(by_get) == list(by_post)
    assert (len(by_get["access_token"]), len(by_get["replay_access_token"])) == (425, 309)
    assert (by_get["access_token"][0], len(by_get["signer_key"]), by_get["auth_token"]) == ("2", 432, "-")
    assert (by_get["room_id"], by_get["read_only"], by_get["chan_perms"]) == (LIVE, True, {"pb": 0, "cm": 15})


def test_after_the_end_both_pairs_are_the_same(box: SandboxBox) -> None:
    box.control.load("periscope-replay")

    granted = chat_access(box, REPLAY)

    assert granted["access_token"] == granted["replay_access_token"]
    assert granted["endpoint"] == granted["replay_endpoint"]
    assert granted["chan_perms"] == {"pb": 0, "cm": 3}


def test_chat_tokens_are_checked_and_end_after_a_day(box: SandboxBox) -> None:
    box.control.load("periscope-replay")
    token = call(box, "accessVideoPublic", broadcast_id=REPLAY).json["chat_token"]

    assert call(box, "accessChatPublic").status == 400
    assert call(box, "accessChatPublic", chat_token="...").status == 401
    assert call(box, "accessChatPublic", chat_token=token[:-3] + "abc").status == 401
    assert call(box, "accessChatPublic", chat_token=token).status == 200
    box.control.advance(86_401)
    assert call(box, "accessChatPublic", chat_token=token).status == 401


# ---------------------------------------------------------------- history


def test_the_last_page_of_a_history_has_messages_and_an_empty_cursor(box: SandboxBox) -> None:
    box.control.load("periscope-replay")
    granted = chat_access(box, REPLAY)

    pages = everything(granted, limit=4)

    assert [len(page) for page in pages[:-1]] == [4] * (len(pages) - 1)
    assert pages[-1]
    stamps = [json.loads(m["payload"]).get("timestamp", 0) for page in pages for m in page if m["kind"] == 1]
    assert stamps == sorted(stamps)
    assert body_of(pages[-1][-1])["type"] == 5
    assert everything(granted) == [[m for page in pages for m in page]]


def test_the_message_at_a_boundary_may_come_twice(box: SandboxBox) -> None:
    box.control.load("periscope-replay")
    granted = chat_access(box, REPLAY)
    whole = everything(granted)[0]
    switch(box, chat_repeats=True, chat_page_size=3)

    pages = everything(granted)

    assert all(before[-1] == after[0] for before, after in pairwise(pages))
    joined = [m for place, page in enumerate(pages) for m in page[1 if place else 0 :]]
    assert joined == whole


def test_since_jumps_to_an_instant(box: SandboxBox) -> None:
    box.control.load("periscope-replay")
    granted = chat_access(box, REPLAY)
    whole = [m for m in everything(granted)[0] if m["kind"] == 1]
    middle = json.loads(whole[len(whole) // 2]["payload"])["timestamp"]

    assert history(granted, since=middle).json["messages"][0] == whole[len(whole) // 2]
    assert history(granted, since=None, quick_get=True).json["messages"]


def test_a_live_history_grows_and_keeps_its_cursor_while_nothing_is_new(box: SandboxBox) -> None:
    box.control.load("periscope-live")
    box.control.pause()
    granted = chat_access(box, LIVE)
    first = history(granted).json
    assert first["cursor"]

    nothing = history(granted, cursor=first["cursor"]).json
    assert nothing == {"messages": [], "cursor": first["cursor"]}
    box.control.advance(15)
    more = history(granted, cursor=first["cursor"]).json
    assert 1 <= len(more["messages"]) <= 4
    assert more["cursor"] > first["cursor"]


def test_history_refuses_strangers_and_expired_tokens_and_can_be_young_or_gone(box: SandboxBox) -> None:
    switch(box, chat_lifetime_seconds=60)
    box.control.load("periscope-replay")
    granted = chat_access(box, REPLAY)

    assert history({**granted, "access_token": "2nonsense"}).status == 401
    assert history(granted).status == 200
    box.control.advance(61)
    assert history(granted).status == 401
    for state, status in (("young", 404), ("gone", 503)):
        switch(box, chat=state)
        assert history(granted).status == status


def test_one_of_every_kind_can_be_had(box: SandboxBox) -> None:
    box.control.load("periscope-2016")
    messages = everything(chat_access(box, OLD))[0]

    types, controls, broken = [], [], 0
    for message in messages:
        if message["kind"] == 1:
            types.append(body_of(message)["type"])
        else:
            try:
                controls.append(json.loads(message["payload"])["kind"])
            except ValueError:
                broken += 1
    assert types == [3, 1, 2, 4, 6, 13, 1, 39, 16, 37, 36, 12, 40, 44, 1, 9, 33, 5]
    assert (controls, broken) == ([1, 4, 2], 1)


def test_messages_are_json_in_json_in_json_with_the_clocks_of_periscope(box: SandboxBox) -> None:
    box.control.load("periscope-2016")
    start = box.scene(OLD).started_at
    assert start is not None
    for message in everything(chat_access(box, OLD))[0]:
        if message["kind"] != 1:
            continue
        assert len(message["signature"]) == 39
        payload = json.loads(message["payload"])
        body = json.loads(payload["body"])
        assert list(body) == sorted(body)
        assert payload["room"] == OLD
        assert ("uuid" in body) == (body["type"] not in (36, 37))
        if body["type"] == 39:
            assert payload["sender"] == {"user_id": "moderator"}
        if body["ntpForLiveFrame"]:
            at = (body["ntpForLiveFrame"] >> 32) - 2_208_988_800
            assert body["ntpForLiveFrame"] > 2**63
            assert 0 <= at - start.timestamp() <= 45
            assert abs(payload["timestamp"] / 1e9 - at) < 2
        assert body["timestamp"] < 10**10 if body["type"] in (6, 12, 13, 33, 36, 37) else body["timestamp"] > 10**12


def test_a_scene_can_bring_its_own_messages(box: SandboxBox) -> None:
    lines = [[1.0, {"body": "one"}], [2.5, {"type": 2}]]
    box.control.load("periscope-replay", extra={"periscope": {"chat": lines}})

    assert [body_of(m)["type"] for m in everything(chat_access(box, REPLAY))[0]] == [1, 2, 5]


# ---------------------------------------------------------------- the socket


def open_socket(granted: Any, *, token: str = "", room: str = "") -> Socket:
    socket = Socket(f"{granted['endpoint']}/chatapi/v1/chatnow", Origin="https://www.pscp.tv")
    assert socket.status == 101
    auth = json.dumps({"access_token": token or granted["access_token"]})
    socket.send(json.dumps({"payload": auth, "kind": 3}))
    join = json.dumps({"body": json.dumps({"room": room or granted["room_id"]}), "kind": 1})
    socket.send(json.dumps({"payload": join, "kind": 2}))
    return socket


def test_the_socket_brings_presence_and_everything_new_and_closes_at_the_end(box: SandboxBox) -> None:
    box.control.load("periscope-live")
    granted = chat_access(box, LIVE)
    before = [body_of(m).get("uuid") for m in everything(granted)[0] if m["kind"] == 1]
    socket = open_socket(granted)

    kind, presence = socket.receive()
    assert kind == 1
    counts = json.loads(json.loads(json.loads(presence)["payload"])["body"])
    assert counts == {"room": LIVE, "occupancy": 61, "total_participants": 803}
    box.control.advance(20)
    news = [json.loads(socket.receive()[1]) for _ in range(3)]
    chats = [body_of(m) for m in news if m["kind"] == 1]
    assert chats
    assert not {chat.get("uuid") for chat in chats} & set(before)
    ended_at = box.scene(LIVE).ended_at
    assert ended_at is not None
    box.control.advance_to(ended_at + timedelta(seconds=1))
    seen: list[tuple[int, bytes]] = []
    while not seen or seen[-1][0] not in (8, -1):
        seen.append(socket.receive())
    assert seen[-1] == (8, (1000).to_bytes(2, "big"))
    assert body_of(json.loads(seen[-2][1]))["type"] == 5
    socket.close()


def test_a_wrong_token_or_room_is_the_end_of_a_socket(box: SandboxBox) -> None:
    box.control.load("periscope-live")
    granted = chat_access(box, LIVE)

    for wrong in ({"token": "2nonsense"}, {"room": "1zzzzzzzzzzzz"}):
        socket = open_socket(granted, **wrong)
        assert socket.receive() == (8, (1008).to_bytes(2, "big"))
        socket.close()


def test_the_handshake_can_be_refused(box: SandboxBox) -> None:
    box.control.load("periscope-live")
    granted = chat_access(box, LIVE)
    assert ask(f"{granted['endpoint']}/chatapi/v1/chatnow").status == 400

    switch(box, chat="forbidden")

    socket = Socket(f"{granted['endpoint']}/chatapi/v1/chatnow")
    assert socket.status == 403
    socket.close()


def test_pings_are_answered_and_frames_can_be_binary(box: SandboxBox) -> None:
    box.control.load("periscope-live")
    switch(box, chat_binary=True)
    socket = open_socket(chat_access(box, LIVE))
    assert socket.receive()[0] == 2

    socket.send("are you there", kind=9)

    frames = [socket.receive()]
    while frames[-1][0] != 10:
        frames.append(socket.receive())
    assert frames[-1][1] == b"are you there"
    socket.close()


def test_members_may_write_and_are_heard(box: SandboxBox) -> None:
    box.control.load("periscope-live")
    reader = chat_access(box, LIVE)
    token = call(box, "accessVideoPublic", broadcast_id=LIVE).json["chat_token"]
    writer = call(box, "accessChat", post=True, chat_token=token, cookie=sid(box, "teo_varga")).json
    assert writer["read_only"] is False
    sockets = open_socket(reader), open_socket(writer)
    for socket in sockets:
        socket.receive()

    body = json.dumps({"body": "I was here", "type": 1, "v": 2})
    sockets[1].send(json.dumps({"kind": 1, "payload": json.dumps({"room": LIVE, "body": body})}))

    heard: Any = {}
    while heard.get("body") != "I was here":
        message = json.loads(sockets[0].receive()[1])
        heard = body_of(message) if message["kind"] == 1 else {}
    assert heard["username"] == "teo_varga"
    for socket in sockets:
        socket.close()

"""The chat of Spaces over raw sockets: access, history, socket, what is refused when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from hydrophone.sandbox.x.accounts import OWNER
from hydrophone.testing import SandboxBox, sandbox
from sandbox.periscope_asking import Socket, ask
from space_chat_visiting import CLIENT, access, body_of, chat_token, entered, history, open_socket


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox() as box:
        yield box


@pytest.fixture
def box(empty_box: SandboxBox) -> SandboxBox:
    empty_box.control.reset()
    empty_box.control.pause()
    return empty_box


def pages(granted: dict[str, Any], **body: Any) -> list[list[Any]]:
    """All pages from the beginning."""
    found, cursor = [], ""
    while True:
        said = history(granted, cursor=cursor, **body).json
        found.append(said["messages"])
        if not said["cursor"] or not said["messages"]:
            return found
        cursor = said["cursor"]


# ---------------------------------------------------------------- access


def test_a_running_space_has_one_pair_and_an_ended_one_has_two_equal_ones(box: SandboxBox) -> None:
    box.control.load("live-now")
    box.control.load("ended-short")

    live, over = entered(box, "live-now"), entered(box, "ended-short")

    assert "replay_endpoint" not in live
    assert live["endpoint"] == box.bases["chat"]
    assert (live["room_id"], live["read_only"]) == (box.scene("live-now").id, True)
    assert live["participant_index"] == OWNER.index
    assert over["access_token"] == over["replay_access_token"]
    assert over["endpoint"] == over["replay_endpoint"] != live["endpoint"]


def test_access_wants_the_headers_of_a_client_and_a_token_of_today(box: SandboxBox) -> None:
    box.control.load("live-now", seconds="30h")
    token = chat_token(box, "live-now")
    bare = ask(f"{box.bases['proxsee']}/api/v2/accessChatPublic", "POST", {"chat_token": token})

    assert bare.status == 400
    assert access(box, token, **{"x-idempotence": "short"}).status == 400
    assert access(box, "...").status == 401
    assert access(box, token[:-3] + "abc").status == 401
    assert access(box, token).status == 200
    box.control.advance(86_401)
    assert access(box, token).status == 401
    assert len(CLIENT["x-idempotence"]) >= 16


@pytest.mark.parametrize(("chat", "room"), [({"room_id": "number"}, int), ({"answer": "minimal"}, None)])
def test_the_room_may_be_a_number_or_unnamed(box: SandboxBox, chat: dict[str, Any], room: type[int] | None) -> None:
    box.control.load("live-now", extra={"chat": chat})

    granted = entered(box, "live-now")

    assert type(granted["room_id"]) is room if room else "room_id" not in granted
    assert history(granted).status == 200


# ---------------------------------------------------------------- history


def test_pages_of_a_history_repeat_the_message_at_their_boundary(box: SandboxBox) -> None:
    box.control.load("ended-short")
    granted = entered(box, "ended-short")

    parts = pages(granted, limit=20)

    assert [len(part) for part in parts[:3]] == [20, 21, 21]
    assert all(before[-1] == after[0] for before, after in pairwise(parts))
    whole = [message for number, part in enumerate(parts) for message in part[1 if number else 0 :]]
    assert pages(granted) == [whole]
    stamps = [json.loads(message["payload"])["timestamp"] for message in whole if message["kind"] == 1]
    assert stamps == sorted(set(stamps))
    told = box.chat_ledger("ended-short")
    assert [body_of(m)["uuid"] for m in whole if m["kind"] == 1 and body_of(m)["type"] == 45] == told["captions"]


def test_a_live_history_grows_and_says_nothing_while_nothing_is_new(box: SandboxBox) -> None:
    box.control.load("live-now")
    granted = entered(box, "live-now")
    first = history(granted).json

    assert history(granted, cursor=first["cursor"]).json == {"messages": [], "cursor": first["cursor"]}
    box.control.advance(10)
    more = history(granted, cursor=first["cursor"]).json
    assert more["messages"][0] == first["messages"][-1]
    assert len(more["messages"]) > 5


def test_a_young_space_has_no_history_and_an_old_one_has_none_any_more(box: SandboxBox) -> None:
    box.control.load("live-now", started="-20s", seconds="2m", extra={"chat": {"retention_seconds": 3600}})
    granted = entered(box, "live-now")

    assert history(granted).status == 404
    box.control.advance(45)
    assert history(granted).status == 200
    box.control.advance(3700)
    assert history(granted).status == 503


def test_an_access_token_ends(box: SandboxBox) -> None:
    box.control.ask("POST", "/periscope/switches", {"chat_lifetime_seconds": 60})
    box.control.load("live-now")
    granted = entered(box, "live-now")

    assert history({**granted, "access_token": "2nonsense"}).status == 401
    assert history(granted).status == 200
    box.control.advance(61)
    assert history(granted).status == 401


# ---------------------------------------------------------------- the socket


def test_the_socket_tells_the_own_join_presence_and_captions_and_closes_at_the_end(box: SandboxBox) -> None:
    box.control.load("live-now", started="-70s", seconds="90s")
    granted = entered(box, "live-now")
    socket = open_socket(granted)

    first = [json.loads(socket.receive()[1]) for _ in range(2)]

    told = {json.loads(message["payload"])["kind"]: json.loads(message["payload"]) for message in first}
    assert set(told) == {1, 4}
    assert told[1]["sender"]["twitter_id"] == OWNER.user_id
    assert json.loads(told[4]["body"])["occupancy"] == 37
    box.control.advance(30)
    frames = [socket.receive()]
    while frames[-1][0] not in (8, -1):
        frames.append(socket.receive())
    assert frames[-1] == (8, (1000).to_bytes(2, "big"))
    chats = [json.loads(data) for kind, data in frames if kind == 1]
    assert sum(m["kind"] == 1 and body_of(m)["type"] == 45 for m in chats) > 20
    socket.close()


def test_no_socket_for_ended_spaces_wrong_tokens_and_other_rooms(box: SandboxBox) -> None:
    box.control.load("ended-short")
    box.control.load("live-now")
    over = open_socket(entered(box, "ended-short"))
    assert over.status == 403
    over.close()
    granted = entered(box, "live-now")

    for wrong in ({"token": "2nonsense"}, {"room": "1zzzzzzzzzzzz"}):
        socket = open_socket(granted, **wrong)
        assert socket.receive() == (8, (1008).to_bytes(2, "big"))
        socket.close()


def test_sockets_can_be_cut_in_the_middle(box: SandboxBox) -> None:
    box.control.load("live-now", started="-70s", extra={"chat": {"drops": [80]}})
    socket = open_socket(entered(box, "live-now"))
    socket.receive()

    box.control.advance(15)

    assert _ends_without_a_word(socket)
    socket.close()


def _ends_without_a_word(socket: Socket) -> bool:
    """Is there no close frame before the connection is gone?"""
    try:
        while (kind := socket.receive()[0]) not in (8, -1):
            pass
    except ConnectionResetError:
        return True
    return kind == -1


# ---------------------------------------------------------------- what is in it


def test_without_captions_there_are_microphones_and_who_came_and_went(box: SandboxBox) -> None:
    box.control.load("no-captions")

    messages = [m for part in pages(entered(box, "no-captions")) for m in part]

    bodies = [body_of(m) for m in messages if m["kind"] == 1]
    assert {body["type"] for body in bodies} == {2, 40}
    events = [body["guestBroadcastingEvent"] for body in bodies if body["type"] == 40]
    assert {1, 12, 9, 16, 17, 20, 22, 23, 24} <= set(events)
    for body in bodies:
        if body.get("guestBroadcastingEvent") == 12:
            assert "ntpForLiveFrame" not in body
        elif body["type"] == 40 and body["guestBroadcastingEvent"] not in (9, 22):
            assert body["ntpForLiveFrame"] % 2048 == 0
        assert body.get("ntpForLiveFrame", 2**63) >= 2**63
        assert list(body) == sorted(body)
    assert box.true_cues("no-captions")


def test_the_hour_with_five_voices_has_all_that_can_happen_on_a_stage(box: SandboxBox) -> None:
    box.control.load("five-voices")

    told, truth = box.chat_ledger("five-voices"), box.true_cues("five-voices")

    assert {cue.speaker for cue in truth} == {p.handle for p in box.scene("five-voices").people if p.role != "listener"}
    assert sum(a.end > b.begin for a, b in pairwise(truth)) > 40  # interruptions
    assert told["kinds"]["control 2"] == 1
    assert told["kinds"]["45"] > 5000
    scene = box.scene("five-voices")
    for cue in truth:
        assert not any(
            mute.handle == cue.speaker and mute.begin < cue.end - 0.01 and cue.begin < mute.end - 0.01
            for mute in scene.mutes
        )

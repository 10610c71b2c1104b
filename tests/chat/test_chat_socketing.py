"""How to behave on a chat socket: pure rules."""

from __future__ import annotations

import json
from random import Random

import pytest

from chat_building import SAMPLES
from hydrophone.chat.access import ChatPass
from hydrophone.chat.socketing import Act, Comeback, Pulse, is_end, opening_frames, socket_request

CHAT = ChatPass(endpoint="https://chat.pscp.tv", access_token="secret", room_id="1hydroPhoneXZ")


def test_the_first_frames_are_those_of_the_web_player() -> None:
    lines = [json.loads(line) for line in (SAMPLES / "ws_frames.jsonl").read_text("utf-8").splitlines()]
    expected = [entry["frame"] for entry in lines if entry["dir"] == "client"]
    token = json.loads(json.loads(expected[0])["payload"])["access_token"]
    chat = ChatPass(endpoint="https://chat.pscp.tv", access_token=token, room_id="1hydroPhoneXZ")

    assert list(opening_frames(chat)) == expected


def test_the_token_is_not_in_the_handshake() -> None:
    request = socket_request(CHAT)

    assert request.target == "https://chat.pscp.tv/chatapi/v1/chatnow"
    assert dict(request.headers) == {"origin": "https://x.com"}


def test_silence_is_answered_with_a_ping_and_then_given_up() -> None:
    pulse = Pulse(100.0)

    assert (pulse.beat(100.0).act, pulse.beat(100.0).wait_seconds) == (Act.WAIT, 45.0)
    assert pulse.beat(145.0).act is Act.PING
    assert (pulse.beat(150.0).act, pulse.beat(150.0).wait_seconds) == (Act.WAIT, 10.0)
    assert pulse.beat(160.0).act is Act.GIVE_UP


def test_a_socket_that_says_nothing_for_an_hour_but_answers_is_alive() -> None:
    pulse, now, pings = Pulse(0.0), 0.0, 0
    while now < 3600.0:
        beat = pulse.beat(now)
        assert beat.act is not Act.GIVE_UP
        if beat.act is Act.PING:
            pings += 1
            now += 0.2
            pulse.heard(now)
        else:
            now += beat.wait_seconds

    assert 70 <= pings <= 80


def test_coming_back_takes_ever_longer_up_to_a_minute() -> None:
    comeback = Comeback(Random(1))
    waits = [comeback.lost(0.0) for _ in range(12)]

    assert all(0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(waits[:6]))
    assert all(30.0 <= wait <= 60.0 for wait in waits[6:])


def test_only_a_connection_that_lasted_starts_the_count_anew() -> None:
    comeback = Comeback(Random(1))
    for _ in range(6):
        comeback.lost(2.0)

    assert comeback.failures == 6
    assert comeback.lost(120.0) <= 1.0


@pytest.mark.parametrize(("code", "end"), [(1000, True), (1001, False), (1006, False), (1011, False), (None, False)])
def test_only_a_close_as_agreed_means_the_end(code: int | None, end: bool) -> None:
    assert is_end(code) is end

"""What of the chat is kept: each message once and raw, nothing of the own account, in an order that can be restored."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chat_building import ROOM, SAMPLES, caption, dump, join, presence, reaction, scene_messages, sent, stage
from counting import executed_lines
from hydrophone.chat.identities import IdentitySet
from hydrophone.chat.intake import MAX_MESSAGE_BYTES, ChatIntake, Via, read_line
from hydrophone.chat.ordering import MessageOrder, StraightReading, sorted_messages
from hydrophone.chat.reading import read_message
from hydrophone.model import ChatKind

OWN = "1705000000000000005"
NOW_NS = sent(0.0)


def kept(intake: ChatIntake, *raw: object, via: Via = Via.HISTORY) -> list[bytes]:
    return [line for one in raw if (line := intake.take(one, via, NOW_NS)) is not None]


def socket_frames() -> list[bytes]:
    lines = [json.loads(line) for line in (SAMPLES / "ws_frames.jsonl").read_text("utf-8").splitlines()]
    return [entry["frame"].encode() for entry in lines if entry["dir"] == "server"]


# ---------------------------------------------------------------- once


def test_the_same_message_from_socket_history_and_replay_is_kept_once() -> None:
    intake = ChatIntake([OWN])
    by_socket = kept(intake, *socket_frames(), via=Via.SOCKET)
    by_history = kept(intake, *scene_messages())
    by_replay = kept(intake, *scene_messages(), via=Via.REPLAY)

    captions = [line for line in by_socket + by_history if read_line(line).kind is ChatKind.CAPTION]
    assert len(captions) == 222
    assert by_replay == []
    assert intake.counts["caption"] == 222


def test_an_earlier_run_is_remembered() -> None:
    before = kept(ChatIntake(), *scene_messages())
    intake = ChatIntake()
    for line in before:
        intake.resume(line)

    assert kept(intake, *scene_messages()) == []
    assert len(intake) == 252


def test_a_line_holds_the_message_as_it_came() -> None:
    raw = scene_messages()[0]
    (line,) = kept(ChatIntake(), raw)
    entry = json.loads(line)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert entry["message"] == raw
    assert (entry["at"], entry["via"]) == (NOW_NS, "history")
    assert read_line(line) == read_message(raw, near_ns=NOW_NS)


def test_what_cannot_be_read_is_kept_too() -> None:
    lines = kept(ChatIntake(), b"\xff\xfe{", "<html>", None, 7, '{"kind":1,"payload":"{\\"a\\":\\"\\\\ud83d\\"}"}')

    assert len(lines) == 5
    assert json.loads(lines[1])["message"] == "<html>"
    for line in lines:
        line.decode("utf-8")


def test_a_message_that_is_too_long_is_cut_and_marked() -> None:
    (line,) = kept(ChatIntake(), "é" * (MAX_MESSAGE_BYTES + 1))
    entry = json.loads(line)

    assert entry["is_cut"] is True
    assert entry["size"] == MAX_MESSAGE_BYTES + 1
    assert len(line) <= MAX_MESSAGE_BYTES
    assert read_line(line).kind is ChatKind.UNREADABLE
    assert kept(ChatIntake(), b"\0" * 10_000_000)[0][-1:] == b"\n"


def test_a_join_keeps_the_time_of_the_message_before_it() -> None:
    intake = ChatIntake()
    (_, line) = kept(intake, reaction("a", "🔥", 100.0), join("pell", signature="3s"))

    assert read_line(line).sent_ns == sent(100.2)


# ---------------------------------------------------------------- the own account


def test_nothing_of_the_own_account_is_kept() -> None:
    intake = ChatIntake([OWN])
    lines = kept(intake, *socket_frames(), via=Via.SOCKET) + kept(intake, *scene_messages())

    text = b"".join(lines)
    assert b"deck_hand" not in text
    assert OWN.encode() not in text
    assert intake.counts["own"] == 3


def test_the_own_account_is_known_by_its_index_too() -> None:
    intake = ChatIntake()
    intake.own_index = 524288005

    assert kept(intake, join("x", participant_index=524288005)) == []
    assert len(kept(intake, join("x", participant_index=7))) == 1


def test_what_the_own_account_says_on_stage_is_part_of_the_recording() -> None:
    intake = ChatIntake([OWN])

    spoken = caption("deck", "Hello.", 1.0, final=True, twitter_id=OWN)
    assert len(kept(intake, spoken, stage(17, "deck", 1.0))) == 2


def test_a_roster_is_kept_without_the_own_account() -> None:
    occupants = [{"user_id": f"tw-{OWN}", "username": "deck_hand"}, {"user_id": "1pell", "username": "pell"}]
    roster = {
        "kind": 2,
        "payload": dump({"kind": 3, "sender": {"user_id": ""}, "body": dump({"room": ROOM, "occupants": occupants})}),
    }
    (line,) = kept(ChatIntake([OWN]), roster)

    assert b"deck_hand" not in line
    assert [person.handle for person in read_line(line).people] == ["pell"]


# ---------------------------------------------------------------- order


def test_lines_in_any_order_come_back_in_the_order_of_sending() -> None:
    lines = kept(ChatIntake(), *scene_messages())
    shuffled = list(lines)
    Random(5).shuffle(shuffled)

    in_order = [message.identity for message in sorted_messages(shuffled) if message.kind is ChatKind.CAPTION]
    assert in_order == [m.identity for line in lines if (m := read_line(line)).kind is ChatKind.CAPTION]


def test_a_log_in_order_is_read_once() -> None:
    whole = kept(ChatIntake(), *scene_messages())
    log = [*whole, *whole[:100]]  # what comes again does not break the order

    def line_at(place: int) -> bytes:
        raise AssertionError(f"line {place} is read again")

    reading = StraightReading(enumerate(log), line_at)

    assert [message.identity for message in reading] == [message.identity for message in sorted_messages(whole)]
    assert reading.is_straight


def test_a_log_out_of_order_is_read_twice_and_never_held() -> None:
    live = kept(ChatIntake(), *scene_messages()[100:])
    whole = kept(ChatIntake(), *scene_messages())
    log = live + whole  # the history after the end repeats all, here without being told what is known

    reading = StraightReading(enumerate(log), log.__getitem__)
    begun = [message.identity for message in reading]
    assert not reading.is_straight
    assert 0 < len(begun) < 252

    found = [message.identity for message in reading.again()]

    assert len(found) == len(set(found)) == 252
    assert found == [message.identity for message in sorted_messages(whole)]


def test_ties_stay_as_they_came_and_what_has_no_time_stays_behind_its_neighbour() -> None:
    order = MessageOrder()
    for place, (uuid, at) in enumerate([("a", 5.0), ("b", 5.0), ("c", None), ("d", 4.0), ("a", 9.0)]):
        order.add(uuid, None if at is None else sent(at), place)

    assert list(order.places()) == [3, 0, 1, 2]
    assert len(order) == 4


def test_presence_is_counted_though_it_says_the_same_again() -> None:
    intake = ChatIntake()
    raw: list[Any] = [presence(3, 5), reaction("a", "x", 50.0), presence(3, 5)]

    assert len(kept(intake, *raw, via=Via.SOCKET)) == 3


# ---------------------------------------------------------------- the set


@given(st.lists(st.text(max_size=8), max_size=300))
@settings(max_examples=60, deadline=None)
def test_the_set_is_a_set(texts: list[str]) -> None:
    known, truth = IdentitySet(), set()
    for text in texts:
        assert known.add(text) is (text not in truth)
        truth.add(text)

    assert len(known) == len(truth)
    assert all(text in known for text in truth)
    assert "never added by anybody" not in known


def test_the_set_takes_a_few_bytes_and_a_steady_effort_for_each_text() -> None:
    def cost(count: int) -> int:
        known = IdentitySet()
        lines = executed_lines(lambda: [known.add(str(number)) for number in range(count)])
        assert known._slots.itemsize * len(known._slots) <= 24.1 * count + 1024
        return lines

    assert cost(16_000) <= cost(1_000) * 16 * 1.35

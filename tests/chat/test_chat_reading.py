"""Three layers of JSON, any of which may be broken, become one value; nothing that anybody can send raises."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_building import ROOM, SAMPLES, ZERO_US, caption, dump, join, load, presence, scene_messages, sent, stage, wrap
from counting import executed_lines
from hydrophone.chat.instants import read_nanoseconds, read_number
from hydrophone.chat.reading import MAX_LINE_BYTES, identify, read_live_chat_line, read_message
from hydrophone.model import ChatKind, StageAction


def test_the_scene_holds_what_it_should() -> None:
    messages = [read_message(raw) for raw in scene_messages()]
    unique = {message.identity: message for message in messages}

    assert len(messages) == 254
    assert len(unique) == 252
    assert Counter(message.kind for message in unique.values()) == {
        ChatKind.CAPTION: 222,
        ChatKind.STAGE: 21,
        ChatKind.REACTION: 4,
        ChatKind.JOIN: 3,
        ChatKind.LEAVE: 1,
        ChatKind.TEXT: 1,
    }


def test_a_caption_says_who_speaks_and_when_by_the_clock_of_the_audio() -> None:
    (example,) = [
        message
        for line in (SAMPLES / "worked_example.jsonl").read_text("utf-8").splitlines()
        if (message := read_message(line)).text == "yes"
    ]

    assert example.unix_us == 1772564425620957
    assert (example.is_final, example.is_approximate, example.room) == (False, False, ROOM)
    assert example.subject is not None
    assert (example.subject.periscope_id, example.subject.user_id) == ("1maraLindPscp", "1701000000000000001")
    assert (example.subject.handle, example.subject.name, example.subject.index) == (
        "mara_lind",
        "Mara Lind",
        104857601,
    )


HOSTILE = load("history.hostile.json")


@pytest.mark.parametrize(
    ("what", "kind", "code"),
    [
        ("payload is not JSON", ChatKind.UNREADABLE, None),
        ("payload is an object, not a string", ChatKind.UNKNOWN, None),
        ("body is plain text", ChatKind.UNKNOWN, None),
        ("body is JSON but not an object", ChatKind.UNKNOWN, None),
        ("unknown type 99", ChatKind.UNKNOWN, 99),
        ("type 46, shape unknown", ChatKind.PINNED, 46),
        ("unknown guestBroadcastingEvent 77", ChatKind.STAGE, 77),
        ("NTP and timestamp as decimal strings (seen 2026)", ChatKind.STAGE, 17),
        ("NTP as float", ChatKind.CAPTION, 45),
        ("caption without NTP, with programDateTime", ChatKind.CAPTION, 45),
        ("day-of-month NTP as some clients send it: 3e9", ChatKind.STAGE, 16),
        ("timestamp in milliseconds", ChatKind.CAPTION, 45),
        ("sender missing", ChatKind.CAPTION, 45),
        ("sender empty object", ChatKind.CAPTION, 45),
        ("other room", ChatKind.CAPTION, 45),
        ("no signature", ChatKind.CAPTION, 45),
        ("outer kind 2 carrying chat (seen on video broadcasts 2026)", ChatKind.TEXT, 1),
        ("outer kind 7", ChatKind.UNKNOWN, 7),
        ("null payload", ChatKind.UNREADABLE, None),
        ("markup and an arrow in the text", ChatKind.CAPTION, 45),
        ("lone surrogate escaped", ChatKind.CAPTION, 45),
    ],
)
def test_each_hostile_message_is_what_it_is(what: str, kind: ChatKind, code: int | None) -> None:
    message = read_message(HOSTILE["messages"][HOSTILE["_what"].index(what)])

    assert (message.kind, message.code) == (kind, code)
    message.text.encode("utf-8")
    assert message.identity


def hostile(what: str) -> Any:
    return read_message(HOSTILE["messages"][HOSTILE["_what"].index(what)])


def test_instants_come_in_every_spelling() -> None:
    assert hostile("NTP and timestamp as decimal strings (seen 2026)").unix_us == ZERO_US + 18_600_000
    assert abs(hostile("NTP as float").unix_us - 1772564425620957) <= 1
    assert hostile("caption without NTP, with programDateTime").unix_us == 1772564425620000
    assert hostile("timestamp in milliseconds").sent_ns == sent(1.0)


def test_nonsense_in_place_of_a_clock_is_replaced_by_the_time_of_arrival_and_marked() -> None:
    event = hostile("day-of-month NTP as some clients send it: 3e9")

    assert event.is_approximate
    assert event.unix_us == ZERO_US + 1_000_000 - 430_000
    far = read_message(caption("mara", "hm", 9 * 3600.0, sent_at=0.0))
    assert (far.is_approximate, far.unix_us) == (True, ZERO_US + 200_000)


def test_half_a_surrogate_pair_becomes_a_mark_that_every_file_takes() -> None:
    assert hostile("lone surrogate escaped").text == "bad \ufffd half"


@pytest.mark.parametrize(
    ("event", "action"), [(9, StageAction.SPEAKER), (18, StageAction.MUTED_ALL), (77, StageAction.OTHER)]
)
def test_stage_events_have_names(event: int, action: StageAction) -> None:
    assert read_message(stage(event, "tobi", 5.0)).action is action


def test_who_was_made_a_co_host_and_who_is_on_stage_are_told_apart() -> None:
    (made,) = [m for raw in scene_messages() if (m := read_message(raw)).action is StageAction.MADE_HOST]

    assert [person.user_id for person in made.people] == ["1703000000000000003"]
    assert "tobi_quist" in [person.handle for person in made.on_stage]
    assert made.subject is None


def test_control_messages_take_the_time_of_the_message_before_them() -> None:
    came = read_message(join("pell"), near_ns=sent(7.0))

    assert (came.kind, came.sent_ns, came.is_approximate) == (ChatKind.JOIN, sent(7.0), True)
    assert read_message(join("pell", leave=True)).kind is ChatKind.LEAVE
    counted = read_message(presence(3, 5))
    assert (counted.kind, counted.occupancy, counted.total, counted.sender) == (ChatKind.PRESENCE, 3, 5, None)


def test_identity_is_the_uuid_in_any_case_else_the_signature_else_what_it_says() -> None:
    assert read_message(caption("a", "b", 1.0, uuid="AB-c")).identity == "ab-c"
    assert read_message(join("pell", signature="3xyz")).identity == "sig:3xyz"
    first, again = (read_message(join("pell"), near_ns=5) for _ in range(2))
    assert first.identity == again.identity
    assert first.identity != read_message(join("ines"), near_ns=5).identity


def test_identity_and_time_can_be_had_for_less() -> None:
    for raw in [*scene_messages(), *HOSTILE["messages"], "<html>", None, join("pell")]:
        message = read_message(raw, near_ns=7)
        assert identify(raw, near_ns=7) == (message.identity, message.sent_ns)


def test_a_moderated_line_names_its_target() -> None:
    message = read_message(wrap({"type": 39, "message_uuid": "u-1", "verdict": 2}, at=1.0, uuid="u-2"))

    assert (message.kind, message.target, message.facts) == (ChatKind.HIDDEN, "u-1", {"verdict": 2})


def test_lines_of_the_newer_chat_of_broadcasts() -> None:
    lines = (SAMPLES / "live_chat.ndjson").read_text("utf-8").splitlines()
    messages = [message for line in lines if (message := read_live_chat_line(line)) is not None]

    assert [message.kind for message in messages].count(ChatKind.TEXT) == 6
    (hidden,) = [message for message in messages if message.kind is ChatKind.HIDDEN]
    assert hidden.target == messages[0].identity
    assert messages[0].sent_ns == 1772564363400000217
    assert read_live_chat_line("  \n") is None
    assert read_live_chat_line("<html>") == read_live_chat_line("<html>")


def test_numbers_and_time_stamps_are_told_by_their_size() -> None:
    assert [read_nanoseconds(value) for value in (1772564403, 1772564403400, "1772564403400000", sent(0.0))] == [
        1772564403 * 10**9,
        sent(0.0),
        sent(0.0),
        sent(0.0),
    ]
    assert [read_number(value) for value in (True, -1, 0, "1e5", float("nan"), float("inf"), "9" * 30, 2**64, [])] == [
        None
    ] * 9


# ---------------------------------------------------------------- what may come


def test_html_a_huge_line_depth_and_broken_bytes_are_only_unreadable() -> None:
    deep = '{"kind":1,"payload":' + "[" * 10_000 + "]" * 10_000 + "}"
    cases = ["<html><body>busy</body></html>", deep, b"\xff\xfe\x00{", "x" * (MAX_LINE_BYTES + 1), None, 7, [1], ""]
    for case in cases:
        assert read_message(case).kind is ChatKind.UNREADABLE
    inner = wrap("[" * 10_000 + "]" * 10_000, at=1.0)
    assert read_message(inner).kind is ChatKind.UNKNOWN


def test_a_line_of_ten_megabytes_costs_next_to_nothing() -> None:
    line = b'{"kind":1,"payload":"' + b"a" * 10_000_000 + b'"}'

    assert executed_lines(lambda: read_message(line)) < 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
field_names = st.sampled_from(
    (
        *("kind", "payload", "body", "type", "sender", "timestamp", "uuid", "room", "final", "user_id", "username"),
        *("participant_index", "guestSessions", "guestBroadcastingEvent", "ntpForLiveFrame", "programDateTime"),
        *("occupants", "occupancy", "twitter_participant_ids"),
    )
)
objects = st.dictionaries(field_names, json_values, max_size=8)


@given(st.one_of(json_values, st.binary(max_size=60), st.text(max_size=60)))
@settings(max_examples=200, deadline=None)
def test_nothing_raises(value: object) -> None:
    read_message(value)
    read_live_chat_line(value)


@given(objects, objects, objects, st.sampled_from([0, 1, 2, 3, 4, 8]), st.sampled_from([1, 2, 39, 40, 45, 201, 77]))
@settings(max_examples=300, deadline=None)
def test_no_field_of_any_layer_raises(
    outer: dict[str, Any], payload: dict[str, Any], body: dict[str, Any], kind: int, code: int
) -> None:
    text = json.dumps({"type": code, **body})
    message = read_message(
        {"kind": 1 + kind % 2, **outer, "payload": json.dumps({"kind": kind, **payload, "body": text})}
    )

    assert isinstance(message.kind, ChatKind)
    dump(message.text).encode("utf-8")

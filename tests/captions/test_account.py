"""Everything in one pass: transcript, events, people."""

from __future__ import annotations

import pytest

from chat_building import ROOM, ZERO_US, caption, join, presence, reaction, spoken, stage, wrap
from hydrophone.captions.account import Account, TranscriptBuilder
from hydrophone.captions.merging import since
from hydrophone.captions.people import people_facts
from hydrophone.captions.quoting import permalink, quote
from hydrophone.captions.talk import chapter_marks, reactions_per_minute, talk_times
from hydrophone.chat.reading import read_message
from hydrophone.model import (
    ChatPerson,
    Participant,
    PeriscopeUserId,
    Role,
    SpeakerSource,
    Turn,
    User,
    UserId,
    WordSource,
)

HOST = ChatPerson(periscope_id=PeriscopeUserId("1mara"))
LINK = "https://x.com/i/spaces/1hydroPhoneXZ"


def account(*raw: dict[str, object], turns: tuple[Turn, ...] = (), seconds: float = 300.0, room: str = "") -> Account:
    builder = TranscriptBuilder(since(ZERO_US), host=HOST, room=room)
    near = None
    for one in raw:
        message = read_message(one, near_ns=near)
        near = message.sent_ns
        builder.see(message)
    return builder.finish(seconds=seconds, turns=turns, link=LINK, title="Tapes")


def level(speaker: str, begin: float, end: float) -> Turn:
    return Turn(speaker=speaker, begin_seconds=begin, end_seconds=end, level=50.0)


def test_a_transcript_names_its_speakers_and_where_words_come_from() -> None:
    found = account(*spoken("tobi", [("hello", 1.0)], final="Hello.", at=1.2)).transcript

    assert found.word_source is WordSource.SERVICE
    assert [(one.key, one.name, one.handle) for one in found.speakers] == [("1tobi", "Tobi", "tobi")]
    assert [cue.text for cue in found.cues] == ["Hello."]


def test_messages_of_another_room_are_counted_and_passed_over() -> None:
    found = account(caption("tobi", "Hello.", 1.0, final=True), room="1other")

    assert found.transcript.cues == ()
    assert found.counts == {"other room": 1}
    assert account(caption("tobi", "Hello.", 1.0, final=True), room=ROOM).transcript.cues


def test_levels_confirm_speakers_and_stand_beside_the_cues() -> None:
    found = account(caption("tobi", "Hello there you.", 5.0, final=True), turns=(level("1tobi", 3.0, 6.0),)).transcript

    assert [cue.confidence for cue in found.cues] == [1.0]
    assert [turn.speaker for turn in found.turns] == ["1tobi"]


def test_without_captions_levels_say_who_spoke_when_and_without_levels_microphones_do() -> None:
    by_level = account(stage(17, "tobi", 2.0), turns=(level("1tobi", 3.0, 6.0),)).transcript
    by_microphone = account(stage(17, "tobi", 2.0), stage(16, "tobi", 9.0)).transcript

    assert (by_level.word_source, [turn.source for turn in by_level.turns]) == (
        WordSource.NONE,
        [SpeakerSource.LEVELS],
    )
    assert [(turn.begin_seconds, turn.source) for turn in by_microphone.turns] == [
        (pytest.approx(2.0, abs=1e-5), SpeakerSource.MICROPHONES)
    ]
    assert by_microphone.speakers[0].handle == "tobi"


def test_the_timeline_has_everything_but_captions_in_order_of_the_audio() -> None:
    found = account(
        stage(17, "tobi", 8.0),
        reaction("pell", "🔥", 4.0),
        caption("tobi", "hm", 3.0),
        presence(3, 5),
        wrap({"type": 99}, at=10.0, uuid="u"),
        wrap({"type": 44}, at=11.0, uuid="t"),
    )

    assert [(event.kind, event.person, event.text) for event in found.events] == [
        ("presence", "", ""),
        ("reaction", "1pell", "🔥"),
        ("microphone on", "1tobi", ""),
        ("unknown", "", ""),
    ]
    assert found.events[0].facts == {"occupancy": 3, "total": 5}


def test_the_same_arrival_from_socket_and_history_is_one() -> None:
    found = account(
        caption("a", "x", 1.0), join("pell"), join("pell", signature="3sig"), caption("a", "y", 60.0), join("pell")
    )

    assert [event.kind for event in found.events] == ["join", "join"]


def test_people_have_roles_talk_and_reactions_and_keep_what_the_record_said() -> None:
    found = account(
        caption("mara", "Good evening.", 3.0, final=True),
        stage(9, "tobi", 5.0),
        stage(17, "tobi", 6.0),
        caption("tobi", "Hello to you all.", 9.0, final=True),
        stage(4, "tobi", 20.0),
        reaction("pell", "🔥", 25.0),
    )
    known = [{"periscope_id": "1tobi", "roles": ["speaker"], "is_verified": True, "since_at": "2026-03-03T19:00:20Z"}]
    people = {entry["handle"]: entry for entry in people_facts(known, found)}

    assert people["tobi"]["is_verified"] is True
    assert people["tobi"]["roles"] == ["speaker"]
    assert [(span["role"], span["begin_seconds"]) for span in people["tobi"]["role_spans"]] == [("speaker", 5.0)]
    assert people["tobi"]["microphone_seconds"] == 14.0
    assert people["tobi"]["talk"]["words"] == 4
    assert people["mara"]["roles"] == ["creator"]
    assert (people["pell"]["roles"], people["pell"]["reactions"]) == (["listener"], 1)


def test_the_record_names_people_whom_the_chat_only_numbers() -> None:
    builder = TranscriptBuilder(
        since(ZERO_US),
        people=[
            Participant(role=Role.SPEAKER, periscope_id=PeriscopeUserId("1tobi"), handle="tobi_q", name="Tobi Q"),
            User(id=UserId("9"), handle="nine"),
        ],
    )
    builder.see(read_message(caption("tobi", "Hi.", 2.0, final=True, displayName="")))

    (speaker,) = builder.finish(seconds=5.0).transcript.speakers
    assert (speaker.name, speaker.handle) == ("Tobi Q", "tobi_q")


def test_two_names_for_one_person_are_united_afterwards() -> None:
    builder = TranscriptBuilder(since(ZERO_US))
    builder.see(read_message(caption("tobi", "One.", 1.0, final=True, user_id="", twitter_id="77")))
    builder.see(read_message(caption("tobi", "Two.", 2.0, final=True, user_id="1tobi", twitter_id="")))
    builder.see(read_message(caption("tobi", "Three.", 3.0, final=True, user_id="1tobi", twitter_id="77")))

    found = builder.finish(seconds=5.0).transcript
    assert len(found.speakers) == 1
    assert {cue.speaker for cue in found.cues} == {found.speakers[0].key}


def test_a_handle_alone_never_joins_two_accounts() -> None:
    builder = TranscriptBuilder(since(ZERO_US))
    builder.see(read_message(caption("tobi", "One.", 1.0, final=True, user_id="1a", twitter_id="1")))
    builder.see(read_message(caption("tobi", "Two.", 2.0, final=True, user_id="1b", twitter_id="2")))

    assert len(builder.finish(seconds=5.0).transcript.speakers) == 2


# ---------------------------------------------------------------- talk, chapters, reactions, quotes


def test_talk_time_is_shared_out() -> None:
    found = account(turns=(level("1tobi", 0.0, 30.0), level("1mara", 30.0, 40.0), level("1tobi", 50.0, 70.0)))
    times = talk_times(found.transcript)

    assert [(one.speaker, one.seconds, one.turns, one.longest_turn_seconds) for one in times] == [
        ("1tobi", 50.0, 2, 30.0),
        ("1mara", 10.0, 1, 10.0),
    ]
    assert times[0].share == pytest.approx(5 / 6)


def test_chapters_begin_where_somebody_begins_to_hold_the_floor() -> None:
    found = account(
        caption("tobi", "First I want to tell you about the north pier.", 12.0, final=True),
        turns=(
            level("1mara", 0.0, 8.0),
            level("1tobi", 10.0, 80.0),
            level("1mara", 40.0, 44.0),
            level("1tobi", 82.0, 150.0),
            level("1mara", 150.0, 200.0),
        ),
    )

    assert [(mark.begin_seconds, mark.title) for mark in chapter_marks(found.transcript)] == [
        (10.0, "Tobi: First I want to tell you about…"),
        (150.0, "1mara"),
    ]


def test_there_are_never_more_chapters_than_players_know() -> None:
    turns = tuple(level(f"1p{n % 2}", n * 60.0, n * 60.0 + 50 + n % 7) for n in range(400))

    assert 50 < len(chapter_marks(account(turns=turns).transcript)) <= 200


def test_reactions_are_counted_by_the_minute() -> None:
    found = account(
        reaction("a", "🔥", 5.0), reaction("b", "🔥", 59.0), reaction("c", "", 61.0), reaction("c", "👍", -3.0)
    )

    assert [(one.minute, one.total, dict(one.counts)) for one in reactions_per_minute(found.reactions())] == [
        (0, 3, {"👍": 1, "🔥": 2}),
        (1, 1, {"❤": 1}),
    ]


def test_a_quote_is_what_was_said_by_whom_and_where_to_hear_it() -> None:
    found = account(
        caption("tobi", "Six past every hour, all day.", 20.0, final=True),
        caption("mara", "Never noticed.", 19.9, final=True),
    ).transcript

    during = quote(found, 19.5)
    near = quote(found, 23.0)
    assert during is not None
    assert (during.text, during.speaker.name, during.permalink) == ("Never noticed.", "Mara", f"{LINK}#t=19.2")
    assert near is not None
    assert near.speaker.name == "Tobi"
    assert quote(found, 200.0) is None
    assert permalink("", 5.0) == ""

"""Open microphones and roles out of the events on the stage."""

from __future__ import annotations

from chat_building import ZERO_US, load, scene_messages, stage
from hydrophone.captions.account import Account, TranscriptBuilder
from hydrophone.captions.merging import since
from hydrophone.captions.stage import StageEvent, microphone_spans, role_spans
from hydrophone.chat.reading import read_message
from hydrophone.model import ChatPerson, Role, StageAction

HOST = "1mara"


def events(*raw: dict[str, object]) -> list[StageEvent]:
    found = []
    for one in raw:
        message = read_message(one)
        assert message.action is not None
        assert message.unix_us is not None
        found.append(
            StageEvent(
                round((message.unix_us - ZERO_US) / 1e6, 3),
                message.action,
                message.subject.key if message.subject else "",
                message.sender.key if message.sender else "",
                tuple(person.key for person in message.people),
            )
        )
    return found


def spans(*raw: dict[str, object], end: float = 100.0) -> list[tuple[str, float, float]]:
    found = microphone_spans(events(*raw), host=HOST, end_seconds=end)
    return [(span.person, span.begin_seconds, span.end_seconds) for span in found]


def scene_account() -> Account:
    host = ChatPerson(periscope_id="1maraLindPscp")  # type: ignore[arg-type]
    builder = TranscriptBuilder(since(ZERO_US), host=host)
    seen = set()
    for raw in scene_messages():
        message = read_message(raw)
        if message.identity not in seen:
            seen.add(message.identity)
            builder.see(message)
    return builder.finish(seconds=300.01)


def test_the_scene_has_exactly_its_open_microphones() -> None:
    expected = load("expected_microphones.json")["open_microphone"]
    codes = {StageAction.MUTED: 16, StageAction.MUTED_ALL: 18}
    account = scene_account()

    found = [
        {
            "user_id": span.person,
            "speaker": account.directory.speaker(span.person).handle,
            "start": round(span.begin_seconds, 3),
            "end": round(span.end_seconds, 3),
            "closed_by": span.closed_by and codes[span.closed_by],
        }
        for span in account.microphones
    ]
    assert found == expected


def test_on_twice_counts_once_and_off_without_on_goes_back_to_the_entrance() -> None:
    assert spans(stage(17, "tobi", 10), stage(17, "tobi", 12), stage(16, "tobi", 20)) == [("1tobi", 10.0, 20.0)]
    assert spans(stage(9, "tobi", 5), stage(16, "tobi", 20)) == [("1tobi", 5.0, 20.0)]
    assert spans(stage(16, "tobi", 20)) == [("1tobi", 0.0, 20.0)]


def test_leaving_and_being_removed_close_a_microphone() -> None:
    for code in (4, 10, 15):
        assert spans(stage(17, "tobi", 10), stage(code, "tobi", 15, by="mara")) == [("1tobi", 10.0, 15.0)]
        assert spans(stage(9, "tobi", 10), stage(code, "tobi", 15)) == []


def test_mute_all_closes_everybody_but_the_host_and_lifting_it_opens_nobody() -> None:
    found = spans(
        stage(17, "mara", 1),
        stage(17, "tobi", 2),
        stage(17, "ines", 3),
        stage(18, "", 10, by="mara"),
        stage(16, "tobi", 10.5),
        stage(19, "", 20, by="mara"),
    )

    assert found == [("1mara", 1.0, 100.0), ("1tobi", 2.0, 10.0), ("1ines", 3.0, 10.0)]


def test_events_are_ordered_by_the_clock_of_the_audio() -> None:
    assert spans(stage(16, "tobi", 20), stage(17, "tobi", 10)) == [("1tobi", 10.0, 20.0)]


def test_roles_over_time() -> None:
    found = role_spans(
        events(
            stage(9, "tobi", 5),
            stage(4, "tobi", 50),
            stage(20, "", 60, by="mara", twitter_participant_ids=["17"]),
            stage(21, "", 70, by="mara", twitter_participant_ids=["17"]),
            stage(9, "ines", 80),
        ),
        end_seconds=100.0,
    )

    assert [(span.person, span.role, span.begin_seconds, span.end_seconds) for span in found] == [
        ("1tobi", Role.SPEAKER, 5.0, 50.0),
        ("17", Role.HOST, 60.0, 70.0),
        ("1ines", Role.SPEAKER, 80.0, 100.0),
    ]


def test_a_co_host_named_by_x_id_and_by_periscope_id_is_one_person() -> None:
    account = scene_account()

    assert [(span.person, span.role.value, round(span.end_seconds, 1)) for span in account.roles] == [
        ("1tobiQuistPsc", "speaker", 274.6),
        ("1inesVargaPsc", "host", 277.9),
    ]

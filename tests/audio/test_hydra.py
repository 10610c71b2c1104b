"""Who is on stage and how loud, out of tags that anybody may have shaped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_building import EXPECTED, FILES, clock, frame, part, sample, tag, user_text
from hydrophone.audio import StageSample, first_ticks, read_stage, read_tags
from hydrophone.audio.clock import UNIX_EPOCH_IN_NTP_SECONDS


def one(*parts: bytes) -> StageSample:
    (only,) = read_stage(tag(b"".join(parts)) + frame() * 2)
    return only


@pytest.mark.parametrize("name", [name for name in FILES if EXPECTED["files"][name].get("tags")])
def test_every_tag_of_the_samples_says_what_it_should(name: str) -> None:
    expected = EXPECTED["files"][name]["tags"]
    body = sample(name)
    samples = read_stage(body)

    hydra = [entry for entry in expected if entry["kind"] == "hydra"]
    assert len(samples) == len(hydra)
    for found, entry in zip(samples, hydra, strict=True):
        assert found.offset == entry["offset"]
        assert found.before_frame == entry["before_frame"]
        ntp_ms = int(entry["ntp"].replace(".", ""))
        assert found.unix_us == (ntp_ms - UNIX_EPOCH_IN_NTP_SECONDS * 1000) * 1000
        assert found.people is not None
        assert [person.handle for person in found.people] == entry["participants"]
        assert list(found.levels) == entry["levels"]
        assert found.version == 4
    clocks = [entry["ticks"] for entry in expected if entry["kind"] == "priv"]
    assert [found.ticks for found in read_tags(body) if found.ticks is not None] == clocks
    assert first_ticks(body) == clocks[0]


def test_levels_belong_to_the_people_of_the_same_tag() -> None:
    second = read_stage(sample())[1]

    assert second.host_level == 72
    assert [(person.handle, level) for person, level in second.levels_by_person()] == [("tobi_quist", 63)]
    person = second.levels_by_person()[0][0]
    assert (person.periscope_id, person.index) == ("1tobiQuistPsc", 209715202)


def test_what_has_no_partner_is_dropped() -> None:
    people = json.dumps([{"UserId": "a"}, {"UserId": "b"}, {"UserId": "c"}])

    short = one(user_text("HydraParticipants", people), user_text("HydraAudioLevel", "[1,2]"))
    long = one(user_text("HydraParticipants", "[]"), user_text("HydraAudioLevel", "[1,2,3]"))

    assert [(person.periscope_id, level) for person, level in short.levels_by_person()] == [("a", 2)]
    assert long.levels_by_person() == ()
    assert long.host_level == 1


def test_clock_comes_from_the_title_or_the_metadata() -> None:
    expected = (3981553224446 - UNIX_EPOCH_IN_NTP_SECONDS * 1000) * 1000
    spellings = ['{"ntp":3981553224.446}', '{"ntp":"3981553224.446"}']

    assert one(part("TIT3", b"\0" + b"3981553224.446")).unix_us == expected
    assert [one(user_text("JSONMetadata", text)).unix_us for text in spellings] == [expected] * 2
    both = one(part("TIT3", b"\x03nan"), user_text("JSONMetadata", spellings[0]))
    assert (both.unix_us, both.is_clock_corrected) == (expected, False)


def test_clock_in_unix_time_is_corrected_and_marked() -> None:
    found = one(part("TIT3", b"\x031772564424.446"))

    assert (found.unix_us, found.is_clock_corrected) == (1772564424446000, True)


def test_rotation_of_video_is_read() -> None:
    assert one(part("TKEY", b"\x0390")).rotation == 90.0
    assert one(user_text("JSONMetadata", '{"rotation":180.5}')).rotation == 180.5
    assert [one(part("TKEY", b"\x03" + text)).rotation for text in (b"x", b"nan", b"inf", b"1e9")] == [None] * 4


def test_tags_of_another_kind_give_no_sample() -> None:
    assert read_stage(tag(clock(5) + part("TALB", b"\x03x")) + frame() * 2) == ()


HOSTILE_JSON: list[Any] = [
    "",
    "null",
    "{",
    "[" * 10_000,
    '[{"UserId":' + "[" * 5000 + "]" * 5000 + "}]",
    '{"a":1}',
    "[NaN,Infinity,-Infinity]",
    "[1e400]",
    "[" + "9" * 5000 + "]",
    '"text"',
    "[null,true,[],{}]",
    "\ud83d",
]


@pytest.mark.parametrize("text", HOSTILE_JSON, ids=lambda text: text[:12] or "empty")
def test_json_that_is_none_is_left_out(text: str) -> None:
    value = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    found = one(*(user_text(name, value) for name in ("HydraParticipants", "HydraAudioLevel", "JSONMetadata")))

    assert found.unix_us is None
    assert all(0 <= level <= 100 for level in found.levels)


def test_levels_out_of_range_are_clamped_and_keep_their_places() -> None:
    found = one(user_text("HydraAudioLevel", '[-5,1000000000,"57",null,12.7,true,"x",[1]]'))

    assert found.levels == (0, 100, 57, 0, 12, 0, 0, 0)


def test_useless_people_keep_their_places() -> None:
    people = json.dumps([None, 5, {"UserId": 17, "UserName": ["x"], "ParticipantIndex": "12", "SessionId": "y" * 5000}])
    found = one(user_text("HydraParticipants", people))

    assert found.people is not None
    assert [person.periscope_id for person in found.people] == ["", "", "17"]
    assert (found.people[2].handle, found.people[2].index, found.people[2].session_id) == ("", 12, "")


def test_crowd_on_stage_is_capped() -> None:
    found = one(user_text("HydraParticipants", json.dumps([{}] * 50_000)[:200_000].rpartition(",")[0] + "]"))

    assert found.people is not None
    assert len(found.people) == 1000


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["UserId", "UserName", "ntp", "rotation", "HydraVersion", "x"]), inner, max_size=4
        ),
    ),
    max_leaves=12,
)


@given(json_values, json_values, json_values, st.binary(max_size=10))
@settings(deadline=None, max_examples=200)
def test_no_metadata_raises(people: Any, levels: Any, meta: Any, title: bytes) -> None:
    found = one(
        part("TIT3", title),
        user_text("HydraParticipants", json.dumps(people)),
        user_text("HydraAudioLevel", json.dumps(levels)),
        user_text("JSONMetadata", json.dumps(meta)),
    )

    assert all(0 <= level <= 100 for level in found.levels)
    found.levels_by_person()


@given(
    st.sampled_from([sample(name) for name in FILES]),
    st.lists(st.tuples(st.integers(0, 14_000), st.integers(0, 50), st.binary(max_size=8)), min_size=1, max_size=5),
)
@settings(deadline=None, max_examples=60)
def test_mutated_samples_do_not_raise(body: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    for at, length, replacement in cuts:
        at %= len(body) + 1
        body = body[:at] + replacement + body[at + length :]
    read_stage(body)
    first_ticks(body)

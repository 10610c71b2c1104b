"""Every recorded situation of a Space becomes the value that it should."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hydrophone.errors import NotFoundError, NotSignedInError, WireError
from hydrophone.model import MediaKey, Role, Space, SpaceId, SpaceState, UserId
from hydrophone.xweb.spaces import space_by_id
from xweb.talk import ACTIVATION, OWN_ID, Talk, guest, json_reply, sample, sample_json, signed_in

ID = SpaceId("1hydroPhoneXZ")


def space_from(name: str) -> Space:
    return Talk(("AudioSpaceById", sample(f"audiospace_by_id.{name}.json"))).ask(space_by_id(signed_in(), ID))


def altered(name: str, **metadata: Any) -> Space:
    body = sample_json(f"audiospace_by_id.{name}.json")
    body["data"]["audioSpace"]["metadata"].update(metadata)
    return Talk(("AudioSpaceById", json_reply(body))).ask(space_by_id(signed_in(), ID))


def test_a_running_space_is_read_whole() -> None:
    space = space_from("running")

    assert space.id == ID
    assert space.state is SpaceState.LIVE
    assert space.state_text == "Running"
    assert space.title == "Harbour tapes: the Tuesday listening room 🎧"
    assert space.media_key == MediaKey("28_2028900765724049408")
    assert space.created_at == datetime(2026, 3, 3, 18, 30, 12, 345000, UTC)
    assert space.started_at == datetime(2026, 3, 3, 19, 0, 2, 250000, UTC)
    assert space.scheduled_at == datetime(2026, 3, 3, 19, 0, tzinfo=UTC)
    assert space.ended_at is None
    assert space.has_replay is True
    assert (space.listeners, space.participant_count) == (41, 37)
    assert [(p.role, p.handle) for p in space.participants] == [
        (Role.CREATOR, "mara_lind"),
        (Role.SPEAKER, "tobi_quist"),
        (Role.LISTENER, "ines_varga"),
        (Role.LISTENER, "pell_osei"),
    ]
    assert space.participants[1].user_id == UserId("1702000000000000002")
    assert space.participants[1].since_at == datetime(2026, 3, 3, 19, 0, 20, 900000, UTC)


@pytest.mark.parametrize("name", ["running", "running.core"])
def test_both_shapes_of_a_user_give_the_same_creator(name: str) -> None:
    creator = space_from(name).creator

    assert creator is not None
    assert creator.id == UserId("1701000000000000001")
    assert (creator.handle, creator.name) == ("mara_lind", "Mara Lind")
    assert creator.avatar_url == "https://pbs.twimg.com/profile_images/1701000000000000011/mLiNd001_normal.jpg"
    assert creator.created_at == datetime(2023, 9, 11, 9, 15, 2, tzinfo=UTC)
    assert (creator.followers, creator.following, creator.posts) == (4821, 317, 1403)
    assert creator.is_verified is True


@pytest.mark.parametrize("name", ["running", "ended", "timed_out"])
def test_the_own_account_is_left_out_of_values_and_raw_record(name: str) -> None:
    space = space_from(name)

    assert "deck_hand" not in repr(space)
    assert OWN_ID not in repr(space.raw)
    assert "deck_hand" not in repr(space.raw)


def test_an_own_account_that_is_known_is_left_out_whatever_it_looks_like() -> None:
    session = signed_in()
    session.own_user_ids.add(UserId("1703000000000000003"))

    space = Talk(("AudioSpaceById", sample("audiospace_by_id.running.json"))).ask(space_by_id(session, ID))

    assert "ines_varga" not in repr(space)
    assert "ines_varga" not in repr(space.raw)


def test_chat_tokens_do_not_reach_the_raw_record() -> None:
    body = sample_json("audiospace_by_id.running.json")
    body["data"]["audioSpace"]["chat"] = {"chat_token": "names-the-account"}

    space = Talk(("AudioSpaceById", json_reply(body))).ask(space_by_id(signed_in(), ID))

    assert "names-the-account" not in repr(space.raw)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("ended", SpaceState.ENDED),
        ("ended_no_replay", SpaceState.ENDED),
        ("not_started", SpaceState.SCHEDULED),
        ("pre_published", SpaceState.SCHEDULED),
        ("timed_out", SpaceState.TIMED_OUT),
        ("canceled", SpaceState.CANCELED),
        ("running.untitled", SpaceState.LIVE),
        ("seed", SpaceState.ENDED),
    ],
)
def test_states_become_ours(name: str, state: SpaceState) -> None:
    assert space_from(name).state is state


def test_an_end_given_as_text_is_an_instant() -> None:
    ended = space_from("ended")

    assert ended.ended_at == datetime(2026, 3, 3, 19, 5, 4, 250000, UTC)
    assert ended.replay_start_seconds == 0.166


def test_a_space_without_replay_says_so() -> None:
    assert space_from("ended_no_replay").has_replay is False


def test_an_untitled_space_shows_its_host() -> None:
    space = space_from("running.untitled")

    assert space.title == ""
    assert space.display_title == "Mara Lind's Space"


def test_the_smallest_record_is_enough() -> None:
    space = space_from("seed")

    assert space.id == "1vOxwdyYrlqKB"
    assert space.creator is not None
    assert space.creator.handle == "username"
    assert space.ended_at == datetime(2025, 1, 22, 14, 40, tzinfo=UTC)


def test_errors_beside_good_data_are_warnings() -> None:
    space = space_from("dependency_unspecified")

    assert space.state is SpaceState.LIVE
    assert space.warnings == ("Dependency: Unspecified",)


def test_a_malformed_id_is_not_found() -> None:
    with pytest.raises(NotFoundError) as caught:
        space_from("bad_id_214")
    assert caught.value.code == 214


def test_an_empty_record_is_not_found_for_a_login() -> None:
    with pytest.raises(NotFoundError):
        space_from("missing")


def test_an_empty_record_asks_a_guest_to_sign_in() -> None:
    talk = Talk(ACTIVATION, ("AudioSpaceById", sample("audiospace_by_id.missing.json")))

    with pytest.raises(NotSignedInError) as caught:
        talk.ask(space_by_id(guest(), ID))
    assert "auth login" in caught.value.advice


@pytest.mark.parametrize("nothing", [0, "", None, "0"])
def test_zero_empty_and_null_instants_are_none(nothing: object) -> None:
    space = altered("ended", ended_at=nothing, started_at=nothing)

    assert space.ended_at is None
    assert space.started_at is None


@pytest.mark.parametrize("text", ["Hibernating", "RUNNING_LATE", ""])
def test_unknown_states_are_kept_as_text(text: str) -> None:
    space = altered("running", state=text)

    assert space.state is SpaceState.UNKNOWN
    assert space.state_text == text


def test_numbers_may_be_text_and_text_numbers() -> None:
    space = altered("running", total_live_listeners="41", title=1984, started_at="1772564402250")

    assert space.listeners == 41
    assert space.title == "1984"
    assert space.started_at == datetime(2026, 3, 3, 19, 0, 2, 250000, UTC)


def test_a_media_key_that_could_leave_its_path_is_refused_with_a_warning() -> None:
    space = altered("running", media_key="../../1.1/account")

    assert space.media_key is None
    assert space.warnings


def test_a_renamed_envelope_names_its_path() -> None:
    talk = Talk(("AudioSpaceById", json_reply({"data": {"space": {"metadata": {}}}})))

    with pytest.raises(WireError) as caught:
        talk.ask(space_by_id(signed_in(), ID))
    assert caught.value.path == "data.audioSpace"


def test_a_list_in_place_of_the_metadata_names_its_path() -> None:
    talk = Talk(("AudioSpaceById", json_reply({"data": {"audioSpace": {"metadata": [1]}}})))

    with pytest.raises(WireError) as caught:
        talk.ask(space_by_id(signed_in(), ID))
    assert caught.value.path == "data.audioSpace.metadata"


def test_a_thorough_look_adds_what_only_the_android_query_knows() -> None:
    talk = Talk(
        ("AudioSpaceById", sample("audiospace_by_id.running.json")),
        ("AudiospaceByRestId", sample("audiospace_by_rest_id.running.json")),
    )

    space = talk.ask(space_by_id(signed_in(), ID, thorough=True))

    assert (space.language, space.has_captions) == ("en", True)
    assert len(space.participants) == 4
    assert "by_rest_id" in space.raw


def test_a_failing_second_query_leaves_the_first_answer() -> None:
    talk = Talk(
        ("AudioSpaceById", sample("audiospace_by_id.running.json")), ("AudiospaceByRestId", json_reply({}, 500))
    )

    space = talk.ask(space_by_id(signed_in(), ID, thorough=True))

    assert space.state is SpaceState.LIVE
    assert any("AudiospaceByRestId" in warning for warning in space.warnings)


def test_signed_in_questions_go_to_the_web_host_and_guests_to_the_api_host() -> None:
    web = Talk(("AudioSpaceById", sample("audiospace_by_id.running.json")))
    web.ask(space_by_id(signed_in(), ID))
    api = Talk(ACTIVATION, ("AudioSpaceById", sample("audiospace_by_id.running.json")))
    api.ask(space_by_id(guest(), ID))

    assert (web.requests[0].service, web.requests[0].endpoint) == ("x", "AudioSpaceById")
    assert web.requests[0].target == "/i/api/graphql/HPEisOmj1epUNLCWTYhUWw/AudioSpaceById"
    assert (api.requests[1].service, api.requests[1].target) == (
        "api",
        "/graphql/HPEisOmj1epUNLCWTYhUWw/AudioSpaceById",
    )
    assert web.requests[0].params["variables"] == (
        '{"id":"1hydroPhoneXZ","isMetatagsQuery":false,"withReplays":true,"withListeners":true}'
    )

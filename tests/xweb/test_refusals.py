"""Every recorded refusal becomes the error that says what to do, and no error body can break its reader."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.errors import (
    AccountLockedError,
    BlockedError,
    FaultyServiceError,
    HydrophoneError,
    NotFoundError,
    NotSignedInError,
    RateLimitedError,
    RefusedError,
    WireError,
)
from hydrophone.http.messages import Headers, Reply
from hydrophone.model import MediaKey, SpaceId
from hydrophone.xweb.refusals import read_refusal, refusal_error, retry_instant
from hydrophone.xweb.spaces import space_by_id
from hydrophone.xweb.streams import stream_by_media_key
from xweb.talk import ACTIVATION, EMPTY_404, NOW, OWN_ID, Talk, error_sample, guest, json_reply, signed_in, text_reply

KEY = MediaKey("28_2028900765724049408")
ID = SpaceId("1hydroPhoneXZ")


def refusal_of(reply: Reply, *, is_guest: bool = False) -> HydrophoneError:
    """What a plain REST question raises when it is answered so."""
    talk = Talk(ACTIVATION, ("live_video_stream", reply))
    with pytest.raises(HydrophoneError) as caught:
        talk.ask(stream_by_media_key(guest() if is_guest else signed_in(), KEY))
    return caught.value


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("400_too_many_user_ids", WireError, None),
        ("401_32", NotSignedInError, 32),
        ("401_89", NotSignedInError, 89),
        ("403_326", AccountLockedError, 326),
        ("403_64", AccountLockedError, 64),
        ("403_353", NotSignedInError, 353),
        ("403_cloudflare", BlockedError, None),
        ("404_empty", NotFoundError, None),
        ("422_variables", NotFoundError, 0),
        ("429_graphql", RateLimitedError, None),
        ("429_rest_88", RateLimitedError, 88),
        ("429_errors_is_an_object", RateLimitedError, 88),
        ("429_88_with_budget_left", AccountLockedError, 88),
        ("500_publish", FaultyServiceError, None),
    ],
)
def test_refusals_become_typed_errors_with_advice(name: str, error: type[HydrophoneError], code: int | None) -> None:
    caught = refusal_of(error_sample(name))

    assert type(caught) is error
    assert caught.advice
    assert getattr(caught, "code", None) == code


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("200_loadshed", FaultyServiceError),
        ("200_timeout", FaultyServiceError),
        ("200_not_authorized", RefusedError),
        ("422_variables", NotFoundError),
    ],
)
def test_errors_inside_a_graphql_answer_are_typed(name: str, error: type[HydrophoneError]) -> None:
    with pytest.raises(error) as caught:
        Talk(("AudioSpaceById", error_sample(name))).ask(space_by_id(signed_in(), ID))
    assert caught.value.advice


def test_the_own_account_is_not_named_by_an_error() -> None:
    with pytest.raises(RefusedError) as caught:
        Talk(("AudioSpaceById", error_sample("200_not_authorized"))).ask(space_by_id(signed_in(), ID))
    assert OWN_ID not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (json_reply({"errors": [{"code": 34}]}, 404), NotFoundError),
        (json_reply({"errors": [{"code": 144}]}, 404), NotFoundError),
        (json_reply({"errors": [{"code": 179}]}, 403), RefusedError),
        (json_reply({"errors": [{"extensions": {"code": "220"}}]}, 403), RefusedError),
        (json_reply({"errors": [{"code": 200}]}, 403), RefusedError),
        (json_reply({"errors": [{"message": "Denied by access control: x"}]}, 403), AccountLockedError),
        (json_reply({"errors": [{"code": 399}]}, 400), NotSignedInError),
        (json_reply({"error": "LoginFlow is currently not accessible"}, 400), NotSignedInError),
        (json_reply({"errors": []}, 403), NotSignedInError),
        (text_reply("", 403), NotSignedInError),
        (text_reply("", 403, ("cf-ray", "8f-FRA")), BlockedError),
        (text_reply("<html>checking your browser", 503), BlockedError),
        (text_reply("<!DOCTYPE html><title>challenge</title>", 200), BlockedError),
        (text_reply("", 503), FaultyServiceError),
        (text_reply("<html>oops", 502), FaultyServiceError),
        (text_reply("no", 418), WireError),
        (text_reply("<html>", 429), RateLimitedError),
    ],
)
def test_other_refusals_are_typed_too(reply: Reply, error: type[HydrophoneError]) -> None:
    assert type(refusal_of(reply)) is error


def test_a_json_refusal_behind_a_gatekeeper_is_no_block() -> None:
    reply = json_reply({"errors": [{"code": 37}]}, 403, ("cf-ray", "8f-FRA"))

    assert type(refusal_of(reply)) is RefusedError


def test_a_guest_who_is_refused_is_asked_to_sign_in() -> None:
    error = refusal_of(text_reply("", 403), is_guest=True)

    assert type(error) is NotSignedInError
    assert "auth login" in error.advice


def test_a_throttled_guest_is_no_locked_account() -> None:
    assert type(refusal_of(error_sample("429_88_with_budget_left"), is_guest=True)) is RateLimitedError


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        (int(NOW.timestamp()) + 300, 300),
        (int(NOW.timestamp()) - 5, 60),
        (10**17, 3600),
        ("soon", 60),
        ("", 60),
        ("-1", 60),
        ("٣", 60),
    ],
)
def test_the_reset_is_obeyed_within_reason(reset: object, seconds: float) -> None:
    reply = text_reply("", 429, ("x-rate-limit-reset", str(reset)))

    assert retry_instant(reply, NOW) == NOW + timedelta(seconds=seconds)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["errors", "error", "code", "message", "extensions", "msg", "data"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(st.integers(100, 599), json_values, st.booleans())
def test_any_json_body_gives_a_typed_error_or_none(status: int, body: object, is_signed_in: bool) -> None:
    error = refusal_error(json_reply(body, status), endpoint="x", signed_in=is_signed_in, now=NOW)

    assert error is None or isinstance(error, HydrophoneError)


@given(st.binary(max_size=300), st.text(max_size=10), st.text(max_size=10))
def test_any_bytes_can_be_read_as_a_refusal(body: bytes, name: str, value: str) -> None:
    read_refusal(Reply(403, Headers([(name, value), ("x-rate-limit-remaining", value)]), body))


def test_deep_and_long_error_bodies_are_bounded() -> None:
    deep = b'{"errors":' + b"[" * 100_000
    assert read_refusal(Reply(400, Headers(), deep)).codes == ()
    many = json_reply({"errors": [{"code": 1, "message": "x" * 1_000}] * 5_000}, 400)
    assert len(read_refusal(many).messages) <= 50
    assert len(read_refusal(many).summary) <= 300


def test_control_characters_of_a_message_do_not_reach_the_terminal() -> None:
    error = refusal_of(json_reply({"errors": [{"code": 37, "message": "a\x1b[31m\nb\u202e"}]}, 403))

    assert error.message.isprintable()


def test_an_empty_404_is_no_error_by_itself() -> None:
    assert refusal_error(EMPTY_404, endpoint="x", signed_in=True, now=NOW) is None

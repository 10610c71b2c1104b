"""Every way in which the API says no: the typed error, its exit code, and that nothing is asked twice in vain."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hydrophone.cli.exits import Exit, code_of
from hydrophone.errors import (
    FaultyServiceError,
    HydrophoneError,
    InvalidRequestError,
    NotFoundError,
    NotSignedInError,
    OutOfCreditsError,
    RateLimitedError,
    RefusedError,
    SettingsError,
    SpendCapError,
    WireError,
)
from hydrophone.http.messages import Headers, Reply
from hydrophone.model import SpaceId
from hydrophone.xapi.credentials import Scope, UserBearer
from hydrophone.xapi.names import ALL_SPACE_FIELDS, Dialect
from hydrophone.xapi.oauth import token_error
from hydrophone.xapi.problems import refusal_error
from hydrophone.xapi.session import BROKE_PAUSE
from hydrophone.xapi.spacepages import posts_of_space, walk_buyers
from hydrophone.xapi.spaces import SearchState, search_spaces, space_by_id, spaces_by_ids, sweep
from hydrophone.xapi.wanted import PostWish, SpaceWish
from xapi.xapi_talk import NOW, Clock, Talk, json_reply, names, reply_of, sample, session, tokens_of

LIVE = SpaceId("1hydroPhoneXZ")
TICKET = SpaceId("1memberShopQZ")

MEANINGS: dict[str, tuple[type[HydrophoneError], Exit]] = {
    "error.400": (InvalidRequestError, Exit.REFUSED),
    "error.401": (NotSignedInError, Exit.REFUSED),
    "error.402": (OutOfCreditsError, Exit.REFUSED),
    "error.403": (RefusedError, Exit.REFUSED),
    "error.404.unknown-path": (WireError, Exit.CHANGED),
    "error.429.usage-cap": (OutOfCreditsError, Exit.REFUSED),
    "error.429": (RateLimitedError, Exit.RATE_LIMITED),
    "error.500": (FaultyServiceError, Exit.UNREACHABLE),
    "error.503": (FaultyServiceError, Exit.UNREACHABLE),
    "activity.too-many-connections": (RateLimitedError, Exit.RATE_LIMITED),
    "scheduled.create.refused": (InvalidRequestError, Exit.REFUSED),
    "scheduled.live.refused": (InvalidRequestError, Exit.REFUSED),
    "webhook.create.refused": (InvalidRequestError, Exit.REFUSED),
    "space.not-found-404.current": (NotFoundError, Exit.NOT_FOUND),
}
REFUSALS = [
    *names("error.4", "error.5"),
    *(one for one in MEANINGS if not one.startswith("error.")),
]


@pytest.mark.parametrize("name", REFUSALS)
def test_every_problem_body_has_an_error_an_exit_code_and_an_advice(name: str) -> None:
    kind, code = next(MEANINGS[start] for start in sorted(MEANINGS, key=len, reverse=True) if name.startswith(start))

    error = refusal_error(reply_of(name), endpoint="xapi/space", now=NOW)

    assert type(error) is kind
    assert error is not None
    assert code_of(error) is code
    assert error.advice
    assert "1786985443621070592" not in error.message


def test_a_400_carries_every_complaint() -> None:
    error = refusal_error(reply_of("error.400.two-at-once"), endpoint="", now=NOW)
    assert isinstance(error, InvalidRequestError)
    assert len(error.messages) == len(sample("error.400.two-at-once")["response"]["body"]["errors"]) == 2


def test_a_missing_field_is_told_beside_the_space() -> None:
    for name in ("error.partial.field", "error.partial.include"):
        answer = Talk(reply_of(name)).ask(spaces_by_ids(session(), [LIVE]))
        assert len(answer.items) >= 1
        assert answer.problems[0].text
    assert Talk(reply_of("error.partial.field")).ask(spaces_by_ids(session(), [LIVE])).problems[0].is_about_field


# ---------------------------------------------------------------- money


def test_after_a_402_nothing_paid_is_asked_until_the_pause_is_over() -> None:
    clock = Clock()
    ours, talk = session(clock), Talk(reply_of("error.402.current"), reply_of("space.default"))
    for _ in range(5):
        with pytest.raises(OutOfCreditsError):
            talk.ask(space_by_id(ours, LIVE))
    assert len(talk.requests) == 1

    clock.now += BROKE_PAUSE
    assert talk.ask(space_by_id(ours, LIVE)).id == LIVE


def test_what_arrived_before_a_402_is_kept() -> None:
    ids = [SpaceId(f"1Aa{number:04}") for number in range(150)]
    first = json_reply({"data": [{"id": one, "state": "live"} for one in ids[:100]]})

    answer = Talk(first, reply_of("error.402.legacy")).ask(spaces_by_ids(session(), ids))

    assert len(answer) == 100
    assert isinstance(answer.stopped_by, OutOfCreditsError)


def test_a_cap_stops_the_request_that_could_exceed_it() -> None:
    ours, talk = session(max_cost="0.49"), Talk(reply_of("search.default"))
    with pytest.raises(SpendCapError) as caught:
        talk.ask(search_spaces(ours, "harbour"))
    assert talk.requests == []
    assert code_of(caught.value) is Exit.REFUSED

    assert len(talk.ask(search_spaces(ours, "harbour", max_results=98))) == 3
    assert str(ours.ledger.run.cost) == "0.015"


def test_what_was_paid_for_today_may_be_asked_again_beyond_the_cap() -> None:
    ours, talk = session(max_cost="0.005"), Talk(reply_of("space.default"))
    for _ in range(3):
        talk.ask(space_by_id(ours, LIVE))
    with pytest.raises(SpendCapError):
        talk.ask(space_by_id(ours, SpaceId("1breakWaterQZ")))


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("wish", "near"),
    [
        (SpaceWish(fields=("titel",)), "title"),
        (SpaceWish(expansions=("creator",)), "creator_id"),
        (SpaceWish(user_fields=("user_name",)), "username"),
        (SpaceWish(fields=("listener_count",)), ""),
    ],
)
def test_a_misspelt_name_costs_no_request_and_names_the_nearest(wish: SpaceWish, near: str) -> None:
    talk = Talk(reply_of("space.default"))
    with pytest.raises(SettingsError) as caught:
        talk.ask(space_by_id(session(), LIVE, wish=wish))
    assert talk.requests == []
    assert near in caught.value.advice
    assert caught.value.setting


@pytest.mark.parametrize(
    "make",
    [
        lambda ours: space_by_id(ours, SpaceId("1234567890abcd")),
        lambda ours: space_by_id(ours, SpaceId("../oauth2")),
        lambda ours: spaces_by_ids(ours, [LIVE, SpaceId("a,b")]),
        lambda ours: search_spaces(ours, "  "),
        lambda ours: search_spaces(ours, "x" * 2049),
        lambda ours: search_spaces(ours, "x", max_results=101),
        lambda ours: sweep(ours, ["mara"]),
        lambda ours: posts_of_space(ours, LIVE, wish=PostWish(fields=("txt",))),
    ],
)
def test_what_the_service_would_refuse_is_refused_here(make: Any) -> None:
    talk = Talk(reply_of("space.default"))
    with pytest.raises(SettingsError):
        talk.ask(make(session()))
    assert talk.requests == []


def test_names_that_the_service_refuses_are_dropped_once_and_remembered() -> None:
    few = ["created_at", "id", "state", "title"]
    text = f"The `space.fields` query parameter value [creator_id] is not one of [{','.join(few)}]"
    body = {"errors": [{"parameters": {}, "message": text}], "title": "Invalid Request", "type": "x/invalid-request"}
    ours, talk = session(), Talk(json_reply(body, 400), reply_of("space.default"))

    talk.ask(space_by_id(ours, LIVE))
    talk.ask(space_by_id(ours, LIVE))

    assert [request.params["space.fields"] for request in talk.requests] == [
        ",".join(ALL_SPACE_FIELDS),
        ",".join(few),
        ",".join(few),
    ]


def test_a_400_that_names_no_list_is_not_sent_again() -> None:
    talk = Talk(reply_of("error.400.id-pattern.legacy"))
    with pytest.raises(InvalidRequestError, match="does not match"):
        talk.ask(space_by_id(session(), LIVE))
    assert len(talk.requests) == 1


def test_posts_are_asked_for_in_the_dialect_that_the_service_knows() -> None:
    body = {
        "errors": [{"message": "The query parameter [tweet.fields] is not one of [expansions,post.fields]"}],
        "type": "https://api.x.com/2/problems/invalid-request",
    }
    ours, talk = session(), Talk(json_reply(body, 400), reply_of("tweets.current"))

    answer = talk.ask(posts_of_space(ours, LIVE))

    assert len(answer) == 3
    assert ours.dialect is Dialect.CURRENT
    assert "post.fields" in talk.sent
    assert talk.sent["expansions"] == "author_id"


# ---------------------------------------------------------------- tokens


def test_an_endpoint_that_wants_a_user_is_not_asked_with_an_app() -> None:
    talk = Talk(reply_of("buyers.none"))
    question = walk_buyers(session(auth="app"), TICKET).question()
    assert question is not None
    with pytest.raises(NotSignedInError, match="user's sign-in"):
        talk.ask(question)
    assert talk.requests == []


def test_a_missing_scope_is_said_before_asking() -> None:
    narrow = UserBearer(tokens_of(scopes=frozenset({Scope.USERS_READ})))
    with pytest.raises(RefusedError, match=r"space\.read"):
        Talk(reply_of("space.default")).ask(space_by_id(session(auth="none", user=narrow), LIVE))


# ---------------------------------------------------------------- rates and odd answers


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"x_rate_limit_remaining": "0", "x_rate_limit_reset": str(int(NOW.timestamp()) + 300)}, 301),
        ({"x_rate_limit_remaining": "0", "x_rate_limit_reset": "12"}, 60),
        ({"x_rate_limit_remaining": "0", "x_rate_limit_reset": "99999999999"}, 60),
        ({"x_rate_limit_remaining": "41", "x_rate_limit_reset": str(int(NOW.timestamp()) + 300)}, 2),
        ({}, 60),
    ],
)
def test_a_429_says_when(headers: dict[str, str], wait: int) -> None:
    body = sample("error.429.window")["response"]["body"]
    error = refusal_error(json_reply(body, 429, **headers), endpoint="", now=NOW)
    assert isinstance(error, RateLimitedError)
    assert error.retry_at - NOW == timedelta(seconds=wait)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, body=b""), WireError),
        (Reply(200, body=b"<html>sorry"), RefusedError),
        (Reply(200, body=b"[1]"), WireError),
        (Reply(301, Headers([("location", "https://elsewhere.example/")])), HydrophoneError),
        (Reply(503, body=b"<html>down"), FaultyServiceError),
        (Reply(418, body=b"\xff\xfe"), HydrophoneError),
        (Reply(200, body=b'{"errors": []}'), NotFoundError),
        (Reply(200, body=b'{"data": {"state": "live"}}'), HydrophoneError),
        (Reply(200, body=b'{"data":' + b"[" * 5000 + b"]" * 5000 + b"}"), WireError),
    ],
)
def test_odd_answers_are_typed_errors(reply: Reply, kind: type[HydrophoneError]) -> None:
    with pytest.raises(kind):
        Talk(reply).ask(space_by_id(session(), LIVE))


def test_an_unknown_state_is_unknown_and_not_fatal() -> None:
    space = Talk(json_reply({"data": {"id": LIVE, "state": "Simmering"}})).ask(space_by_id(session(), LIVE))
    assert (space.state.value, space.state_text) == ("unknown", "Simmering")


@pytest.mark.parametrize("name", names("oauth.error", "oauth.app-token.refused"))
def test_token_endpoints_tell_the_user_from_the_app(name: str) -> None:
    error = token_error(reply_of(name))
    kinds = {"basic": SettingsError, "refused": SettingsError, "code": NotSignedInError, "refresh": NotSignedInError}
    assert type(error) is kinds.get(name.rpartition(".")[2], InvalidRequestError)


def test_search_does_not_take_ended() -> None:
    with pytest.raises(ValueError):
        SearchState("ended")

"""Changed samples: whatever the service sends, a question ends in a value or in an error of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydrophone.errors import HydrophoneError
from hydrophone.http.messages import Headers, Reply
from hydrophone.xapi.events import read_pushed
from hydrophone.xapi.oauth import app_token, exchange_code, token_error
from hydrophone.xapi.problems import refusal_error
from xapi.test_xapi_samples import NEVER_SENT, PUSHES, READS
from xapi.test_xapi_tokens import CONSENT
from xapi.xapi_questions import question_for
from xapi.xapi_talk import NOW, Talk, consumer_keys, names, oauth_app, reply_of, sample, session

ASKED = sorted({*READS, *PUSHES} - NEVER_SENT)
REFUSED = names("error.4", "error.5", "oauth.error")
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 70), 1 << 70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["", "\ud800", "0001-01-01T00:00:00Z", "9" * 400, [], {}, [[]], {"id": None}, [None, 1, {}], "ended"]
    ),
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*here, key))


def changed(value: Any, path: tuple[Any, ...], new: Any, *, drop: bool) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and drop:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(value[path[0]], path[1:], new, drop=drop)
    return copy


@st.composite
def spoilt(draw: st.DrawFn, samples: list[str]) -> tuple[str, Reply]:
    name = draw(st.sampled_from(samples))
    facts = sample(name)["response"]
    body = facts.get("body")
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(paths(body))))
        body = changed(body, path, draw(ODD), drop=bool(path) and draw(st.booleans()))
    data = json.dumps(body).encode()
    if draw(st.integers(0, 9)) == 0:
        data = data[: draw(st.integers(0, len(data)))]
    status = draw(st.sampled_from([facts["status"]] * 5 + [200, 400, 401, 402, 403, 404, 429, 500]))
    return name, Reply(status, Headers(list(facts["headers"].items())), data)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spoilt(ASKED))
def test_a_spoilt_answer_is_a_value_or_an_error_of_ours(case: tuple[str, Reply]) -> None:
    name, reply = case
    auth = sample(name)["request"]["auth"].split(":")[0]
    talk = Talk(reply)
    with suppress(HydrophoneError):
        assert repr(talk.ask(question_for(name, session(auth=auth))))
    assert len(talk.requests) <= 110


@settings(max_examples=200, deadline=None)
@given(spoilt(REFUSED))
def test_a_spoilt_refusal_is_an_error_of_ours(case: tuple[str, Reply]) -> None:
    _, reply = case
    error = refusal_error(reply, endpoint="x", now=NOW)
    assert (error is None) == (200 <= reply.status < 300 and reply.body.lstrip()[:1] != b"<")
    assert isinstance(token_error(reply), HydrophoneError)


@settings(max_examples=150, deadline=None)
@given(spoilt(names("oauth.token", "oauth.app-token")))
def test_spoilt_tokens_are_refused_or_usable(case: tuple[str, Reply]) -> None:
    for call in (exchange_code(oauth_app(), CONSENT, "code"), app_token(consumer_keys())):
        with suppress(HydrophoneError):
            assert Talk(case[1]).ask(call)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(names("activity.event.")), st.data())
def test_a_spoilt_event_is_read_or_refused(name: str, data: st.DataObject) -> None:
    body = sample(name)["body"]
    path = data.draw(st.sampled_from(list(paths(body))))
    line = json.dumps(changed(body, path, data.draw(ODD), drop=False)).encode()
    for bad in (line, line[: data.draw(st.integers(0, len(line)))]):
        try:
            pushed = read_pushed(bad)
        except HydrophoneError:
            continue
        for event in pushed.events:
            assert event.resource
            event.sighting(NOW)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([200, 400, 403, 429, 503]))
def test_any_bytes_are_an_error_of_ours_or_nothing(body: bytes, status: int) -> None:
    try:
        Talk(Reply(status, body=body)).ask(question_for("space.default", session()))
    except HydrophoneError:
        pass


def test_a_whole_answer_is_kept_as_it_came() -> None:
    answer = Talk(reply_of("search.full.legacy")).ask(question_for("search.full.legacy", session()))
    assert answer.raw == (sample("search.full.legacy")["response"]["body"],)

"""Access and history as questions: pairs, tokens, pages, renewal, and a service that is young, gone or in a circle."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from chat_building import ROOM, caption, load
from hydrophone.chat.access import ChatPass, ask_access, read_chat_token
from hydrophone.chat.history import HistoryEnd, HistoryWalk, history_page, walk_history
from hydrophone.errors import (
    FaultyServiceError,
    NotFoundError,
    RateLimitedError,
    RefusedError,
    TooLargeError,
    WireError,
)
from hydrophone.http.messages import Headers, Question, Reply, Request

T = TypeVar("T")
NOW = datetime(2026, 3, 3, 19, 5, tzinfo=UTC)
Answer = Reply | Exception


def token(**claims: Any) -> str:
    """A chat token as the service makes them; nobody checks its signature."""
    hidden = base64.b64encode(json.dumps({"TwitterUserId": 1705}).encode()).decode()
    facts = {"exp": int(NOW.timestamp()) + 86_400, "ambiguous_user_id": hidden, "broadcast_id": ROOM, **claims}
    return ".".join(["head", base64.urlsafe_b64encode(json.dumps(facts).encode()).decode().rstrip("="), "sig"])


def reply(content: Any = None, status: int = 200, **headers: str) -> Reply:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Reply(status, Headers(pairs), b"" if content is None else json.dumps(content).encode())


def talk(question: Question[T], *answers: Answer) -> tuple[T, list[Request]]:
    """Drive a question with these answers, which must be just enough."""
    left, asked = list(answers), []
    try:
        request = next(question)
        while True:
            asked.append(request)
            answer = left.pop(0)
            request = question.throw(answer) if isinstance(answer, Exception) else question.send(answer)
    except StopIteration as end:
        assert left == []
        return end.value, asked


def access(answer: Answer, **options: Any) -> ChatPass:
    found, _ = talk(ask_access(token(), now=lambda: NOW, **options), answer)
    assert found is not None
    return found


# ---------------------------------------------------------------- access


def test_access_is_asked_as_the_service_wants_it() -> None:
    found, (request,) = talk(ask_access(token(), now=lambda: NOW), reply(load("access_chat_public.live.json")))

    assert (request.method, request.service, request.target) == ("POST", "proxsee", "/api/v2/accessChatPublic")
    assert json.loads(request.body or b"") == {"chat_token": token()}
    assert request.headers["x-periscope-user-agent"] == "Twitter/m5"
    assert request.headers["x-attempt"] == "1"
    assert len(request.headers["x-idempotence"]) >= 16
    assert request.credential is None
    assert found is not None
    assert (found.room_id, found.participant_index, found.is_replay) == (ROOM, 524288005, False)
    assert found.endpoint == "https://prod-chatman-ancillary-eu-central-1.pscp.tv"
    assert found.expires_at == NOW + timedelta(hours=24)


def test_tokens_are_in_no_repr() -> None:
    found, (request,) = talk(ask_access(token(), now=lambda: NOW), reply(load("access_chat_public.replay.json")))

    for shown in (repr(found), repr(request), str(found)):
        assert "kG_" not in shown
        assert "feQ" not in shown
        assert token() not in shown


def test_the_replay_pair_is_taken_when_it_is_over_and_the_other_one_is_kept_for_trouble() -> None:
    answer = load("access_chat_public.replay.json")
    same = access(reply(answer), is_over=True)
    two = access(reply({**answer, "endpoint": "https://live.pscp.tv", "access_token": "a"}), is_over=True)
    live = access(reply({**answer, "endpoint": "https://live.pscp.tv", "access_token": "a"}))

    assert (same.is_replay, same.other) == (True, None)
    assert two.endpoint.startswith("https://chatman-replay")
    assert two.other is not None
    assert two.other.endpoint == "https://live.pscp.tv"
    assert (live.endpoint, live.is_replay) == ("https://live.pscp.tv", False)


def test_a_minimal_answer_and_a_room_that_is_a_number_are_enough() -> None:
    assert access(reply(load("access_chat_public.minimal.json"))).room_id == ROOM
    assert access(reply({**load("access_chat_public.minimal.json"), "room_id": 77})).room_id == "77"


@pytest.mark.parametrize("text", ["...", "", None, "a.b", "a.!!.c", "x" * 20_000, "a." + "e30" + ".c.d"])
def test_a_token_that_is_none_means_no_chat_and_no_error(text: str | None) -> None:
    assert read_chat_token(text) is None
    assert talk(ask_access(text)) == (None, [])


def test_a_token_tells_its_end_its_room_and_whose_it_is() -> None:
    facts = read_chat_token(token(participant_index=5))

    assert facts is not None
    assert (facts.own_user_id, facts.broadcast_id, facts.participant_index) == ("1705", ROOM, 5)
    assert read_chat_token(token(exp="never", ambiguous_user_id=7)) is not None
    chat = access(reply(load("access_chat_public.live.json")))
    assert not chat.needs_renewal(NOW)
    assert chat.needs_renewal(NOW + timedelta(hours=23, minutes=55))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(status=400), RefusedError),
        (reply(status=401), RefusedError),
        (reply(status=403), RefusedError),
        (reply(status=404), NotFoundError),
        (reply(status=429), RateLimitedError),
        (reply(status=500), FaultyServiceError),
        (reply(status=302), WireError),
        (reply({}), WireError),
        (reply({"endpoint": 5, "access_token": []}), WireError),
        (Reply(200, body=b"<html>"), WireError),
    ],
)
def test_a_refused_access_says_why(answer: Reply, error: type[Exception]) -> None:
    with pytest.raises(error):
        access(answer)


def test_a_pause_that_is_asked_for_is_kept_within_reason() -> None:
    for asked, seconds in (("30", 30), ("999999", 3600), ("soon", 60)):
        with pytest.raises(RateLimitedError) as caught:
            access(reply(status=429, retry_after=asked))
        assert caught.value.retry_at == NOW + timedelta(seconds=seconds)


# ---------------------------------------------------------------- history

CHAT = ChatPass(endpoint="https://chat.pscp.tv", access_token="first", room_id=ROOM)
FRESH = ChatPass(endpoint="https://chat.pscp.tv", access_token="second", room_id=ROOM)


def page(cursor: str, *uuids: str) -> Reply:
    return reply({"messages": [caption("a", one, 1.0, uuid=one) for one in uuids], "cursor": cursor})


def walked(*answers: Answer, chat: ChatPass = CHAT, **options: Any) -> tuple[HistoryWalk, list[int], list[Request]]:
    sizes: list[int] = []
    walk, asked = talk(
        walk_history(chat, lambda messages: sizes.append(len(messages)), now=lambda: NOW, **options), *answers
    )
    return walk, sizes, asked


def bodies(asked: list[Request]) -> list[Any]:
    return [json.loads(request.body or b"") for request in asked]


def renewing(*passes: ChatPass | None) -> Callable[[], Question[ChatPass | None]]:
    left = list(passes)

    def renew() -> Question[ChatPass | None]:
        yield from ()
        return left.pop(0)

    return renew


def test_the_pages_of_the_scene_are_walked_to_the_end() -> None:
    pages = [load(f"history.page{number}.json") for number in (1, 2, 3)]
    walk, sizes, asked = walked(*map(reply, pages))

    assert (walk.end, walk.messages, walk.pages, sizes) == (HistoryEnd.COMPLETE, 252, 3, [100, 101, 53])
    assert walk.cursor == pages[1]["cursor"]
    assert [body["cursor"] for body in bodies(asked)] == ["", pages[0]["cursor"], pages[1]["cursor"]]
    assert asked[0].target == "https://chat.pscp.tv/chatapi/v1/history"
    expected = load("history.request.json")
    assert list(bodies(asked)[0]) == list(expected)
    assert bodies(asked)[0] | {"access_token": ""} == expected | {"access_token": ""}


def test_polling_with_nothing_new_ends_at_once_and_keeps_its_cursor() -> None:
    walk, sizes, _ = walked(reply(load("history.poll_nothing_new.json")), cursor="sxRdS9y8bp5TdMwSMkz_sR3vRt6t")

    assert (walk.end, walk.cursor, sizes) == (HistoryEnd.COMPLETE, "sxRdS9y8bp5TdMwSMkz_sR3vRt6t", [0])


def test_the_last_page_may_have_messages_and_an_empty_cursor() -> None:
    walk, sizes, _ = walked(page("c1", "a"), page("", "a", "b"))

    assert (walk.end, walk.messages, walk.cursor, sizes) == (HistoryEnd.COMPLETE, 2, "c1", [1, 2])


def test_a_circle_of_cursors_is_left_after_a_page_that_brings_nothing_new() -> None:
    walk, sizes, _ = walked(page("c1", "a"), page("c2", "b"), page("c1", "a", "b"))

    assert (walk.end, sizes) == (HistoryEnd.CIRCLE, [1, 1, 2])


def test_a_cursor_that_never_changes_is_followed_while_messages_come() -> None:
    walk, _, _ = walked(page("c", "a"), page("c", "b"), page("c", "c"), page("c"))

    assert (walk.end, walk.messages) == (HistoryEnd.COMPLETE, 3)


def test_empty_pages_with_ever_new_cursors_end() -> None:
    walk, _, _ = walked(page("1"), page("2"), page("3"))

    assert (walk.end, walk.cursor) == (HistoryEnd.COMPLETE, "3")


def test_an_expired_token_is_renewed_and_the_same_page_asked_again() -> None:
    walk, sizes, asked = walked(page("c1", "a"), reply(status=401), page("", "b"), renew=renewing(FRESH))

    assert (walk.end, walk.chat, sizes) == (HistoryEnd.COMPLETE, FRESH, [1, 1])
    assert [(body["access_token"], body["cursor"]) for body in bodies(asked)] == [
        ("first", ""),
        ("first", "c1"),
        ("second", "c1"),
    ]


def test_a_token_that_dies_again_and_again_ends_the_walk() -> None:
    assert walked(reply(status=403))[0].end is HistoryEnd.EXPIRED
    assert walked(reply(status=403), reply(status=403), renew=renewing(FRESH))[0].end is HistoryEnd.EXPIRED
    assert walked(reply(status=403), renew=renewing(None))[0].end is HistoryEnd.EXPIRED


def test_the_second_pair_is_tried_once() -> None:
    both = ChatPass(endpoint="https://one.pscp.tv", access_token="first", room_id=ROOM, other=FRESH)
    for status in (401, 404, 503):
        walk, _, asked = walked(reply(status=status), page("", "a"), chat=both)
        assert (walk.end, walk.chat) == (HistoryEnd.COMPLETE, FRESH)
        assert [body["access_token"] for body in bodies(asked)] == ["first", "second"]


def test_a_chat_past_its_retention_is_gone_and_what_came_before_stays() -> None:
    walk, sizes, _ = walked(page("c1", "a"), reply(status=503))

    assert (walk.end, walk.messages, sizes) == (HistoryEnd.GONE, 1, [1])


def test_a_chat_that_is_too_young_is_waited_for() -> None:
    walk, _, asked = walked(reply(status=404), reply(status=404), page("", "a"), is_young=True)

    assert walk.end is HistoryEnd.COMPLETE
    assert [request.wait_seconds for request in asked] == [0.0, 5.0, 5.0]
    assert walked(reply(status=404))[0].end is HistoryEnd.YOUNG
    assert walked(*[reply(status=404)] * 15, is_young=True)[0].end is HistoryEnd.YOUNG


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones() -> None:
    walk, _, asked = walked(TooLargeError("too much", limit_bytes=1), page("c", "a"), page("", "b"))

    assert walk.messages == 2
    assert [body["limit"] for body in bodies(asked)] == [1000, 100, 100]
    with pytest.raises(TooLargeError):
        walked(TooLargeError("too much", limit_bytes=1), TooLargeError("too much", limit_bytes=1))


def test_trouble_of_the_moment_is_raised_for_the_caller_to_wait() -> None:
    for answer, error in ((reply(status=500), FaultyServiceError), (reply(status=429), RateLimitedError)):
        with pytest.raises(error):
            walked(answer)


def test_a_page_that_is_none_is_asked_for_again_a_few_times() -> None:
    odd = (Reply(200, body=b"<html>"), Reply(200, body=b'{"messages":[{"ki'), reply({"errors": [{"code": 0}]}))

    walk, _, asked = walked(page("c", "a"), *odd, page("d", "b"), *odd, page("", "e"))

    assert (walk.messages, walk.end) == (3, HistoryEnd.COMPLETE)
    assert [body["cursor"] for body in bodies(asked)] == ["", "c", "c", "c", "c", "d", "d", "d", "d"]
    assert [request.wait_seconds > 0 for request in asked[1:5]] == [False, True, True, True]
    with pytest.raises(WireError):
        walked(*[odd[0]] * 5)


def test_a_page_of_another_shape_is_an_empty_one() -> None:
    assert walked(reply({"messages": "none", "cursor": 5}), page("5"))[0].messages == 0
    assert walked(reply({}))[0].end is HistoryEnd.COMPLETE
    assert walked(reply({"messages": [], "cursor": "x" * 5000}))[0].end is HistoryEnd.COMPLETE


def test_one_page_can_be_asked_for_from_an_instant_on() -> None:
    call = history_page(CHAT, "c", limit=100, since_ns=5, now=lambda: NOW)

    body = json.loads(call.request.body or b"")
    assert (body["limit"], body["since"], body["cursor"]) == (100, 5, "c")
    assert call.read(page("n", "a")).cursor == "n"

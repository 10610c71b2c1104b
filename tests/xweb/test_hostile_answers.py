"""Whatever an answer looks like, the client gives a typed value or a typed error, and in bounded time."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydrophone.errors import HydrophoneError, WireError
from hydrophone.http.messages import Headers, Question, Reply
from hydrophone.model import BroadcastId, EventId, MediaKey, PostId, Space, SpaceId, UserId
from hydrophone.xweb.broadcasts import broadcasts_by_ids, event_broadcast
from hydrophone.xweb.fleets import spaces_of_followed, spaces_of_users
from hydrophone.xweb.people import user_by_handle
from hydrophone.xweb.posts import post_target, posts_with_targets
from hydrophone.xweb.searching import search_spaces, space_topics
from hydrophone.xweb.session import WebSession
from hydrophone.xweb.spaces import space_by_id, space_by_rest_id
from hydrophone.xweb.streams import read_token_owner, stream_by_media_key
from xweb.talk import OWN_ID, SAMPLES, Talk, json_reply, sample_json, signed_in

ID = SpaceId("1hydroPhoneXZ")
Asking = Callable[[WebSession], Question[Any]]

QUESTIONS: dict[str, Asking] = {
    "audiospace_by_id": lambda session: space_by_id(session, ID),
    "audiospace_by_rest_id": lambda session: space_by_rest_id(session, ID),
    "stream_status": lambda session: stream_by_media_key(session, MediaKey("28_2028900765724049408")),
    "broadcasts_show": lambda session: broadcasts_by_ids(session, [BroadcastId("1harbourVideo")]),
    "live_event_timeline": lambda session: event_broadcast(session, EventId("1")),
    "user_by_screen_name": lambda session: user_by_handle(session, "mara_lind"),
    "avatar_content": lambda session: spaces_of_users(session, [UserId("1701000000000000001")]),
    "fleetline": lambda session: spaces_of_followed(session),
    "audio_space_search": lambda session: search_spaces(session, "tapes"),
    "browse_space_topics": lambda session: space_topics(session),
    "tweet_result_by_rest_id": lambda session: post_target(session, PostId("1")),
    "user_tweets": lambda session: posts_with_targets(session, UserId("1"), pages=2),
}
CASES = [
    (name, question)
    for path in sorted(SAMPLES.glob("*.json"))
    for prefix, question in QUESTIONS.items()
    if (name := path.name).startswith(prefix + ".")
]

JUNK: list[Any] = [None, True, 0, -1, 10**30, 1.5, float("inf"), float("nan"), "", "junk", "\ud800", "9" * 400, [], {}]
JUNK += [
    [None],
    {"": None},
    {"rest_id": []},
    [[[[]]]],
    "../../x",
    "2026-99-99T99:99:99Z",
    "0001-01-01T00:00:00Z",
    [1, "a"],
]


def places_in(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where all nodes of a JSON value are."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place, *(found for key in keys for found in places_in(value[key], (*place, key)))]


def mutate(value: Any, place: tuple[Any, ...], draw: Callable[[Any], Any]) -> Any:
    if not place:
        return draw(st.sampled_from(JUNK))
    holder = value
    for key in place[:-1]:
        try:
            holder = holder[key]
        except (TypeError, LookupError):  # an earlier mutation has removed the way
            return value
    last = place[-1]
    if isinstance(holder, dict) and last in holder:
        how = draw(st.sampled_from(["replace", "drop", "rename"]))
        old = holder.pop(last)
        if how == "replace":
            holder[last] = draw(st.sampled_from(JUNK))
        elif how == "rename":
            holder[f"{last}_v2"] = old
    elif isinstance(holder, list) and isinstance(last, int) and last < len(holder):
        holder[last] = draw(st.sampled_from(JUNK))
    return value


def ask(question: Asking, reply: Reply) -> Any:
    """The answer where everything is answered alike, None for a typed error; anything else is a failure."""
    try:
        return Talk(("", reply)).ask(question(signed_in()))
    except HydrophoneError as error:
        error.message.encode()
        return None


@pytest.mark.parametrize(("name", "question"), CASES, ids=[name for name, _ in CASES])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_mutated_answers_give_values_or_typed_errors(name: str, question: Asking, data: st.DataObject) -> None:
    original = sample_json(name)
    body = copy.deepcopy(original)
    places = places_in(original)
    for _ in range(data.draw(st.integers(1, 3))):
        body = mutate(body, data.draw(st.sampled_from(places)), data.draw)

    answer = ask(question, json_reply(body))

    if isinstance(answer, Space):
        repr(answer).encode()
        json.dumps(answer.raw, ensure_ascii=False).encode()


@given(st.binary(max_size=200), st.sampled_from(sorted(QUESTIONS)))
def test_any_bytes_give_a_typed_error(body: bytes, name: str) -> None:
    ask(QUESTIONS[name], Reply(200, Headers(), body))


@pytest.mark.parametrize("depth", [300, 10_000, 100_000])
def test_deep_nesting_is_a_wire_error(depth: int) -> None:
    body = b'{"data":{"audioSpace":{"metadata":{"rest_id":"1hydroPhoneXZ","x":' + b"[" * depth + b"]" * depth + b"}}}}"

    with pytest.raises(WireError):
        Talk(("", Reply(200, Headers(), body))).ask(space_by_id(signed_in(), ID))


def test_fifty_thousand_participants_are_read() -> None:
    body = sample_json("audiospace_by_id.running.json")
    roster = body["data"]["audioSpace"]["participants"]
    roster["listeners"] *= 16_667

    space = Talk(("", json_reply(body))).ask(space_by_id(signed_in(), ID))

    assert len(space.participants) == 2 + 2 * 16_667
    assert OWN_ID not in json.dumps(space.raw)


def test_a_title_of_five_megabytes_is_a_title() -> None:
    body = sample_json("audiospace_by_id.running.json")
    body["data"]["audioSpace"]["metadata"]["title"] = "x" * 5_000_000

    assert len(Talk(("", json_reply(body))).ask(space_by_id(signed_in(), ID)).title) == 5_000_000


def test_lone_surrogates_reach_neither_values_nor_raw_record() -> None:
    body = sample_json("audiospace_by_id.running.json")
    body["data"]["audioSpace"]["metadata"]["title"] = "a\ud83cb"
    body["data"]["audioSpace"]["metadata"]["\udfff"] = ["\ud800", "🎧"]

    space = Talk(("", json_reply(body))).ask(space_by_id(signed_in(), ID))

    assert space.title == "a�b"
    assert space.raw["metadata"]["�"] == ["�", "🎧"]


@given(st.text(max_size=60) | st.lists(st.text(max_size=20), min_size=3, max_size=3).map(".".join))
def test_any_text_can_be_looked_at_as_a_chat_token(token: str) -> None:
    owner = read_token_owner(token)

    assert owner is None or owner.isdigit()

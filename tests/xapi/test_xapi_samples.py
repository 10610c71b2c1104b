"""Every sample of an answer: the request that leads to it, and what is read from it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hydrophone.errors import HydrophoneError, InvalidRequestError, NotFoundError
from hydrophone.model import Role, SpaceId, SpaceState, UserId
from hydrophone.xapi.answers import Answer
from hydrophone.xapi.events import read_pushed
from hydrophone.xapi.spaces import space_by_id
from xapi.xapi_questions import question_for
from xapi.xapi_talk import NOW, Talk, body_of, names, query_of, reply_of, sample, session, world

READS = names(
    "space.", "spaces.", "creators.", "search.", "buyers.", "tweets.", "user.", "usage.", "broadcast", "scheduled."
)
PUSHES = [one for one in names("activity.", "webhook.") if sample(one).get("request", {}).get("target")]
#: What no caller of ours can send: it is refused before.
NEVER_SENT = {"scheduled.create.refused", "activity.too-many-connections"}
#: Sizes of pages and the default state are always said.
FREE_TO_DIFFER = {"max_results", "state"}


def ask(name: str, **options: Any) -> tuple[Any, Talk]:
    talk = Talk(reply_of(name))
    auth = sample(name)["request"]["auth"].split(":")[0]
    return talk.ask(question_for(name, session(auth=auth, **options))), talk


@pytest.mark.parametrize("name", sorted({*READS, *PUSHES} - NEVER_SENT))
def test_every_sample_is_asked_for_and_read(name: str) -> None:
    facts = sample(name)
    talk = Talk(reply_of(name))
    auth = facts["request"]["auth"].split(":")[0]
    try:
        value = talk.ask(question_for(name, session(auth=auth)))
    except (NotFoundError, InvalidRequestError) as error:
        value = error
    path, params = query_of(name)
    request = talk.requests[0]
    assert (request.method, request.target) == (facts["request"]["method"], path)
    asked = {key: text for key, text in params.items() if key not in FREE_TO_DIFFER}
    ours = {key: text for key, text in request.params.items() if key in asked}
    in_order = {key: sorted(text.split(",")) for key, text in asked.items()}
    assert {key: sorted(text.split(",")) for key, text in ours.items()} == in_order
    assert set(request.params) - set(asked) <= FREE_TO_DIFFER | {"max_results"}
    assert body_of(request) == facts["request"].get("json")
    _check_value(facts["response"]["body"], value)


def _check_value(body: Any, value: Any) -> None:
    data = body.get("data")
    if isinstance(value, HydrophoneError):
        assert data is None
    elif isinstance(value, Answer):
        assert len(value.items) == len(data or [])
        assert [getattr(item, "id", None) for item in value.items] == [
            one.get("id") or one.get("broadcast_id") or one.get("subscription_id") for one in data or []
        ]
        assert len(value.problems) == len(body.get("errors", []))
        assert value.raw == (body,)
    elif isinstance(data, dict) and hasattr(value, "id"):
        inner = data.get("subscription", data)
        assert value.id in inner.values()


def test_a_whole_space_is_read_alike_in_both_dialects() -> None:
    (legacy, _), (current, _) = ask("space.full.legacy"), ask("space.full.current")

    assert asdict(legacy) | {"raw": 0} == asdict(current) | {"raw": 0}
    assert (legacy.state, legacy.title) == (SpaceState.LIVE, "Harbour tapes: the Tuesday listening room 🎧")
    assert legacy.started_at == datetime(2026, 3, 3, 19, 0, 2, tzinfo=UTC)
    assert (legacy.participant_count, legacy.subscriber_count, legacy.is_ticketed) == (37, 18, False)
    assert [(one.role, one.handle) for one in legacy.participants] == [
        (Role.CREATOR, "mara_lind"),
        (Role.SPEAKER, "tobi_quist"),
    ]
    assert legacy.creator is not None
    assert (legacy.creator.followers, legacy.creator.posts) == (4821, 1403)
    assert legacy.invited == ("1703000000000000003",)
    assert legacy.topics == ("Field recording", "Oceanography")
    assert legacy.language == "en"
    assert legacy.raw["id"] == legacy.id


def test_an_id_that_did_not_come_is_unknown_and_remembered() -> None:
    talk = Talk(reply_of("space.ids-not-expanded.current"))
    known = session()

    space = talk.ask(space_by_id(known, SpaceId("1hydroPhoneXZ")))

    assert space.creator is None
    assert known.ids_by_expansion_only


def test_an_ended_and_a_canceled_space_are_states_and_no_errors() -> None:
    assert ask("space.ended.legacy")[0].state is SpaceState.ENDED
    canceled, _ = ask("space.canceled.legacy")
    assert canceled.state is SpaceState.CANCELED
    assert canceled.scheduled_at == datetime(2026, 3, 1, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["space.not-found.current", "space.not-found.legacy", "space.not-found-404.current", "user.not-found"]
)
def test_what_is_not_there_is_not_found_however_the_service_says_it(name: str) -> None:
    with pytest.raises(NotFoundError, match="no such"):
        ask(name)


@pytest.mark.parametrize("name", ["spaces.partial.current", "spaces.partial.legacy"])
def test_a_problem_beside_data_costs_no_data(name: str) -> None:
    answer, _ = ask(name)

    assert [space.id for space in answer] == ["1hydroPhoneXZ"]
    assert answer.not_found == ("1goneWithTide",)


def test_nothing_found_of_many_is_an_empty_answer() -> None:
    answer, _ = ask("spaces.none-found")
    assert (len(answer), answer.not_found) == (0, ("1goneWithTide",))


def test_posts_of_an_ended_space_are_not_found_and_those_of_a_silent_one_none() -> None:
    with pytest.raises(NotFoundError):
        ask("tweets.ended.legacy")
    assert ask("tweets.none")[0].items == ()


def test_posts_are_read_alike_in_both_dialects() -> None:
    (legacy, _), (current, _) = ask("tweets.legacy"), ask("tweets.current")

    assert legacy.items == current.items
    first = legacy.items[0]
    assert (first.author_id, first.reposts, first.views) == ("1701000000000000001", 4, 2350)
    assert legacy.included.users[UserId("1701000000000000001")].posts == 1403
    assert current.included.users == legacy.included.users


def test_credits_and_usage_are_numbers() -> None:
    balance, _ = ask("usage.credits")
    assert balance.total == Decimal("18.42")
    usage, _ = ask("usage.tweets.current")
    assert (usage.used, usage.cap, usage.reset_day) == (412, 3_000_000, 12)
    assert [count for _, count in sorted(usage.days.items())] == [3, 6]


def test_an_own_broadcast_is_read_without_its_stream_key() -> None:
    broadcast, _ = ask("broadcast")

    assert broadcast.state is SpaceState.LIVE
    assert (broadcast.viewers, broadcast.viewers_total, broadcast.width) == (118, 1768, 1920)
    assert broadcast.started_at == datetime(2026, 3, 3, 21, 12, tzinfo=UTC)
    assert broadcast.media_key == "28_2028940979263766528"
    assert "source_id" not in broadcast.raw


def test_chat_messages_name_their_authors() -> None:
    answer, _ = ask("broadcast.chat")

    assert [message.text for message in answer] == ["is that the ferry?", "hello from Utrecht"]
    assert [message.author.handle for message in answer] == ["ines_varga", "pell_osei"]
    assert answer.next_token is not None


@pytest.mark.parametrize("name", names("activity.event."))
def test_every_event_is_read(name: str) -> None:
    body = sample(name)["body"]
    (event,) = read_pushed(json.dumps(body).encode()).events

    assert event.uuid == body["data"]["event_uuid"]
    assert event.type == body["data"]["event_type"]
    if event.type.startswith("spaces."):
        assert event.space_id == "1hydroPhoneXZ"
        sighting = event.sighting(NOW)
        assert sighting is not None
        assert (sighting.kind.value, sighting.creator_id) == (
            "live" if event.type == "spaces.start" else "ended",
            "1701000000000000001",
        )
    else:
        assert event.sighting(NOW) is None


def test_the_worked_example_of_cost_holds() -> None:
    ours = session(auth="app")
    costs = []
    for name in ("spaces.fields.legacy", "search.default", "spaces.fields.legacy"):
        before = ours.ledger.run.cost
        Talk(reply_of(name)).ask(question_for(name, ours))
        costs.append(ours.ledger.run.cost - before)

    assert costs == [Decimal("0.020"), Decimal("0.010"), Decimal(0)]


def test_the_samples_hold_no_secret_in_any_repr() -> None:
    secrets = [facts["token"] for facts in world()["tokens"].values()]
    ours = session()
    talk = Talk(reply_of("space.default"))
    talk.ask(question_for("space.default", ours))
    said = repr((talk.requests, ours.app, ours.user, ours.user.tokens if ours.user else ""))

    assert not [secret for secret in secrets if secret in said]

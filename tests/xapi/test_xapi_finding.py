"""Finding by words and creators, walking over pages, and one Space out of several sources."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hydrophone.errors import InvalidRequestError, NotFoundError
from hydrophone.http.messages import Reply, Request
from hydrophone.model import (
    Known,
    MediaKey,
    Participant,
    Role,
    Source,
    Space,
    SpaceId,
    SpaceState,
    User,
    UserId,
    merge_space,
)
from hydrophone.xapi.finding import each_space, find_spaces, spaces_by_creators
from hydrophone.xapi.paging import Walk, each, walk_all
from hydrophone.xapi.spacepages import walk_buyers, walk_posts
from hydrophone.xapi.spaces import SearchState, spaces_by_ids
from xapi.xapi_talk import NOW, Talk, json_reply, reply_of, sample, session

LIVE = SpaceId("1hydroPhoneXZ")
TICKET = SpaceId("1memberShopQZ")


class Desk:
    """A talk that is awaited."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk

    async def ask(self, question: Any) -> Any:
        return self.talk.ask(question)


def hits(*names: str, **facts: Any) -> Reply:
    data = [{"id": name, "state": "live", **facts} for name in names]
    return json_reply({"data": data, "meta": {"result_count": len(data)}} if data else {"meta": {"result_count": 0}})


# ---------------------------------------------------------------- by words


def test_spaces_are_found_by_several_phrases_each_once() -> None:
    talk = Talk(hits("1a", "1b"), hits("1b", "1c"))
    answer = talk.ask(find_spaces(session(), "tides", "tides", "gulls"))
    assert [space.id for space in answer] == ["1a", "1b", "1c"]
    assert [request.params["query"] for request in talk.requests] == ["tides", "gulls"]


def test_a_search_that_is_cut_off_is_split_by_state() -> None:
    full = hits(*(f"1a{number}" for number in range(100)))
    talk = Talk(full, full, hits("1b"))
    answer = talk.ask(find_spaces(session(), "tides"))
    assert [request.params["state"] for request in talk.requests] == ["all", "live", "scheduled"]
    assert len(answer) == 101
    assert answer.is_cut_off


def test_language_and_size_are_sifted_here() -> None:
    body = {
        "data": [
            {"id": "1a", "state": "live", "lang": "en-GB", "participant_count": 9},
            {"id": "1b", "state": "live", "lang": "eng", "participant_count": 99},
            {"id": "1c", "state": "live", "lang": "en", "participant_count": 2},
            {"id": "1d", "state": "live"},
        ]
    }
    answer = Talk(json_reply(body)).ask(find_spaces(session(), "x", language="EN", min_participants=5))
    assert [space.id for space in answer] == ["1a"]


async def test_spaces_come_as_they_are_found() -> None:
    talk = Talk(hits("1a", "1b"), hits("1b", "1c"))
    found = each_space(Desk(talk), session(), "tides")
    assert (await anext(found)).id == "1a"
    assert len(talk.requests) == 1
    assert [space.id async for space in found] == ["1b", "1c"]
    assert [request.params["state"] for request in talk.requests] == [SearchState.LIVE, SearchState.SCHEDULED]


# ---------------------------------------------------------------- by creators


def test_creators_are_named_in_any_way_and_names_are_paid_once() -> None:
    def answer(request: Request) -> Reply:
        if "username" in request.target:
            return reply_of("user.not-found" if "nobody" in request.target else "user.by-username.legacy")
        return hits("1a")

    ours, talk = session(), Talk(answer)
    for _ in range(2):
        found = talk.ask(spaces_by_creators(ours, ["@mara_lind", "1707000000000000007", "nobody_here_x"]))
    assert [space.id for space in found] == ["1a"]
    assert found.problems[0].is_not_found
    assert talk.sent["user_ids"] == "1701000000000000001,1707000000000000007"
    assert [request.target.rpartition("/")[2] for request in talk.requests].count("mara_lind") == 1
    with pytest.raises(NotFoundError):
        talk.ask(spaces_by_creators(ours, ["nobody_here_x"]))


def test_a_lone_creator_is_known_without_asking_for_them() -> None:
    found = Talk(hits("1a")).ask(spaces_by_creators(session(), ["1706000000000000006"]))
    assert found.items[0].creator == User(id=UserId("1706000000000000006"))


def test_many_ids_are_split_and_joined_in_order() -> None:
    ids = [SpaceId(f"1Aa{number:04}") for number in range(250)]

    def answer(request: Request) -> Reply:
        return hits(*reversed(request.params["ids"].split(",")))

    talk = Talk(answer)
    found = talk.ask(spaces_by_ids(session(), [*ids, ids[0]]))
    assert [space.id for space in found] == ids
    assert [len(request.params["ids"].split(",")) for request in talk.requests] == [100, 100, 50]


# ---------------------------------------------------------------- pages


def test_pages_are_walked_to_their_end() -> None:
    talk = Talk(reply_of("buyers.page1.legacy"), reply_of("buyers.page2.legacy"))
    answer = talk.ask(walk_all(walk_buyers(session(), TICKET, max_results=2), lambda user: user.id))
    assert [user.handle for user in answer] == ["ines_varga", "pell_osei", "deck_hand"]
    token = sample("buyers.page1.legacy")["response"]["body"]["meta"]["next_token"]
    assert talk.sent["pagination_token"] == token


async def test_a_page_is_only_paid_for_when_it_is_needed() -> None:
    talk = Talk(reply_of("buyers.page1.legacy"), reply_of("buyers.page2.legacy"))
    buyers = each(Desk(talk), walk_buyers(session(), TICKET, max_results=2))
    assert (await anext(buyers)).handle == "ines_varga"
    assert len(talk.requests) == 1
    assert [user.handle async for user in buyers] == ["pell_osei", "deck_hand"]


def test_a_list_that_goes_in_circles_ends() -> None:
    count = iter(range(1000))

    def answer(request: Request) -> Reply:
        token = f"token-number-{next(count)}"
        return json_reply({"data": [{"id": "1", "text": "x"}], "meta": {"result_count": 1, "next_token": token}})

    talk = Talk(answer)
    posts = talk.ask(walk_all(walk_posts(session(), LIVE), lambda post: post.id))
    assert len(posts) == 1
    assert len(talk.requests) == 3


def test_a_list_without_end_is_cut_off_and_says_so() -> None:
    count = iter(range(1000))

    def answer(request: Request) -> Reply:
        number = next(count)
        return json_reply({"data": [{"id": str(number), "text": ""}], "meta": {"next_token": f"token-{number}"}})

    posts = Talk(answer).ask(walk_all(walk_posts(session(), LIVE, most_pages=7), lambda post: post.id))
    assert (len(posts), posts.is_cut_off) == (7, True)


def test_an_expired_token_begins_the_walk_anew_once() -> None:
    page = json_reply({"data": [{"id": "1", "text": ""}], "meta": {"next_token": "sixteen-letters-x"}})
    expired = reply_of("error.400.pagination-token")
    last = json_reply({"data": [{"id": "1", "text": ""}, {"id": "2", "text": ""}]})
    posts = Talk(page, expired, last).ask(walk_all(walk_posts(session(), LIVE), lambda post: post.id))
    assert [post.id for post in posts] == ["1", "2"]
    assert posts.stopped_by is None

    twice = Talk(page, expired, page, expired).ask(walk_all(walk_posts(session(), LIVE), lambda post: post.id))
    assert isinstance(twice.stopped_by, InvalidRequestError)
    assert isinstance(walk_posts(session(), LIVE), Walk)


# ---------------------------------------------------------------- one Space out of several sources


def test_each_source_tells_what_it_knows_best_and_where_it_is_from_is_kept() -> None:
    web = Space(
        id=LIVE,
        state=SpaceState.LIVE,
        title="older title",
        started_at=NOW + timedelta(milliseconds=123),
        media_key=MediaKey("28_1"),
        creator=User(id=UserId("1"), handle="mara"),
        participants=(Participant(role=Role.LISTENER, user_id=UserId("2"), name="Tobi"),),
        raw={"web": 1},
    )
    api = Space(
        id=LIVE,
        state=SpaceState.LIVE,
        title="new title",
        started_at=NOW,
        participant_count=37,
        subscriber_count=18,
        creator=User(id=UserId("1")),
        participants=(Participant(role=Role.SPEAKER, user_id=UserId("2")),),
        raw={"api": 1},
    )
    merged = merge_space([Known(web, Source.WEB, NOW), Known(api, Source.API, NOW + timedelta(seconds=9))])

    assert merged.space.title == "new title"
    assert merged.space.started_at == web.started_at
    assert merged.space.media_key == "28_1"
    assert merged.space.participants == (Participant(role=Role.SPEAKER, user_id=UserId("2"), name="Tobi"),)
    assert merged.space.creator == User(id=UserId("1"), handle="mara")
    assert merged.space.raw == {"web": {"web": 1}, "api": {"api": 1}}
    sources = {name: origin.source for name, origin in merged.origins.items()}
    assert sources["title"] is sources["participant_count"] is sources["state"] is Source.API
    assert sources["started_at"] is sources["media_key"] is Source.WEB
    assert "ended_at" not in sources


def test_what_is_over_stays_over_and_unknown_hides_nothing() -> None:
    over = Space(id=LIVE, state=SpaceState.ENDED, state_text="Ended")
    lagging = Space(id=LIVE, state=SpaceState.LIVE)
    unknown = Space(id=LIVE, state=SpaceState.UNKNOWN, state_text="Simmering")
    views = [Known(over, Source.WEB, NOW), Known(lagging, Source.API, NOW + timedelta(seconds=5))]
    assert merge_space(views).space.state is SpaceState.ENDED
    views = [Known(lagging, Source.WEB, NOW), Known(unknown, Source.API, NOW + timedelta(seconds=5))]
    assert merge_space(views).space.state is SpaceState.LIVE
    assert merge_space(views[1:]).space.state_text == "Simmering"
    with pytest.raises(ValueError):
        merge_space([])

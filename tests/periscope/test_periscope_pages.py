"""Pages of all five layouts, and what is left of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html import escape
from typing import Any

import pytest

from hydrophone.errors import WireError
from hydrophone.periscope.pages import Layout, TokenKind, find_session_token, find_user_id, read_data_store, read_page
from periscope.conversing import SAMPLES, sample


def page(name: str) -> bytes:
    return (SAMPLES / "pages" / name).read_bytes()


def wrapped(store: Any, quote: str = '"') -> str:
    return (
        f"<div id={quote}page-container{quote} data-store={quote}{escape(json.dumps(store), quote=True)}{quote}>x</div>"
    )


@pytest.mark.parametrize("year", [2016, 2019])
def test_tokens_of_both_generations_of_user_page(year: int) -> None:
    expected = sample(f"facade/get_web_public_user_session_tokens.{year}.json")
    found = read_page(page(f"user_{year}.html"))

    assert found.layout is (Layout.TRACKING if year == 2016 else Layout.CACHES)
    assert found.user_id == expected["user_id"]
    assert found.tokens.history == expected["broadcastHistory"]
    assert found.tokens.thumbnails == expected["thumbnailPlaylist"]
    assert found.tokens.service == expected["serviceToken"]
    assert [len(expected[kind]) for kind in TokenKind] == [113, 121, 109]
    assert expected["broadcastHistory"] not in repr(found)
    assert found.user is not None
    assert found.user.username == "mara_lind"


def test_a_page_of_2019_has_the_last_broadcasts_in_order() -> None:
    found = read_page(page("user_2019.html"))
    assert [one.id for one in found.broadcasts] == ["1rmxPYOdkRvKN", "1OyKADwqjpeJb", "1YpKkaOEzVdxj"]
    assert found.tokens.expires_at == datetime(2019, 10, 3, 18, 20, 44, 601000, tzinfo=UTC)
    assert read_page(page("user_2016.html")).broadcasts == ()


def test_the_record_inside_is_believed_rather_than_the_computed_one_around_it() -> None:
    cached = {
        "id": "1OyKADwqjpeJb",
        "status": "outer",
        "endTime": 1,
        "data": {"id": "1OyKADwqjpeJb", "status": "inner"},
    }
    store = {"SessionToken": {"public": {}}, "BroadcastCache": {"broadcasts": {"1OyKADwqjpeJb": {"broadcast": cached}}}}
    assert [one.title for one in read_page(wrapped(store)).broadcasts] == ["inner"]


def test_a_broadcast_page_has_its_one_broadcast_and_its_user() -> None:
    found = read_page(page("broadcast_2020.html"))
    assert [one.id for one in found.broadcasts] == ["1BRJjzLkWVaJw"]
    assert found.user is not None
    assert (found.user_id, found.user.username) == ("1wXEgLpMdoAQe", "harbour-radio")


def test_a_page_of_mid_2016_has_tokens_without_a_level_for_everybody() -> None:
    found = read_page(page("broadcast_mid2016.html"))
    assert found.layout is Layout.FLAT
    assert found.tokens.thumbnails is not None
    assert len(found.tokens.thumbnails) == 121
    assert [one.id for one in found.broadcasts] == ["1nAKEwlQzMbJL"]
    assert found.user is not None
    assert found.user_id == found.user.id == "98104277"


def test_a_page_of_2015_has_all_in_its_head() -> None:
    found = read_page(page("broadcast_2015_meta.html"))
    assert found.layout is Layout.META
    assert [one.id for one in found.broadcasts] == ["99310452"]
    assert found.tokens.history is not None
    assert found.tokens.history.startswith("1R-dZ")
    assert found.user is not None
    assert found.user.description == "Boats & bread. I talk while I walk, it's mostly wind."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        'data-store="',
        'data-store="{&quot;a&quot;: 1}',
        'data-store="[]"',
        'data-store="{"',
        "data-store=x",
        wrapped({"a": 1}).replace("&quot;", "&amp;quot;"),  # escaped twice
        'data-store="' + "[" * 100_000 + '"',
        "data-store=" * 100_000,
        "<meta id=" * 100_000,
        "<meta id='api-status' content='404'>",
    ],
    ids=range(12),
)
def test_what_is_no_page_of_periscope_is_told_as_such(text: str) -> None:
    assert read_data_store(text) is None
    with pytest.raises(WireError, match="no Periscope page any more") as caught:
        read_page(text)
    assert "export" in caught.value.advice


@pytest.mark.parametrize("name", ["not_found_404.html", "redirected_no_data_store.html"])
def test_the_sample_pages_without_state_are_no_pages(name: str) -> None:
    assert read_data_store(page(name)) is None
    with pytest.raises(WireError):
        read_page(page(name))


def test_state_is_unescaped_once_and_in_either_quotes() -> None:
    store = {"text": "a &quot;b&quot; & <c> 'd' \"e\"", "SessionToken": {"public": {}}}
    assert read_data_store(wrapped(store)) == store
    assert read_data_store(wrapped(store, "'").encode()) == store
    assert read_data_store('<a data-store="no">' + wrapped(store)) == store


@pytest.mark.parametrize(
    "store",
    [
        {"Tracking": {"userId": "7"}, "UserBroadcastHistory": {"userId": "8"}},
        {"Tracking": {"userId": 7}},
        {"UserBroadcastHistory": {"userId": "7"}, "UserCache": {"usernames": {"mara": "8"}}},
        {
            "UserBroadcastHistory": {"userId": None},
            "UserCache": {"usernames": {"mara": "7"}, "users": {"8": {}, "9": {}}},
        },
        {"UserCache": {"users": {"7": {}}}},
        {"Tracking": [], "UserCache": {"usernames": None, "users": {"7": None}}},
    ],
)
def test_the_user_is_found_by_any_link_of_the_chain(store: dict[str, Any]) -> None:
    assert find_user_id(store, "MARA") == "7"


def test_a_user_that_no_link_names_is_not_guessed() -> None:
    assert find_user_id({"UserCache": {"users": {"7": {}, "8": {}}}}) is None
    assert find_session_token({"SessionToken": {"public": None, "serviceToken": []}}, TokenKind.SERVICE) is None

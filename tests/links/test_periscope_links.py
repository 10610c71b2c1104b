"""The links of Periscope, both ways, strict and loose; share tokens; embeds; whatever is pasted."""

from __future__ import annotations

import json
import random
import string
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.errors import LinkError
from hydrophone.links import (
    IdKind,
    PeriscopeForm,
    build_link,
    find_periscope_links,
    guess_kind,
    is_broadcast_id,
    parse_link,
    read_periscope_names,
    read_share_token,
    read_token_owner,
)
from hydrophone.links.periscope import RESERVED_PATHS
from hydrophone.model import (
    BroadcastId,
    BroadcastRef,
    EventRef,
    PeriscopeBroadcastRef,
    PeriscopeChannelRef,
    PeriscopeUserId,
    PeriscopeUserRef,
    Ref,
    SpaceRef,
)

SAMPLES = Path(__file__).parent.parent / "samples" / "periscope"
TABLE: list[dict[str, Any]] = json.loads((SAMPLES / "url_table.json").read_bytes())["cases"]
TOKENS: dict[str, list[dict[str, Any]]] = json.loads((SAMPLES / "share_tokens.json").read_bytes())
TOKEN = "awCL2Dk4MTA0Mjc3fDF5b0tiV3FOTGRSR1gP3r3klMuzfcT9ypEYjwWEereeWnechZa-bJEiSYL9eA"
#: The command line takes bare ids and names; a table of links does not.
BARE = {"1yoKbWqNLdRGX"}


def shown(ref: Ref) -> dict[str, Any]:
    """A ref in the words of the table."""
    match ref:
        case PeriscopeBroadcastRef():
            expires = ref.share_expires_at
            facts: dict[str, Any] = {
                "kind": "periscope_broadcast",
                "id": ref.id,
                "username": ref.username,
                "channel": ref.channel,
                "shared_by": ref.shared_by,
                "share_expires_unix": int(expires.timestamp()) if expires else None,
            }
        case PeriscopeUserRef():
            facts = {"kind": "periscope_user", "username": ref.username, "user_id": ref.user_id}
        case PeriscopeChannelRef():
            facts = {"kind": "periscope_channel", "slug": ref.slug}
        case BroadcastRef() | EventRef() | SpaceRef():
            facts = {"kind": "x_" + type(ref).__name__.removesuffix("Ref").lower(), "id": ref.id}
        case _:
            facts = {"kind": type(ref).__name__}
    return {name: value for name, value in facts.items() if value is not None}


def read(url: str) -> dict[str, Any] | None:
    try:
        return shown(parse_link(url))
    except LinkError:
        return None


# ---------------------------------------------------------------- the table


def test_the_table_has_all_its_rows() -> None:
    assert len(TABLE) >= 80


@pytest.mark.parametrize("case", TABLE, ids=[ascii(case["url"])[:60] for case in TABLE])
def test_every_row_of_the_table_is_read_strictly(case: dict[str, Any]) -> None:
    if case["url"] in BARE:
        assert isinstance(parse_link(case["url"]), SpaceRef)
        return
    assert read(case["url"]) == case["link"]


@pytest.mark.parametrize("case", TABLE, ids=[ascii(case["url"])[:60] for case in TABLE])
def test_every_row_of_the_table_is_read_loosely(case: dict[str, Any]) -> None:
    names = read_periscope_names(case["url"])

    assert {"broadcast_id": names.broadcast_id, "user_id": names.user_id, "username": names.username} == case["peri"]
    assert (names.form is None) == (not any(case["peri"].values()))


@pytest.mark.parametrize("case", [case for case in TABLE if case["link"]], ids=lambda case: ascii(case["url"])[:60])
def test_every_row_of_the_table_can_be_built_again(case: dict[str, Any]) -> None:
    ref = parse_link(case["url"])
    assert parse_link(build_link(ref)) == ref


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://www.periscope.tv/w/1yoKbWqNLdRGX", PeriscopeForm.SHARED),
        ("https://www.periscope.tv/u/376827", PeriscopeForm.USER_ID),
        ("https://www.periscope.tv/mara_lind", PeriscopeForm.USERNAME),
        ("https://www.periscope.tv/mara_lind/1yoKbWqNLdRGX", PeriscopeForm.USERNAME_AND_BROADCAST),
        ("pscp://broadcast/1yoKbWqNLdRGX", PeriscopeForm.SHARED),
    ],
)
def test_the_form_of_a_link_is_told(url: str, form: PeriscopeForm) -> None:
    assert read_periscope_names(url).form is form


@pytest.mark.parametrize("name", sorted(RESERVED_PATHS))
def test_no_reserved_path_is_a_user(name: str) -> None:
    for spelling in (name, name.upper()):
        assert read(f"https://www.pscp.tv/{spelling}") is None
        assert "username" not in (read(f"https://www.pscp.tv/{spelling}/1yoKbWqNLdRGX") or {})


# ---------------------------------------------------------------- refs that cannot be built


@pytest.mark.parametrize(
    "ref",
    [
        PeriscopeBroadcastRef(BroadcastId("../1")),
        PeriscopeBroadcastRef(BroadcastId("1yoKbWqNLdRGX"), "w"),
        PeriscopeBroadcastRef(BroadcastId("1yoKbWqNLdRGX"), "@mara"),
        PeriscopeBroadcastRef(BroadcastId("1yoKbWqNLdRGX"), channel="a&b"),
        PeriscopeUserRef(),
        PeriscopeUserRef("mara_lind", PeriscopeUserId("98104277")),
        PeriscopeUserRef(username="about"),
        PeriscopeUserRef(user_id=PeriscopeUserId("tw-1")),
        PeriscopeChannelRef("a/b"),
    ],
)
def test_refs_that_would_mean_something_else_are_not_built(ref: Ref) -> None:
    with pytest.raises(LinkError):
        build_link(ref)


# ---------------------------------------------------------------- share tokens and ids


@pytest.mark.parametrize("case", TOKENS["valid"], ids=lambda case: case["case"])
def test_share_tokens_are_decoded_offline(case: dict[str, Any]) -> None:
    token = read_share_token(case["token"])

    assert token is not None
    assert (token.broadcast_id, token.shared_by) == (case["broadcast_id"], case["shared_by"])
    assert token.expires_at == datetime.fromtimestamp(case["expires_unix"], UTC)
    assert token.made_at == datetime.fromisoformat(case["made_at"])


@pytest.mark.parametrize("case", TOKENS["invalid"], ids=lambda case: case["case"])
def test_what_is_no_whole_token_says_nothing(case: dict[str, Any]) -> None:
    assert read_share_token(case["token"]) is None


def test_no_shortened_token_says_anything() -> None:
    assert [n for n in range(len(TOKEN)) if read_share_token(TOKEN[:n])] == []


def test_who_shared_a_broadcast_does_not_make_it_another_one() -> None:
    shared = parse_link("https://www.periscope.tv/w/" + TOKEN)
    assert shared == parse_link("https://www.periscope.tv/w/1yoKbWqNLdRGX")
    assert hash(shared) == hash(parse_link("https://www.periscope.tv/w/1yoKbWqNLdRGX"))


def test_a_session_cookie_names_its_owner() -> None:
    cookie = json.loads((SAMPLES / "api/loginTwitter.json").read_bytes())["cookie"]
    assert read_token_owner(cookie) == "1kVQdRzGwaEXb"
    assert read_token_owner(cookie[:-30]) is None
    assert read_token_owner(TOKEN) is None


def ids_of_samples() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("class_name") in ("Broadcast", "User"):
                found.add((value["class_name"], value["id"]))
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    for path in (SAMPLES / "api").glob("*.json"):
        walk(json.loads(path.read_bytes()))
    return found


def test_the_kind_of_an_id_is_guessed() -> None:
    kinds = {(name, guess_kind(text)) for name, text in ids_of_samples() if len(text) == 13}
    assert kinds == {("Broadcast", IdKind.BROADCAST), ("User", IdKind.USER)}
    assert guess_kind("1hydroPhoneXZ") is guess_kind("99310452") is IdKind.UNKNOWN


@pytest.mark.parametrize("text", ["", "1", "99310452", "1yoKbWqNLdRGX", "1hydroPhoneXZ"])
def test_the_alphabet_is_never_a_reason_to_refuse(text: str) -> None:
    assert is_broadcast_id(text) == bool(text)


# ---------------------------------------------------------------- other sites' pages


def test_embeds_and_buttons_in_a_page_are_found() -> None:
    page = f"""
        <p><iframe src="//www.periscope.tv/w/1rmxPYOdkRvKN/card" width=400></iframe>
        <a class='periscope-on-air' data-size='small' href='https://www.periscope.tv/@mara_lind'>On air</a>
        <a href="https://www.periscope.tv/w/{TOKEN}?a=1&amp;channel=harbour-walks">again</a>
        <a href="https://www.periscope.tv/about">no</a> <a href="https://www.periscope.tv.evil.example/w/1yoKbWqNLdRGX">
        <a href="https://pscp.tv/mara_lind">again</a>
    """
    assert find_periscope_links(page) == [
        PeriscopeBroadcastRef(BroadcastId("1rmxPYOdkRvKN")),
        PeriscopeUserRef("mara_lind"),
        PeriscopeBroadcastRef(BroadcastId("1yoKbWqNLdRGX"), channel="harbour-walks"),
    ]


def test_a_hostile_page_is_read_in_bounded_time() -> None:
    assert find_periscope_links('src="//pscp.tv' * 100_000) == []


# ---------------------------------------------------------------- whatever is typed

PIECES = [
    *("https://", "http://", "//", "pscp://", "HTTPS://", "ftp://", "javascript:", "www.", "periscope.tv", "pscp.tv"),
    *("x.com", "perisearch.net", "/w/", "/u/", "/", "?", "#", "@", ":", ":443", ":8443", "\\", "%2F", "%00", "%40"),
    *("%", "..", " ", "1yoKbWqNLdRGX", "99310452", "mara_lind", "harbour-radio", "follow", "channel", "channel=a-b"),
    *("&", "=", TOKEN, TOKEN[:40], "broadcast", "user", "oauth", "\u0456", "\u2044", "\u202e", "\x00", "\n", "[", "]"),
    *("[::1]", "\ud800", "\u0663", ".m3u8"),
]  # fmt: skip


def test_a_hundred_thousand_random_urls_raise_nothing_but_the_typed_error() -> None:
    rng = random.Random(20_150_326)
    alphabet = string.ascii_letters + string.digits + "-_=%./?#@:\\"
    known = 0
    for round_number in range(100_000):
        pieces = [rng.choice(PIECES) for _ in range(rng.randint(1, 7))]
        if round_number % 3 == 0:
            pieces.insert(0, "https://www.periscope.tv/")
        if round_number % 5 == 0:
            pieces.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 20))))
        url = "".join(pieces)
        read_periscope_names(url)
        try:
            ref = parse_link(url)
        except LinkError:
            continue
        known += 1
        if round_number % 10 == 0:
            assert parse_link(build_link(ref)) == ref
    assert known > 1_000


@given(st.text() | st.text(string.printable, max_size=80).map(lambda tail: "https://www.periscope.tv/" + tail))
def test_any_text_names_something_or_nothing(text: str) -> None:
    names = read_periscope_names(text)
    assert (names.form is None) == (not (names.broadcast_id or names.user_id or names.username))


@given(st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=32), st.booleans())
def test_any_legal_user_name_is_read_back(name: str, by_name_only: bool) -> None:
    if name.lower() in RESERVED_PATHS:
        return
    ref: Ref = PeriscopeUserRef(name) if by_name_only else PeriscopeBroadcastRef(BroadcastId("1yoKbWqNLdRGX"), name)
    assert parse_link(build_link(ref)) == ref

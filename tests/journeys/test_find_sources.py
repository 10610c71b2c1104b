"""Which source answers `hydrophone find` and `info`, what each adds, who is named, and what has ended; as typed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydrophone import AsyncHydrophone, Hydrophone
from hydrophone.model import MergedSpace, Source, Space
from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox
from journeys.typing_finds import Typed, typing_at, unhurried

LIVE = Scene.live("harbour tapes", seconds=None, since=120, title="Harbour tapes", language="en")
PLAN = Scene.live("harbour talks", seconds=None, created=-3600, scheduled=86_400, started=86_400)
OVER = Scene.ended("harbour past", seconds=6, title="Harbour, long past", ago=600)


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with unhurried(LIVE, PLAN, OVER) as started:
        yield started


@pytest.fixture
def typed(
    box: SandboxBox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Typed:
    return typing_at(box, tmp_path, monkeypatch, capsys)


@pytest.fixture
def login(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDROPHONE_AUTH_TOKEN", "b" * 40)
    monkeypatch.setenv("HYDROPHONE_CT0", "a" * 160)


def asked(box: SandboxBox, containing: str) -> int:
    return len(box.control.requests(service="x", containing=containing))


def found(typed: Typed, *arguments: str) -> dict[str, Any]:
    code, out, err = typed("find", *arguments, "--json")
    assert code == 0, err
    told: dict[str, Any] = json.loads(out)
    return told


def ids(told: dict[str, Any]) -> set[str]:
    return {one["id"] for one in told["spaces"]}


# ---------------------------------------------------------------- info: one Space out of several sources


def test_info_asks_one_source_and_says_who_told_what(typed: Typed, box: SandboxBox) -> None:
    before = asked(box, "/2/spaces")
    told = json.loads(typed("info", LIVE.id, "--json")[1])
    assert told["title"] == "Harbour tapes"
    assert {origin["source"] for origin in told["origins"].values()} == {"web"}
    assert {"id", "state", "title", "creator", "started_at"} <= set(told["origins"])
    assert asked(box, "/2/spaces") == before


def test_all_sources_are_merged_field_by_field(typed: Typed, box: SandboxBox) -> None:
    code, out, err = typed("info", LIVE.id, "--all-sources", "--json")
    told = json.loads(out)
    sources = {name: origin["source"] for name, origin in told["origins"].items()}
    assert code == 0
    # Counts come from the API alone, media and milliseconds from the web alone.
    assert sources["participant_count"] == "api"
    assert sources["media_key"] == "web"
    assert sources["started_at"] == "web"
    assert told["creator"]["handle"] == "lena_marsh"
    assert told["participant_count"] > 0
    assert "the archive adds nothing" in err


@pytest.mark.parametrize(("order", "source"), [("api,web", "api"), ("web,api", "web")])
def test_the_order_is_a_flag_and_a_setting(
    order: str, source: str, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_flag = json.loads(typed("info", LIVE.id, "--ask-order", order, "--json")[1])
    monkeypatch.setenv("HYDROPHONE_ASK_ORDER", order)
    by_setting = json.loads(typed("info", LIVE.id, "--json")[1])
    assert {one["source"] for one in by_flag["origins"].values()} == {source}
    assert {one["source"] for one in by_setting["origins"].values()} == {source}


def test_a_recording_adds_what_it_knows_and_answers_when_nobody_else_does(typed: Typed, box: SandboxBox) -> None:
    assert typed("record", OVER.id, "-q")[0] == 0

    beside = json.loads(typed("info", OVER.id, "--all-sources", "--json")[1])
    box.control.inject(kind="status", service="x", path="AudioSpaceById", status=404)
    box.control.inject(kind="status", service="x", path="/2/spaces", status=404)
    code, out, err = typed("info", OVER.id, "--json")
    alone = json.loads(out)
    for_people = typed("info", OVER.id)[1]
    requests = asked(box, OVER.id)
    offline = typed("info", OVER.id, "--ask-order", "local")

    assert beside["state"] == alone["state"] == "ended"
    assert {one["source"] for one in alone["origins"].values()} == {"recording"}
    assert alone["title"] == "Harbour, long past"
    assert alone["creator"]["handle"] == "lena_marsh"
    assert code == 0
    assert len(err.splitlines()) == 1
    assert "x.com did not answer" in err
    assert "the archive did" in err
    assert "told by" in for_people
    assert "your recording" in for_people
    assert offline[0] == 0
    assert asked(box, OVER.id) == requests


def test_raw_is_the_record_of_one_service_or_one_for_each(typed: Typed) -> None:
    one = json.loads(typed("info", LIVE.id, "--raw")[1])
    both = json.loads(typed("info", LIVE.id, "--raw", "--all-sources")[1])
    assert "metadata" in json.dumps(one)
    assert set(both) == {"web", "api"}
    assert both["api"]["id"] == LIVE.id


def test_a_creator_leads_to_the_space_and_all_sources_mean_that_one(typed: Typed, login: None) -> None:
    told = json.loads(typed("info", "@lena_marsh", "--all-sources", "--json")[1])
    assert told["id"] == LIVE.id
    assert {"web", "api"} <= {one["source"] for one in told["origins"].values()}


async def test_python_gets_the_same_with_the_origins(typed: Typed, box: SandboxBox) -> None:
    notices: list[str] = []
    async with AsyncHydrophone() as phone:
        space = await phone.info(LIVE.id, all_sources=True, on_notice=notices.append)
        merged = await phone.info_with_origins(LIVE.id)
        plain = await phone.info(LIVE.id)
    assert isinstance(merged, MergedSpace)
    assert space.title == "Harbour tapes"
    assert isinstance(plain, Space)
    assert plain.raw["metadata"]["rest_id"] == LIVE.id
    assert merged.space.raw == {"web": plain.raw}
    assert merged.origins["title"].source is Source.WEB
    assert notices == [f"the archive adds nothing: the archive has no recording of {LIVE.id}"]


async def test_python_is_given_spaces_one_by_one_and_pays_for_no_more_than_it_takes(
    typed: Typed, box: SandboxBox
) -> None:
    before = asked(box, "/2/spaces/search")
    async with AsyncHydrophone() as phone:
        async with aclosing(phone.each_space("harbour")) as spaces:
            first = await anext(spaces)
        searched = asked(box, "/2/spaces/search") - before
        every = [space.id async for space in phone.each_space("harbour", "tapes")]
    assert first.id == LIVE.id
    assert searched == 1
    assert every == [LIVE.id, PLAN.id]


# ---------------------------------------------------------------- find over the web


def test_with_a_login_x_com_is_searched_and_costs_nothing(typed: Typed, login: None, box: SandboxBox) -> None:
    before = asked(box, "/2/spaces")
    told = found(typed, "harbour")
    live = found(typed, "harbour", "--state", "live")
    assert (told["source"], told["cost"]) == ("web", "0")
    assert ids(told) == {LIVE.id, PLAN.id}
    assert ids(live) == {LIVE.id}
    assert {one["creator"] for one in told["spaces"]} == {"lena_marsh"}
    assert asked(box, "/2/spaces") == before


def test_with_a_login_creators_are_asked_for_at_x_com(typed: Typed, login: None, box: SandboxBox) -> None:
    before = asked(box, "/2/spaces")
    code, out, err = typed("find", "@lena_marsh", "--json")
    assert code == 0
    assert ids(json.loads(out)) == {LIVE.id}
    assert "x.com tells only what is live" in err
    assert asked(box, "/2/spaces") == before


def test_what_is_scheduled_by_a_creator_is_asked_of_the_api(typed: Typed, login: None) -> None:
    code, out, err = typed("find", "@lena_marsh", "--state", "scheduled", "--json")
    assert code == 0
    assert ids(json.loads(out)) == {PLAN.id}
    assert "x.com did not answer (x.com does not tell what is scheduled); the X API did" in err


@pytest.mark.parametrize("order", ["web", "api"])
def test_language_and_size_are_sifted_whoever_answers(order: str, typed: Typed, login: None) -> None:
    for words in (("harbour",), ("@lena_marsh",)):
        base = (*words, "--state", "live", "--ask-order", order)
        assert ids(found(typed, *base, "--lang", "en")) == {LIVE.id}
        assert ids(found(typed, *base, "--lang", "fr")) == set()
        assert ids(found(typed, *base, "--min-listeners", "1")) == {LIVE.id}
        assert ids(found(typed, *base, "--min-listeners", "1000000")) == set()


def test_the_api_takes_over_when_the_search_of_x_com_fails(typed: Typed, login: None, box: SandboxBox) -> None:
    box.control.inject(kind="status", service="x", path="AudioSpaceSearch", status=404)
    code, out, err = typed("find", "harbour", "--json")
    assert code == 0
    assert json.loads(out)["source"] == "api"
    assert len(err.splitlines()) == 1


# ---------------------------------------------------------------- who creates it


def test_names_are_paid_for_on_demand_and_known_ever_after(typed: Typed) -> None:
    plain = found(typed, "harbour", "--state", "live")
    named = found(typed, "harbour", "--state", "live", "--names")
    again = found(typed, "harbour", "--state", "live")
    (row,) = csv.DictReader(io.StringIO(typed("find", "harbour", "--state", "live", "--csv")[1]))
    table = typed("find", "harbour", "--state", "live")[1]
    creator = plain["spaces"][0]["creator_id"]
    assert plain["spaces"][0]["creator"] == creator
    assert Decimal(plain["cost"]) == Decimal("0.005")
    assert Decimal(named["cost"]) == Decimal("0.010")
    assert named["spaces"][0]["creator"] == again["spaces"][0]["creator"] == "lena_marsh"
    assert again["cost"] == "0"
    assert (row["creator"], row["creator_id"], row["creator_name"]) == ("lena_marsh", creator, "Lena Marsh")
    assert "@lena_marsh" in table


def test_a_name_that_was_asked_for_is_paid_once_and_shown(typed: Typed, box: SandboxBox) -> None:
    first = found(typed, "@lena_marsh")
    looked_up = asked(box, "/2/users/by/username")
    second = found(typed, "@lena_marsh")
    assert {one["creator"] for one in first["spaces"]} == {"lena_marsh"}
    assert first["cost"] == "0.020"  # two Spaces and a name
    assert second["cost"] == "0"
    assert asked(box, "/2/users/by/username") == looked_up


def test_the_cap_counts_names_before_they_are_asked_for(typed: Typed, box: SandboxBox) -> None:
    before = asked(box, "/2/spaces")
    code, _, err = typed("find", "harbour", "--names", "--max-cost", "1.00")
    assert code == 5
    assert "--max-cost" in err
    assert asked(box, "/2/spaces") == before


# ---------------------------------------------------------------- what has ended


def test_what_was_recorded_is_found_after_its_end(typed: Typed, box: SandboxBox) -> None:
    assert typed("record", OVER.id, "-q")[0] == 0
    before = asked(box, "/2/spaces")
    code, out, err = typed("find", "LONG past", "--state", "ended", "--json")
    told = json.loads(out)
    by_creator = found(typed, "@lena_marsh", "--state", "ended")
    by_another = found(typed, "@otto_reed", "--state", "ended")
    assert code == 0
    assert ids(told) == ids(by_creator) == {OVER.id}
    assert ids(by_another) == set()
    assert told["source"] == "local"
    assert told["spaces"][0]["ended"]
    assert "no service can search what has ended" in err
    assert asked(box, "/2/spaces") == before


def test_what_was_seen_live_is_looked_up_after_its_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = Scene.live("short", seconds=300, since=60, title="Gull hour")
    with unhurried(short) as box:
        typed = typing_at(box, tmp_path, monkeypatch, capsys)
        assert ids(found(typed, "gull")) == {short.id}
        assert ids(found(typed, "gull", "--state", "ended")) == set()
        box.control.advance(600)
        over = found(typed, "gull", "--state", "ended")
        paid = found(typed, "gull", "--state", "ended", "--ask-order", "api")
        by_name = found(typed, "@lena_marsh", "--state", "ended")
    assert ids(over) == ids(paid) == {short.id}
    assert (over["source"], paid["source"]) == ("local+web", "api")
    assert over["spaces"][0]["state"] == paid["spaces"][0]["state"] == "ended"
    # x.com has named the creator meanwhile.
    assert ids(by_name) == {short.id}


# ---------------------------------------------------------------- tokens, and the other door


def test_tokens_are_shown_as_fingerprints_and_given_back(
    typed: Typed, box: SandboxBox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bearer = box.control.ask("GET", "/api2/tokens")["app"]
    monkeypatch.setattr("sys.stdin", io.StringIO(bearer + "\n"))
    assert typed("auth", "login", "--api")[0] == 0
    assert typed("find", "@lena_marsh")[0] == 0
    state = tmp_path / "state" / "sandbox"
    names = (state / "noted.json").read_text()

    code, shown, _ = typed("auth", "status", "--api", "--json")
    left = typed("auth", "logout", "--api", "--json")
    again = typed("auth", "logout", "--api")

    assert code == 0
    assert len(json.loads(shown)["app"]["fingerprint"]) > 4
    assert bearer not in shown
    assert json.loads(left[1]) == {"forgotten": True}
    assert not (state / "api.json").exists()
    assert "lena_marsh" in names
    assert not (state / "noted.json").exists()
    assert "there was no saved token" in again[1]
    assert "no token of the X API" in typed("auth", "status", "--api")[1]


def test_a_token_file_that_others_can_read_is_removed_all_the_same(typed: Typed, tmp_path: Path) -> None:
    place = tmp_path / "state" / "sandbox" / "api.json"
    place.parent.mkdir(parents=True)
    place.write_text("not even JSON")
    place.chmod(0o600)
    assert typed("auth", "logout", "--api")[0] == 0
    assert not place.exists()


def test_a_users_tokens_are_revoked(typed: Typed, box: SandboxBox, tmp_path: Path) -> None:
    tokens = box.control.ask("POST", "/api2/tokens", {"user": "lena_marsh"})
    client = box.control.ask("GET", "/api2/tokens")["client"]
    place = tmp_path / "state" / "sandbox" / "api.json"
    place.parent.mkdir(parents=True)
    user = {
        "access": tokens["access_token"],
        "refresh": tokens["refresh_token"],
        "expires_at": "2099-01-01T00:00:00+00:00",
        "scopes": [],
        "user_id": "1",
    }
    facts = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    place.write_text(json.dumps({**facts, "redirect_uri": "http://127.0.0.1:8721/callback", "user": user}))
    place.chmod(0o600)
    before = asked(box, "/2/oauth2/revoke")

    code, _, err = typed("auth", "logout", "--api")

    assert code == 0, err
    assert asked(box, "/2/oauth2/revoke") == before + 2


def test_the_synchronous_door_follows_finds_and_knows(typed: Typed) -> None:
    with Hydrophone() as phone:
        news = phone.follow("@lena_marsh")
        first = {next(news).space_id, next(news).space_id}
        news.close()
        merged = phone.info_with_origins(LIVE.id)
        over = phone.find_spaces("harbour", state="live")
    assert first == {LIVE.id, PLAN.id}
    assert isinstance(merged, MergedSpace)
    assert [space.id for space in over] == [LIVE.id]
    assert len(over) == 1

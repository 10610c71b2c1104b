"""`hydrophone find`, `budget`, `auth login --api` and `info` as typed by a user, against the sandbox."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import threading
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from hydrophone.cli import apisignin
from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox
from journeys.typing_finds import Typed, typing_at, unhurried

LIVE = Scene.live("harbour tapes", seconds=None, since=120, title="Harbour tapes 🎧 =1+1")
PLAN = Scene.live("harbour talks", seconds=None, created=-3600, scheduled=86_400, started=86_400)


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with unhurried(LIVE, PLAN) as started:
        yield started


@pytest.fixture
def typed(
    box: SandboxBox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Typed:
    return typing_at(box, tmp_path, monkeypatch, capsys)


def test_words_find_spaces_and_the_ledger_agrees_with_the_bill(typed: Typed, box: SandboxBox) -> None:
    before = Decimal(box.control.ask("GET", "/api2/bill")["total"])
    code, out, _ = typed("find", "harbour", "--json")
    found = json.loads(out)
    spent = Decimal(box.control.ask("GET", "/api2/bill")["total"]) - before
    budget = json.loads(typed("budget", "--json")[1])
    assert code == 0
    assert [one["state"] for one in found["spaces"]] == ["live", "scheduled"]
    assert found["source"] == "api"
    assert Decimal(budget["today"]) == Decimal(found["cost"]) >= spent
    assert Decimal(budget["balance"]) < 100


def test_a_table_and_csv_show_the_same_and_run_nothing(typed: Typed) -> None:
    _, table, _ = typed("find", "harbour", "--state", "live")
    _, text, _ = typed("find", "harbour", "--state", "live", "--csv")
    (row,) = csv.DictReader(io.StringIO(text))
    assert LIVE.id in table
    assert row["id"] == LIVE.id
    assert row["url"].endswith(LIVE.id)


def test_creators_are_found_by_name_and_filtered(typed: Typed) -> None:
    every = json.loads(typed("find", "@lena_marsh", "--json")[1])["spaces"]
    full = json.loads(typed("find", "@lena_marsh", "--min-listeners", "5", "--json")[1])["spaces"]
    planned = json.loads(typed("find", "@lena_marsh", "--state", "scheduled", "--json")[1])["spaces"]
    assert {one["id"] for one in every} == {LIVE.id, PLAN.id}
    assert [one["id"] for one in full] == [LIVE.id]
    assert [one["id"] for one in planned] == [PLAN.id]


def test_following_prints_news_in_one_shape(typed: Typed) -> None:
    code, out, _ = typed("find", "@lena_marsh", "--follow", "--count", "2", "--json")
    news = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {(one["kind"], one["id"]) for one in news} == {("live", LIVE.id), ("scheduled", PLAN.id)}
    assert {tuple(one) for one in news} == {("kind", "id", "at", "source", "creator_id", "space")}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("find", "harbour", "@lena_marsh"), 2, "cannot be mixed"),
        (("find", "harbour", "--follow"), 2, "--follow needs @names"),
        (("find", "harbour", "--ask-order", "local"), 2, "ask_order names no source that can answer"),
        (("find", "harbour", "--ask-order", "elsewhere"), 2, "--ask-order"),
        (("find", "harbour", "--csv", "--json"), 2, "exclude each other"),
        (("find", "harbour", "--max-cost", "0.10"), 5, "--max-cost"),
        (("find", "@nobody_here_x"), 4, "Check the link, id or name"),
    ],
)
def test_what_cannot_be_done_is_said(typed: Typed, arguments: tuple[str, ...], code: int, words: str) -> None:
    ended, _, err = typed(*arguments)
    assert ended == code
    assert words in err


def test_info_asks_the_free_source_and_the_api_only_when_it_must(typed: Typed, box: SandboxBox) -> None:
    before = len(box.control.requests(service="x", containing="/2/spaces"))
    assert typed("info", box.link(LIVE.name))[0] == 0
    assert len(box.control.requests(service="x", containing="/2/spaces")) == before

    box.control.inject(kind="status", service="x", path="AudioSpaceById", status=404)
    code, out, err = typed("info", box.link(LIVE.name))

    assert code == 0
    assert "x.com did not answer" in err
    assert "the X API did" in err
    assert "Harbour tapes" in out


def test_a_bearer_is_kept_private_and_used(
    typed: Typed, box: SandboxBox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bearer = box.control.ask("GET", "/api2/tokens")["app"]
    monkeypatch.setattr("sys.stdin", io.StringIO(bearer + "\n"))
    code, out, err = typed("auth", "login", "--api")
    kept = tmp_path / "state" / "sandbox" / "api.json"
    assert code == 0
    assert bearer not in out + err
    if os.name == "posix":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert typed("find", "harbour")[0] == 0


def test_consent_in_the_browser_leads_back_to_loopback(
    typed: Typed, box: SandboxBox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = box.control.ask("GET", "/api2/tokens")["client"]
    monkeypatch.setattr("sys.stdin", io.StringIO(client["client_secret"] + "\n"))

    def browser(url: str) -> bool:
        threading.Thread(target=lambda: urllib.request.urlopen(url, timeout=20).read(), daemon=True).start()
        return True

    monkeypatch.setattr(apisignin.webbrowser, "open", browser)

    code, out, err = typed("auth", "login", "--api", "--client-id", client["client_id"])

    kept = json.loads((tmp_path / "state" / "sandbox" / "api.json").read_text())
    assert code == 0, err
    assert "@deck_hand" in out
    assert kept["user"]["user_id"] == "1705000000000000005"
    assert kept["user"]["refresh"] not in out + err
    assert client["client_secret"] not in out + err
    assert typed("find", "harbour", "--json")[0] == 0

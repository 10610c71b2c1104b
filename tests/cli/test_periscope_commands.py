"""`hydrophone periscope`: each of its commands, typed against the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cli.conftest import Answer, Typed
from hydrophone.testing import SandboxBox, sandbox
from sandbox.periscope_asking import switch

MARA, OLD, LIVE, REPLAY, GONE = "98104277", "1yoKbWqNLdRGX", "1rmxPYOdkRvKN", "1OyKADwqjpeJb", "1zqJVLdYpbaxB"
TOKEN = "awCL2Dk4MTA0Mjc3fDF5b0tiV3FOTGRSR1gP3r3klMuzfcT9ypEYjwWEereeWnechZa-bJEiSYL9eA"
Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox(speed=20) as box:
        yield box


@pytest.fixture
def box(empty_box: SandboxBox, monkeypatch: pytest.MonkeyPatch) -> SandboxBox:
    empty_box.control.reset()
    for name in ("2016", "live", "replay", "gone"):
        empty_box.control.load(f"periscope-{name}")
    monkeypatch.setenv("HYDROPHONE_SANDBOX", empty_box.bases["control"])
    return empty_box


@pytest.fixture
def ask(box: SandboxBox, typed: Typed) -> Ask:
    return lambda *words: typed("periscope", *words)


def said(answer: Answer) -> Any:
    assert answer.code == 0, answer
    return json.loads(answer.out)


@pytest.mark.parametrize("name", ["mara_lind", "@MARA_LIND", MARA, "https://www.periscope.tv/u/98104277"])
def test_a_user_by_name_id_or_link(ask: Ask, name: str) -> None:
    found = said(ask("user", name, "--json"))
    assert (found["type"], found["id"], found["username"], found["x_id"]) == ("user", MARA, "mara_lind", "9128446301")
    shown = ask("user", name).out
    assert "mara_lind" in shown
    assert "1,842" in shown or "5,210" in shown


@pytest.mark.parametrize("link", [OLD, f"https://www.periscope.tv/w/{TOKEN}", f"https://pscp.tv/mara_lind/{OLD}"])
def test_a_broadcast_by_id_or_link(ask: Ask, link: str) -> None:
    found = said(ask("broadcast", link, "--json"))
    assert (found["id"], found["state"], found["rotation_degrees"]) == (OLD, "ended", 271)
    assert "harbourwalk" in ask("broadcast", link).out


def test_a_broadcast_that_only_x_knows(ask: Ask) -> None:
    assert said(ask("broadcast", GONE, "--json"))["title"] == "Only on X"


def test_a_history_is_a_line_for_each_newest_first(ask: Ask) -> None:
    answer = ask("history", "mara_lind", "--json")
    ids = [json.loads(line)["id"] for line in answer.out.splitlines()]
    assert ids == [LIVE, REPLAY, OLD]
    rows = ask("history", MARA).out.splitlines()
    assert [row.split()[0] for row in rows] == ids


def test_the_tokens_of_a_page(ask: Ask) -> None:
    tokens = said(ask("tokens", "mara_lind", "--json"))
    assert tokens["user_id"] == MARA
    kinds = ("broadcastHistory", "serviceToken", "thumbnailPlaylist")
    assert [len(tokens[kind]) for kind in kinds] == [113, 109, 121]
    history = said(
        ask(
            "request",
            "getUserBroadcastsPublic",
            "all=true",
            f"user_id={MARA}",
            f"session_id={tokens['broadcastHistory']}",
        )
    )
    assert len(history["broadcasts"]) == 3


def test_any_call_prints_its_answer_as_it_came(ask: Ask) -> None:
    found = said(ask("request", "getUserPublic", f"user_id={MARA}"))
    assert found["user"]["class_name"] == "User"
    assert isinstance(said(ask("request", "getBroadcastsPublic", f"broadcast_ids={OLD}", "--json")), list)


def test_links_are_read_without_asking_anybody(ask: Ask, box: SandboxBox) -> None:
    since = len(box.control.requests())
    found = said(ask("parse-url", f"https://www.periscope.tv/w/{TOKEN}", "--json"))
    assert (found["kind"], found["broadcast_id"], found["user_id"]) == ("broadcast", OLD, None)
    assert (found["shared_by"], found["share_expires_at"]) == (MARA, "2026-11-20T18:05:12Z")
    assert said(ask("parse-url", "pscp://user/mara_lind", "--json"))["username"] == "mara_lind"
    assert said(ask("parse-url", "https://pscp.tv/channel/harbour-walks", "--json"))["channel"] == "harbour-walks"
    assert "98104277" in ask("parse-url", "https://www.periscope.tv/u/98104277").out
    assert len(box.control.requests()) == since


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("user", "nobody_at_all"), 4, "Periscope closed on 31 March 2021"),
        (("broadcast", "1yoKbWqNLdRGA"), 4, "X does not have it either"),
        (("broadcast", "99310452"), 4, "never moved to X"),
        (("history", "nobody_at_all"), 4, "error"),
        (("tokens", "nobody_at_all"), 4, "error"),
        (("request", "noSuchCall"), 4, "error"),
        (("request", "getUserPublic", "user_id"), 2, "NAME=VALUE"),
        (("request", "../x"), 2, "no name of a call"),
        (("user", "https://x.com/mara_lind"), 2, "no user of Periscope"),
        (("user", "about"), 2, "no user of Periscope"),
        (("parse-url", "https://x.com/i/spaces/1vOxwdyYrlqKB"), 2, "no link of Periscope"),
        (("parse-url", "https://www.periscope.tv/about"), 2, "error"),
        (("broadcast", "https://www.periscope.tv/mara_lind"), 2, "not a broadcast"),
    ],
)
def test_what_cannot_be_had_is_said_with_its_exit_code(ask: Ask, words: tuple[str, ...], code: int, says: str) -> None:
    answer = ask(*words)
    assert answer.code == code, answer
    assert says in answer.err
    as_json = json.loads(ask(*words, "--json").err)["error"]
    assert as_json["exit_code"] == code


def test_after_the_closing_the_reason_is_told(ask: Ask, box: SandboxBox) -> None:
    switch(box, closed="all")
    for words in (("user", "mara_lind"), ("history", "mara_lind"), ("tokens", "mara_lind")):
        assert ask(*words).code in (4, 7)
    # X has what Periscope had.
    assert said(ask("broadcast", REPLAY, "--json"))["id"] == REPLAY


@pytest.mark.parametrize("command", ["user", "broadcast", "history", "tokens", "parse-url", "request"])
def test_each_command_has_help_with_examples(typed: Typed, command: str) -> None:
    answer = typed("periscope", command, "--help")
    assert answer.code == 0
    assert f"hydrophone periscope {command}" in answer.out

"""Every refusal of the X API, as a user sees it: the documented exit code, and a sentence that says what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydrophone.cli import run
from hydrophone.sandbox.api2.problems import NAMED
from hydrophone.testing import Scene, sandbox
from hydrophone.testing.box import SandboxBox

#: Name of the answer to exit code and what the advice must speak of.
EXPECTED: dict[str, tuple[int, str]] = {
    "400": (5, "Correct what it complains about"),
    "401": (5, "auth login --api"),
    "401_code_89": (5, "auth login --api"),
    "402": (5, "credits"),
    "402_legacy": (5, "credits"),
    "402_current": (5, "credits"),
    "403_app_token": (5, "auth login --api"),
    "403_user_token": (5, "auth login --api"),
    "403_not_enrolled": (5, "developer"),
    "403_not_owner": (5, "Sign in as the account that owns it"),
    "403_scope": (5, "with every scope"),
    "404": (4, "Check the link"),
    "404_empty": (7, "Hydrophone"),
    "429": (6, "Asking is allowed again at"),
    "429_code_88": (6, "Asking is allowed again at"),
    "429_too_fast": (6, "Asking is allowed again at"),
    "429_no_headers": (6, "Asking is allowed again at"),
    "429_usage_cap": (5, "Wait for the next month"),
    "429_streams": (6, "Asking is allowed again at"),
    "500": (8, "Try again in some minutes"),
    "500_problem": (8, "Try again in some minutes"),
    "503": (8, "Try again in some minutes"),
    "503_html": (8, "Try again in some minutes"),
    "200_empty": (7, ""),
}
BEARER = "AAAAAAAAAAAAAAAAAAAAAHydrophoneSandbox"


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with sandbox(Scene.live("harbour", seconds=None), speed=100) as started:
        yield started


@pytest.fixture(autouse=True)
def fresh(box: SandboxBox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    box.control.clear_faults()
    monkeypatch.setenv("HYDROPHONE_SANDBOX", box.bases["control"])
    monkeypatch.setenv("HYDROPHONE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HYDROPHONE_ASK_ORDER", "api")
    monkeypatch.setenv("HOME", str(tmp_path))


def test_every_answer_that_the_sandbox_can_give_is_expected_here() -> None:
    assert sorted(EXPECTED) == sorted(NAMED)


@pytest.mark.parametrize("name", list(EXPECTED))
def test_a_refusal_ends_with_its_exit_code_and_says_what_to_do(
    name: str, box: SandboxBox, capsys: pytest.CaptureFixture[str]
) -> None:
    code, advice = EXPECTED[name]
    box.control.inject(kind="api2-answer", service="x", path="/2/spaces", name=name)

    ended = run(["info", box.link("harbour"), "--json"])

    said = capsys.readouterr()
    told = json.loads(said.err.strip().splitlines()[-1])["error"]
    assert ended == code, told
    assert told["message"]
    assert advice.lower() in told["advice"].lower()
    assert advice == "" or told["advice"].rstrip().endswith(".")
    assert BEARER not in said.out + said.err


#: Every kind of problem that the service is known for, and statuses without one: exit code, and what to do about it.
KINDS: dict[tuple[int, str], tuple[int, str]] = {
    (200, "resource-not-found"): (4, "check the link"),
    (404, "resource-not-found"): (4, "check the link"),
    (200, "resource-unavailable"): (4, "check the link"),
    (200, "not-authorized-for-resource"): (5, ""),
    (403, "not-authorized-for-resource"): (5, ""),
    (200, "disallowed-resource"): (5, ""),
    (400, "invalid-request"): (5, "correct what it complains about"),
    (409, "conflict"): (5, ""),
    (402, "credits"): (5, "credits"),
    (402, "credits-depleted"): (5, "credits"),
    (403, "usage-capped"): (5, "next month"),
    (429, "usage-capped"): (5, "next month"),
    (403, "client-forbidden"): (5, "developer console"),
    (403, "unsupported-authentication"): (5, "other kind of token"),
    (403, "oauth1-permissions"): (5, ""),
    (429, "rate-limit-exceeded"): (6, "allowed again at"),
    (429, "streaming-connection"): (6, "allowed again at"),
    (500, "internal-error"): (8, "try again"),
    (502, ""): (8, "try again"),
    (504, ""): (8, "try again"),
    (403, "of-a-kind-that-nobody-knows"): (5, ""),
    (418, "of-a-kind-that-nobody-knows"): (7, "update hydrophone"),
}


@pytest.mark.parametrize("host", ["api.x.com", "api.twitter.com"])
@pytest.mark.parametrize(("status", "kind"), list(KINDS))
def test_every_kind_of_problem_ends_with_its_exit_code_and_a_sentence(
    status: int, kind: str, host: str, box: SandboxBox, capsys: pytest.CaptureFixture[str]
) -> None:
    code, advice = KINDS[status, kind]
    problem = {"title": "Of the test", "detail": "Something about it.", "type": f"https://{host}/2/problems/{kind}"}
    if status == 400:
        problem |= {"errors": [{"message": "The `id` query parameter value [x] is odd"}]}  # type: ignore[dict-item]
    body = json.dumps({"errors": [problem]} if status == 200 else problem) if kind else "<html>Over capacity</html>"
    headers = {"content-type": "application/json" if kind else "text/html"}
    box.control.inject(kind="status", service="x", path="/2/spaces", status=status, body=body, headers=headers)

    ended = run(["info", box.link("harbour"), "--json"])

    said = capsys.readouterr()
    told = json.loads(said.err.strip().splitlines()[-1])["error"]
    assert ended == code, told
    assert told["message"]
    assert told["advice"].rstrip().endswith("."), told
    assert advice in told["advice"].lower()


@pytest.mark.parametrize("kind", ["not-authorized-for-field", "field-unauthorized", "field-hydration-failure"])
def test_a_field_that_is_missing_costs_nothing_else(
    kind: str, box: SandboxBox, capsys: pytest.CaptureFixture[str]
) -> None:
    key = box.link("harbour").rsplit("/", 1)[-1]
    problem = {"title": "Of the test", "detail": "No count.", "type": f"https://api.x.com/2/problems/{kind}"}
    problem |= {"field": "participant_count", "resource_type": "space", "section": "data"}
    body = json.dumps({"data": {"id": key, "state": "live", "title": "Tides"}, "errors": [problem]})
    headers = {"content-type": "application/json"}
    box.control.inject(kind="status", service="x", path="/2/spaces", status=200, body=body, headers=headers)

    assert run(["info", box.link("harbour"), "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["title"] == "Tides"
    assert told["participant_count"] is None


def test_a_rate_limit_keeps_later_runs_from_asking_before_its_time(
    box: SandboxBox, capsys: pytest.CaptureFixture[str]
) -> None:
    box.control.inject(kind="api2-answer", service="x", path="/2/spaces", name="429")
    assert run(["info", box.link("harbour")]) == 6
    asked = len(box.control.requests(service="x", containing="/2/spaces"))

    assert run(["info", box.link("harbour")]) == 6

    assert len(box.control.requests(service="x", containing="/2/spaces")) == asked
    capsys.readouterr()


def test_the_other_source_takes_over_with_one_clear_line(
    box: SandboxBox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYDROPHONE_ASK_ORDER", "api,web")
    box.control.inject(kind="api2-answer", service="x", path="/2/spaces", name="402")

    assert run(["info", box.link("harbour")]) == 0

    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line.strip()]
    assert len(lines) == 1
    assert "the X API did not answer" in lines[0]
    assert "x.com did" in lines[0]
    assert "The harbour room" in said.out

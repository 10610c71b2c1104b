"""Budgets and refusals: headers on every answer, 429 in its forms, and every named error where a rule puts it."""

from __future__ import annotations

import json

import pytest

from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.x.answers import NAMED
from x_visiting import SAMPLES, visiting

SPACE = Scene.live()
STATUS = "/i/api/1.1/live_video_stream/status/28_1"
LIMIT, LEFT, RESET = "x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset"


async def test_every_api_answer_carries_the_three_headers() -> None:
    async with visiting(SPACE) as visitor:
        answers = {
            "space": await visitor.space(SPACE.id),
            "features": await visitor.space(SPACE.id, features={}),
            "status": await visitor.api(STATUS),
            "user": await visitor.graphql("UserByScreenName", {"screen_name": "x"}),
            "fleets": await visitor.api("/i/api/fleets/v1/avatar_content?user_ids=1"),
            "broadcasts": await visitor.api("/1.1/broadcasts/show.json?ids=1"),
        }
        now = int(visitor.world.now().timestamp())
    limits = {name: int(said.headers[LIMIT]) for name, said in answers.items()}
    expected = {"space": 500, "features": 500, "status": 1000, "user": 150, "fleets": 900, "broadcasts": 900}
    assert limits == expected
    assert int(answers["space"].headers[LEFT]) == 499
    assert int(answers["features"].headers[LEFT]) == 498
    assert all(now < int(said.headers[RESET]) <= now + 900 for said in answers.values())


async def test_a_budget_runs_out_and_comes_back_with_the_scene_clock() -> None:
    async with visiting(SPACE) as visitor:
        await visitor.turn(limits={"AudioSpaceById": 2})
        first = [(await visitor.space(SPACE.id)).status for _ in range(3)]
        spent = await visitor.space(SPACE.id)
        visitor.world.clock.advance(901)
        later = await visitor.space(SPACE.id)
    assert first == [200, 200, 429]
    assert (spent.body, spent.headers[LEFT]) == (b"Rate limit exceeded\n", "0")
    assert later.status == 200


async def test_budgets_are_kept_apart_by_endpoint_account_and_guest() -> None:
    async with visiting(SPACE) as visitor:
        await visitor.turn(limits={"AudioSpaceById": 1, "guest": 1})
        mine = [(await visitor.space(SPACE.id)).status for _ in range(2)]
        other_endpoint = await visitor.graphql("BrowseSpaceTopics", {})
        visitor.login = {"cookie": "auth_token=another; ct0=1", "x-csrf-token": "1"}
        other_account = await visitor.space(SPACE.id)
        guests = []
        for _ in range(2):
            await visitor.become_guest()
            guests.append([(await visitor.space(SPACE.id)).status for _ in range(2)])
    assert mine == [200, 429]
    assert (other_endpoint.status, other_account.status) == (200, 200)
    assert guests == [[200, 429], [200, 429]]


async def test_guests_get_a_hundred() -> None:
    async with visiting(SPACE) as visitor:
        await visitor.become_guest()
        said = await visitor.space(SPACE.id)
    assert (said.headers[LIMIT], said.headers[LEFT]) == ("100", "99")


@pytest.mark.parametrize("form", ["graphql", "rest", "object"])
async def test_too_many_in_three_forms(form: str) -> None:
    file = {"graphql": "429_graphql", "rest": "429_rest_88", "object": "429_errors_is_an_object"}[form]
    body = json.loads((SAMPLES / "errors" / f"{file}.json").read_text())["body"]
    async with visiting(SPACE) as visitor:
        await visitor.turn(limits={"AudioSpaceById": 0}, limit_form=form)
        said = await visitor.space(SPACE.id)
    assert said.status == 429
    assert (said.body.decode() if isinstance(body, str) else said.json) == body


@pytest.mark.parametrize("kind", ["past", "absent", "absurd"])
async def test_a_reset_may_be_past_absent_or_absurd(kind: str) -> None:
    async with visiting(SPACE) as visitor:
        await visitor.turn(limits={"live_video_stream/status": 0}, limit_reset=kind)
        said = await visitor.api(STATUS)
        now = visitor.world.now().timestamp()
    assert (said.status, said.error_code) == (429, 88)
    if kind == "absent":
        assert RESET not in said.headers
    else:
        assert (float(said.headers[RESET]) < now) == (kind == "past")


# ---------------------------------------------------------------- named refusals


@pytest.mark.parametrize("path", sorted((SAMPLES / "errors").glob("*.json")), ids=lambda path: path.stem)
async def test_every_error_of_the_reference_can_be_injected(path: object) -> None:
    name = path.stem  # type: ignore[attr-defined]
    expected = json.loads((SAMPLES / "errors" / f"{name}.json").read_text())
    async with visiting(SPACE) as visitor:
        rule = {"kind": "answer", "service": "x", "path": "AudioSpaceById", "name": name, "count": 1}
        visitor.world.faults.add(rule)
        said = await visitor.space(SPACE.id)
        after = await visitor.space(SPACE.id)
    assert said.status == expected["http_status"]
    body = expected["body"]
    if isinstance(body, str):
        assert said.body.decode() == body
    elif name == "400_feature_missing_336":
        assert said.error_code == 336
    else:
        assert said.json == body
    for header in expected["headers"]:
        if header not in ("content-length", "set-cookie", "server"):
            assert header in said.headers
    assert bool(said.cookies) == (name == "403_353_with_new_ct0")
    assert after.status == 200


@pytest.mark.parametrize("name", sorted(NAMED))
async def test_every_named_refusal_goes_over_the_wire(name: str) -> None:
    async with visiting(SPACE) as visitor:
        visitor.world.faults.add({"kind": "answer", "service": "x", "name": name})
        said = await visitor.api(STATUS)
    assert said.status == int(name.partition("_")[0])
    assert said.body == NAMED[name].body


async def test_an_unknown_refusal_says_so() -> None:
    async with visiting(SPACE) as visitor:
        visitor.world.faults.add({"kind": "answer", "service": "x", "name": "418_teapot"})
        said = await visitor.api(STATUS)
    assert said.headers["x-sandbox-problem"] == "1"


async def test_the_ledger_knows_host_and_headers_of_every_request() -> None:
    async with visiting(SPACE) as visitor:
        await visitor.space(SPACE.id, host="api.x.com")
        note = next(iter(visitor.world.ledger.requests(service="x", containing="AudioSpaceById")))
    assert note.host == "api.x.com"
    assert {name.lower(): value for name, value in note.headers}["x-csrf-token"] == "a" * 160

"""Bearer, guest tokens, cookies and csrf: who is let in, who is not, and with which words."""

from __future__ import annotations

import asyncio

import pytest

from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.x.accounts import LEGACY_BEARER, SEED_BEARER_TAIL, WEB_BEARER
from x_visiting import CT0, Visitor, visiting

SPACE = Scene.live()


def login(ct0: str, header: str | None = None) -> dict[str, str]:
    return {"cookie": f"auth_token=somebody; ct0={ct0}", "x-csrf-token": ct0 if header is None else header}


def issued(cookies: tuple[str, ...]) -> str:
    assert len(cookies) == 1
    return cookies[0].partition(";")[0].removeprefix("ct0=")


@pytest.mark.parametrize(
    "token", [WEB_BEARER, WEB_BEARER.replace("=", "%3D"), LEGACY_BEARER, f"AAAA{SEED_BEARER_TAIL}"]
)
async def test_every_known_bearer_is_accepted(token: str) -> None:
    async with visiting(SPACE) as visitor:
        said = await visitor.space(SPACE.id, authorization=f"Bearer {token}")
    assert said.status == 200


@pytest.mark.parametrize("value", ["", "Bearer nonsense", f"Basic {WEB_BEARER}"])
async def test_any_other_bearer_is_401_32(value: str) -> None:
    async with visiting(SPACE) as visitor:
        said = await visitor.space(SPACE.id, authorization=value)
    assert (said.status, said.error_code) == (401, 32)


async def test_a_guest_token_works_until_it_expires() -> None:
    async with visiting(SPACE) as visitor:
        token = await visitor.become_guest()
        fresh = await visitor.space(SPACE.id)
        visitor.world.clock.advance(3 * 3600 + 1)
        stale = await visitor.space(SPACE.id)
        again = await visitor.become_guest()
        healed = await visitor.space(SPACE.id)
    assert token.isdigit()
    assert fresh.json["data"]["audioSpace"]
    assert (stale.status, stale.error_code) == (403, 239)
    assert again != token
    assert healed.status == 200


async def test_an_unknown_guest_token_is_403_239() -> None:
    async with visiting(SPACE) as visitor:
        visitor.login = {"x-guest-token": "1500000000000000000"}
        said = await visitor.space(SPACE.id)
    assert (said.status, said.error_code) == (403, 239)


async def test_neither_login_nor_guest_token_is_401_32() -> None:
    async with visiting(SPACE) as visitor:
        visitor.login = {}
        said = await visitor.space(SPACE.id)
    assert (said.status, said.error_code) == (401, 32)


async def test_guests_may_be_denied_by_scene_and_by_switch() -> None:
    closed, opened = Scene.live("closed", guest_allowed=False), Scene.live("opened")
    async with visiting(closed, opened) as visitor:
        signed_in = await visitor.space(closed.id)
        await visitor.become_guest()
        by_scene, allowed = await visitor.space(closed.id), await visitor.space(opened.id)
        await visitor.turn(guest="denied")
        by_switch = await visitor.space(opened.id)
    assert signed_in.json["data"]["audioSpace"]["metadata"]["rest_id"] == closed.id
    assert by_scene.json == by_switch.json == {"data": {"audioSpace": {}}}
    assert allowed.json["data"]["audioSpace"]["metadata"]["rest_id"] == opened.id


async def test_what_needs_a_login_is_refused_to_guests() -> None:
    async with visiting(SPACE) as visitor:
        await visitor.become_guest()
        search = await visitor.graphql("AudioSpaceSearch", {"filter": "Live", "query": "room"})
        fleets = await visitor.api("/i/api/fleets/v1/fleetline?only_spaces=true")
    assert (search.status, fleets.status) == (403, 403)


async def test_activation_can_be_refused() -> None:
    async with visiting() as visitor:
        await visitor.turn(guest="no_activation")
        said = await visitor.api("/1.1/guest/activate.json", method="POST")
        without = await visitor.ask("/1.1/guest/activate.json", method="POST")
    assert (said.status, without.status) == (429, 401)


# ---------------------------------------------------------------- csrf


async def ask_twice(visitor: Visitor) -> list[int]:
    """A client that adopts a new ct0 and repeats once."""
    visitor.login = login(CT0)
    first = await visitor.space(SPACE.id)
    if first.cookies:
        visitor.login = login(issued(first.cookies))
    return [first.status, (await visitor.space(SPACE.id)).status]


async def test_a_mismatch_is_403_353_with_a_new_ct0() -> None:
    async with visiting(SPACE) as visitor:
        visitor.login = login(CT0, "another")
        said = await visitor.space(SPACE.id)
        visitor.login = login(issued(said.cookies))
        healed = await visitor.space(SPACE.id)
    assert (said.status, said.error_code) == (403, 353)
    assert len(issued(said.cookies)) == 160
    assert healed.status == 200


async def test_a_mismatch_may_come_without_a_cookie() -> None:
    async with visiting(SPACE) as visitor:
        await visitor.turn(csrf="without")
        visitor.login = login(CT0, "another")
        said = await visitor.space(SPACE.id)
    assert (said.status, said.error_code, said.cookies) == (403, 353, ())


@pytest.mark.parametrize(("mode", "expected"), [("renew", [403, 200]), ("dead", [403, 403]), ("endless", [403, 403])])
async def test_modes_of_csrf(mode: str, expected: list[int]) -> None:
    async with visiting(SPACE) as visitor:
        await visitor.turn(csrf=mode)
        assert await ask_twice(visitor) == expected


async def test_rotation_hands_out_a_ct0_with_each_good_answer_and_old_ones_die() -> None:
    async with visiting(SPACE) as visitor:
        await visitor.turn(csrf="rotate")
        visitor.login = login("short")
        first = await visitor.space(SPACE.id)
        newer = issued(first.cookies)
        visitor.login = login(newer)
        second = await visitor.space(SPACE.id)
        visitor.login = login("never issued")
        stranger = await visitor.space(SPACE.id)
    assert (first.status, second.status, stranger.status) == (200, 200, 403)
    assert issued(second.cookies) != newer


async def test_no_cookie_is_too_short() -> None:
    async with visiting(SPACE) as visitor:
        visitor.login = {"cookie": "auth_token=<your_auth_token>; ct0=xxx", "x-csrf-token": "xxx"}
        assert (await visitor.space(SPACE.id)).status == 200


# ---------------------------------------------------------------- the account


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        ("revoked", 401, 32),
        ("invalid", 401, 89),
        ("locked", 403, 326),
        ("suspended", 403, 64),
        ("access_control", 403, 0),
        ("throttled", 429, 88),
    ],
)
async def test_an_account_in_trouble(state: str, status: int, code: int) -> None:
    async with visiting(SPACE) as visitor:
        await visitor.turn(account=state)
        said = await visitor.space(SPACE.id)
    assert (said.status, said.error_code) == (status, code)
    if state == "throttled":
        assert int(said.headers["x-rate-limit-remaining"]) > 0


async def test_one_account_may_be_in_trouble_alone() -> None:
    async with visiting(SPACE) as visitor:
        await visitor.turn(accounts={"somebody": "revoked"})
        other = await visitor.space(SPACE.id)
        visitor.login = login(CT0)
        revoked = await visitor.space(SPACE.id)
    assert (other.status, revoked.status) == (200, 401)


async def test_a_challenge_is_html_with_a_ray() -> None:
    async with visiting(SPACE) as visitor:
        await visitor.turn(needs_browser=True)
        program = await visitor.space(SPACE.id, user_agent="python-requests/2")
        browser = await visitor.space(SPACE.id, user_agent="Mozilla/5.0")
    assert (program.status, browser.status) == (403, 200)
    assert "cf-ray" in program.headers
    assert b"<!DOCTYPE html>" in program.body


async def test_a_switch_can_turn_later_and_by_scene() -> None:
    scene = Scene.live(since=0.0, extra={"switches_at": [{"at": 20, "account": "revoked"}]})
    async with visiting(scene) as visitor:
        await visitor.turn(after_seconds=10, account="locked")
        states = []
        for _ in range(3):
            states.append((await visitor.space(scene.id)).status)
            visitor.world.clock.advance(11.0)
        visitor.world.reset()
        visitor.world.load(scene)
        visitor.world.clock.advance(21.0)
        states.append((await visitor.space(scene.id)).status)
    assert states == [200, 403, 403, 401]


async def test_an_unknown_switch_is_refused() -> None:
    async with visiting() as visitor:
        said = await visitor.ask("/x/switches", method="POST", service="control", body=b'{"acount": "locked"}')
        shown = await visitor.ask("/x/switches", service="control")
    assert said.status == 400
    assert shown.json["account"] == "ok"


async def test_many_requests_at_once_survive_a_rotation() -> None:
    async with visiting(SPACE) as visitor:
        await visitor.turn(csrf="rotate")
        said = await asyncio.gather(*(visitor.space(SPACE.id) for _ in range(6)))
    assert {answer.status for answer in said} == {200}

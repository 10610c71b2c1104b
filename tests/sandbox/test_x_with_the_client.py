"""The real client against the X side of the sandbox, under every switch: two readings of one reference meet here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from hydrophone.errors import (
    AccountLockedError,
    BlockedError,
    FaultyServiceError,
    HydrophoneError,
    NotFoundError,
    NotSignedInError,
    RateLimitedError,
    RefusedError,
)
from hydrophone.http import AsyncClient, Endpoints
from hydrophone.model import (
    BroadcastId,
    BroadcastRef,
    EventId,
    MediaKey,
    MediaKind,
    PostId,
    SpaceId,
    SpaceRef,
    SpaceState,
    UserId,
)
from hydrophone.sandbox.scene import Kind, Scene, State
from hydrophone.sandbox.x.posts import posts_of
from hydrophone.xweb.broadcasts import broadcasts_by_ids, event_broadcast
from hydrophone.xweb.fleets import spaces_of_followed, spaces_of_users
from hydrophone.xweb.login import Login
from hydrophone.xweb.people import user_by_handle
from hydrophone.xweb.posts import post_target, posts_with_targets, short_link_target
from hydrophone.xweb.searching import search_spaces, space_topics
from hydrophone.xweb.session import WebSession
from hydrophone.xweb.spaces import space_by_id
from hydrophone.xweb.streams import stream_by_media_key
from x_visiting import Visitor, visiting

AIR = Scene.live("on air", scheduled=-60.0)
CAMERA = Scene.live("camera", kind=Kind.BROADCAST, seconds=60.0, extra={"event_id": "2028900000000000001"})


@dataclass
class Client:
    """A client that is pointed at the sandbox."""

    visitor: Visitor
    http: AsyncClient
    session: WebSession

    async def ask(self, question: Any) -> Any:
        return await self.http.ask(question)

    async def space(self, scene: Scene = AIR) -> Any:
        return await self.ask(space_by_id(self.session, SpaceId(scene.id)))


class Using:
    """`async with Using(scenes) as client`: signed in unless it is to be a guest."""

    def __init__(self, *scenes: Scene, as_guest: bool = False, **switches: Any) -> None:
        self._sandbox = visiting(*(scenes or (AIR,)))
        self._guest = as_guest
        self._switches = switches

    async def __aenter__(self) -> Client:
        visitor = await self._sandbox.__aenter__()
        if self._switches:
            await visitor.turn(**self._switches)
        endpoints = Endpoints.sandbox(visitor.world.bases)
        login = None if self._guest else Login("b" * 40, "c" * 160)
        self._http = AsyncClient(endpoints)
        http = await self._http.__aenter__()
        return Client(visitor, http, WebSession(login=login, is_api=endpoints.is_api))

    async def __aexit__(self, *problem: Any) -> None:
        await self._http.__aexit__(*problem)
        await self._sandbox.__aexit__(*problem)


@pytest.mark.parametrize("guest", [False, True])
@pytest.mark.parametrize("shape", ["core", "legacy"])
async def test_it_reads_a_record_in_both_shapes(guest: bool, shape: str) -> None:
    async with Using(as_guest=guest, user_shape=shape) as client:
        space = await client.space()
    assert (space.state, space.title) == (SpaceState.LIVE, AIR.title)
    assert (space.creator.handle, space.creator.name) == (AIR.creator.handle, AIR.creator.name)
    assert "deck_hand" not in [person.handle for person in space.participants]


@pytest.mark.parametrize(
    ("scene", "state"),
    [
        (Scene.live("soon", started=None, scheduled=600.0), SpaceState.SCHEDULED),
        (Scene.live("green", started=None, scheduled=600.0, opened=-5.0), SpaceState.SCHEDULED),
        (Scene.live("off", started=None, scheduled=600.0, canceled=-5.0), SpaceState.CANCELED),
        (Scene.ended(), SpaceState.ENDED),
        (Scene.ended(outcome=State.TIMED_OUT), SpaceState.TIMED_OUT),
    ],
)
async def test_it_reads_every_state(scene: Scene, state: SpaceState) -> None:
    async with Using(scene) as client:
        assert (await client.space(scene)).state is state


@pytest.mark.parametrize("home", ["classic", "classic7", "classic_old", "vite"])
@pytest.mark.parametrize("detour", ["no", "redirect", "form"])
async def test_it_finds_a_rotated_id(home: str, detour: str) -> None:
    async with Using(query_ids="rotated", home=home, home_redirect=detour) as client:
        assert (await client.space()).title == AIR.title


@pytest.mark.parametrize("named", [0, 1])
async def test_it_heals_a_missing_feature(named: int) -> None:
    features = ["post_ctas_fetch_enabled", "quite_new_enabled"]
    async with Using(extra_features=features, features_named=named) as client:
        assert (await client.space()).title == AIR.title


@pytest.mark.parametrize("demand", ["404", "401"])
@pytest.mark.parametrize("home", ["classic", "vite"])
async def test_it_makes_transaction_ids_when_they_are_demanded(demand: str, home: str) -> None:
    async with Using(transaction_ids=demand, home=home) as client:
        if demand == "401":
            with pytest.raises(NotSignedInError):  # indistinguishable from a dead login
                await client.space()
        else:
            assert (await client.space()).title == AIR.title


@pytest.mark.parametrize("mode", ["renew", "rotate"])
async def test_it_follows_the_csrf_cookie(mode: str) -> None:
    async with Using(csrf=mode) as client:
        for _ in range(3):
            assert (await client.space()).title == AIR.title


@pytest.mark.parametrize(
    ("switches", "error"),
    [
        ({"csrf": "dead"}, NotSignedInError),
        ({"csrf": "endless"}, NotSignedInError),
        ({"account": "revoked"}, NotSignedInError),
        ({"account": "invalid"}, NotSignedInError),
        ({"account": "expired"}, NotSignedInError),
        ({"account": "locked"}, AccountLockedError),
        ({"account": "suspended"}, AccountLockedError),
        ({"account": "access_control"}, AccountLockedError),
        ({"account": "throttled"}, AccountLockedError),
        ({"account": "blocked"}, BlockedError),
        ({"limits": {"AudioSpaceById": 0}}, RateLimitedError),
        ({"limits": {"AudioSpaceById": 0}, "limit_form": "object"}, RateLimitedError),
        ({"limits": {"AudioSpaceById": 0}, "limit_reset": "absent"}, RateLimitedError),
        ({"limits": {"AudioSpaceById": 0}, "limit_reset": "past"}, RateLimitedError),
    ],
    ids=str,
)
async def test_trouble_becomes_the_error_that_says_what_to_do(
    switches: dict[str, Any], error: type[HydrophoneError]
) -> None:
    async with Using(**switches) as client:
        with pytest.raises(error):
            await client.space()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("200_not_authorized", RefusedError),
        ("200_loadshed", FaultyServiceError),
        ("200_timeout", FaultyServiceError),
        ("403_37", RefusedError),
        ("403_179", RefusedError),
        ("422_variables", NotFoundError),
        ("404_34", NotFoundError),
    ],
)
async def test_named_refusals_become_typed_errors(name: str, error: type[HydrophoneError]) -> None:
    async with Using() as client:
        client.visitor.world.faults.add({"kind": "answer", "service": "x", "path": "AudioSpaceById", "name": name})
        with pytest.raises(error):
            await client.space()


async def test_a_guest_is_told_to_sign_in_where_guests_see_nothing() -> None:
    async with Using(guest="denied") as signed_in:
        assert (await signed_in.space()).title == AIR.title
    closed = Scene.live("closed", guest_allowed=False)
    async with Using(closed, as_guest=True) as client:
        with pytest.raises((NotSignedInError, NotFoundError)):
            await client.space(closed)


async def test_an_expired_guest_token_is_renewed() -> None:
    async with Using(as_guest=True) as client:
        await client.space()
        client.visitor.world.clock.advance(4 * 3600)
        assert (await client.space()).title == AIR.title


async def test_streams_of_spaces_and_broadcasts() -> None:
    async with Using(AIR, CAMERA, as_guest=True) as client:
        audio, video = [
            await client.ask(stream_by_media_key(client.session, MediaKey(scene.media_key)))
            for scene in client.visitor.world.scenes
        ]
    assert (audio.kind, video.kind) == (MediaKind.AUDIO, MediaKind.VIDEO)


async def test_broadcasts_events_and_posts_lead_to_their_scene() -> None:
    async with Using(AIR, CAMERA) as client:
        found = await client.ask(broadcasts_by_ids(client.session, [BroadcastId(CAMERA.id), BroadcastId(AIR.id)]))
        event = await client.ask(event_broadcast(client.session, EventId("2028900000000000001")))
        scenes = client.visitor.world.scenes
        targets = [
            await client.ask(post_target(client.session, PostId(post.id)))
            for scene in scenes
            for post in posts_of(scene)
        ]
        code = posts_of(scenes[0])[0].code
        link = await client.ask(short_link_target(code))
        timeline = await client.ask(posts_with_targets(client.session, UserId(AIR.creator.user_id)))
    broadcast = found[BroadcastId(CAMERA.id)]
    assert (broadcast.title, broadcast.state) == (CAMERA.title, SpaceState.LIVE)
    assert event == BroadcastRef(BroadcastId(CAMERA.id))
    assert targets == [SpaceRef(SpaceId(AIR.id))] * 2 + [BroadcastRef(BroadcastId(CAMERA.id))] * 2
    assert link == f"https://x.com/i/spaces/{AIR.id}"
    assert len(timeline) == 4


async def test_who_is_live_by_people_by_following_and_by_search() -> None:
    async with Using(AIR, CAMERA) as client:
        person = await client.ask(user_by_handle(client.session, AIR.creator.handle))
        by_people = await client.ask(spaces_of_users(client.session, [person.id]))
        by_following = await client.ask(spaces_of_followed(client.session))
        by_search = await client.ask(search_spaces(client.session, "on air"))
        topics = await client.ask(space_topics(client.session))
    assert person.name == AIR.creator.name
    assert list(by_people.spaces) == [AIR.id]
    assert AIR.id in by_following.spaces
    assert list(by_search) == [AIR.id]
    assert topics

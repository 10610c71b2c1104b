"""Stream status, broadcasts, events, fleets: the REST side."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from hydrophone.sandbox.scene import Kind, Scene, State, sample_people
from x_visiting import COOKIES, SAMPLES, differences, sample, shape, visiting


def claims(token: str) -> Any:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def broadcast(name: str = "harbour camera", **rest: Any) -> Scene:
    return Scene.live(name, kind=Kind.BROADCAST, seconds=60.0, **rest)


STATUS = "/i/api/1.1/live_video_stream/status/"
REAL = {"host": "x.com"}


@pytest.mark.parametrize(("advance", "name"), [(0.0, "live"), (200.0, "replay")])
async def test_status_in_live_and_replay_equals_the_samples(advance: float, name: str) -> None:
    scene = Scene.live(seconds=60.0)
    async with visiting(scene) as visitor:
        visitor.world.clock.advance(advance)
        said = await visitor.api(STATUS + visitor.world.scenes[0].media_key, **REAL)
        now = int(visitor.world.now().timestamp())
    ours, theirs = said.json, sample(f"stream_status.{name}")
    decoded = sample("stream_status.tokens_decoded")
    assert differences(shape(ours), shape(theirs)) == []
    assert ours["source"]["status"] == "LIVE_PUBLIC"
    assert ours["source"]["location"].startswith("https://prod-fastly-eu-central-1.video.pscp.tv/Transcoding/v1/hls/")
    for token in ("chatToken", "lifecycleToken"):
        payload, expected = claims(ours[token]), decoded[f"{token}.{name}"]["payload"]
        assert differences(shape(payload), shape(expected)) == []
        assert payload["exp"] == now + 24 * 3600
        assert {n: v for n, v in payload.items() if isinstance(v, bool)} == {
            n: v for n, v in expected.items() if isinstance(v, bool)
        }
    owner = json.loads(base64.b64decode(claims(ours["chatToken"])["ambiguous_user_id"]))
    assert owner == {"TwitterUserId": 1705000000000000005}


async def test_status_of_a_live_broadcast_for_a_guest_equals_the_sample() -> None:
    scene = broadcast(since=10.0)
    async with visiting(scene) as visitor:
        await visitor.become_guest()
        said = await visitor.api("/1.1/live_video_stream/status/" + visitor.world.scenes[0].media_key)
    assert differences(shape(said.json), shape(sample("stream_status.video_live"))) == []
    assert claims(said.json["chatToken"])["ambiguous_user_id"] == ""
    assert said.json["chatPermissionType"] == "StreamTypePublic"


async def test_on_loopback_the_stream_is_on_loopback() -> None:
    scene = Scene.live()
    async with visiting(scene) as visitor:
        said = await visitor.api(STATUS + visitor.world.scenes[0].media_key)
        location = said.json["source"]["location"]
        base = visitor.world.bases["cdn"]
        playlist = await visitor.ask(location.removeprefix(base), service="cdn")
    assert location.startswith(base + "/Transcoding/")
    assert playlist.body.startswith(b"#EXTM3U")


@pytest.mark.parametrize(
    "scene",
    [
        Scene.live(started=None, scheduled=60.0),
        Scene.live(started=None, scheduled=60.0, opened=-1.0),
        Scene.live(started=None, canceled=-1.0),
        Scene.ended(has_replay=False),
        Scene.ended(ago=5.0, replay_lag_seconds=60.0),
        Scene.ended(extra={"is_deleted": True}),
    ],
)
async def test_status_is_404_without_a_stream(scene: Scene) -> None:
    async with visiting(scene) as visitor:
        said = await visitor.api(STATUS + visitor.world.scenes[0].media_key)
    assert (said.status, said.body) == (404, b"")


async def test_a_timed_out_space_may_still_be_downloadable() -> None:
    scene = Scene.ended(outcome=State.TIMED_OUT)
    async with visiting(scene) as visitor:
        said = await visitor.api(STATUS + visitor.world.scenes[0].media_key)
    assert "type=replay" in said.json["source"]["location"]


async def test_geoblocked_and_odd_status_texts() -> None:
    scene = Scene.ended(extra={"is_geoblocked": True, "status_text": "ENDED", "status_without": ["chatToken"]})
    async with visiting(scene) as visitor:
        said = await visitor.api(STATUS + visitor.world.scenes[0].media_key, **REAL)
    assert said.status == 200
    assert said.json["source"]["location"].startswith("https://api.x.com/1.1/live_video_stream/geoblocked/28_")
    assert said.json["source"]["status"] == "ENDED"
    assert "chatToken" not in said.json


async def test_the_key_of_an_encrypted_stream_wants_cookies() -> None:
    scene = broadcast(is_encrypted=True)
    async with visiting(scene) as visitor:
        path = f"/i/live_video_stream/key?stream_name={visitor.world.scenes[0].stream_key}"
        without = await visitor.ask(path)
        good = await visitor.ask(path, cookie=COOKIES["cookie"])
        unknown = await visitor.ask("/i/live_video_stream/key?stream_name=x", cookie=COOKIES["cookie"])
        await visitor.turn(account="revoked")
        revoked = await visitor.ask(path, cookie=COOKIES["cookie"])
    assert (without.status, good.status, unknown.status, revoked.status) == (401, 200, 404, 401)
    assert len(good.body) == 16


# ---------------------------------------------------------------- broadcasts and events


@pytest.mark.parametrize(
    ("scene", "name"),
    [
        (broadcast(since=10.0), "running"),
        (broadcast(since=600.0), "ended"),
        (broadcast(started=None, created=-60.0, scheduled=60.0), "not_started"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_broadcasts_equal_the_samples(scene: Scene, name: str) -> None:
    async with visiting(scene) as visitor:
        said = await visitor.api(f"/1.1/broadcasts/show.json?ids={scene.id},1goneGoneGoJK&include_events=false", **REAL)
    theirs = sample(f"broadcasts_show.{name}")["broadcasts"]["1harbourVideo"]
    ours = said.json["broadcasts"]
    assert ours["1goneGoneGoJK"] is None
    assert said.json["events"] == {}
    assert differences(shape(ours[scene.id]), shape(theirs)) == []
    assert ours[scene.id]["state"] == theirs["state"]


async def test_an_audio_space_is_no_broadcast_unless_the_scene_says_so() -> None:
    hidden, known = Scene.live("hidden"), Scene.live("known", extra={"in_broadcasts_show": True})
    async with visiting(hidden, known) as visitor:
        said = await visitor.api(f"/i/api/1.1/broadcasts/show.json?ids={hidden.id},{known.id}")
        space = await visitor.space(broadcast().id)
    assert said.json["broadcasts"][hidden.id] is None
    assert said.json["broadcasts"][known.id]["state"] == "RUNNING"
    assert space.json == {"data": {"audioSpace": {}}}


async def test_a_thumbnail_is_a_picture_behind_a_token() -> None:
    scene = broadcast()
    async with visiting(scene) as visitor:
        said = await visitor.api(f"/1.1/broadcasts/show.json?ids={scene.id}")
        url = said.json["broadcasts"][scene.id]["image_url_small"].removeprefix(visitor.world.bases["cdn"])
        picture = await visitor.ask(url, service="cdn")
        stranger = await visitor.ask(url.partition("?")[0], service="cdn")
    assert (picture.status, picture.headers["content-type"], stranger.status) == (200, "image/jpeg", 403)
    assert picture.body.startswith(b"\xff\xd8\xff")


async def test_an_event_leads_to_a_broadcast_or_to_posts() -> None:
    scene = broadcast(extra={"event_id": "2028900000000000001", "event_title": "Harbour week"})
    posts = Scene.live("posts", extra={"event_id": "77", "has_event_posts": True})
    async with visiting(scene, posts) as visitor:
        said = await visitor.api("/1.1/live_event/1/2028900000000000001/timeline.json")
        of_posts = await visitor.api("/1.1/live_event/1/77/timeline.json")
        unknown = await visitor.api("/1.1/live_event/1/78/timeline.json")
    objects = said.json["twitter_objects"]
    theirs = sample("live_event_timeline")
    assert list(objects["broadcasts"]) == [scene.id]
    assert objects["live_events"]["2028900000000000001"]["title"] == "Harbour week"
    assert set(said.json) == set(theirs)
    assert shape(objects["broadcasts"][scene.id]) == shape(theirs["twitter_objects"]["broadcasts"]["1harbourVideo"])
    assert of_posts.json["twitter_objects"]["tweets"]
    assert (unknown.status, unknown.error_code) == (404, 34)


# ---------------------------------------------------------------- fleets


async def test_avatar_content_equals_the_sample() -> None:
    scene = Scene.live(scheduled=-60.0)
    creator, speaker, listener = scene.creator, scene.people[2], scene.people[3]
    async with visiting(scene, Scene.ended(), broadcast()) as visitor:
        ids = ",".join(person.user_id for person in (creator, speaker, listener))
        said = await visitor.api(f"/i/api/fleets/v1/avatar_content?user_ids={ids}&only_spaces=true")
        nobody = await visitor.api("/i/api/fleets/v1/avatar_content?user_ids=1,2&only_spaces=true")
        await visitor.turn(fleet_instants="milliseconds")
        older = await visitor.api(f"/i/api/fleets/v1/avatar_content?user_ids={ids}&only_spaces=true")
    ours, theirs = said.json["users"], sample("avatar_content.live")["users"]
    assert set(ours) == {creator.user_id, speaker.user_id}
    expected = shape(theirs["1701000000000000001"])
    assert differences(shape(ours[creator.user_id]), expected) == []
    space = ours[speaker.user_id]["spaces"]["live_content"]["audiospace"]
    assert space["social_proof"][0]["role"] == "SPEAKER"
    assert space["start"].endswith("000Z")
    assert len(space["start"].partition(".")[2]) == 10
    assert nobody.json == {"users": {}, "refresh_delay_secs": 30}
    old = older.json["users"][creator.user_id]["spaces"]["live_content"]["audiospace"]
    assert isinstance(old["start"], int)


async def test_avatar_content_takes_at_most_a_hundred_ids() -> None:
    async with visiting() as visitor:
        good = await visitor.api(f"/i/api/fleets/v1/avatar_content?user_ids={','.join(map(str, range(1, 101)))}")
        bad = await visitor.api(f"/i/api/fleets/v1/avatar_content?user_ids={','.join(map(str, range(1, 102)))}")
    assert (good.status, bad.status) == (200, 400)
    assert bad.json == json.loads((SAMPLES / "errors" / "400_too_many_user_ids.json").read_text())["body"]


async def test_fleetline_equals_the_sample_and_obeys_who_is_followed() -> None:
    scene, video = Scene.live(scheduled=-60.0), broadcast(since=5.0)
    async with visiting(scene, video) as visitor:
        said = await visitor.api("/i/api/fleets/v1/fleetline?only_spaces=true")
        both = await visitor.api("/i/api/fleets/v1/fleetline")
        await visitor.turn(following=["1"])
        nothing = await visitor.api("/i/api/fleets/v1/fleetline?only_spaces=true")
    ours, theirs = shape(said.json), shape(sample("fleetline"))
    assert differences(ours, theirs) == []
    assert ["livevideo" in thread["live_content"] for thread in both.json["threads"]] == [False, True]
    assert nothing.json["threads"] == []


async def test_one_hundred_people_of_one_space_see_the_same_space() -> None:
    people = sample_people()
    scene = Scene.live(people=people)
    async with visiting(scene) as visitor:
        ids = ",".join(person.user_id for person in people)
        said = await visitor.api(f"/fleets/v1/avatar_content?user_ids={ids}&only_spaces=true")
    spaces = {user["spaces"]["live_content"]["audiospace"]["broadcast_id"] for user in said.json["users"].values()}
    assert len(said.json["users"]) == 3
    assert spaces == {scene.id}

"""The clock, the scenes that are shipped, and what follows from a scene and an instant."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest

from hydrophone.sandbox.clock import SceneClock
from hydrophone.sandbox.hosts import SERVICES, host_of_service, service_of_host
from hydrophone.sandbox.scene import Away, Flap, Kind, Mute, Person, Scene, State, invented_id, invented_stream_key
from hydrophone.sandbox.scenefile import (
    SceneFileError,
    instant_of,
    load_shipped,
    read_scene,
    scene_as_json,
    seconds_of,
    shipped_scenes,
)
from hydrophone.sandbox.timeline import Timeline

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
SHIPPED = (
    "five-voices",
    "no-captions",
    "ntp-jumps",
    "ended-two-hours",
    "ended-short",
    "live-now",
    "starts-soon",
    "canceled",
    "host-drops",
    "replay-off",
    "replay-shorter",
    "video-space",
    "broadcast",
    "broadcast-live",
    "broadcast-aes",
    "timed-out",
    "storm",
    "sequence-restart",
    "ntp-wrap",
    "odd-tags",
    "seed",
    "periscope-2016",
    "periscope-came-back",
    "periscope-live",
    "periscope-replay",
    "periscope-producer",
    "periscope-private",
    "periscope-private-live",
    "periscope-timed-out",
    "periscope-gone",
)


# ---------------------------------------------------------------- the clock


class Watch:
    """A monotonic clock that is turned by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_clock_runs_at_its_speed() -> None:
    watch = Watch()
    clock = SceneClock(NOW, speed=60.0, monotonic=watch)
    watch.seconds += 2.0

    assert clock.now() == NOW + timedelta(minutes=2)
    assert clock.real_seconds(30.0) == 0.5


def test_clock_can_be_paused_advanced_and_slowed_without_jumping_back() -> None:
    watch = Watch()
    clock = SceneClock(NOW, speed=10.0, monotonic=watch)
    watch.seconds += 1.0
    clock.pause()
    watch.seconds += 50.0
    assert clock.now() == NOW + timedelta(seconds=10)
    clock.advance(5.0)
    clock.resume()
    clock.set_speed(1.0)
    watch.seconds += 3.0

    assert clock.now() == NOW + timedelta(seconds=18)
    clock.advance_to(NOW)
    assert clock.now() == NOW + timedelta(seconds=18)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


# ---------------------------------------------------------------- scenes


def test_the_promised_scenes_are_shipped() -> None:
    assert sorted(SHIPPED) == list(shipped_scenes())


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scene_can_be_read_placed_and_sent(name: str) -> None:
    scene = load_shipped(name).at(NOW)

    assert re.fullmatch(r"[0-9A-Za-z]{13}", scene.id)
    assert scene.is_seed or len(base64.urlsafe_b64decode(scene.stream_key + "==")) == 64
    assert re.fullmatch(r"28_\d{18,19}", scene.media_key)  # 18 digits until 2017
    assert read_scene(scene_as_json(scene)) == scene
    assert load_shipped(name).at(NOW) == scene
    if scene.started_at is not None:
        timeline = Timeline(scene)
        assert timeline.total == scene.segment_count


def test_ids_of_shipped_scenes_are_all_different() -> None:
    assert len({load_shipped(name).id for name in SHIPPED}) == len(SHIPPED)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("ended-two-hours", State.ENDED),
        ("live-now", State.RUNNING),
        ("starts-soon", State.NOT_STARTED),
        ("canceled", State.CANCELED),
        ("timed-out", State.TIMED_OUT),
        ("seed", State.ENDED),
        ("ntp-wrap", State.ENDED),
    ],
)
def test_shipped_scene_begins_in_its_state(name: str, state: State) -> None:
    assert load_shipped(name).at(NOW).state_at(NOW) is state


def test_scheduled_scene_goes_through_its_states() -> None:
    scene = load_shipped("starts-soon").at(NOW)
    seen = [scene.state_at(NOW + timedelta(seconds=s)) for s in (0, 95, 121, 400)]

    assert seen == [State.NOT_STARTED, State.PRE_PUBLISHED, State.RUNNING, State.ENDED]


def test_two_hours_are_2400_segments() -> None:
    scene = load_shipped("ended-two-hours").at(NOW)

    assert scene.segment_count == 2400
    assert Timeline(scene).count_at(10**18) == 2400


def test_overrides_reach_into_tables() -> None:
    scene = load_shipped("storm", {"seconds": "10m", "quirks": {"holes": [1, 2]}, "id": "1aaaaaaaaaaGx"})

    assert (scene.seconds, scene.quirks.holes, scene.id) == (600.0, (1, 2), "1aaaaaaaaaaGx")
    assert scene.quirks.last_only_in_final


def test_scene_can_be_based_on_a_shipped_one() -> None:
    scene = read_scene({"base": "host-drops", "name": "mine", "aways": [{"begin": 5, "seconds": "5m"}]})

    assert scene.aways == (Away(begin=5.0, seconds=300.0),)
    assert scene.title == "Mind the cable"


@pytest.mark.parametrize("data", [{"colour": "blue"}, {"quirks": {"colour": 1}}, {"seconds": "soon"}, {"kind": "x"}])
def test_unreadable_scene_says_what_is_wrong(data: dict[str, object]) -> None:
    with pytest.raises(SceneFileError):
        read_scene(data)
    with pytest.raises(SceneFileError, match="live-now"):
        load_shipped("no-such-scene")


@pytest.mark.parametrize(("text", "seconds"), [("2h", 7200), ("-90s", -90), ("1.5m", 90), (7, 7), ("1d", 86_400)])
def test_lengths_of_time(text: object, seconds: float) -> None:
    assert seconds_of(text) == seconds


def test_instants() -> None:
    assert instant_of("now-2h", NOW) == NOW - timedelta(hours=2)
    assert instant_of("now", NOW) == NOW
    assert instant_of("2026-03-03T19:00:00Z", NOW) == datetime(2026, 3, 3, 19, tzinfo=UTC)


# ---------------------------------------------------------------- what follows from a scene


def test_position_stands_still_while_the_host_is_away() -> None:
    scene = Scene.live(since=0, seconds=60, aways=(Away(begin=30, seconds=40),)).at(NOW)
    at = NOW + timedelta(seconds=scene.audio_lead_seconds)
    seen = [scene.position_at(at + timedelta(seconds=s)) for s in (-5, 10, 35, 69, 80, 500)]

    assert seen == [0, 10, 30, 30, 40, 60]
    assert scene.ended_at == NOW + timedelta(seconds=1.15 + 60 + 40 + 1.5)


def test_stage_mutes_audience_and_flaps() -> None:
    people = (
        Person.invent("ann", role="creator"),
        Person.invent("ben", role="speaker", comes=10, leaves=20),
        Person.invent("cat", role="listener"),
    )
    scene = Scene.live(
        people=people,
        mutes=(Mute(handle="ann", begin=5, end=6),),
        flaps=(Flap(begin=50, end=60, state=State.ENDED),),
        since=0,
    ).at(NOW)

    assert [[p.handle for p in scene.on_stage(s)] for s in (5, 15, 25)] == [["ann"], ["ann", "ben"], ["ann"]]
    assert (scene.is_muted("ann", 5.5), scene.is_muted("ann", 6)) == (True, False)
    assert scene.state_at(NOW + timedelta(seconds=55)) is State.ENDED
    assert scene.state_at(NOW + timedelta(seconds=65)) is State.RUNNING
    assert scene.audience_at(NOW + timedelta(seconds=70)).total == 52


def test_media_key_tells_when_the_scene_was_created() -> None:
    scene = Scene.live().at(NOW)
    created_ms = (int(scene.media_key[3:]) >> 22) + 1_288_834_974_657

    assert 13 <= created_ms - scene.created_at.timestamp() * 1000 <= 50


def test_invented_ids_have_the_form_of_the_service() -> None:
    for number in range(200):
        assert re.fullmatch(r"1[abdegjklmnopqrvwxyzABDEGJKLMNOPQRVWXYZ]{10}[GJKx][A-Za-z]", invented_id(number))
    assert re.fullmatch(r"[\w-]{86}", invented_stream_key("a"))


def test_kinds_decide_between_audio_and_video() -> None:
    assert [Scene.live(kind=kind).is_video for kind in Kind] == [False, True, True]


def test_hosts_belong_to_services() -> None:
    for service in SERVICES:
        if service != "control":
            assert service_of_host(host_of_service(service, "us-east-1")) == service
    assert service_of_host("API.twitter.com:443") == "x"
    assert service_of_host("prod-ec-us-west-2.video.pscp.tv") == "cdn"
    assert service_of_host("x.com.evil.example") is None

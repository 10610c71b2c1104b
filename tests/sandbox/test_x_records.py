"""The records that the sandbox writes have the very shape of the reference's samples."""

from __future__ import annotations

from typing import Any

import pytest

from hydrophone.sandbox.scene import Audience, Flap, Person, Scene, State, sample_people
from hydrophone.sandbox.scenefile import load_shipped
from x_visiting import SAMPLES, differences, sample, shape, visiting

LEGACY = {"user_shape": "legacy"}
SPARSE = {"extra": {"is_sparse": True}}


def lean(record: Any) -> Any:
    """A record's shape, leaving out what the service itself sends only now and then."""
    document = shape(record)
    metadata = document["data"]["audioSpace"]["metadata"]
    for name in ("replay_start_time", "scheduled_start"):
        metadata.pop(name, None)
    return document


async def read(scene: Scene, *, advance: float = 0.0) -> Any:
    async with visiting(scene) as visitor:
        visitor.world.clock.advance(advance)
        return (await visitor.space(scene.id)).json


async def test_a_running_record_in_the_new_shape_equals_the_sample() -> None:
    scene = Scene.live(scheduled=-40.0, extra={"switches": {"own_listener": False}})
    assert differences(lean(await read(scene)), lean(sample("audiospace_by_id.running.core"))) == []


async def test_a_running_record_in_the_old_shape_equals_the_sample() -> None:
    pinned = [{"at": 5, "text": "Tonight: three tapes from the north pier."}]
    scene = Scene.live(scheduled=-40.0, user_shape="legacy", extra={"is_sparse": True, "sharings": pinned})
    assert differences(lean(await read(scene)), lean(sample("audiospace_by_id.running"))) == []


@pytest.mark.parametrize(
    ("scene", "name"),
    [
        (Scene.ended(scheduled=-700.0, **LEGACY, **SPARSE), "ended"),
        (Scene.ended(scheduled=-700.0, outcome=State.TIMED_OUT, **LEGACY, **SPARSE), "timed_out"),
        (Scene.live(started=None, created=-600.0, scheduled=600.0, **SPARSE), "not_started"),
        (Scene.live(started=None, created=-600.0, scheduled=600.0, opened=-5.0, **SPARSE), "pre_published"),
        (Scene.live(started=None, created=-600.0, scheduled=600.0, canceled=-5.0, **SPARSE), "canceled"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_every_state_has_the_shape_of_its_sample(scene: Scene, name: str) -> None:
    ours, theirs = await read(scene), sample(f"audiospace_by_id.{name}")
    assert differences(lean(ours), lean(theirs)) == []
    assert ours["data"]["audioSpace"]["metadata"]["state"] == theirs["data"]["audioSpace"]["metadata"]["state"]


async def test_the_android_query_has_the_shape_of_its_sample() -> None:
    scene = Scene.live(scheduled=-40.0, user_shape="legacy", extra={"switches": {"own_listener": False}})
    people = tuple(p for p in scene.people if p.role != "listener")
    async with visiting(Scene.live(people=people, scheduled=-40.0, **LEGACY, extra=scene.extra)) as visitor:
        said = await visitor.graphql("AudiospaceByRestId", {"audio_space_id": visitor.world.scenes[0].id})
    ours, theirs = shape(said.json), shape(sample("audiospace_by_rest_id.running"))
    here = ours["data"]["audio_space_by_rest_id"]
    there = theirs["data"]["audio_space_by_rest_id"]
    for name in ("replay_start_time", "content_type", "no_incognito", "max_guest_sessions", "max_admin_capacity"):
        here["metadata"].pop(name, None)
    here["metadata"].pop("tweet_results", None)
    assert ours == theirs
    assert set(here["metadata"]) == set(there["metadata"])


async def test_the_end_is_text_or_a_number_as_the_scene_says() -> None:
    as_text = (await read(Scene.ended()))["data"]["audioSpace"]["metadata"]["ended_at"]
    as_number = (await read(Scene.ended(extra={"ended_at_as_number": True})))["data"]["audioSpace"]["metadata"]
    assert isinstance(as_text, str)
    assert isinstance(as_number["ended_at"], int)


async def test_a_space_without_title_has_no_title_key() -> None:
    record = await read(Scene.live(title=None))
    assert "title" not in record["data"]["audioSpace"]["metadata"]


async def test_the_roster_changes_and_the_total_falls_to_zero_after_the_end() -> None:
    people = (
        *sample_people()[:1],
        Person.invent("early_bird", role="speaker", comes=0.0, leaves=30.0),
        Person.invent("late_comer", role="speaker", comes=50.0),
    )
    scene = Scene.live(people=people, seconds=90.0, since=0.0, audience=(Audience(at=0, listeners=9, total=11),))
    async with visiting(scene) as visitor:
        seen = []
        for _ in range(3):
            visitor.world.clock.advance(20.0 if not seen else 50.0)
            record = (await visitor.space(scene.id)).json["data"]["audioSpace"]
            names = [member["twitter_screen_name"] for member in record["participants"]["speakers"]]
            seen.append((record["metadata"]["state"], names, record["participants"]["total"]))
    assert seen == [
        ("Running", ["early_bird"], 9),
        ("Running", ["late_comer"], 9),
        ("Ended", ["late_comer"], 0),
    ]


async def test_listener_counts_never_fall_while_the_momentary_number_may() -> None:
    audience = (Audience(at=0, listeners=5), Audience(at=30, listeners=40, total=44), Audience(at=60, listeners=3))
    scene = Scene.live(since=0.0, audience=audience)
    async with visiting(scene) as visitor:
        seen = []
        for _ in range(3):
            record = (await visitor.space(scene.id)).json["data"]["audioSpace"]
            seen.append((record["metadata"]["total_live_listeners"], record["participants"]["total"]))
            visitor.world.clock.advance(31.0)
    assert seen == [(5, 5), (44, 40), (44, 3)]


async def test_the_signed_in_account_stands_among_the_listeners_and_a_guest_does_not() -> None:
    scene = Scene.live()
    async with visiting(scene) as visitor:
        signed_in = (await visitor.space(scene.id)).json["data"]["audioSpace"]["participants"]["listeners"]
        await visitor.become_guest()
        guest = (await visitor.space(scene.id)).json["data"]["audioSpace"]["participants"]["listeners"]
    assert [member["periscope_user_id"] for member in signed_in] == ["tw-1705000000000000005"]
    assert "start" not in signed_in[0]
    assert "is_muted_by_admin" not in signed_in[0]
    assert guest == []


async def test_a_state_that_flaps_is_written_and_goes_back() -> None:
    scene = Scene.live(since=0.0, flaps=(Flap(begin=10, end=14, state=State.ENDED),))
    async with visiting(scene) as visitor:
        states = []
        for _ in range(3):
            visitor.world.clock.advance(6.0)
            states.append((await visitor.space(scene.id)).json["data"]["audioSpace"]["metadata"]["state"])
    assert states == ["Running", "Ended", "Running"]


async def test_errors_may_come_beside_good_data() -> None:
    document = await read(Scene.live(extra={"has_dependency_error": True}))
    theirs = sample("audiospace_by_id.dependency_unspecified")
    assert shape(document["errors"]) == shape(theirs["errors"])
    assert document["data"]["audioSpace"]["metadata"]["state"] == "Running"


async def test_a_malformed_id_is_answered_with_code_214_twice() -> None:
    async with visiting() as visitor:
        said = await visitor.space("not_an_id")
    theirs = sample("audiospace_by_id.bad_id_214")
    assert said.status == 200
    assert shape(said.json) == shape(theirs)
    assert [error["path"] for error in said.json["errors"]] == [error["path"] for error in theirs["errors"]]


async def test_the_early_example_is_served_byte_for_byte() -> None:
    async with visiting() as visitor:
        record = await visitor.space("1vOxwdyYrlqKB", query_id="s3V0Y5v6")
        status = await visitor.api("/i/api/1.1/live_video_stream/status/28_2013482329990144000")
    assert record.body == (SAMPLES / "audiospace_by_id.seed.json").read_bytes()
    assert status.body == (SAMPLES / "stream_status.seed.json").read_bytes()


async def test_the_early_example_plays_on_loopback_and_is_verbatim_under_its_real_name() -> None:
    async with visiting(load_shipped("seed")) as visitor:
        path = "/i/api/1.1/live_video_stream/status/28_2013482329990144000"
        real, here = await visitor.api(path, host="x.com"), await visitor.api(path)
        location = here.json["source"]["location"].removeprefix(visitor.world.bases["cdn"])
        playlist = await visitor.ask(location, service="cdn")
    assert real.body == (SAMPLES / "stream_status.seed.json").read_bytes()
    assert here.json["source"]["status"] == "ENDED"
    assert playlist.body.startswith(b"#EXTM3U")


async def test_a_scene_can_overrule_every_field() -> None:
    extra = {"metadata": {"title": None, "total_live_listeners": "12"}, "metadata_without": ["media_key"], "crowd": 50}
    record = (await read(Scene.live(extra=extra)))["data"]["audioSpace"]
    assert record["metadata"]["title"] is None
    assert record["metadata"]["total_live_listeners"] == "12"
    assert "media_key" not in record["metadata"]
    assert len(record["participants"]["listeners"]) == 51


async def test_replay_fields_hide_when_they_are_not_asked_for() -> None:
    scene = Scene.ended()
    async with visiting(scene) as visitor:
        said = await visitor.graphql("AudioSpaceById", {"id": scene.id, "withReplays": False})
    metadata = said.json["data"]["audioSpace"]["metadata"]
    assert "replay_start_time" not in metadata
    assert "is_space_available_for_replay" not in metadata

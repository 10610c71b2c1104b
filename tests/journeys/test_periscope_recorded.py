"""Broadcasts under Periscope links, recorded and packaged: signed cookies, keys, turned cameras, live, gone."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import av
import pytest

from hydrophone.archive import verify_item
from hydrophone.errors import NoReplayError, NotFoundError, NotSignedInError, UnreachableError
from hydrophone.links import build_link
from hydrophone.model import BroadcastId, PeriscopeBroadcastRef
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.trials import Trial, engine, record, record_links
from sandbox.periscope_asking import sid, switch

OLD, CAME_BACK, LIVE, REPLAY = "1yoKbWqNLdRGX", "1nAKEwlQzMbJL", "1rmxPYOdkRvKN", "1OyKADwqjpeJb"
PRODUCER, PRIVATE, PRIVATE_LIVE = "1BRJjzLkWVaJw", "1lPKqXeRMbGGm", "1mnGeRwPNoqJX"
TIMED_OUT, GONE = "1YpKkaOEzVdxj", "1zqJVLdYpbaxB"
SCENES = ("2016", "came-back", "replay", "producer", "private", "timed-out", "gone")
PORTRAIT = "320x568"


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox(speed=20, isolated=True) as box:
        yield box


@pytest.fixture
def box(empty_box: SandboxBox) -> SandboxBox:
    empty_box.control.reset()
    for name in SCENES:
        empty_box.control.load(f"periscope-{name}")
    return empty_box


def link(broadcast_id: str) -> str:
    return build_link(PeriscopeBroadcastRef(BroadcastId(broadcast_id)))


def kept_segments(trial: Trial) -> list[str]:
    """The digests of the segments in the original, in order."""
    original = (trial.directory / "original.ts").read_bytes()
    lines = [json.loads(line) for line in (trial.directory / "journal.jsonl").read_text().splitlines()]
    sizes = {line["seq"]: line["len"] for line in lines if line["kind"] == "segment"}
    digests, at = [], 0
    for number in sorted(sizes):
        digests.append(hashlib.sha256(original[at : at + sizes[number]]).hexdigest())
        at += sizes[number]
    assert at == len(original)
    return digests


def assert_whole(trial: Trial, box: SandboxBox, broadcast_id: str, *, variant: str = PORTRAIT) -> None:
    """Every segment that was offered is there in plain, the item is intact, and its video is as long as it was."""
    assert trial.exit_code == 0, trial.outcome
    told = box.control.ledger(broadcast_id, variant=variant)
    assert kept_segments(trial) == [row["payload_sha256"] for row in told["segments"]]
    report = verify_item(trial.directory, is_deep=True)
    assert report.is_intact, report.findings
    assert report.has_media
    assert trial.outcome.media is not None
    with av.open(str(trial.outcome.media)) as container:
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(told["seconds"], abs=0.2)


def facts_of(trial: Trial) -> Mapping[str, Any]:
    facts: Mapping[str, Any] = json.loads((trial.directory / "space.json").read_bytes())
    return facts


def shown_rotation(trial: Trial) -> int:
    """By how much a player turns the picture, counter-clockwise, as another program reads it."""
    with av.open(str(trial.outcome.media)) as container:
        pictures = next(stream for stream in container.streams.video if stream.codec_context.name == "h264")
        return int(next(container.decode(pictures)).rotation)


def requests(box: SandboxBox, service: str, containing: str = "") -> list[Mapping[str, Any]]:
    return [one for one in box.control.requests(service=service) if containing in one["path"]]


def cookies_in(request: Mapping[str, Any]) -> str:
    return "; ".join(value for name, value in request["headers"] if name.lower() == "cookie")


# ---------------------------------------------------------------- signed cookies


def test_a_replay_behind_signed_cookies_is_recorded(box: SandboxBox, tmp_path: Path) -> None:
    trial = record(box, tmp_path, link(OLD))

    assert_whole(trial, box, OLD)
    asked = requests(box, "cdn", "chunk_")
    media = [one for one in requests(box, "cdn") if one["path"].endswith((".ts", ".m3u8"))]
    assert len(asked) >= 20
    assert all(cookies_in(one).count("CloudFront-") == 3 for one in media)
    others = [one for one in box.control.requests() if one["service"] != "cdn"]
    assert not any("CloudFront" in cookies_in(one) for one in others)
    assert not any("CloudFront" in cookies_in(one) for one in requests(box, "cdn") if one not in media)


def test_cookies_that_end_on_the_way_are_asked_for_anew(box: SandboxBox, tmp_path: Path) -> None:
    box.control.load("periscope-2016", seconds=240)
    # Forty scene seconds are two real ones: with one segment at a time, they end again and again.
    switch(box, cookie_lifetime_seconds=40)
    box.control.inject(kind="delay", service="cdn", path="chunk_", seconds=0.05)

    trial = record(box, tmp_path, link(OLD), connections=1)

    assert_whole(trial, box, OLD)
    refused = [one for one in requests(box, "cdn", "chunk_") if one["status"] == 403]
    assert refused
    assert len(requests(box, "periscope", "accessVideoPublic")) > 2


def test_neither_cookies_nor_keys_of_streams_are_kept(box: SandboxBox, tmp_path: Path) -> None:
    teo = sid(box, "teo_varga")
    for broadcast_id in (OLD, PRIVATE):
        record(box, tmp_path, link(broadcast_id), settings={"periscope_sid": teo})
    secrets = [teo, *(box.scene(broadcast_id).stream_key for broadcast_id in (OLD, PRIVATE))]
    for one in requests(box, "cdn"):
        secrets += [pair.partition("=")[2] for pair in cookies_in(one).split("; ") if "Signature" in pair]

    for path in (tmp_path / "archive").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [secret for secret in set(secrets) if secret.encode() in content], path
    # Where a stream was seen is remembered in a private file; a session is not, nowhere.
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and teo.encode() in path.read_bytes()]


# ---------------------------------------------------------------- private


def test_a_private_replay_is_opened_with_the_session_of_somebody_who_may_watch(box: SandboxBox, tmp_path: Path) -> None:
    teo = sid(box, "teo_varga")
    trial = record(box, tmp_path, link(PRIVATE), settings={"periscope_sid": teo})

    assert_whole(trial, box, PRIVATE)
    assert len(requests(box, "periscope", "hlsEncryptionKey")) == 1
    heard = {one["service"] for one in box.control.requests() if teo in json.dumps(one)}
    assert heard == {"periscope"}


def test_a_private_live_broadcast_is_recorded_too(box: SandboxBox, tmp_path: Path) -> None:
    box.control.load("periscope-private-live", started="-40s", seconds=80)
    trial = record(box, tmp_path, link(PRIVATE_LIVE), settings={"periscope_sid": sid(box, "teo_varga")})

    assert_whole(trial, box, PRIVATE_LIVE)


@pytest.mark.parametrize("user", ["", "ines_okafor"])
def test_strangers_are_told_that_it_is_private(box: SandboxBox, tmp_path: Path, user: str) -> None:
    settings = {"periscope_sid": sid(box, user)} if user else {}
    trial = record(box, tmp_path, link(PRIVATE), settings=settings)

    assert isinstance(trial.outcome.error, NotSignedInError)
    assert trial.exit_code == 5


def test_a_key_of_another_length_leaves_the_segments_sealed_and_says_so(box: SandboxBox, tmp_path: Path) -> None:
    box.control.load(
        "periscope-private",
        seconds=6,
        extra={"periscope": {"private": True, "viewers": ["teo_varga"], "key_bytes": 20}},
    )
    trial = record(box, tmp_path, link(PRIVATE), settings={"periscope_sid": sid(box, "teo_varga")})

    assert trial.exit_code == 3
    assert {gap.cause.value for gap in trial.gaps} == {"sealed"}


# ---------------------------------------------------------------- turned


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ([[0, 271]], 90),
        ([[0, 92], [30, 3]], -90),
        ([[0, 92], [10, 3]], 0),
        ([[0, 180]], 180),
    ],
)
def test_the_picture_is_turned_as_the_stream_says(
    box: SandboxBox, tmp_path: Path, told: list[list[int]], shown: int
) -> None:
    box.control.load("periscope-replay", seconds=40, extra={"periscope": {"rotation": told}})
    trial = record(box, tmp_path, link(REPLAY))

    assert_whole(trial, box, REPLAY)
    assert shown_rotation(trial) % 360 == shown % 360
    rotation = facts_of(trial).get("rotation", {"shown_degrees": 0, "turns": []})
    assert rotation["shown_degrees"] == -shown % 360
    assert len(rotation["turns"]) == len(told)
    assert any("turned on the way" in text for text in trial.notices) == (len(told) > 1)


def test_where_the_stream_is_silent_the_record_counts(box: SandboxBox, tmp_path: Path) -> None:
    facts = {"rotation": [[0, 268]], "rotation_tags": False}
    box.control.load("periscope-replay", seconds=10, extra={"periscope": facts})
    trial = record(box, tmp_path, link(REPLAY))

    assert_whole(trial, box, REPLAY)
    assert shown_rotation(trial) == 90
    assert facts_of(trial)["rotation"] == {"shown_degrees": 270, "turns": []}


# ---------------------------------------------------------------- chat

WRITTEN = [[2.0, "first light"], [9.5, "hello from the ferry 🌊"], [17.0, "louder please"], [31.25, "bye, Ribe"]]


def timeline_of(trial: Trial) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (trial.directory / "timeline.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("generation", ["periscope-2016", "periscope-replay", "periscope-live"])
def test_chat_stands_in_the_timeline_where_it_was_written(box: SandboxBox, tmp_path: Path, generation: str) -> None:
    facts = {"chat": [[at, {"type": 1, "body": text}] for at, text in WRITTEN], "rotation": [[0, 0]]}
    more = {"started": "-20s"} if generation == "periscope-live" else {}
    loaded = box.control.load(generation, seconds=40, extra={"periscope": facts}, **more)
    trial = record(box, tmp_path, link(loaded["id"]))

    assert_whole(trial, box, loaded["id"])
    said = [line for line in timeline_of(trial) if line["kind"] == "text"]
    assert [line["text"] for line in said] == [text for _, text in WRITTEN]
    assert [line["seconds"] for line in said] == [pytest.approx(at, abs=0.3) for at, _ in WRITTEN]
    assert not any(line.get("is_approximate") for line in said), "the stream itself tells the time"
    raw = (trial.directory / "captions.jsonl").read_text().splitlines()
    assert len(raw) == len(set(raw)) >= len(WRITTEN)


def test_chat_of_every_kind_comes_in_pages_that_overlap_and_is_kept_once(box: SandboxBox, tmp_path: Path) -> None:
    switch(box, chat_page_size=3, chat_repeats=True)
    trial = record(box, tmp_path, link(OLD))

    lines = timeline_of(trial)
    kinds = {line["kind"] for line in lines}
    assert kinds >= {"text", "join", "ended", "shared"}
    assert len(lines) == len({json.dumps(line, sort_keys=True) for line in lines})
    seconds = [line["seconds"] for line in lines]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize("state", ["gone", "young"])
def test_without_a_chat_the_video_is_whole_all_the_same(box: SandboxBox, tmp_path: Path, state: str) -> None:
    switch(box, chat=state)
    assert_whole(record(box, tmp_path, link(REPLAY)), box, REPLAY)


# ---------------------------------------------------------------- all the others


def test_replays_of_each_kind_are_recorded_side_by_side(box: SandboxBox, tmp_path: Path) -> None:
    box.control.load(
        "periscope-live",
        name="moved",
        id="1jMJgBEqWdaGL",
        extra={"periscope": {"redirector": True}},
        started="-600s",
        seconds=20,
    )
    ids = (CAME_BACK, REPLAY, PRODUCER, GONE, "1jMJgBEqWdaGL")

    async def run() -> list[Trial]:
        async with engine(box, tmp_path) as hydrophone:
            return await record_links(hydrophone, [link(one) for one in ids])

    for broadcast_id, trial in zip(ids, asyncio.run(run()), strict=True):
        assert_whole(trial, box, broadcast_id, variant="568x320" if broadcast_id == PRODUCER else PORTRAIT)
    assert requests(box, "x", "broadcasts/show"), "only X knows one of them"


def test_a_live_broadcast_is_recorded_from_its_beginning_to_its_end(box: SandboxBox, tmp_path: Path) -> None:
    box.control.load("periscope-live", started="-60s", seconds=120)
    trial = record(box, tmp_path, link(LIVE))

    assert_whole(trial, box, LIVE)
    asked = requests(box, "periscope", "accessVideoPublic")
    assert any(one["query"].find("latest_replay_playlist=true") >= 0 for one in asked)
    assert box.control.ask("GET", "/periscope/views") == {"count": 0}, "nobody was counted as a viewer"


def test_the_cover_is_the_thumbnail(box: SandboxBox, tmp_path: Path) -> None:
    trial = record(box, tmp_path, link(OLD))

    with av.open(str(trial.outcome.media)) as container:
        covers = [stream for stream in container.streams.video if stream.codec_context.name in ("mjpeg", "png")]
        assert [stream.codec_context.name for stream in covers] == ["mjpeg"]
    assert any(one["path"].endswith(".jpg") for one in requests(box, "cdn"))


@pytest.mark.parametrize(
    ("typed", "leads_to"),
    [
        ("https://www.periscope.tv/harbour-radio", PRODUCER),
        ("https://www.periscope.tv/u/1wXEgLpMdoAQe", PRODUCER),
        ("pscp://user/harbour-radio", PRODUCER),
        ("https://www.pscp.tv/mara_lind", REPLAY),
        ("https://www.periscope.tv/channel/harbour-walks", REPLAY),
        (
            "https://www.periscope.tv/w/awCL2Dk4MTA0Mjc3fDF5b0tiV3FOTGRSR1gP3r3klMuzfcT9ypEYjwWEereeWnechZa-bJEiSYL9eA",
            OLD,
        ),
    ],
)
def test_a_link_leads_to_what_can_be_seen(box: SandboxBox, tmp_path: Path, typed: str, leads_to: str) -> None:
    async def info() -> str:
        async with engine(box, tmp_path) as hydrophone:
            return (await hydrophone.info(typed)).id

    assert asyncio.run(info()) == leads_to


@pytest.mark.parametrize(
    ("typed", "kind", "says"),
    [
        (link("1yoKbWqNLdRGA"), NotFoundError, "Periscope closed on 31 March 2021.*X does not have it either"),
        (link("99310452"), NotFoundError, "never moved to X"),
        (link(TIMED_OUT), NoReplayError, "no replay"),
        ("https://www.periscope.tv/nobody_at_all", NotFoundError, "somebody else's"),
        ("https://www.periscope.tv/channel/no-such", NotFoundError, "nothing is known"),
    ],
)
def test_what_cannot_be_had_is_said_in_words(
    box: SandboxBox, tmp_path: Path, typed: str, kind: type[Exception], says: str
) -> None:
    trial = record(box, tmp_path, typed)

    assert isinstance(trial.outcome.error, kind)
    assert trial.exit_code == 4
    assert re.search(says, str(trial.outcome.error))


def test_after_the_closing_x_is_asked(box: SandboxBox, tmp_path: Path) -> None:
    switch(box, closed="all")
    trial = record(box, tmp_path, link(REPLAY))
    assert_whole(trial, box, REPLAY)


def test_a_service_that_is_gone_from_the_net_is_asked_once(box: SandboxBox, tmp_path: Path) -> None:
    box.control.inject(kind="reset", service="periscope")
    ids = [f"1yoKbWqNLdRG{letter}" for letter in "ABDEGJ"]

    async def run() -> list[Trial]:
        async with engine(box, tmp_path) as hydrophone:
            first = await record_links(hydrophone, [link(ids[0])])
            strikes.append(struck())
            return first + await record_links(hydrophone, [link(one) for one in ids[1:]])

    def struck() -> int:
        return sum(int(rule["struck"]) for rule in box.control.faults())

    strikes: list[int] = []
    trials = asyncio.run(run())

    assert strikes[0] > 0
    assert struck() == strikes[0], "a list of ids costs one time-out, not one for each"
    assert {type(trial.outcome.error) for trial in trials} <= {NotFoundError, UnreachableError}
    assert all(trial.exit_code in (4, 8) for trial in trials)

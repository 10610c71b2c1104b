"""The real chat client against the chat of sandbox Spaces: every caption once, at its place in the audio."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest

from hydrophone.audio import MediaClock, first_ticks, scan_adts
from hydrophone.captions.merging import CueMerger
from hydrophone.captions.stage import StageEvent, microphone_spans
from hydrophone.chat.access import ChatPass, ask_access
from hydrophone.chat.following import ChatFollower, ChatReport
from hydrophone.chat.history import HistoryEnd, HistoryWalk, walk_history
from hydrophone.chat.intake import ChatIntake, Via, read_line
from hydrophone.chat.ordering import sorted_messages
from hydrophone.http import AsyncClient, Endpoints, HttpSettings, Question
from hydrophone.model import ChatKind, ChatMessage, Cue
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.segments import SegmentMaker
from hydrophone.sandbox.timeline import Timeline
from hydrophone.sandbox.x.accounts import OWNER
from hydrophone.testing import SandboxBox, sandbox
from space_chat_visiting import chat_token

CLOSE_SECONDS = 0.3


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox() as box:
        yield box


@pytest.fixture
def box(empty_box: SandboxBox) -> SandboxBox:
    empty_box.control.reset()
    empty_box.control.resume()
    empty_box.control.set_speed(1.0)
    return empty_box


def media_clock(scene: Scene) -> MediaClock:
    """As a recorder builds it: from the bytes of the segments and the dates of the playlist."""
    timeline, maker, clock = Timeline(scene), SegmentMaker(scene), MediaClock()
    frames = 0
    for place in range(timeline.total or 0):
        piece = timeline.piece(place)
        data = maker.body(piece)
        count = scan_adts(data).frames
        seconds = 1024 / 48_000
        clock.add(frames * seconds, count * seconds, ticks=first_ticks(data), hint_at=timeline.dated_at(piece))
        frames += count
    return clock


def lines_in_order(lines: Sequence[bytes]) -> list[ChatMessage]:
    return sorted_messages(lines)


def cues_of(scene: Scene, messages: Sequence[ChatMessage]) -> list[Cue]:
    clock = media_clock(scene)

    def place(message: ChatMessage) -> Any:
        near_us = None if message.sent_ns is None else message.sent_ns // 1000
        return None if message.unix_us is None else clock.position(message.unix_us, near_us=near_us)

    merger = CueMerger(place)
    cues = [cue for message in messages if (cue := merger.see(message)) is not None]
    return cues + merger.finish()


async def read_history(box: SandboxBox, name: str) -> tuple[list[bytes], HistoryWalk]:
    lines: list[bytes] = []
    intake = ChatIntake([OWNER.user_id])

    def take(messages: Sequence[Any]) -> None:
        lines.extend(line for m in messages if (line := intake.take(m, Via.REPLAY, 1)) is not None)

    now = box.control.now
    async with AsyncClient(Endpoints.sandbox(box.bases), settings=HttpSettings(proxy="")) as client:
        chat = await client.ask(ask_access(chat_token(box, name), is_over=True, now=now))
        assert chat is not None
        return lines, await client.ask(walk_history(chat, take, now=now))


# ---------------------------------------------------------------- replay


@pytest.mark.parametrize("name", ["ended-short", "host-drops", "ntp-jumps", "ntp-wrap", "five-voices"])
async def test_every_sentence_arrives_once_with_its_speaker_at_its_place_in_the_audio(
    box: SandboxBox, name: str
) -> None:
    box.control.load(name, extra={"chat": {"retention_seconds": 1e9}})
    scene = box.scene(name)
    if scene.ended_at is not None and box.control.now() < scene.ended_at:
        box.control.advance_to(scene.ended_at)
        box.control.advance(40)

    lines, walk = await read_history(box, name)
    messages = lines_in_order(lines)

    assert walk.end is HistoryEnd.COMPLETE
    ledger = box.chat_ledger(name)
    assert sorted(m.identity for m in messages if m.kind is ChatKind.CAPTION) == sorted(ledger["captions"])
    cues = sorted(cues_of(scene, messages), key=lambda cue: (cue.speaker, cue.begin_seconds))
    truth = sorted(box.true_cues(name), key=lambda cue: (cue.periscope_id, cue.begin))
    assert [(cue.speaker, cue.text) for cue in cues] == [(cue.periscope_id, cue.text) for cue in truth]
    for cue, true in zip(cues, truth, strict=True):
        assert abs(cue.begin_seconds - true.begin) < CLOSE_SECONDS, (cue, true)
        assert abs(cue.end_seconds - true.end) < CLOSE_SECONDS, (cue, true)
    assert len(truth) > 5


async def test_a_clock_of_any_spelling_is_read_or_guessed(box: SandboxBox) -> None:
    box.control.load("ended-short", extra={"chat": {"ntp": "mixed"}})

    lines, _ = await read_history(box, "ended-short")

    captions = [m for m in lines_in_order(lines) if m.kind is ChatKind.CAPTION]
    assert len(captions) == len(box.chat_ledger("ended-short")["captions"])
    assert {m.is_approximate for m in captions} == {True, False}
    assert all(m.unix_us is not None for m in captions)


# ---------------------------------------------------------------- live


async def follow(box: SandboxBox, name: str, lines: list[bytes]) -> ChatReport:
    now = box.control.now

    def renew() -> Question[ChatPass | None]:
        return (yield from ask_access(chat_token(box, name), now=now))

    async def short(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.05))

    settings = HttpSettings(proxy="", backoff_seconds=0.001)
    async with AsyncClient(Endpoints.sandbox(box.bases), settings=settings) as client:
        follower = ChatFollower(
            client,
            renew=renew,
            intake=ChatIntake([OWNER.user_id]),
            store=lambda kept: lines.extend(kept.splitlines(keepends=True)),
            rng=Random(1),
            sleep=short,
            now=now,
            poll_seconds=0.1,
        )
        async with asyncio.timeout(60):
            report = await follower.follow()
        await follower.read_all()
        return report


async def test_a_live_space_is_followed_through_a_cut_socket_to_its_end(box: SandboxBox) -> None:
    box.control.load("host-drops", started="-90s", seconds="150s", extra={"chat": {"drops": [120]}})
    box.control.set_speed(25)
    lines: list[bytes] = []

    report = await follow(box, "host-drops", lines)
    box.control.set_speed(1)

    assert report.end == "ended"
    assert report.sockets == 2
    messages = [read_line(line) for line in lines]
    captions = [m.identity for m in messages if m.kind is ChatKind.CAPTION]
    assert len(captions) == len(set(captions))
    assert set(captions) == set(box.chat_ledger("host-drops")["captions"])
    assert not any(m.sender and m.sender.user_id == OWNER.user_id for m in messages)
    scene = box.scene("host-drops")
    cues = cues_of(scene, lines_in_order(lines))
    truth = box.true_cues("host-drops")
    assert sorted((cue.speaker, cue.text) for cue in cues) == sorted((cue.periscope_id, cue.text) for cue in truth)


# ---------------------------------------------------------------- odd ones


async def test_hostile_messages_hide_no_caption_and_stop_nothing(box: SandboxBox) -> None:
    box.control.load("ended-short", extra={"chat": {"hostile": True}})

    lines, walk = await read_history(box, "ended-short")

    told = box.chat_ledger("ended-short")
    captions = {m.identity for m in lines_in_order(lines) if m.kind is ChatKind.CAPTION}
    assert walk.end is HistoryEnd.COMPLETE
    assert captions >= set(told["captions"])
    assert told["kinds"]["hostile"] == 21
    assert len(lines) == sum(told["kinds"].values())


async def test_open_microphones_are_those_of_the_scene(box: SandboxBox) -> None:
    box.control.load("five-voices", seconds="30m")
    scene = box.scene("five-voices")
    clock = media_clock(scene)
    lines, _ = await read_history(box, "five-voices")
    events = []
    for message in lines_in_order(lines):
        if message.kind is ChatKind.STAGE and message.action is not None and message.unix_us is not None:
            position = clock.position(message.unix_us)
            assert position is not None
            person = message.subject.handle if message.subject else ""
            actor = message.sender.handle if message.sender else ""
            events.append(StageEvent(position.seconds, message.action, person, actor))

    spans = microphone_spans(events, host=scene.creator.handle, end_seconds=1800.0)

    teun = [(round(s.begin_seconds, 1), round(s.end_seconds, 1)) for s in spans if s.person == "teun_okker"]
    mara = [(round(s.begin_seconds, 1), round(s.end_seconds, 1)) for s in spans if s.person == "mara_holm"]
    assert teun == [(0.3, 400.0), (431.0, 1500.0), (1530.0, 1800.0)]
    assert mara == [(0.3, 1000.0), (1012.0, 1800.0)]

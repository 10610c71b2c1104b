"""An invented hour from messages and tags to a transcript: interruptions, mutes, a host who drops out, an outage.

The clock of the audio runs on for five minutes while the host is away and no frames are made; some segments are lost,
and silence stands for them. Captions arrive as the service sends them: growing texts with unsteady pauses, clocks that
go backwards, empty finals, finals that lie before their last interim, doubles from socket and history.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from chat_building import ZERO_US, caption
from diarisation import Span, diarisation_error
from hydrophone.audio import MediaClock, Position, SpeechLog, unix_us_to_ticks
from hydrophone.audio.clock import from_unix_us
from hydrophone.captions.account import Account, TranscriptBuilder
from hydrophone.captions.talk import talk_times
from hydrophone.chat.reading import read_message
from hydrophone.model import ChatMessage, SpeakerSource
from stage_simulation import SEGMENT_SECONDS, SimulatedStage, drop_position, simulate_stage

AWAY_AT, AWAY_SECONDS = drop_position(3600.0), 300.0
LOST = range(400, 420)  #: segments that were never served: a minute


def clock_seconds(position: float) -> float:
    """What the audio's clock says at a position, from the zero of the scene on."""
    return position + (AWAY_SECONDS if position >= AWAY_AT else 0.0)


@dataclass
class Utterance:
    """What somebody says without a breath; the truth about one cue."""

    span: Span
    words: list[str]
    id: str = ""


@dataclass
class Chat:
    utterances: list[Utterance] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)


def say_it(stage: SimulatedStage, rng: Random) -> Chat:
    """The captions of everything that is said, in order of arrival."""
    chat = Chat()
    arriving: list[tuple[float, int, dict[str, Any]]] = []
    # Half a second holds no words.
    spans = [span for span in stage.speaking if span.end - span.begin >= 0.6]
    for number, span in enumerate(sorted(spans, key=lambda span: span.begin)):
        count = max(2, round((span.end - span.begin) * 2.4))
        words = [f"{span.speaker[1:5]}{number}x{index}" for index in range(count)]
        utterance = Utterance(span, words, f"final-{number}")
        chat.utterances.append(utterance)
        who = span.speaker[1:]
        steps = sorted({1, *rng.sample(range(1, count + 1), max(1, count * 2 // 3))})
        for step in steps:
            share = span.begin + (span.end - span.begin) * step / count
            at = span.begin + 0.4 + rng.uniform(-0.15, 0.15) if step == 1 else max(share, span.begin + 0.45)
            interim = caption(who, " ".join(words[:step]), clock_seconds(min(at, span.end)), sent_at=0.0)
            arriving.append((share + rng.uniform(-0.05, 0.05), number, interim))
        text = " ".join(words).capitalize() + "."
        end = span.end + rng.uniform(-0.15, 0.05)
        final = caption(who, text, clock_seconds(end), final=True, sent_at=0.0, uuid=utterance.id)
        arriving.append((span.end + 0.1, number, final))
        if rng.random() < 0.4:
            empty = caption(who, "", clock_seconds(span.end + 0.15), final=True, sent_at=0.0)
            arriving.append((span.end + 0.12, number, empty))
    arriving.sort(key=lambda one: one[:2])
    chat.messages = [message for _, _, message in arriving]
    return chat


def clock_of(stage: SimulatedStage) -> MediaClock:
    clock = MediaClock()
    for number in range(int(stage.seconds / SEGMENT_SECONDS)):
        if number in LOST:
            continue
        position = number * SEGMENT_SECONDS
        unix_us = ZERO_US + round(clock_seconds(position) * 1e6)
        clock.add(position, SEGMENT_SECONDS, ticks=unix_us_to_ticks(unix_us), hint_at=from_unix_us(unix_us - 5_600_000))
    return clock


def account_of(stage: SimulatedStage, messages: list[dict[str, Any]], *, with_levels: bool = True) -> Account:
    clock = clock_of(stage)

    def place(message: ChatMessage) -> Position | None:
        return None if message.unix_us is None else clock.position(message.unix_us)

    builder = TranscriptBuilder(place)
    seen: set[str] = set()
    for raw in messages:
        # The invented messages are ordered by hand, so their own time of sending is not used.
        message = read_message(raw)
        if message.identity not in seen:
            seen.add(message.identity)
            builder.see(message)
    log = SpeechLog()
    for seconds, levels in stage.levels:
        if int(seconds / SEGMENT_SECONDS) not in LOST:
            log.hear(seconds, levels)
    return builder.finish(seconds=stage.seconds, turns=log.finish(stage.seconds) if with_levels else ())


@pytest.fixture(scope="module")
def hour() -> tuple[SimulatedStage, Chat, Account]:
    stage = simulate_stage(11)
    chat = say_it(stage, Random(11))
    doubled = [message for message in chat.messages for _ in range(2)]
    return stage, chat, account_of(stage, doubled)


def test_no_word_is_lost_or_doubled_and_every_word_has_its_speaker(hour: tuple[SimulatedStage, Chat, Account]) -> None:
    _, chat, account = hour
    cues = {cue.id: cue for cue in account.transcript.cues}

    assert len(cues) == len(account.transcript.cues) == len(chat.utterances) > 500
    words = right = 0
    for utterance in chat.utterances:
        cue = cues[utterance.id]
        assert [word.strip(".").lower() for word in cue.text.split()] == [word.lower() for word in utterance.words]
        words += len(utterance.words)
        right += len(utterance.words) * (cue.speaker == utterance.span.speaker)
    assert right / words >= 0.99


def test_every_cue_is_where_it_was_said(hour: tuple[SimulatedStage, Chat, Account]) -> None:
    _, chat, account = hour
    cues = {cue.id: cue for cue in account.transcript.cues}

    for utterance in chat.utterances:
        cue = cues[utterance.id]
        assert abs(cue.begin_seconds - utterance.span.begin) <= 0.3
        assert abs(cue.end_seconds - utterance.span.end) <= 0.3
        assert not cue.is_approximate or abs(cue.begin_seconds - AWAY_AT) < 60


def test_levels_agree_with_the_captions(hour: tuple[SimulatedStage, Chat, Account]) -> None:
    stage, _, account = hour
    sure = [
        cue.confidence
        for cue in account.transcript.cues
        if cue.confidence is not None
        and not LOST[0] * SEGMENT_SECONDS - 10 <= cue.begin_seconds <= LOST[-1] * SEGMENT_SECONDS + 10
    ]

    assert sum(sure) / len(sure) > 0.97
    heard = {one.speaker: one.seconds for one in talk_times(account.transcript)}
    for speaker in {span.speaker for span in stage.truth}:
        truth = sum(span.end - span.begin for span in stage.truth if span.speaker == speaker)
        assert abs(heard[speaker] - truth) <= 0.08 * truth


def test_without_captions_who_spoke_when_is_right_all_the_same(hour: tuple[SimulatedStage, Chat, Account]) -> None:
    stage, _, _ = hour
    account = account_of(stage, [])
    lost = (LOST[0] * SEGMENT_SECONDS - 1, (LOST[-1] + 1) * SEGMENT_SECONDS + 1)
    guess = [Span(turn.speaker, turn.begin_seconds, turn.end_seconds) for turn in account.transcript.turns]

    assert account.transcript.cues == ()
    assert {turn.source for turn in account.transcript.turns} == {SpeakerSource.LEVELS}
    error = diarisation_error(_outside(stage.truth, *lost), _outside(guess, *lost))
    assert error.rate <= 0.03


def _outside(spans: list[Span], begin: float, end: float) -> list[Span]:
    """The spans without a stretch of which nothing was recorded."""
    found = []
    for span in spans:
        if span.begin < begin:
            found.append(Span(span.speaker, span.begin, min(span.end, begin)))
        if span.end > end:
            found.append(Span(span.speaker, max(span.begin, end), span.end))
    return found

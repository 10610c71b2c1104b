"""The schemas of the JSON files: whatever we can write is as described, and what is described is all that there is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydrophone.captions.account import TimelineEvent
from hydrophone.model import (
    ChatKind,
    Cue,
    MissingStretch,
    Role,
    Speaker,
    SpeakerSource,
    StageAction,
    Transcript,
    Turn,
    Word,
    WordSource,
)
from hydrophone.render.transcripts import timeline_lines, transcript_json
from schema_checking import validator, wrong

texts = st.text(max_size=12)
seconds = st.floats(-100, 90_000, allow_nan=False)
spans = st.builds(
    lambda begin, length: {"begin_seconds": begin, "end_seconds": begin + length}, seconds, st.floats(0, 60)
)
words = st.builds(Word, texts, seconds, seconds)
cues = st.builds(
    lambda span, **rest: Cue(**span, **rest),
    spans,
    id=texts,
    speaker=texts,
    text=texts,
    words=st.lists(words, max_size=3).map(tuple),
    interims=st.integers(0, 99),
    is_final=st.booleans(),
    is_approximate=st.booleans(),
    speaker_source=st.sampled_from(SpeakerSource),
    confidence=st.none() | st.floats(0, 1),
)
turns = st.builds(
    lambda span, **rest: Turn(**span, **rest),
    spans,
    speaker=texts,
    source=st.sampled_from(SpeakerSource),
    level=st.none() | st.floats(0, 100),
)
transcripts = st.builds(
    Transcript,
    title=texts,
    link=texts,
    language=texts,
    seconds=st.floats(0, 90_000),
    word_source=st.sampled_from(WordSource),
    speakers=st.lists(st.builds(Speaker, key=texts, name=texts, handle=texts), max_size=2).map(tuple),
    cues=st.lists(cues, max_size=3).map(tuple),
    turns=st.lists(turns, max_size=3).map(tuple),
    gaps=st.lists(st.builds(lambda span, cause: MissingStretch(**span, cause=cause), spans, texts), max_size=2).map(
        tuple
    ),
    notes=st.lists(texts, max_size=2).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(transcripts)
def test_any_transcript_is_as_described(transcript: Transcript) -> None:
    assert wrong("transcript", json.loads(transcript_json(transcript))) == []
    assert [line for line in timeline_lines((), transcript) if wrong("timeline", json.loads(line))] == []


@pytest.mark.parametrize("name", ["transcript", "people", "timeline"])
def test_each_field_is_explained(name: str) -> None:
    def unexplained(schema: dict[str, object], above: str = "") -> list[str]:
        fields = schema.get("properties", {})
        assert isinstance(fields, dict)
        found = [f"{above}{field}" for field, about in fields.items() if not about.get("description")]
        for field, about in fields.items():
            found += unexplained(about.get("items", about), f"{above}{field}.")
        return found

    schema = validator(name).schema
    assert isinstance(schema, dict)
    assert unexplained(schema) == []


def test_the_kinds_of_events_are_all_that_there_are() -> None:
    schema = validator("timeline").schema
    assert isinstance(schema, dict)
    never = {ChatKind.CAPTION, ChatKind.TYPING, ChatKind.UNREADABLE}
    kinds = {"speech", "gap", *(kind.value for kind in ChatKind if kind not in never), *map(str, StageAction)}

    assert set(schema["properties"]["kind"]["enum"]) == kinds
    events = [TimelineEvent(seconds=1.0, at=None, kind=kind, facts={"code": 7}) for kind in kinds - {"speech", "gap"}]
    lines = list(timeline_lines(events, Transcript()))
    assert len(lines) == len(kinds) - 2
    assert [line for line in lines if wrong("timeline", json.loads(line))] == []


def test_what_is_not_as_described_is_found() -> None:
    good = json.loads(transcript_json(Transcript(cues=(Cue(begin_seconds=0.0, end_seconds=1.0, text="x"),))))
    assert wrong("transcript", good) == []
    assert wrong("transcript", good | {"more": 1})
    assert wrong("transcript", good | {"word_source": "guessed"})
    assert wrong("transcript", good | {"cues": [{**good["cues"][0], "confidence": 1.5}]})
    person = {"roles": [Role.SPEAKER.value], "handle": "mira_k"}
    assert wrong("people", {"schema": 1, "people": [person]}) == []
    assert wrong("people", {"schema": 1, "people": [person | {"talk": {"seconds": 1}}]})
    assert wrong("timeline", {"seconds": 1, "kind": "reaction", "at": None}) == []
    assert wrong("timeline", {"seconds": 1, "kind": "nothing that we know"})
    assert wrong("transcript", json.loads(transcript_json(replace(Transcript(), seconds=-1.0))))

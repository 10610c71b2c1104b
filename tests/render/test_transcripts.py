"""Transcripts as text, Markdown and JSON, and the timeline: readable, escaped, and of the shape that is documented."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hydrophone.model import (
    Cue,
    MissingStretch,
    PeriscopeUserId,
    Speaker,
    SpeakerSource,
    Transcript,
    Turn,
    UserId,
    Word,
    WordSource,
)
from hydrophone.render.subtitles import spoken_text
from hydrophone.render.transcripts import (
    reactions_csv,
    read_transcript,
    timeline_lines,
    transcript_json,
    transcript_markdown,
    transcript_text,
)

SCHEMA = json.loads((files("hydrophone.render") / "schemas" / "transcript.schema.json").read_text("utf-8"))
LINK = "https://x.com/i/spaces/1hydroPhoneXZ"

MADE = Transcript(
    title="Harbour tapes",
    link=LINK,
    language="en",
    seconds=300.0106667,
    word_source=WordSource.SERVICE,
    speakers=(
        Speaker(key="1m", name="Mara", handle="mara_lind", user_id=UserId("17"), periscope_id=PeriscopeUserId("1m")),
        Speaker(key="1t", name="Tobi"),
    ),
    cues=(
        Cue(
            id="u-1",
            speaker="1m",
            begin_seconds=2.13,
            end_seconds=5.9,
            text="Good evening.",
            words=(Word("Good", 2.13, 3.0), Word("evening.", 3.0, 5.9)),
            interims=6,
            confidence=0.93,
        ),
        Cue(speaker="1m", begin_seconds=6.5, end_seconds=8.0, text="Welcome.", is_final=False),
        Cue(speaker="1t", begin_seconds=20.0, end_seconds=22.0, text="Hello.", speaker_source=SpeakerSource.LEVELS),
    ),
    turns=(Turn(speaker="1m", begin_seconds=2.0, end_seconds=8.0, level=43.21),),
    gaps=(MissingStretch(begin_seconds=30.0, end_seconds=33.0, cause="not found"),),
    notes=("one note",),
)


@dataclass
class Event:
    seconds: float
    kind: str
    at: Any = None
    person: str = ""
    by: str = ""
    text: str = ""
    is_approximate: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def test_the_json_has_the_documented_shape_and_reads_back() -> None:
    facts = json.loads(transcript_json(MADE))

    jsonschema.validate(facts, SCHEMA)
    jsonschema.validate(json.loads(transcript_json(Transcript())), SCHEMA)
    assert transcript_json(read_transcript(facts)) == transcript_json(MADE)
    assert facts["duration_seconds"] == 300.011
    assert facts["cues"][0]["words"][1] == ["evening.", 3.0, 5.9]


@pytest.mark.parametrize("change", [{"schema": 2}, {"cues": [{}]}, {"word_source": "guess"}, {"speakers": None}])
def test_the_documented_shape_can_be_missed(change: dict[str, Any]) -> None:
    facts = json.loads(transcript_json(MADE)) | change

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(facts, SCHEMA)


def test_the_text_has_a_paragraph_for_each_stretch_of_speech() -> None:
    assert transcript_text(MADE) == (
        f"Harbour tapes\n{LINK}\n\n[0:02] Mara: Good evening. Welcome.\n\n[0:20] Tobi: Hello.\n"
    )


def test_the_text_of_a_recording_without_words_says_who_spoke_when() -> None:
    silent = Transcript(
        speakers=(Speaker(key="a", name="Ines"),), turns=(Turn(speaker="a", begin_seconds=3.0, end_seconds=68.0),)
    )

    assert transcript_text(silent) == "[0:03] Ines: […] (1:05)\n"


def test_markdown_links_every_time_to_its_moment() -> None:
    assert transcript_markdown(MADE) == (
        f"# Harbour tapes\n\n<{LINK}>\n\n*one note*\n\n"
        f"**Mara** [0:02](<{LINK}#t=2.1>)  \nGood evening. Welcome.\n\n"
        f"**Tobi** [0:20](<{LINK}#t=20.0>)  \nHello.\n"
    )


def rendered_text(markdown: str) -> str:
    """All the text that a Markdown reader shows, paragraph by paragraph, links and emphasis included."""
    shown: list[str] = []
    for token in MarkdownIt("commonmark").parse(markdown):
        assert token.type not in ("html_block", "fence", "code_block", "bullet_list_open", "ordered_list_open", "hr")
        for child in token.children or ():
            assert child.type not in ("html_inline", "image", "code_inline")
            if child.type in ("text", "softbreak", "hardbreak"):
                shown.append(child.content if child.type == "text" else "\n")
    return "".join(shown)


HOSTILE = [
    "# title", "- list", "+ list", "1. list", "12) list", "> quote", "```code", "`x`", "*a* _b_ **c**", "![x](http://e/)",
    "[x](javascript:alert(1))", "<img src=x onerror=y>", "<https://evil.example>", "a | b", "~~x~~", "&lt;b&gt;",
    "\\", "===", "---", "***", "    indented", "a\n\nb", "[x]: http://e/", "||", "\u202ex", "=HYPERLINK()",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_stays_text_in_markdown(text: str) -> None:
    made = Transcript(
        title=text,
        link="javascript:alert(1)",
        speakers=(Speaker(key="a", name=text),),
        cues=(Cue(speaker="a", begin_seconds=1.0, end_seconds=2.0, text=text),),
    )
    shown = spoken_text(text)

    assert rendered_text(transcript_markdown(made)) == f"{shown}{shown} 0:01\n{shown}"


@given(st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_text_stays_text_in_markdown(text: str) -> None:
    made = Transcript(cues=(Cue(begin_seconds=1.0, end_seconds=2.0, text=text),))
    shown = spoken_text(text)

    assert rendered_text(transcript_markdown(made)) == (f"? 0:01\n{shown}" if shown else "")


def test_the_timeline_has_speech_gaps_and_events_in_order_one_a_line() -> None:
    events = [
        Event(1.0, "join", at=datetime(2026, 3, 3, 19, tzinfo=UTC), person="1p", is_approximate=True),
        Event(40.0, "reaction", person="1p", text="🔥\n\u2028", facts={"code": 2}),
    ]
    lines = list(timeline_lines(events, MADE))

    assert [len(line.splitlines()) for line in lines] == [1] * 6
    found = [json.loads(line) for line in lines]
    assert [entry["kind"] for entry in found] == ["join", "speech", "speech", "speech", "gap", "reaction"]
    assert found[0] == {
        "seconds": 1.0,
        "at": "2026-03-03T19:00:00Z",
        "kind": "join",
        "person": "1p",
        "is_approximate": True,
    }
    assert found[4]["end_seconds"] == 33.0


def test_reactions_become_a_table() -> None:
    @dataclass
    class Row:
        minute: int
        total: int
        counts: dict[str, int]

    assert reactions_csv([Row(0, 3, {"🔥": 2, "=1": 1})]) == "minute,reactions,which\n0,3,🔥×2 =1×1\n"

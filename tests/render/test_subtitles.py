"""WebVTT and SRT as independent parsers read them, whatever people are called and whatever they say."""

from __future__ import annotations

import html
import re

import pysubs2
import pytest
import webvtt
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hydrophone.model import Cue, Speaker, Transcript, Turn
from hydrophone.render.subtitles import spoken_text, srt_safe, srt_text, vtt_text

HOSTILE = [
    "<script>alert(1)</script> --> & done",
    "-->",
    "00:00:01.000 --> 00:00:02.000",
    "00:00:01,000 --> 00:00:02,000",
    "WEBVTT",
    "NOTE to self",
    "STYLE",
    "42",
    "one\n\n2\n00:00:09,000 --> 00:00:10,000\nforged",
    "a\r\nb\rc\u2028d\u2029e\x85f",
    "nul\x00 esc\x1b[2J bell\x07",
    "{\\an8}{\\fs99}up",
    "\\N line \\h blank \\n",
    "<b>bold</b> <i>it</i> <font color=red>",
    "</v><v Mallory>forged",
    "&lt;b&gt; &amp; &nbsp; &#60;",
    "\u202egnp.exe\u202c \u2066x\u2069",
    "half \ud83d pair",
    "{0.__class__} %(id)s $(id) `id`",
    "=HYPERLINK(1)",
    "  blanks\t around  ",
    "<",
    ">",
    "&",
    "مرحبا بالعالم",
    "港の音 🎧",
    "a" * 5000,
]


def cue(text: str, begin: float = 1.0, end: float = 2.0, speaker: str = "k") -> Cue:
    return Cue(speaker=speaker, begin_seconds=begin, end_seconds=end, text=text)


def transcript(*cues: Cue, name: str = "Mara Lind", **more: object) -> Transcript:
    return Transcript(speakers=(Speaker(key="k", name=name), Speaker(key="t", name="Tobi")), cues=cues, **more)  # type: ignore[arg-type]


def read_vtt(text: str) -> list[tuple[float, float, str, str]]:
    """Begin, end, voice and text of each cue, by webvtt-py."""
    found = []
    for caption in webvtt.from_string(text):
        raw = caption.raw_text
        match = re.fullmatch(r"(?:<v ([^>]*)>)?(.*)", raw, re.DOTALL)
        assert match is not None
        # Nothing but the voice tag of ours may look like a tag to the parser.
        assert "<" not in match[2]
        assert caption.voice == match[1]
        assert caption.text == match[2]
        found.append(
            (caption.start_in_seconds, caption.end_in_seconds, html.unescape(match[1] or ""), html.unescape(match[2]))
        )
    return found


def read_srt(text: str) -> list[tuple[int, int, str]]:
    """Begin and end in milliseconds and the text of each cue, by pysubs2."""
    return [(event.start, event.end, event.plaintext) for event in pysubs2.SSAFile.from_string(text, format_="srt")]


def test_cues_are_read_back_by_others() -> None:
    made = transcript(cue("Good evening.", 2.13, 5.9), cue("Hello!", 19.787, 3700.5, speaker="t"))

    assert [(speaker, text) for _, _, speaker, text in read_vtt(vtt_text(made))] == [
        ("Mara Lind", "Good evening."),
        ("Tobi", "Hello!"),
    ]
    assert read_srt(srt_text(made)) == [
        (2130, 5900, "Mara Lind: Good evening."),
        (19787, 3700500, "Tobi: Hello!"),
    ]
    assert "01:01:40.500" in vtt_text(made)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_and_names_round_trip(text: str) -> None:
    made = transcript(cue(text), cue("after", 3.0, 4.0), name=text, title=text, notes=(text,), language=text)
    shown = spoken_text(text)

    vtt = read_vtt(vtt_text(made))
    assert [(speaker, said) for _, _, speaker, said in vtt] == [(shown, shown), (shown, "after")]
    assert [said for _, _, said in read_srt(srt_text(made))] == [f"{srt_safe(text)}: {srt_safe(text)}", "after"]
    for written in (vtt_text(made), srt_text(made)):
        written.encode("utf-8")
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", written)


@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=20)), min_size=1, max_size=5))
@example([("0", "x"), ("1", "y")])
@settings(max_examples=200, deadline=None)
def test_any_texts_and_names_round_trip(pairs: list[tuple[str, str]]) -> None:
    cues = tuple(cue(text, n, n + 0.5, speaker=str(n)) for n, (text, _) in enumerate(pairs))
    made = Transcript(speakers=tuple(Speaker(key=str(n), name=name) for n, (_, name) in enumerate(pairs)), cues=cues)
    expected = [
        (spoken_text(Speaker(key=str(n), name=name).label) or "?", spoken_text(text))
        for n, (text, name) in enumerate(pairs)
        if spoken_text(text)
    ]

    assert [(speaker, text) for _, _, speaker, text in read_vtt(vtt_text(made))] == expected
    assert [said for _, _, said in read_srt(srt_text(made))] == [
        f"{srt_safe(name)}: {srt_safe(text)}" for name, text in expected
    ]


def test_what_ended_before_the_recording_began_is_not_shown_and_no_cue_is_without_length() -> None:
    made = transcript(cue("before", -3.0, -1.0), cue("across", -1.0, 1.0), cue("instant", 2.0, 2.0))

    assert [(begin, end, text) for begin, end, _, text in read_vtt(vtt_text(made))] == [
        (0, 1, "across"),
        (2, 2, "instant"),
    ]
    assert "00:00:02.000 --> 00:00:02.001" in vtt_text(made)


def test_lines_are_broken_where_the_caller_says() -> None:
    made = transcript(cue("one two three four"))

    def wrap(text: str) -> list[str]:
        return [text[:7], text[8:]]

    assert read_vtt(vtt_text(made, wrap=wrap))[0][3] == "one two\nthree four"
    assert read_srt(srt_text(made, wrap=wrap))[0][2] == "Mara Lind: one two\nthree four"


def test_the_language_is_only_named_when_it_is_one() -> None:
    assert "Language: pt-BR\n" in vtt_text(transcript(cue("a"), language="pt-BR"))
    assert "Language" not in vtt_text(transcript(cue("a"), language="x\n\n1 --> 2"))


def test_a_recording_without_words_shows_who_spoke_when() -> None:
    made = Transcript(
        speakers=(Speaker(key="k", name="Mara"),), turns=(Turn(speaker="k", begin_seconds=1.0, end_seconds=9.0),)
    )

    assert read_vtt(vtt_text(made)) == [(1, 9, "Mara", "[…]")]
    assert read_srt(srt_text(made)) == [(1000, 9000, "Mara: […]")]
    assert srt_text(Transcript()) == ""
    assert list(webvtt.from_string(vtt_text(Transcript()))) == []

"""LRC and the text of the lyrics tag: lines with times, and foreign text that no player takes for anything else."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from hydrophone.model import Cue, Speaker, Transcript, Turn
from hydrophone.render.lyrics import lrc_text, lyrics_text

MIRA, NOOR = Speaker(key="1mira", name="Mira"), Speaker(key="1noor", handle="noor")


def transcript(*cues: Cue, turns: tuple[Turn, ...] = (), title: str = "Tides") -> Transcript:
    return Transcript(title=title, seconds=6100.0, speakers=(MIRA, NOOR), cues=cues, turns=turns)


def cue(speaker: str, begin: float, end: float, text: str) -> Cue:
    return Cue(speaker=speaker, begin_seconds=begin, end_seconds=end, text=text)


def read_lrc(text: str) -> tuple[dict[str, str], list[tuple[float, str]]]:
    """As players read it: any number of times in front of a line, identifying tags, words with times in angles."""
    tags, lines = {}, []
    for line in text.splitlines():
        times = []
        while found := re.match(r"\[(\d+):(\d+(?:\.\d+)?)\]", line):
            times.append(int(found[1]) * 60 + float(found[2]))
            line = line[found.end() :]
        if not times and (tag := re.fullmatch(r"\[(\w+):(.*)\]", line)):
            tags[tag[1]] = tag[2]
        line = re.sub(r"<\d+:\d+(?:\.\d+)?>", "", line)
        lines += [(time, line) for time in times]
    return tags, lines


def test_a_line_for_each_cue_and_a_blank_one_where_nobody_speaks() -> None:
    told = transcript(
        cue("1mira", -3.0, -1.0, "Before."),
        cue("1mira", 1.0, 2.5, "High water."),
        cue("1mira", 3.0, 4.0, "Soon."),
        cue("1noor", 20.004, 22.0, "Low water."),
        cue("", 6000.0, 6001.5, "Who?"),
    )

    tags, lines = read_lrc(lrc_text(told))

    assert tags == {"ti": "Tides", "length": "101:40.00", "re": "Hydrophone"}
    assert lines == [
        (1.0, "Mira: High water."),
        (3.0, "Soon."),
        (4.0, ""),
        (20.0, "@noor: Low water."),
        (22.0, ""),
        (6000.0, "Who?"),
        (6001.5, ""),
    ]


def test_without_words_the_turns_are_shown() -> None:
    told = transcript(turns=(Turn(speaker="1noor", begin_seconds=1.0, end_seconds=4.0),))

    assert read_lrc(lrc_text(told))[1] == [(1.0, "@noor: ［…］"), (4.0, "")]
    assert lyrics_text(told) == ""


def test_lyrics_are_a_paragraph_for_each_stretch_of_one_person() -> None:
    told = transcript(
        cue("1mira", 1.0, 2.0, "High water."), cue("1mira", 2.0, 3.0, "Soon."), cue("1noor", 4.0, 5.0, "Low.\nWater.")
    )

    assert lyrics_text(told) == "Mira: High water. Soon.\n\n@noor: Low. Water."


HOSTILE = ["[00:09.00] other", "<00:09.00>word", "[ti:other]", "a\n[00:09.00]b", "x\r[by:you]", "\u2028[offset:9]"]


@given(st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60)), max_size=8), st.text(max_size=30))
def test_no_text_becomes_a_time_or_a_tag(texts: list[str], title: str) -> None:
    told = transcript(*(cue("1mira", 10.0 + n, 10.5 + n, text) for n, text in enumerate(texts)), title=title)

    tags, lines = read_lrc(lrc_text(told))

    assert set(tags) <= {"ti", "length", "re"}
    assert tags["length"] == "101:40.00"
    assert all(time in {10.0 + n for n in range(len(texts))} or not text for time, text in lines)
    assert len([text for _, text in lines if text]) == len(lines) - bool(lines)

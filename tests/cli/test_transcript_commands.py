"""transcript, quote, clip and people: what they print for an item, how they end, and what a clip holds."""

from __future__ import annotations

import json
from array import array
from pathlib import Path

import av
import pytest

from cli.conftest import Typed
from hydrophone.archive import DurableWriter, Item
from hydrophone.audio import silence_frame
from hydrophone.cli.transcripts import form_and_end, id_of, seconds_of
from hydrophone.errors import SettingsError
from hydrophone.media.frames import AudioConfig, StretchSource
from hydrophone.media.m4a import write_m4a
from hydrophone.model import Cue, Speaker, SpeakerSource, Transcript, Turn, UserId, Word, WordSource
from hydrophone.render.transcripts import transcript_json

ID = "1vOxwdyYrlqKB"
LINK = f"https://x.com/i/spaces/{ID}"
MIRA = Speaker(key="1mira", name="Mira", handle="mira_k", user_id=UserId("17"))
NOOR = Speaker(key="1noor", name="Noor <b>", handle="noor")
FRAME = 1024 / 48_000


@pytest.fixture
def item(tmp_path: Path) -> Item:
    """An item of ten seconds in an archive."""
    found = Item.create(tmp_path / "archive" / "@mira_k" / f"Tides [{ID}]", ID)
    words = (Word("High", 1.0, 1.4), Word("water.", 1.4, 2.0))
    cues = (
        Cue(speaker="1mira", begin_seconds=1.0, end_seconds=2.0, text="High water.", words=words),
        Cue(speaker="1noor", begin_seconds=4.0, end_seconds=6.0, text="Low --> water\x1b[31m."),
    )
    turns = (Turn(speaker="1mira", begin_seconds=1.0, end_seconds=2.0, source=SpeakerSource.LEVELS, level=40.0),)
    transcript = Transcript(
        title="Tides",
        link=LINK,
        seconds=10.0,
        word_source=WordSource.SERVICE,
        speakers=(MIRA, NOOR),
        cues=cues,
        turns=turns,
    )
    found.transcript("json").write_text(transcript_json(transcript))
    found.space.write_text(json.dumps({"schema": 1, "id": ID, "title": "Tides", "link": LINK}))
    talk = {"seconds": 61.0, "share": 0.75, "turns": 3, "words": 120}
    people = [{"name": "Mira", "handle": "mira_k", "roles": ["creator"], "talk": talk}, {"roles": ["listener"]}]
    found.people.write_text(json.dumps({"schema": 1, "people": people}))
    frame = silence_frame(48_000, 2)
    count = round(10 / FRAME)
    with DurableWriter(found.audio) as out:
        source = StretchSource([(array("H", [len(frame)] * count), frame * count)])
        write_m4a(out, source, AudioConfig(48_000, 2))
    return found


@pytest.fixture
def archive(item: Item, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = item.path.parents[1]
    monkeypatch.setenv("HYDROPHONE_ARCHIVE", str(folder))
    monkeypatch.chdir(folder.parent)
    return folder


@pytest.mark.parametrize("name", [ID, LINK, "folder"])
def test_an_item_is_named_by_id_link_or_folder(typed: Typed, archive: Path, item: Item, name: str) -> None:
    answer = typed("transcript", str(item.path) if name == "folder" else name)

    assert answer.code == 0
    assert "[0:01] Mira: High water." in answer.out
    assert "\x1b" not in answer.out


@pytest.mark.parametrize("form", ["txt", "md", "vtt", "srt", "json"])
def test_a_transcript_comes_in_every_form(typed: Typed, archive: Path, form: str) -> None:
    answer = typed("transcript", ID, "--to", form)

    assert answer.code == 0
    assert "High water." in answer.out.replace("\\", "")


def test_a_transcript_is_cut_to_a_speaker_and_a_stretch(typed: Typed, archive: Path) -> None:
    assert "Low" not in typed("transcript", ID, "--speaker", "@MIRA_K").out
    part = json.loads(typed("transcript", ID, "--from", "0:03", "--to", "0:05", "--json").out)
    assert [cue["speaker"] for cue in part["cues"]] == ["1noor"]
    assert [one["key"] for one in part["speakers"]] == ["1noor"]


def test_who_is_not_there_and_what_is_not_there_is_not_found(typed: Typed, archive: Path, item: Item) -> None:
    answer = typed("transcript", ID, "--speaker", "@nobody")
    assert (answer.code, "@mira_k" in answer.err) == (4, True)
    assert typed("transcript", "1zzz").code == 4
    assert typed("quote", ID, "--at", "9:00").code == 4
    item.transcript("json").unlink()
    assert typed("transcript", ID).code == 4


@pytest.mark.parametrize("command", ["transcript", "clip"])
def test_a_stretch_behind_the_end_is_not_found_and_the_end_is_named(
    typed: Typed, archive: Path, item: Item, command: str
) -> None:
    item.space.write_text(json.dumps({"schema": 1, "id": ID, "link": LINK, "duration_seconds": 10.0}))
    answer = typed(command, ID, "--from", "9:00", "--to", "9:30")

    assert answer.code == 4
    assert "the recording ends at 0:10" in answer.err
    assert not list(archive.parent.glob("clip*"))


def test_without_captions_a_quote_says_who_can_be_heard(typed: Typed, archive: Path, item: Item) -> None:
    told = json.loads(item.transcript("json").read_text())
    item.transcript("json").write_text(json.dumps(told | {"cues": []}))
    answer = typed("quote", ID, "--at", "0:01.5")

    assert answer.code == 4
    assert "no captions; at 0:01 Mira can be heard" in answer.err
    assert "whisper" in answer.err
    assert "the recording ends at 0:10" in typed("quote", ID, "--at", "1:00").err


def test_a_damaged_transcript_is_a_trouble_of_the_disk(typed: Typed, archive: Path, item: Item) -> None:
    item.transcript("json").write_text('{"schema": 1}')
    assert typed("transcript", ID).code == 9


def test_a_quote_has_text_speaker_and_permalink(typed: Typed, archive: Path) -> None:
    answer = typed("quote", ID, "--at", "0:01.5")
    assert answer.out.splitlines() == ["“High water.”", "— Mira (@mira_k), 0:01", f"{LINK}#t=1.0"]

    told = json.loads(typed("quote", ID, "--at", "5", "--json").out)
    assert (told["speaker"]["handle"], told["permalink"]) == ("noor", f"{LINK}#t=4.0")


def test_people_are_shown_with_their_talk(typed: Typed, archive: Path) -> None:
    lines = typed("people", ID).out.splitlines()
    assert lines[1].split() == ["Mira", "(@mira_k)", "creator", "1:01", "75%", "3", "120"]
    assert len(json.loads(typed("people", ID, "--json").out)["people"]) == 2


def test_a_clip_is_whole_frames_with_tags_and_its_transcript(typed: Typed, archive: Path, tmp_path: Path) -> None:
    answer = typed("clip", ID, "--from", "0:03", "--to", "0:07", "-o", str(tmp_path / "answer.m4a"), "--json")
    told = json.loads(answer.out)

    assert answer.code == 0
    with av.open(str(tmp_path / "answer.m4a")) as container:
        frames = sum(frame.samples for frame in container.decode(audio=0)) // 1024
        assert container.metadata["comment"] == f"{LINK}#t=3.0"
    assert frames in range(round(4 / FRAME) - 1, round(4 / FRAME) + 3)
    assert abs(told["begin_seconds"] - 3) <= FRAME
    assert abs(told["end_seconds"] - 7) <= FRAME
    part = json.loads((tmp_path / "answer.json").read_text())
    assert [round(cue["begin_seconds"]) for cue in part["cues"]] == [1]
    assert (tmp_path / "answer.vtt").is_file()


def test_a_clip_never_lies_in_the_item_and_never_behind_its_end(typed: Typed, archive: Path, item: Item) -> None:
    inside = str(item.path / "clip.m4a")
    assert typed("clip", ID, "--from", "1", "--to", "2", "-o", inside).code == 2
    assert typed("clip", ID, "--from", "5", "--to", "2").code == 2
    assert typed("clip", ID, "--from", "5:00", "--to", "6:00").code == 7
    assert not (archive.parent / f"clip {ID} 5.00-6.00.m4a").exists()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12:34", 754.0), ("1:02:03.5", 3723.5), ("754.5", 754.5), ("12m34s", 754.0), ("1h", 3600.0), ("0", 0.0)],
)
def test_moments_are_read(text: str, seconds: float) -> None:
    assert seconds_of(text, "--at") == seconds


@pytest.mark.parametrize("text", ["", "noon", "1:2:3:4", "-5", "12:3"])
def test_what_is_no_moment_is_a_mistake_of_usage(text: str) -> None:
    with pytest.raises(SettingsError):
        seconds_of(text, "--at")


def test_to_is_a_form_or_a_moment() -> None:
    assert form_and_end(["vtt", "1:00"]) == ("vtt", "1:00")
    assert form_and_end([]) == ("txt", None)
    with pytest.raises(SettingsError):
        form_and_end(["docx"])


def test_the_id_is_found_in_links() -> None:
    assert id_of(LINK) == ID
    assert id_of("no link") == "no link"

"""The files of an item, when something is wrong with what they are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydrophone.archive import Item, Take, read_manifest
from hydrophone.errors import ArchiveError, DiskError
from hydrophone.model import MediaKind, SpaceState
from hydrophone.recorder import finishing
from hydrophone.recorder.finishing import Finished, finish_item
from hydrophone.recorder.sources import Look
from hydrophone.recorder.transcribing import Listener
from recorder.test_layout import hold, plan_of


@pytest.fixture
def take(tmp_path: Path) -> Iterator[Take]:
    with Take.open(tmp_path / "item") as take:
        hold(take, *range(4))
        take.flush()
        yield take


def finished(take: Take) -> Finished:
    link = "https://x.com/i/spaces/1hydroPhoneXZ"
    look = Look(key="1hydroPhoneXZ", link=link, state=SpaceState.ENDED, title="A room")
    return finish_item(take, plan_of(take, 3), look, MediaKind.AUDIO, cover=None, on_step=lambda _: None)


def test_what_tags_hold_costs_the_transcript_at_most(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def see(self: Listener, position: float, stored: object) -> None:
        seen.append(position)
        raise ValueError("a tag from hell")

    monkeypatch.setattr(Listener, "see", see)

    found = finished(take)

    assert found.notices == ("no transcript: a tag from hell",)
    assert seen == [0.0]
    assert found.coverage.is_complete
    assert found.media is not None
    assert found.media.is_file()
    assert not Item(take.directory).transcript("json").exists()


def test_a_disk_that_fails_while_tags_are_read_is_no_missing_transcript(
    take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    def see(self: Listener, position: float, stored: object) -> None:
        raise DiskError("no more", errno=5)

    monkeypatch.setattr(Listener, "see", see)

    with pytest.raises(DiskError, match="no more"):
        finished(take)

    assert not Item(take.directory).manifest.exists()
    # The original is whole or not there, for its writing is waited for: whoever tries again has the take alone.
    monkeypatch.undo()
    assert finished(take).coverage.is_complete


def test_an_original_that_cannot_be_written_is_told(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: object) -> None:
        raise ArchiveError("bytes are missing")

    monkeypatch.setattr(finishing, "write_original", write)

    with pytest.raises(ArchiveError, match="bytes are missing"):
        finished(take)
    assert not Item(take.directory).audio.exists()


def test_the_manifest_has_the_digests_of_what_is_there(take: Take) -> None:
    finished(take)

    digests = read_manifest(Item(take.directory).manifest).digests
    assert {"original.aac", "audio.m4a", "people.json", "space.json"} <= set(digests)
    for name, digest in digests.items():
        assert hashlib.sha256((take.directory / name).read_bytes()).hexdigest() == digest

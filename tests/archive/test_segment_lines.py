"""The line of a segment is spelt out by hand; it says what the general way would say, letter for letter."""

from __future__ import annotations

import os
from array import array
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.archive.journal import build_facts
from hydrophone.archive.segments import MediaFiles, build_segment_facts, pack_sizes
from hydrophone.errors import ArchiveError

AT = datetime(2026, 1, 22, 18, 0, 3, 250_000, tzinfo=UTC)
NUMBERS = st.none() | st.integers(0, 2**63)


def line(at: datetime = AT, **changed: Any) -> bytes:
    facts: dict[str, Any] = {
        "epoch": 0,
        "sequence": 7,
        "frames": None,
        "runs": (),
        "verdict": "complete",
        "name": "chunk_1_7_a.aac",
        "duration_seconds": None,
        "written_ns": None,
        "ticks": None,
        "rate": None,
        "channels": None,
        "source": "live",
    }
    return build_segment_facts(at, **(facts | changed))


@given(
    st.integers(0, 63),
    st.integers(0, 2**53),
    st.none() | st.lists(st.integers(7, 8191), max_size=5).map(lambda sizes: array("H", sizes)),
    st.lists(st.tuples(st.integers(0, 2**25), st.integers(1, 200)), max_size=3),
    st.text(max_size=30),
    st.none() | st.floats(0, 4000, allow_nan=False),
    NUMBERS,
    NUMBERS,
)
def test_a_segments_line_is_that_of_the_general_way(
    epoch: int,
    sequence: int,
    frames: array[int] | None,
    runs: list[tuple[int, int]],
    text: str,
    seconds: float | None,
    written_ns: int | None,
    ticks: int | None,
) -> None:
    facts = {
        "epoch": epoch,
        "seq": sequence,
        "name": text,
        "verdict": "suspect",
        "source": "list",
        "extinf": seconds,
        "ns": written_ns,
        "ticks": ticks,
        "rate": 48_000,
        "ch": 2,
        "frames": 0 if frames is None else len(frames),
        "sizes": None if frames is None else pack_sizes(frames),
        "runs": [list(run) for run in runs],
    }

    assert line(
        epoch=epoch,
        sequence=sequence,
        frames=frames,
        runs=runs,
        verdict="suspect",
        name=text,
        duration_seconds=seconds,
        written_ns=written_ns,
        ticks=ticks,
        rate=48_000,
        channels=2,
        source="list",
    ) == build_facts("segment", AT, facts)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_what_json_does_not_know_is_refused(seconds: float) -> None:
    with pytest.raises(ArchiveError):
        line(duration_seconds=seconds)


def test_instants_of_other_zones_are_written_in_utc() -> None:
    assert line(at=AT.astimezone(timezone(timedelta(hours=-8)))) == line()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux shows what is open")
def test_files_that_a_forgotten_segment_was_read_from_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "media.log"
    path.write_bytes(b"bytes")

    def is_open() -> bool:
        return any(os.path.realpath(f"/proc/self/fd/{fd}") == str(path.resolve()) for fd in os.listdir("/proc/self/fd"))

    with MediaFiles() as files:
        files.read(path, 0, 5)
    assert not is_open()
    files.read(path, 0, 5)
    assert is_open()
    del files

    assert not is_open()

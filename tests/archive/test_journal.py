from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydrophone.archive.journal import (
    SCHEMA,
    Damage,
    Line,
    build_facts,
    finish_line,
    header_line,
    instant_text,
    read_journal,
)
from hydrophone.errors import ArchiveError, NewerSchemaError

AT = datetime(2026, 1, 22, 18, 0, 3, 250_000, tzinfo=UTC)


def journal(count: int = 4) -> bytes:
    lines = [header_line(AT, {"space": "1hydroPhoneXZ"})]
    lines += [finish_line(build_facts("audience", AT, {"listeners": at}), at) for at in range(1, count)]
    return b"".join(lines)


def read(raw: bytes) -> list[Line | Damage]:
    return list(read_journal(io.BytesIO(raw)))


def test_lines_come_back_as_they_were_written() -> None:
    lines = read(journal(3))

    assert [line.facts["kind"] for line in lines if isinstance(line, Line)] == ["header", "audience", "audience"]
    assert lines[0].facts["schema"] == SCHEMA  # type: ignore[union-attr]
    assert lines[2].facts["listeners"] == 2  # type: ignore[union-attr]


def test_each_line_is_plain_json_for_any_other_program() -> None:
    for line in journal().splitlines():
        assert json.loads(line)["t"] == "2026-01-22T18:00:03.250000Z"


def test_instants_are_written_in_utc() -> None:
    berlin = timezone(timedelta(hours=2))
    assert instant_text(datetime(2026, 7, 1, 12, 0, tzinfo=berlin)) == "2026-07-01T10:00:00Z"


def test_a_torn_tail_is_reported_at_every_length() -> None:
    raw = journal(3)
    ends = [at + 1 for at, byte in enumerate(raw) if byte == 10]
    for size in range(len(raw)):
        lines = read(raw[:size])
        good = [line for line in lines if isinstance(line, Line)]
        assert len(good) == sum(end <= size for end in ends)
        torn = [line for line in lines if isinstance(line, Damage)]
        assert (len(torn) == 1 and torn[0].is_torn) if size not in (0, *ends) else not torn


def test_every_single_flipped_bit_is_noticed_and_costs_one_line() -> None:
    raw = journal(4)
    for at in range(len(raw)):
        for bit in range(8):
            bad = bytearray(raw)
            bad[at] ^= 1 << bit
            try:
                lines = read(bytes(bad))
            except NewerSchemaError:
                pytest.fail("a damaged header was believed")
            assert any(isinstance(line, Damage) for line in lines), (at, bit)
            assert sum(isinstance(line, Line) for line in lines) >= 2


def test_lost_and_repeated_lines_are_noticed() -> None:
    lines = journal(5).splitlines(keepends=True)

    assert any(isinstance(line, Damage) for line in read(b"".join(lines[:2] + lines[3:])))
    repeated = read(b"".join([*lines[:3], lines[2], *lines[3:]]))
    assert sum(isinstance(line, Line) for line in repeated) == 5
    assert sum(isinstance(line, Damage) for line in repeated) == 1
    assert isinstance(read(b"".join(lines[1:]))[0], Damage)


def test_a_newer_schema_is_refused_with_both_numbers() -> None:
    raw = finish_line(build_facts("header", AT, {"schema": 7, "tool": "hydrophone 9.0"}), 0)
    with pytest.raises(NewerSchemaError) as caught:
        read(raw)
    assert (caught.value.found, caught.value.known) == (7, SCHEMA)


def test_a_line_without_end_is_skipped_in_pieces() -> None:
    good = journal(3).splitlines(keepends=True)
    raw = good[0] + b"x" * (9 << 20) + b"\n" + good[1]
    lines = read(raw)

    assert [type(line) for line in lines] == [Line, Damage, Line]
    assert lines[1].size_bytes == (9 << 20) + 1


@pytest.mark.parametrize("value", [float("nan"), object(), b"bytes", {1, 2}])
def test_what_json_does_not_know_is_refused_before_it_waits(value: object) -> None:
    with pytest.raises(ArchiveError):
        build_facts("note", AT, {"value": value})


@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_raise(raw: bytes) -> None:
    assert sum(line.size_bytes for line in read(raw)) == len(raw)


@settings(max_examples=200)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.binary(max_size=20))
def test_a_mangled_journal_never_raises_and_never_invents(begin: int, length: int, patch: bytes) -> None:
    raw = journal(4)
    begin %= len(raw)
    mangled = raw[:begin] + patch + raw[begin + length % 50 :]
    originals = {line.facts["n"]: line.facts for line in read(raw) if isinstance(line, Line)}

    for line in read(mangled):
        if isinstance(line, Line):
            assert line.facts == originals[line.number]


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)),
        max_size=5,
    )
)
def test_any_facts_make_the_round_trip(facts: dict[str, object]) -> None:
    line = read(finish_line(build_facts("note", AT, {"value": facts}), 0))[0]
    assert isinstance(line, Line)
    assert line.facts["value"] == facts


def test_lines_of_an_unwanted_kind_are_checked_but_not_given() -> None:
    raw = journal(6)
    lines = raw.splitlines(keepends=True)
    strange = finish_line(b'{"kind":"audience","t":"2026-01-22T18:00:03Z"', 6)  # as no Hydrophone writes it
    raw = b"".join([*lines[:4], lines[2], lines[4].replace(b"5", b"6"), lines[5], strange])

    wanted = list(read_journal(io.BytesIO(raw), without="audience"))

    assert [line for line in read(raw) if isinstance(line, Damage)] == [
        line for line in wanted if isinstance(line, Damage)
    ]
    assert [line.number for line in wanted if isinstance(line, Line)] == [0, 6]
    assert len([line for line in wanted if isinstance(line, Damage)]) == 3


@given(st.integers(0, 2**31), st.integers(0, 900), st.binary(min_size=1, max_size=3))
@settings(deadline=None)
def test_what_is_unwanted_hides_no_damage(seed: int, at: int, replacement: bytes) -> None:
    raw = journal(8)
    at = (at + seed) % len(raw)
    raw = raw[:at] + replacement + raw[at + len(replacement) :]

    every = read(raw)
    wanted = list(read_journal(io.BytesIO(raw), without="audience"))

    kept = [line for line in every if isinstance(line, Damage) or line.kind != "audience"]
    assert wanted == kept

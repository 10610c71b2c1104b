"""Check an item: every file against the manifest, every journal line, every segment.

Reads only, and never raises for what it finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from hydrophone.archive.item import Item
from hydrophone.archive.journal import JOURNAL_NAME
from hydrophone.archive.manifest import MANIFEST_NAME, Manifest, digest_file, listed_files, read_manifest
from hydrophone.archive.recovery import settle
from hydrophone.archive.state import DROPPED, TakeState, load_state, stored_segments
from hydrophone.errors import ArchiveError, DiskError


class Trouble(StrEnum):
    """What can be wrong. Only `UNFINISHED` is no damage."""

    CHANGED = "changed"  #: a file differs from its digest
    MISSING = "missing"  #: a listed file is not there
    EXTRA = "extra"  #: a file that the manifest does not list
    MANIFEST = "manifest"  #: the manifest is absent or not as it was written
    JOURNAL = "journal"  #: a line of the journal is damaged, or lines are missing
    SEGMENT = "segment"  #: the bytes of a segment are not those that were acknowledged
    COVERAGE = "coverage"  #: what space.json says and what is held differ
    UNFINISHED = "unfinished"  #: recorded, but not finished: there is no manifest yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong. `epoch` and `sequence` are set where one segment is concerned."""

    trouble: Trouble
    name: str
    text: str
    epoch: int | None = None
    sequence: int | None = None

    def as_json(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"trouble": self.trouble.value, "file": self.name, "text": self.text}
        if self.sequence is not None:
            facts |= {"epoch": self.epoch, "sequence": self.sequence}
        return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What a check of an item found. `findings` is empty when all is well.

    `ok` are the files whose digests fit; `segments` counts what the journal says is held, `damaged` names the segments
    (epoch, sequence) whose bytes are not what was served: fetch them again. `gaps` counts the gaps that the recording
    itself admits; they are no damage.
    """

    path: Path
    ok: tuple[str, ...]
    findings: tuple[Finding, ...]
    segments: int
    seconds: float
    gaps: int
    has_media: bool  #: a packaged m4a or mp4 is there

    @property
    def is_intact(self) -> bool:
        return not self.findings

    @property
    def is_finished(self) -> bool:
        return not any(finding.trouble is Trouble.UNFINISHED for finding in self.findings)

    @property
    def damaged(self) -> tuple[tuple[int, int], ...]:
        found = ((finding.epoch, finding.sequence) for finding in self.findings)
        return tuple((epoch, sequence) for epoch, sequence in found if epoch is not None and sequence is not None)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "path": str(self.path),
            "intact": self.is_intact,
            "finished": self.is_finished,
            "ok": list(self.ok),
            "findings": [finding.as_json() for finding in self.findings],
            "segments": self.segments,
            "seconds": round(self.seconds, 6),
            "gaps": self.gaps,
            "media": self.has_media,
        }


def verify_item(path: Path, *, is_deep: bool = False) -> VerifyReport:
    """Check an item. Blocks while it reads every byte.

    Segments are looked at one by one only where the original differs from its digest, or with `is_deep`: a file that
    fits its digest holds what it held when it was written.
    """
    item = Item(path)
    findings: list[Finding] = []
    ok = _check_files(path, findings)
    state = _check_journal(path, findings)
    if state is not None:
        original = state.layouts[-1].name if state.layouts else ""
        if is_deep or original not in ok:
            _check_segments(path, state, findings)
        elif read_manifest(item.manifest).digests[original] != state.layouts[-1].sha256:
            findings.append(_finding(Trouble.CHANGED, original, "not the file that the journal says was written"))
    gaps = _check_coverage(item, state, findings)
    return VerifyReport(
        path=path,
        ok=tuple(sorted(ok)),
        findings=tuple(findings),
        segments=len(state.index) if state else 0,
        seconds=state.index.total_seconds if state else 0.0,
        gaps=gaps,
        has_media=item.audio.is_file() or item.video.is_file(),
    )


def _finding(trouble: Trouble, name: str, text: str) -> Finding:
    return Finding(trouble=trouble, name=name, text=text)


# ---------------------------------------------------------------- files


def _check_files(path: Path, findings: list[Finding]) -> set[str]:
    """Compare all files with the manifest; the names of those that fit."""
    present = _present(path, findings)
    if not (path / MANIFEST_NAME).is_file():
        finished = "space.json" in present or any(name.startswith("original.") for name in present)
        trouble = Trouble.MANIFEST if finished else Trouble.UNFINISHED
        text = "there is no manifest" if finished else "the recording has not been finished"
        findings.append(_finding(trouble, MANIFEST_NAME, text))
        return set()
    try:
        manifest = read_manifest(path / MANIFEST_NAME)
    except DiskError as error:
        findings.append(_finding(Trouble.MANIFEST, MANIFEST_NAME, error.message))
        return set()
    if not manifest.digests:
        findings.append(_finding(Trouble.MANIFEST, MANIFEST_NAME, "lists nothing"))
    for number, text in manifest.problems:
        where = f"line {number}: " if number else ""
        findings.append(_finding(Trouble.MANIFEST, MANIFEST_NAME, where + text))
    findings.extend(
        _finding(Trouble.EXTRA, name, "is not in the manifest") for name in sorted(present - set(manifest.digests))
    )
    return _compare(path, manifest, findings)


def _present(path: Path, findings: list[Finding]) -> set[str]:
    try:
        return set(listed_files(path))
    except DiskError as error:
        findings.append(_finding(Trouble.MISSING, "", error.message))
        return set()


def _compare(path: Path, manifest: Manifest, findings: list[Finding]) -> set[str]:
    ok: set[str] = set()

    def digest(name: str) -> str | DiskError:
        try:
            return digest_file(path / name)
        except DiskError as error:
            return error

    with ThreadPoolExecutor(max_workers=2) as pool:
        for (name, wanted), found in zip(manifest.digests.items(), pool.map(digest, manifest.digests), strict=True):
            if isinstance(found, DiskError):
                is_there = (path / name).exists()
                text = found.message if is_there else "is not there"
                findings.append(_finding(Trouble.CHANGED if is_there else Trouble.MISSING, name, text))
            elif found == wanted:
                ok.add(name)
            else:
                findings.append(_finding(Trouble.CHANGED, name, "differs from its digest"))
    return ok


# ---------------------------------------------------------------- journal and segments


def _check_journal(path: Path, findings: list[Finding]) -> TakeState | None:
    if not (path / JOURNAL_NAME).is_file():
        if not any(finding.name == JOURNAL_NAME for finding in findings):
            findings.append(_finding(Trouble.MISSING, JOURNAL_NAME, "is not there"))
        return None
    try:
        state = load_state(path)
        lost = settle(path, state, prefers_original=bool(state.layouts))
    except ArchiveError as error:
        findings.append(_finding(Trouble.JOURNAL, JOURNAL_NAME, error.message))
        return None
    findings.extend(
        _finding(Trouble.JOURNAL, JOURNAL_NAME, f"at byte {damage.offset}: {damage.reason}") for damage in state.damages
    )
    for kind, facts in lost:
        if kind == DROPPED:
            findings.append(_segment_finding(facts["epoch"], facts["seq"], str(facts["reason"])))
        else:
            text = f"{facts['segments']} acknowledged segment(s) lie beyond the end of media log {facts['file']}"
            findings.append(_finding(Trouble.MISSING, "media.log", text))
    return state


def _segment_finding(epoch: int, sequence: int, text: str) -> Finding:
    return Finding(
        trouble=Trouble.SEGMENT,
        name=f"segment {sequence}" + (f" of epoch {epoch}" if epoch else ""),
        text=text,
        epoch=epoch,
        sequence=sequence,
    )


def _check_segments(path: Path, state: TakeState, findings: list[Finding]) -> None:
    try:
        findings.extend(
            _segment_finding(epoch, sequence, "its bytes are not those that were served")
            for epoch, sequence in damaged_segments(path, state)
        )
    except ArchiveError as error:
        findings.append(_finding(Trouble.SEGMENT, JOURNAL_NAME, error.message))


def damaged_segments(path: Path, state: TakeState) -> Iterator[tuple[int, int]]:
    """The held segments whose bytes differ from their digests: (epoch, sequence).

    In an original from which a piece was cut or into which one was put, all that follows differs.
    """
    for segment in stored_segments(path, state):
        try:
            if not segment.is_intact():
                yield segment.epoch, segment.sequence
        except DiskError:
            yield segment.epoch, segment.sequence


# ---------------------------------------------------------------- coverage


def _check_coverage(item: Item, state: TakeState | None, findings: list[Finding]) -> int:
    """Compare what space.json says about coverage with what is held; the number of gaps it admits."""
    if not item.space.is_file():
        return 0
    try:
        facts = item.load_space()
    except ArchiveError as error:
        findings.append(_finding(Trouble.CHANGED, item.space.name, error.message))
        return 0
    coverage = facts.get("coverage")
    if not isinstance(coverage, dict):
        return 0
    gaps = coverage.get("gaps")
    gap_list = gaps if isinstance(gaps, list) else []
    segments, expected = coverage.get("segments"), coverage.get("expected")
    if state is not None and isinstance(segments, int) and segments != len(state.index):
        text = f"says {segments} segments, the journal holds {len(state.index)}"
        findings.append(_finding(Trouble.COVERAGE, item.space.name, text))
    if isinstance(segments, int) and isinstance(expected, int) and (expected > segments) and not gap_list:
        text = f"{expected - segments} segments are missing, but no gap is named"
        findings.append(_finding(Trouble.COVERAGE, item.space.name, text))
    if state is not None:
        for gap in gap_list:
            findings.extend(_gap_findings(item, state, gap))
    return len(gap_list)


def _gap_findings(item: Item, state: TakeState, gap: object) -> Iterator[Finding]:
    if not isinstance(gap, dict) or gap.get("is_partial"):
        return
    epoch, first, last = gap.get("epoch"), gap.get("first"), gap.get("last")
    if not (isinstance(epoch, int) and isinstance(first, int) and isinstance(last, int)):
        return
    missing = sum(map(len, state.index.missing(epoch, first, last)))
    if missing != last - first + 1:
        text = f"names {first} to {last} as a gap, but holds {last - first + 1 - missing} of these segments"
        yield _finding(Trouble.COVERAGE, item.space.name, text)

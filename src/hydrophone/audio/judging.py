"""Whether a body is the segment that the playlist promised. Only the number of frames tells.

A body can be cut and yet agree with its Content-Length, and an error page can come with status 200.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hydrophone.audio.adts import AdtsScan

#: The playlist rounds and the service cuts, so one frame more or less is no loss.
TOLERANCE_FRAMES = 1


class Grade(StrEnum):
    COMPLETE = "complete"
    SUSPECT = "suspect"  #: shorter than promised: fetch again, keep the longest
    NOT_AUDIO = "not audio"  #: never store it as audio


@dataclass(frozen=True, slots=True)
class Verdict:
    """A grade, and in `reason` what was noticed; empty when there was nothing to notice."""

    grade: Grade
    reason: str = ""

    @property
    def is_complete(self) -> bool:
        return self.grade is Grade.COMPLETE

    @property
    def is_suspect(self) -> bool:
        return self.grade is Grade.SUSPECT

    @property
    def is_audio(self) -> bool:
        return self.grade is not Grade.NOT_AUDIO


_CLEAN = Verdict(Grade.COMPLETE)


def judge(scan: AdtsScan, expected_frames: int | None) -> Verdict:
    """Grade a segment by what was found in it. `expected_frames` comes from EXTINF, None where that says nothing."""
    frames = scan.frames
    if not frames:
        return Verdict(Grade.NOT_AUDIO, "there is no audio frame in it")
    inner_junk = scan.junk_bytes - scan.leading_bytes
    if expected_frames is None:
        if scan.tail_bytes:
            return Verdict(Grade.SUSPECT, f"{scan.tail_bytes} bytes of a cut frame at the end")
        return _noted(scan, inner_junk)
    is_damaged = bool(scan.tail_bytes or inner_junk)
    # One frame less is within rounding, unless that very frame lies there in pieces.
    if frames < expected_frames - TOLERANCE_FRAMES or (frames < expected_frames and is_damaged):
        return Verdict(Grade.SUSPECT, f"{frames} of {expected_frames} frames, {scan.tail_bytes} bytes left over")
    if frames > expected_frames + TOLERANCE_FRAMES:
        return Verdict(Grade.COMPLETE, f"{frames} frames where {expected_frames} were announced")
    return _noted(scan, inner_junk)


def _noted(scan: AdtsScan, inner_junk: int) -> Verdict:
    if inner_junk:
        return Verdict(Grade.COMPLETE, f"{inner_junk} bytes of junk between the frames")
    if scan.tail_bytes:
        return Verdict(Grade.COMPLETE, f"{scan.tail_bytes} bytes of junk at the end")
    if scan.leading_bytes:
        return Verdict(Grade.COMPLETE, f"{scan.leading_bytes} bytes of junk at the front")
    return _CLEAN

"""The frames of one part of a recording, for the audio writer: read from the original, with silence in the gaps."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

from hydrophone.archive import MediaFiles
from hydrophone.audio import silence_frame
from hydrophone.errors import ArchiveError
from hydrophone.media.frames import AudioConfig, Stretch, silent_stretches
from hydrophone.recorder.layout import Part


class PartFrames:
    """Stored frames without tags and junk, silent ones where the part says so (see `hydrophone.media.frames`).

    Args:
        original: the finished original that the part's runs point into.
    """

    def __init__(self, original: Path, part: Part) -> None:
        self._original = original
        self._part = part
        self._silent = silence_frame(part.rate, part.channels) if part.silence or part.tail else b""

    @property
    def config(self) -> AudioConfig:
        return AudioConfig(rate=self._part.rate, channels=self._part.channels)

    def sizes(self) -> Iterator[array[int]]:
        """The sizes of all frames, without touching the original."""
        for silent, frames, _ in self._walk():
            yield from (sizes for sizes, _ in self._silence(silent))
            if frames:
                yield frames

    def stretches(self) -> Iterator[Stretch]:
        """The frames themselves, segment by segment."""
        with MediaFiles() as files:
            for silent, frames, runs in self._walk():
                yield from self._silence(silent)
                if frames:
                    yield frames, self._read(files, frames, runs)

    def _walk(self) -> Iterator[tuple[int, array[int], range]]:
        """Each segment: the silence before it, the sizes of its frames, its runs. The last has only silence."""
        part = self._part
        run = frame = 0
        for index, count in enumerate(part.run_counts):
            runs = range(run, run + count)
            frames = sum(part.run_frames[run : run + count])
            yield part.silence.get(index, 0), part.sizes[frame : frame + frames], runs
            run += count
            frame += frames
        yield part.silence.get(len(part.run_counts), 0) + part.tail, array("H"), range(run, run)

    def _read(self, files: MediaFiles, frames: array[int], runs: range) -> bytes:
        begins, counts = self._part.run_begins, self._part.run_frames
        pieces: list[tuple[int, int]] = []
        at = 0
        for run in runs:
            length = sum(frames[at : at + counts[run]])
            pieces.append((begins[run], length))
            at += counts[run]
        first, end = pieces[0][0], pieces[-1][0] + pieces[-1][1]
        body = files.read(self._original, first, end - first)
        if len(body) != end - first:
            raise ArchiveError(f"{self._original}: ends before the frames that it should hold")
        return b"".join([body[begin - first : begin - first + length] for begin, length in pieces])

    def _silence(self, frames: int) -> Iterator[Stretch]:
        return silent_stretches(self._silent, frames) if frames else iter(())

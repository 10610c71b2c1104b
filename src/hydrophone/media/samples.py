"""Sound as numbers, for whoever listens: a media file in pieces of some minutes, mono, 16 kHz, cut where it is quiet.

A whole Space as numbers would be gigabytes; a piece is some 40 MB. Needs numpy, which comes with the recogniser.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

RATE = 16_000
PIECE_SECONDS = 600.0
#: So far before the end of a piece the quietest place is sought; nobody talks without a breath for so long.
SEARCH_SECONDS = 30.0
_WINDOW = RATE // 2


def read_samples(
    path: Path, *, piece_seconds: float = PIECE_SECONDS, search_seconds: float = SEARCH_SECONDS
) -> Iterator[tuple[float, Any]]:
    """Where each piece begins, in seconds, and its samples from -1 to 1 as an array of 32-bit floats.

    Raises:
        ValueError, OSError: PyAV's own, where the file is no sound.
    """
    import numpy as np

    whole, first = round(piece_seconds * RATE), max(1, round((piece_seconds - search_seconds) * RATE))
    held: list[Any] = []
    count = begin = 0
    for block in _blocks(path):
        held.append(block)
        count += len(block)
        while count >= whole:
            joined = np.concatenate(held)
            cut = first + _quietest(np, joined[first:whole])
            yield begin / RATE, joined[:cut]
            held, count, begin = [joined[cut:]], count - cut, begin + cut
    if count:
        yield begin / RATE, np.concatenate(held)


def _blocks(path: Path) -> Iterator[Any]:
    import av  # loaded late, like the recogniser: whoever only records needs neither

    with av.open(str(path)) as container:
        if not container.streams.audio:
            raise ValueError("there is no sound in it")
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        for frame in container.decode(container.streams.audio[0]):
            # Frames are played one after the other, as players of our own files do; a jump of the clock is no pause.
            frame.pts = None
            for made in resampler.resample(frame):
                yield made.to_ndarray().reshape(-1)
        for made in resampler.resample(None):
            yield made.to_ndarray().reshape(-1)


def _quietest(np: Any, samples: Any) -> int:
    """The middle of the quietest half second."""
    windows = len(samples) // _WINDOW
    if not windows:
        return len(samples) // 2
    loud = np.square(samples[: windows * _WINDOW].reshape(windows, _WINDOW)).sum(axis=1)
    return int(np.argmin(loud)) * _WINDOW + _WINDOW // 2

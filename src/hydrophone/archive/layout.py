"""Where each segment stands in a finished original, as the journal keeps it.

The line that announces an original names every segment in it with its length, so that one damaged segment line
elsewhere in the journal does not shift all that follows.
"""

from __future__ import annotations

import base64
import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hydrophone.archive.index import SegmentIndex

_MAX_LENGTHS_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Layout:
    """One finished original: the rows of the segments in it and where each begins, in order."""

    name: str
    size_bytes: int
    sha256: str
    rows: array[int]
    offsets: array[int]
    media_number: int  #: the media log that was in use then; later segments are in later logs


def build_layout_facts(name: str, size_bytes: int, sha256: str, index: SegmentIndex) -> dict[str, Any]:
    """The facts of the line that announces an original which holds all of `index`."""
    runs: list[list[int]] = []  # epoch, first number, count
    lengths = array("I")
    for epoch, sequence, row in index:
        lengths.append(index.lengths[row])
        if runs and runs[-1][0] == epoch and runs[-1][1] + runs[-1][2] == sequence:
            runs[-1][2] += 1
        else:
            runs.append([epoch, sequence, 1])
    if sys.byteorder == "big":
        lengths.byteswap()
    packed = base64.b64encode(zlib.compress(lengths.tobytes())).decode("ascii")
    return {"name": name, "size": size_bytes, "sha256": sha256, "runs": runs, "lengths": packed}


def read_layout(facts: Mapping[str, Any], index: SegmentIndex, media_number: int) -> Layout:
    """The layout that a line announces; segments that `index` does not hold with that length are left out.

    Raises:
        ValueError, KeyError, TypeError: the line was not written by us.
    """
    rows, offsets, offset = array("I"), array("Q"), 0
    for epoch, sequence, length in _named(facts):
        row = index.find(epoch, sequence)
        if row is not None and index.lengths[row] == length:
            rows.append(row)
            offsets.append(offset)
        offset += length
    return Layout(facts["name"], facts["size"], facts["sha256"], rows, offsets, media_number)


def implied_layout(name: str, index: SegmentIndex, media_number: int) -> Layout:
    """The layout of a file that holds all of `index` and nothing else, if its announcement is lost."""
    rows, offsets, offset = array("I"), array("Q"), 0
    for _, _, row in index:
        rows.append(row)
        offsets.append(offset)
        offset += index.lengths[row]
    return Layout(name, offset, "", rows, offsets, media_number)


def _named(facts: Mapping[str, Any]) -> Iterator[tuple[int, int, int]]:
    lengths = array("I")
    try:
        unpacked = zlib.decompressobj().decompress(base64.b64decode(facts["lengths"]), _MAX_LENGTHS_BYTES)
    except zlib.error as error:
        raise ValueError(f"lengths of segments: {error}") from None
    lengths.frombytes(unpacked)
    if sys.byteorder == "big":
        lengths.byteswap()
    at = 0
    for epoch, first, count in facts["runs"]:
        if at + count > len(lengths):
            raise ValueError("fewer lengths than segments")
        for sequence in range(first, first + count):
            yield epoch, sequence, lengths[at]
            at += 1

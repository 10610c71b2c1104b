"""Packages an ADTS file with PyAV: tags, chapters and fast start; it has no way to add a cover to an m4a.

Usage: ``python package_pyav.py IN OUT CHAPTERS``.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

import av


def main() -> None:
    source, out, chapters = sys.argv[1:]
    with (
        av.open(source) as reader,
        av.open(out, "w", format="ipod", options={"movflags": "+faststart"}) as writer,
    ):
        inside = reader.streams.audio[0]
        outside = writer.add_stream_from_template(inside)
        writer.metadata.update({"title": "The bench", "artist": "Ada Keel", "album": "X Spaces"})
        length = float((reader.duration or 0) / 1_000_000)
        step = round(1000 * length / int(chapters))
        found: list[Any] = [
            {
                "id": number,
                "start": number * step,
                "end": (number + 1) * step,
                "time_base": Fraction(1, 1000),
                "metadata": {"title": f"Chapter {number + 1}"},
            }
            for number in range(int(chapters))
        ]
        writer.set_chapters(found)
        for packet in reader.demux(inside):
            if packet.size:
                packet.stream = outside
                writer.mux(packet)


main()

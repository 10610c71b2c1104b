"""Packages the audio of an item as `hydrophone record` does at its end, with cover and chapters.

Usage: ``python package_ours.py ITEM OUT COVER CHAPTERS``: from the item's journal and original, durably.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from hydrophone.archive import DurableWriter, Take
from hydrophone.media.m4a import write_m4a
from hydrophone.media.tags import Chapter, Tags
from hydrophone.recorder.layout import lay_out
from hydrophone.recorder.partframes import PartFrames
from hydrophone.recorder.plan import Plan


def main() -> None:
    item, out, cover, chapters = sys.argv[1:]
    with Take.open(Path(item)) as take:
        layout = lay_out(take.segments(), Plan())
        (part,) = layout.parts
        frames = PartFrames(Path(item) / "original.aac", part)
        step = part.seconds / int(chapters)
        with DurableWriter(Path(out)) as file:
            write_m4a(
                file,
                frames,
                frames.config,
                tags=Tags(title="The bench", artist="Ada Keel", album="X Spaces", cover=Path(cover).read_bytes()),
                chapters=[Chapter(number * step, f"Chapter {number + 1}") for number in range(int(chapters))],
                created_at=datetime.now(UTC),
            )


main()

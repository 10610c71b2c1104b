"""Opening what an earlier run had to store sealed, once the key is to be had: nothing but the key is asked for.

The journal says by which vector each such segment is closed. Where the key lies names the stream, and whoever has that
can listen: so the address is kept with the addresses of streams, outside the archive.
"""

from __future__ import annotations

import asyncio

from hydrophone.archive.segments import SEALED, StoredSegment
from hydrophone.audio import Grade
from hydrophone.model import GapCause, Segment
from hydrophone.model.segment import SegmentKey
from hydrophone.recorder.download import Failure, Media, examine
from hydrophone.recorder.opening import Work
from hydrophone.recorder.sealing import KeyRing


async def open_sealed(work: Work, keys: KeyRing, key_url: str) -> int:
    """Replace each sealed segment by its plain bytes, if they are whole. Returns how many were opened.

    Raises:
        DiskError: what was opened could not be written; opening again is safe.
    """
    take = work.take
    await take.sync()
    vectors = {(int(fact["epoch"]), int(fact["seq"])): str(fact["iv"]) for fact in take.events(SEALED)}
    opened = 0
    for stored in [stored for stored in take.segments() if stored.verdict == SEALED]:
        vector = vectors.get((stored.epoch, stored.sequence))
        if vector is None:
            continue
        segment = Segment(
            stored.sequence,
            "",
            stored.name,
            stored.duration_seconds,
            stored.written_ns,
            key=SegmentKey(url=key_url, iv=bytes.fromhex(vector)),
        )
        body = await keys.open(segment, await asyncio.to_thread(_read, stored))
        if isinstance(body, Failure):
            if body.cause is GapCause.SEALED:
                break  # there is no key yet
            continue
        media = await asyncio.to_thread(examine, body, segment, work.kind)
        if isinstance(media, Media) and media.grade is Grade.COMPLETE:
            _hold(work, stored, media)
            await take.settle()
            opened += 1
    return opened


def _read(stored: StoredSegment) -> bytes:
    with stored.files:  # opens again what the walk over the take has closed
        return stored.read()


def _hold(work: Work, stored: StoredSegment, media: Media) -> None:
    work.take.add_segment(
        stored.epoch,
        stored.sequence,
        media.body,
        frames=media.frames if media.rate else None,
        runs=media.runs,
        verdict=media.grade.value,
        name=stored.name,
        duration_seconds=stored.duration_seconds,
        written_ns=stored.written_ns,
        ticks=media.ticks,
        rate=media.rate,
        channels=media.channels,
        source=stored.source,
    )
    work.plan.hold(stored.epoch, stored.sequence)

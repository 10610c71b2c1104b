"""What the sandbox offered, segment by segment: computed from the scene alone, beside what the ledger saw listed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hydrophone.sandbox.cdn import shelf_of
from hydrophone.sandbox.ledger import Ledger
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.segments import SegmentMaker
from hydrophone.sandbox.timeline import SAMPLES, Piece, Timeline
from hydrophone.sandbox.world import World


def ledger_of(world: World, scene: Scene, *, with_digests: bool = True, variant: str = "") -> dict[str, Any]:
    """Every segment that is cut by now. `is_available` is False for holes; late ones count as available.

    `frames` and `seconds` count what is available. `payload_sha256` is over the joined ADTS frames of an audio segment
    (no tags), over the whole file of a video segment.
    """
    timeline, shelf = world.timeline(scene.id), shelf_of(world, scene)
    own: Any = getattr(shelf, "own_ledger", None)
    if own is not None:  # media that somebody sent us: nothing of it follows from the scene
        found: dict[str, Any] = own(with_digests=with_digests)
        return found
    listed = _listed(world.ledger, scene.id)
    rows: list[dict[str, Any]] = []
    for place in range(timeline.count_at(world.clock.now_us())):
        piece = timeline.piece(place)
        row = _row(scene, piece) | {"listed": listed.get(place, {})}
        if with_digests:
            row["payload_sha256"] = shelf.digest(piece, variant)
        rows.append(row)
    available = [row for row in rows if row["is_available"]]
    return {
        "space": scene.id,
        "state": scene.state_at(world.now()).value,
        "total": timeline.total,
        "segments": rows,
        "frames": sum(row["frames"] for row in available),
        "seconds": sum(row["seconds"] for row in available),
    }


def _row(scene: Scene, piece: Piece) -> dict[str, Any]:
    return {
        "place": piece.place,
        "epoch": piece.epoch,
        "sequence": piece.sequence,
        "name": piece.name,
        "frames": piece.frames,
        "rate": piece.rate,
        "channels": piece.channels,
        "seconds": 2.0 if scene.is_video else piece.frames * SAMPLES / piece.rate,
        "position": piece.position,
        "starts_us": piece.starts_us,
        "ready_us": piece.ready_us,
        "is_available": piece.place not in scene.quirks.holes,
    }


def _listed(ledger: Ledger, space_id: str) -> dict[int, dict[str, list[int]]]:
    """For each place: list kind to [first answer, last answer] that named it, in Unix microseconds of scene time."""
    seen: dict[int, dict[str, list[int]]] = {}
    for row in ledger.listings(space_id):
        for place in range(row.first, row.last + 1):
            span = seen.setdefault(place, {}).setdefault(row.kind, [row.since_us, row.until_us])
            span[0], span[1] = min(span[0], row.since_us), max(span[1], row.until_us)
    return seen


def true_frames(scene: Scene, *, places: range | None = None) -> Iterator[bytes]:
    """The ADTS frames that a perfect recording of an audio scene holds, in order; holes are left out.

    The scene must be on the clock (`Scene.at`) only for its cuts; the frames do not depend on when that was.
    """
    if scene.origin_at is None:
        raise ValueError("put the scene on the clock first: scene.at(instant)")
    timeline, maker = Timeline(scene), SegmentMaker(scene)
    for place in places or range(timeline.total or 0):
        if place not in scene.quirks.holes:
            yield from maker.frames(timeline.piece(place))

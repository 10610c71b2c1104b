"""`original.aac` holds every tag of every segment, byte for byte in its place, recorded live or afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from hydrophone.sandbox.scene import Scene, TagStyle
from hydrophone.sandbox.segments import SegmentMaker
from hydrophone.sandbox.timeline import Timeline
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.trials import Trial, engine, lift_limits, record_links

STYLES = {
    "usual": TagStyle(),
    "plain-sizes": TagStyle(plain_sizes=True, encoding=0, ntp_as_text=True, rotation=90),
    "some-without": TagStyle(bare=(2, 5), has_stream_name=False, short_levels=True),
    "clock-only": TagStyle(has_hydra=False),
}
LIVE_SECONDS, ENDED_SECONDS = 60, 90


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    ended = [Scene.ended(f"ended-{name}", seconds=ENDED_SECONDS, tags=style) for name, style in STYLES.items()]
    with sandbox(*ended, speed=8.0) as opened:
        lift_limits(opened)
        yield opened


@pytest.fixture(scope="module")
def trials(box: SandboxBox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trial]:
    for name, style in STYLES.items():
        box.control.load(Scene.live(f"live-{name}", seconds=LIVE_SECONDS, since=20.0, tags=style))
    names = [f"{when}-{name}" for when in ("live", "ended") for name in STYLES]

    async def record(folder: Path) -> list[Trial]:
        async with engine(box, folder) as hydrophone:
            return await record_links(hydrophone, [box.link(name) for name in names])

    return dict(zip(names, asyncio.run(record(tmp_path_factory.mktemp("tags"))), strict=True))


def bodies(scene: Scene) -> list[bytes]:
    """The segments as the CDN serves them."""
    maker, timeline = SegmentMaker(scene), Timeline(scene)
    return [maker.body(timeline.piece(place)) for place in range(timeline.total or 0)]


def tags_and_frames(data: bytes) -> list[tuple[int, bytes]]:
    """Each tag with the number of frames before it. Written for this test: what is neither tag nor frame fails."""
    found, at, frames = [], 0, 0
    while at < len(data):
        if data[at : at + 3] == b"ID3":
            assert data[at + 3] == 4
            size = 10 + sum(
                (byte & 0x7F) << shift for byte, shift in zip(data[at + 6 : at + 10], (21, 14, 7, 0), strict=True)
            )
            found.append((frames, data[at : at + size]))
        else:
            assert data[at] == 0xFF
            assert data[at + 1] & 0xF6 == 0xF0
            size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
            frames += 1
        assert size >= 7
        at += size
    return found


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("when", ["live", "ended"])
def test_every_tag_stays_as_it_was_and_where_it_was(
    box: SandboxBox, trials: dict[str, Trial], when: str, name: str
) -> None:
    scene = box.scene(f"{when}-{name}")
    served = bodies(scene)
    original = (trials[scene.name].directory / "original.aac").read_bytes()

    wanted = tags_and_frames(b"".join(served))
    assert tags_and_frames(original) == wanted
    assert original == b"".join(served)
    tagged = len(served) - len(scene.tags.bare)
    assert len(wanted) == (4 * tagged if scene.tags.has_hydra else tagged)
    # A clock stands before the first frame of each segment, and tags of people stand within.
    assert {later[0] - earlier[0] for earlier, later in pairwise(wanted)} >= (
        {0, 47} if scene.tags.has_hydra else {140}
    )
    assert sum(b"HydraAudioLevel" in tag for _, tag in wanted) == (3 * tagged if scene.tags.has_hydra else 0)

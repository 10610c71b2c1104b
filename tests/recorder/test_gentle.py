"""Heavy pieces are worked on in turns: while one recording digests what is hostile, the others go on."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from hydrophone.hls import parse_playlist
from hydrophone.model import MediaKind
from hydrophone.recorder.listing import AT_ONCE_ENTRIES, MAX_PLAYLIST_BYTES, Listed
from recorder.stage import LIVE_URL, Space, Stage, media_list, said

ENTRIES = 60_000
#: A thread that has no turn for so long in one go was blocked by work that should have been cut; how fast the machine
#: is hardly matters, since uncut the same work takes many times as long as all its pieces may.
MOST_SHARE = 0.5


def zigzag(count: int) -> str:
    """Numbers and times that jump about: the worst for whoever asks what stands behind an entry."""
    names = (f"chunk_{10**18 + n % 7 * 10**12 - n * 10**5}_{n * 7919 % 250_000}_a.aac" for n in range(count))
    return "#EXTM3U\n#EXT-X-TARGETDURATION:4\n" + "\n".join(names) + "\n"


def refused(count: int) -> str:
    return "#EXTM3U\n#EXT-X-TARGETDURATION:4\n" + "x:\n" * count


@pytest.mark.parametrize(
    "text", [zigzag(ENTRIES), refused(ENTRIES), media_list(range(ENTRIES))], ids=["jumps", "x", "long"]
)
async def test_others_get_their_turn_while_a_huge_list_is_digested(text: str) -> None:
    assert len(text) <= MAX_PLAYLIST_BYTES
    stage = Stage(Space(10))
    loop = asyncio.get_running_loop()
    stage.space.answers.append(lambda request, now: said(200, text))
    turns: list[float] = []

    async def others() -> None:
        while True:
            turns.append(loop.time())
            await asyncio.sleep(0.001)

    watching = asyncio.create_task(others())
    began = loop.time()
    found = await stage.listing.from_playlist(LIVE_URL)
    took = loop.time() - began
    watching.cancel()

    assert isinstance(found, Listed)
    assert len(turns) >= ENTRIES // AT_ONCE_ENTRIES
    longest = max(later - earlier for earlier, later in itertools.pairwise(turns))
    assert longest <= max(1.0, MOST_SHARE * took)


async def test_a_huge_list_digested_in_pieces_is_the_same_as_in_one() -> None:
    text = zigzag(10_000)
    one, other = Stage(Space(10)), Stage(Space(10))
    playlist = parse_playlist(text, url=LIVE_URL)
    assert not hasattr(playlist, "variants")
    whole: Any = playlist

    at_once = one.listing.absorb(whole)
    gently = await other.listing.absorb_gently(whole)

    assert at_once == gently
    assert one.plan.expected == other.plan.expected
    assert list(one.plan.missing()) == list(other.plan.missing())


async def test_a_huge_segment_is_looked_at_in_a_thread() -> None:
    stage = Stage(Space(10), kind=MediaKind.AUDIO)
    body = b"\xff" * (4 << 20)
    stage.space.answers.append(
        lambda request, now: said(200, body if "chunk" in request.target else media_list(range(1)))
    )
    turns = 0

    async with stage.fetcher.running():
        await stage.listing.from_playlist(LIVE_URL)
        while not stage.ear.failures:
            turns += 1
            await asyncio.sleep(0.001)
        stage.plan.forget_queue()

    assert stage.ear.failures[0] == (0, "damaged")
    assert turns > 1

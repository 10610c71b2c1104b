"""The end of a recording, once nothing more is fetched: a cover, the files of the item, and the words if it must be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

from hydrophone.archive import Item
from hydrophone.errors import HydrophoneError
from hydrophone.http import AsyncClient, HostKind, Request
from hydrophone.media.cover import MAX_COVER_BYTES
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.finishing import Finished, finish_item
from hydrophone.recorder.opening import Work
from hydrophone.recorder.options import RecordOptions, StopSignal
from hydrophone.recorder.patience import with_patience
from hydrophone.recorder.reporting import Reporter
from hydrophone.recorder.sources import Look


async def wrap_up(
    work: Work,
    look: Look,
    *,
    client: AsyncClient,
    options: RecordOptions,
    clock: Clock,
    stop: StopSignal,
    tell: Reporter,
    turn: asyncio.Semaphore,
) -> Finished:
    """Make an item of what is on the disk, however much that is.

    Args:
        turn: held while files are made.

    Raises:
        DiskError: a file could not be written, and waiting does not help. The take is untouched.
    """
    cover = await fetch_cover(client, look)
    loop = asyncio.get_running_loop()

    def on_step(step: str) -> None:
        loop.call_soon_threadsafe(tell.finishing, step)

    async def make_files() -> Finished:
        await work.take.sync()
        async with turn:
            return await asyncio.to_thread(
                finish_item,
                work.take,
                work.plan,
                look,
                work.kind,
                cover=cover,
                on_step=on_step,
                with_transcript=options.transcript,
                packaging=options.packaging,
            )

    finished = await with_patience(make_files, tell, stop, clock)
    if options.transcript:
        finished = await _with_words(finished, options, stop, on_step)
    for text in finished.notices:
        tell.notice("warning", text)
    if finished.coverage.is_complete and look.state.is_over and not options.keep_media_log:
        await asyncio.to_thread(work.take.release_media)
    return finished


async def fetch_cover(client: AsyncClient, look: Look) -> bytes | None:
    """The picture of the broadcast or its creator; None where it is not to be had."""
    if not look.cover_url:
        return None
    url = look.cover_url.replace("_normal.", "_400x400.")
    # A broadcast's own picture lies at the media service, an account's at the host of avatars.
    kind = HostKind.AVATAR if client.endpoints.kind_allows(HostKind.AVATAR, url) else HostKind.CDN
    request = Request("GET", url, kind=kind, max_bytes=MAX_COVER_BYTES, deadline_seconds=10.0)
    with contextlib.suppress(HydrophoneError):
        reply = await client.send(request)
        return reply.body if reply.status == 200 else None
    return None


async def _with_words(
    finished: Finished, options: RecordOptions, stop: StopSignal, on_step: Callable[[str], None]
) -> Finished:
    """Let the recogniser listen, if there is one. The item is whole already; Ctrl-C ends only the listening."""
    item = Item(finished.directory)
    if options.recogniser is None and not item.heard_words.exists():
        return finished
    from hydrophone.recorder.listening import words_or_notice  # few recordings need it

    notice = await asyncio.to_thread(
        words_or_notice,
        item,
        options.recogniser,
        on_progress=lambda heard: on_step(f"words, {heard.seconds / max(heard.whole_seconds, 1e-9):.0%} heard"),
        is_stopping=lambda: stop.is_finishing,
    )
    return replace(finished, notices=(*finished.notices, notice)) if notice else finished

"""One segment: fetched, looked at, hedged.

A segment is believed only when its frames parse to the end and their count fits what the playlist said. Status 200,
content type and Content-Length prove nothing.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from hydrophone.audio import AdtsScan, Grade, first_ticks, judge, scan_adts, scan_clean_adts
from hydrophone.errors import HydrophoneError, TooLargeError, UnreachableError, UnsafeAddressError
from hydrophone.hls import expected_frames
from hydrophone.hls.transport import judge_transport
from hydrophone.http import HostKind, Reply, Request
from hydrophone.model import GapCause, MediaKind, Segment
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.door import Sender
from hydrophone.recorder.options import Patience

MAX_SEGMENT_BYTES = 32 * 1024 * 1024
AT_ONCE_BYTES = 128 << 10  #: a larger segment is looked at in a thread: crafted, it takes more than ten milliseconds
SMALL_BYTES = 4 << 10  #: at most three milliseconds, whatever the bytes are
MEDIA_HEADERS = {"accept": "*/*", "accept-encoding": "identity"}


def _no_frames() -> array[int]:
    return array("H")


@dataclass(frozen=True, slots=True)
class Media:
    """A segment's bytes and what was found in them. `reason` says what was noticed, if anything was."""

    body: bytes
    grade: Grade
    reason: str = ""
    frames: array[int] = field(default_factory=_no_frames)  #: ADTS frame lengths, header included
    runs: Sequence[tuple[int, int]] = ()  #: where frames stand: offset, count
    rate: int = 0
    channels: int = 0
    ticks: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that gave no usable bytes. `is_final` tells that asking the same address again cannot help."""

    cause: GapCause
    text: str
    status: int | None = None
    is_final: bool = False


def examine(body: bytes, segment: Segment, kind: MediaKind) -> Media | Failure:
    """Look at the bytes of one segment. Pure."""
    if _is_transport(body, kind):
        return _judged_transport(body, segment)
    return _judged(scan_adts(body), body, segment)


def examine_quickly(body: bytes, segment: Segment, kind: MediaKind) -> Media | Failure | None:
    """What `examine` says, for bytes that cannot cost more than a moment; None for all others. Pure.

    A segment in good order is never among those, so a thread is only needed for what is crafted, damaged or huge.
    """
    if len(body) <= SMALL_BYTES:
        return examine(body, segment, kind)
    if len(body) > AT_ONCE_BYTES:
        return None
    if _is_transport(body, kind):
        return _judged_transport(body, segment)
    scan = scan_clean_adts(body)
    return None if scan is None else _judged(scan, body, segment)


def _is_transport(body: bytes, kind: MediaKind) -> bool:
    return kind is MediaKind.VIDEO and not body.startswith(b"ID3") and not body.startswith(b"\xff")


def _judged_transport(body: bytes, segment: Segment) -> Media | Failure:
    found = judge_transport(body, segment.duration_seconds)
    if found.is_foreign:
        return Failure(GapCause.DAMAGED, "not MPEG-TS")
    return Media(body, Grade.COMPLETE if found.is_complete else Grade.SUSPECT, found.reason)


def _judged(scan: AdtsScan, body: bytes, segment: Segment) -> Media | Failure:
    wanted = expected_frames(segment.duration_seconds, scan.rate or 48_000) if segment.duration_seconds else None
    verdict = judge(scan, wanted)
    if not verdict.is_audio:
        return Failure(GapCause.DAMAGED, "no audio in the answer")
    return Media(
        body=body,
        grade=verdict.grade,
        reason=verdict.reason,
        frames=scan.frame_sizes,
        runs=scan.runs,
        rate=scan.rate,
        channels=scan.channels,
        ticks=first_ticks(body),
    )


class Downloader:
    """Fetch segments of one recording: at most two requests at a time for each."""

    def __init__(self, client: Sender, clock: Clock, patience: Patience) -> None:
        self._client = client
        self._soft = clock.real(patience.soft_deadline, at_least=1.0)
        self._hard = clock.real(patience.hard_deadline, at_least=3.0)

    async def fetch(self, url: str, byte_range: tuple[int, int] | None = None) -> Reply | Failure:
        """Get the bytes of one address; a second request starts beside one that dawdles."""
        loop = asyncio.get_running_loop()
        second: asyncio.Task[Reply | Failure] | None = None
        # The usual segment comes long before: it shall not cost a task of its own.
        first_turn = asyncio.timeout(None)

        def hedge() -> None:
            nonlocal second
            second = loop.create_task(self._once(url, byte_range))
            second.add_done_callback(overtake)

        def overtake(task: asyncio.Task[Reply | Failure]) -> None:
            if not task.cancelled() and task.exception() is None and isinstance(task.result(), Reply) and is_first:
                first_turn.reschedule(loop.time())

        timer = loop.call_later(self._soft, hedge)
        is_first = True
        try:
            try:
                async with first_turn:
                    result = await self._once(url, byte_range)
            except TimeoutError:
                result = Failure(GapCause.UNREACHABLE, "no answer")
            is_first = False
            if isinstance(result, Reply) or second is None:
                return result
            other = await second
            return other if isinstance(other, Reply) else result
        finally:
            is_first = False
            timer.cancel()
            if second is not None:
                second.cancel()

    async def _once(self, url: str, byte_range: tuple[int, int] | None) -> Reply | Failure:
        headers = MEDIA_HEADERS
        if byte_range:
            headers = {**MEDIA_HEADERS, "range": f"bytes={byte_range[0]}-{byte_range[0] + byte_range[1] - 1}"}
        request = Request(
            "GET",
            url,
            headers=headers,
            service="cdn",
            kind=HostKind.CDN,
            attempts=1,
            deadline_seconds=self._hard,
            max_bytes=MAX_SEGMENT_BYTES,
        )
        try:
            reply = await self._client.send(request)
        except TooLargeError as error:
            return Failure(GapCause.DAMAGED, error.message, is_final=True)
        except UnsafeAddressError as error:
            # A portal or a misled edge redirects for a while; only what the address itself forbids stays so.
            return Failure(GapCause.REFUSED, error.message, is_final=not error.is_redirect)
        except UnreachableError as error:
            return Failure(GapCause.UNREACHABLE, error.message)
        except HydrophoneError as error:
            return Failure(GapCause.UNREACHABLE, error.message)
        if reply.status in (200, 206):
            return reply
        absent = reply.status in (400, 403, 404, 410)
        cause = GapCause.NOT_FOUND if absent else GapCause.UNREACHABLE
        return Failure(cause, f"status {reply.status}", reply.status)


def cut_range(reply: Reply, byte_range: tuple[int, int] | None) -> bytes:
    """The bytes that were asked for, when the server ignored the range and sent the whole (status 200)."""
    if byte_range is None or reply.status == 206:
        return reply.body
    offset, length = byte_range
    return reply.body[offset : offset + length]

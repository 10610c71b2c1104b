"""One segment: how its body is judged, and the second request beside one that dawdles."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import virtual_time
from audio_building import frame, tag
from hydrophone.audio import Grade
from hydrophone.errors import UnreachableError, UnsafeAddressError
from hydrophone.http import Reply, Request
from hydrophone.model import GapCause, MediaKind, Segment
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.download import Downloader, Failure, Media, cut_range, examine
from hydrophone.recorder.options import Patience
from recorder.stage import body_of, cut_body, said

SEGMENT = Segment(7, "https://cdn.test/chunk_1_7_a.aac", "chunk_1_7_a.aac", 3.008)
NAMELESS = Segment(7, "https://cdn.test/seven", "seven", None)


def test_a_whole_segment_is_complete_and_knows_its_frames_and_clock() -> None:
    media = examine(body_of(7), SEGMENT, MediaKind.AUDIO)

    assert isinstance(media, Media)
    assert (media.grade, len(media.frames), media.rate, media.channels) == (Grade.COMPLETE, 141, 48_000, 2)
    assert media.ticks == 7 * 270_000


def test_a_cut_segment_is_suspect_also_where_no_length_was_promised() -> None:
    for segment in (SEGMENT, NAMELESS):
        media = examine(cut_body(7), segment, MediaKind.AUDIO)
        assert isinstance(media, Media)
        assert media.grade is Grade.SUSPECT


def test_junk_in_front_does_no_harm() -> None:
    media = examine(b"\x47\x40\x11" + b"\xff" * 60 + body_of(7), SEGMENT, MediaKind.AUDIO)

    assert isinstance(media, Media)
    assert (media.grade, len(media.frames)) == (Grade.COMPLETE, 141)


@pytest.mark.parametrize("body", [b"", b"<html>", tag(b"x" * 60), b"\x47" * 3000])
@pytest.mark.parametrize("kind", list(MediaKind))
def test_what_is_no_media_is_a_failure(body: bytes, kind: MediaKind) -> None:
    if kind is MediaKind.VIDEO and body.startswith(b"\x47"):
        return
    found = examine(body, SEGMENT, kind)

    assert isinstance(found, Failure)
    assert found.cause is GapCause.DAMAGED


def test_a_video_stream_of_sound_alone_is_judged_as_sound() -> None:
    media = examine(body_of(7), SEGMENT, MediaKind.VIDEO)

    assert isinstance(media, Media)
    assert len(media.frames) == 141


def test_another_sample_rate_promises_another_number_of_frames() -> None:
    body = frame(20, rate_index=4, channels=1) * 130  # 44,100 Hz: 3.018 s

    media = examine(body, SEGMENT, MediaKind.AUDIO)

    assert isinstance(media, Media)
    assert (media.grade, media.rate, media.channels) == (Grade.COMPLETE, 44_100, 1)


@pytest.mark.parametrize(("status", "kept"), [(206, b"abcdef"), (200, b"cde")])
def test_a_range_is_cut_out_where_the_server_ignored_it(status: int, kept: bytes) -> None:
    assert cut_range(Reply(status, body=b"abcdef"), (2, 3)) == kept
    assert cut_range(Reply(status, body=b"abcdef"), None) == b"abcdef"


# ---------------------------------------------------------------- hedging


class Origin:
    """Answers the n-th request as the n-th of `plans` says."""

    def __init__(self, *plans: Callable[[], Awaitable[Reply]]) -> None:
        self.plans = plans
        self.requests: list[Request] = []
        self.flying = 0
        self.most = 0

    async def send(self, request: Request) -> Reply:
        self.requests.append(request)
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            return await self.plans[len(self.requests) - 1]()
        finally:
            self.flying -= 1


def answers(after: float, status: int = 200) -> Callable[[], Awaitable[Reply]]:
    async def plan() -> Reply:
        await asyncio.sleep(after)
        return said(status, b"body")

    return plan


def fails(after: float, error: Exception | None = None) -> Callable[[], Awaitable[Reply]]:
    async def plan() -> Reply:
        await asyncio.sleep(after)
        raise error or UnreachableError("lost", host="cdn")

    return plan


def download(*plans: Callable[[], Awaitable[Reply]]) -> tuple[Reply | Failure, Origin, float]:
    async def main() -> tuple[Reply | Failure, Origin, float]:
        origin: Any = Origin(*plans)
        downloader = Downloader(origin, Clock(), Patience())
        began = asyncio.get_running_loop().time()
        found = await downloader.fetch(SEGMENT.url)
        took = asyncio.get_running_loop().time() - began
        await asyncio.sleep(0.1)
        assert origin.flying == 0
        return found, origin, took

    return virtual_time.run(main())


def test_a_prompt_answer_needs_no_second_request() -> None:
    found, origin, _ = download(answers(3.9))

    assert isinstance(found, Reply)
    assert len(origin.requests) == 1


def test_beside_one_that_dawdles_a_second_request_starts_and_the_first_answer_counts() -> None:
    found, origin, took = download(answers(30.0), answers(0.5))

    assert isinstance(found, Reply)
    assert took == pytest.approx(4.5)
    assert origin.most == 2


def test_the_first_may_still_win() -> None:
    found, _, took = download(answers(4.2), answers(9.0))

    assert isinstance(found, Reply)
    assert took == pytest.approx(4.2)


def test_a_failure_of_one_of_two_waits_for_the_other() -> None:
    found, _, took = download(answers(6.0), fails(0.2))

    assert isinstance(found, Reply)
    assert took == pytest.approx(6.0)


def test_when_both_fail_it_is_a_failure() -> None:
    found, origin, _ = download(fails(5.0), fails(3.0))

    assert isinstance(found, Failure)
    assert len(origin.requests) == 2


def test_a_quick_failure_starts_no_second_request() -> None:
    found, origin, _ = download(fails(0.1))

    assert isinstance(found, Failure)
    assert (found.cause, found.is_final) == (GapCause.UNREACHABLE, False)
    assert len(origin.requests) == 1


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (404, GapCause.NOT_FOUND),
        (410, GapCause.NOT_FOUND),
        (403, GapCause.NOT_FOUND),
        (400, GapCause.NOT_FOUND),
        (500, GapCause.UNREACHABLE),
        (503, GapCause.UNREACHABLE),
        (429, GapCause.UNREACHABLE),
        (302, GapCause.UNREACHABLE),
    ],
)
def test_what_a_status_means(status: int, cause: GapCause) -> None:
    found, _, _ = download(answers(0.0, status))

    assert isinstance(found, Failure)
    assert (found.cause, found.status) == (cause, status)


def test_an_address_that_is_refused_is_never_asked_again() -> None:
    found, _, _ = download(fails(0.0, UnsafeAddressError("private", host="10.0.0.1")))

    assert isinstance(found, Failure)
    assert (found.cause, found.is_final) == (GapCause.REFUSED, True)


def test_an_answer_that_leads_elsewhere_may_be_a_better_one_next_time() -> None:
    error = UnsafeAddressError("foreign", host="foreign.invalid")
    error.is_redirect = True

    found, _, _ = download(fails(0.0, error))

    assert isinstance(found, Failure)
    assert (found.cause, found.is_final) == (GapCause.REFUSED, False)


def test_media_is_asked_for_as_it_is_and_within_bounds() -> None:
    _, origin, _ = download(answers(0.0))

    (request,) = origin.requests
    assert request.headers["accept-encoding"] == "identity"
    assert request.credential is None
    assert request.max_bytes == 32 * 1024 * 1024
    assert request.deadline_seconds == 20.0


def test_a_cancelled_download_leaves_no_request_behind() -> None:
    async def main() -> int:
        origin: Any = Origin(answers(100.0), answers(100.0))
        downloader = Downloader(origin, Clock(), Patience())
        task = asyncio.ensure_future(downloader.fetch(SEGMENT.url))
        await asyncio.sleep(6.0)
        assert origin.flying == 2
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.1)
        return int(origin.flying)

    assert virtual_time.run(main()) == 0

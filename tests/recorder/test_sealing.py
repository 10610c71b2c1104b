"""Keys and ciphertext."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import virtual_time
from hydrophone.errors import UnreachableError
from hydrophone.http import Reply, Request
from hydrophone.model import GapCause, Segment
from hydrophone.model.segment import SegmentKey
from hydrophone.recorder.download import Failure
from hydrophone.recorder.sealing import KeyRing, decrypt
from recorder.stage import said

KEY = bytes(range(16))
URL = "https://twitter.com/i/live_video_stream/key?stream_name=abc"
PLAIN = b"\x47" + b"packet" * 100


def sealed(body: bytes, iv: bytes, key: bytes = KEY) -> bytes:
    pad = 16 - len(body) % 16
    coder = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return coder.update(body + bytes([pad]) * pad) + coder.finalize()


def segment(iv: bytes | None = None, number: int = 310) -> Segment:
    return Segment(number, "https://cdn.test/a.ts", "a.ts", 2.0, media_sequence=number, key=SegmentKey(url=URL, iv=iv))


class KeyHost:
    """Answers requests for the key, one after another as told; the last answer stays."""

    def __init__(self, *replies: Reply | Exception) -> None:
        self.replies = list(replies)
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Reply:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply


def opened(host: KeyHost, *bodies: tuple[Segment, bytes], pause: float = 0.0) -> list[bytes | Failure]:
    async def main() -> list[bytes | Failure]:
        client: Any = host
        ring = KeyRing(client, None)
        found = []
        for one, body in bodies:
            found.append(await ring.open(one, body))
            await asyncio.sleep(pause)
        return found

    return virtual_time.run(main())


def test_a_body_is_opened_with_the_iv_of_its_key_line() -> None:
    iv = (0x136).to_bytes(16, "big")

    assert opened(KeyHost(said(200, KEY)), (segment(iv), sealed(PLAIN, iv))) == [PLAIN]


def test_without_an_iv_the_media_sequence_serves() -> None:
    body = sealed(PLAIN, (310).to_bytes(16, "big"))

    assert opened(KeyHost(said(200, KEY)), (segment(), body)) == [PLAIN]


def test_the_key_is_asked_for_once_and_as_an_api_request() -> None:
    host = KeyHost(said(200, KEY))
    opened(host, *((segment(number=n), sealed(PLAIN, n.to_bytes(16, "big"))) for n in range(5)))

    (request,) = host.requests
    assert (request.target, request.kind.value) == (URL, "api")


@pytest.mark.parametrize(
    "reply", [said(401), said(403), said(404), said(200, b"short"), said(200, b"<html>"), UnreachableError("lost")]
)
def test_without_a_key_a_body_stays_sealed_and_the_failure_says_why(reply: Reply | Exception) -> None:
    (found,) = opened(KeyHost(reply), (segment(), sealed(PLAIN, bytes(16))))

    assert isinstance(found, Failure)
    assert found.cause is GapCause.SEALED
    assert "no key" in found.text


def test_a_refused_key_is_asked_for_again_only_after_a_minute() -> None:
    body = sealed(PLAIN, (310).to_bytes(16, "big"))
    host = KeyHost(said(403), said(200, KEY))

    found = opened(host, *[(segment(), body)] * 5, pause=25.0)

    assert [isinstance(one, Failure) for one in found] == [True, True, True, False, False]
    assert len(host.requests) == 2


def test_where_a_refused_key_lies_is_told_once() -> None:
    told: list[str] = []

    async def remember(url: str) -> None:
        told.append(url)

    async def main() -> None:
        client: Any = KeyHost(said(403))
        ring = KeyRing(client, on_refused=remember)
        for _ in range(5):
            await ring.open(segment(), sealed(PLAIN, bytes(16)))
            await asyncio.sleep(25.0)

    virtual_time.run(main())

    assert told == [URL]


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"x" * 33])
def test_what_cannot_be_ciphertext_is_damaged_and_needs_no_key(body: bytes) -> None:
    host = KeyHost(said(200, KEY))
    (found,) = opened(host, (segment(), body))

    assert isinstance(found, Failure)
    assert found.cause is GapCause.DAMAGED
    assert host.requests == []


def test_a_body_that_was_cut_between_two_blocks_does_not_open() -> None:
    iv = bytes(16)
    whole = sealed(PLAIN, iv)

    for length in range(16, len(whole), 16):
        found = decrypt(whole[:length], KEY, iv)
        # By chance the last byte before the cut may look like padding; then the packets tell.
        assert isinstance(found, Failure) or len(found) < len(PLAIN)


def test_another_key_does_not_open_it() -> None:
    found = decrypt(sealed(PLAIN, bytes(16)), bytes(16), bytes(16))

    assert isinstance(found, Failure) or found != PLAIN

"""Packed bodies: what may take long is unpacked in a thread, and never more than two of them at a time."""

from __future__ import annotations

import asyncio
import gzip
import threading

import pytest

from hydrophone.errors import TooLargeError
from hydrophone.http import AsyncClient, Endpoints, HostKind, HttpSettings, Request, driver
from raw_server import Exchange, serving


class Unpacking:
    """Stands before the real one and notes who called it, with which limit, and how many were at it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loop_thread = threading.get_ident()
        self.calls: list[tuple[str, int]] = []
        self.most = self._now = 0
        self._mutex = threading.Lock()
        self._inflate = driver.inflate
        monkeypatch.setattr(driver, "inflate", self)

    def __call__(self, body: bytes, encoding: str, limit_bytes: int) -> bytes:
        where = "loop" if threading.get_ident() == self.loop_thread else "thread"
        with self._mutex:
            self.calls.append((where, limit_bytes))
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            return self._inflate(body, encoding, limit_bytes)
        finally:
            with self._mutex:
                self._now -= 1


async def ask(text: bytes, kind: HostKind, *, times: int = 1, max_bytes: int = 8 << 20) -> list[bytes | BaseException]:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(gzip.compress(text), content_encoding="gzip")

    settings = HttpSettings(proxy="")
    async with serving(handler) as server:
        request = Request("GET", f"{server.base}/", kind=kind, attempts=1, max_bytes=max_bytes)
        async with AsyncClient(Endpoints.sandbox({"x": server.base, "cdn": server.base}), settings=settings) as client:
            replies = await asyncio.gather(*(client.send(request) for _ in range(times)), return_exceptions=True)
    return [reply if isinstance(reply, BaseException) else reply.body for reply in replies]


async def test_a_usual_answer_of_an_api_is_unpacked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacking = Unpacking(monkeypatch)

    assert await ask(b"{}" * 5000, HostKind.API) == [b"{}" * 5000]
    assert [where for where, _ in unpacking.calls] == ["loop"]


async def test_a_large_answer_is_unpacked_in_a_thread_after_a_short_try(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacking = Unpacking(monkeypatch)
    text = bytes(3 << 20)

    assert await ask(text, HostKind.API) == [text]
    assert unpacking.calls == [("loop", 1 << 20), ("thread", 8 << 20)]


async def test_media_that_come_packed_are_unpacked_in_threads_two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacking = Unpacking(monkeypatch)

    found = await ask(bytes(12 << 20), HostKind.CDN, times=8)

    assert all(isinstance(one, TooLargeError) for one in found)
    assert unpacking.calls == [("thread", 8 << 20)] * 8
    assert unpacking.most <= 2


async def test_what_is_above_its_cap_is_told_without_a_thread_where_the_cap_is_low(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unpacking = Unpacking(monkeypatch)

    (found,) = await ask(bytes(1 << 20), HostKind.API, max_bytes=100_000)

    assert isinstance(found, TooLargeError)
    assert unpacking.calls == [("loop", 100_000)]

"""Following a chat over real sockets: history and socket united, renewals, losses, refusals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from aiohttp import web

from chat_building import ROOM, caption, dump, presence
from hydrophone.chat.access import ChatPass
from hydrophone.chat.following import TAKEN_AT_ONCE, ChatFollower, ChatReport
from hydrophone.chat.history import HistoryEnd
from hydrophone.chat.intake import ChatIntake, read_line
from hydrophone.errors import HydrophoneError
from hydrophone.http import AsyncClient, Endpoints, HttpSettings
from hydrophone.http.messages import Question
from socket_server import socket_server

Script = Callable[[web.WebSocketResponse], Awaitable[None]]


@dataclass
class Service:
    """A chat service: what its history holds, what it does with sockets, and what it was asked."""

    sockets: list[Script] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  #: of the next history answers, before all are 200
    page: int = 2  #: messages of a history page
    base: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    frames: list[Any] = field(default_factory=list)

    async def talk(self, socket: web.WebSocketResponse) -> None:
        self.frames += [(await socket.receive()).data for _ in range(2)]
        await self.sockets.pop(0)(socket)

    async def answer(self, request: web.Request) -> web.Response:
        if request.path != "/chatapi/v1/history":
            return web.Response(status=403)
        body = await request.json()
        self.asked.append(body)
        status = self.statuses.pop(0) if self.statuses else 200
        if status != 200:
            return web.Response(status=status)
        begin = int(body["cursor"] or 0)
        found = self.history[begin : begin + self.page]
        return web.json_response({"messages": found, "cursor": str(begin + len(found)) if found else body["cursor"]})


@dataclass
class Listener:
    """One who follows; `lines` is what was stored."""

    service: Service
    lines: list[bytes] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    renewals: int = 0
    life: timedelta = timedelta(hours=24)

    def renew(self) -> Question[ChatPass | None]:
        yield from ()
        self.renewals += 1
        return ChatPass(
            endpoint=self.service.base,
            access_token=f"token-{self.renewals}",
            room_id=ROOM,
            expires_at=datetime.now(UTC) + self.life,
        )

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    @property
    def texts(self) -> list[str]:
        return sorted(read_line(line).text for line in self.lines)


async def follow(service: Service, *, path: str = "/chatapi/v1/chatnow", **more: Any) -> tuple[Listener, ChatReport]:
    listener = Listener(service, **more)
    async with socket_server(service.talk, answer=service.answer, path=path) as server:
        service.base = server.base
        settings = HttpSettings(proxy="", backoff_seconds=0.001)
        async with AsyncClient(Endpoints.sandbox({"chat": server.base}), settings=settings) as client:
            follower = follower_for(client, listener)
            async with asyncio.timeout(20):
                return listener, await follower.follow()


def follower_for(client: AsyncClient, listener: Listener) -> ChatFollower:
    return ChatFollower(
        client,
        renew=listener.renew,
        intake=ChatIntake(),
        store=lambda kept: listener.lines.extend(kept.splitlines(keepends=True)),
        rng=Random(1),
        sleep=listener.sleep,
        poll_seconds=0.02,
    )


async def say(socket: web.WebSocketResponse, *messages: dict[str, Any], code: int = 1000) -> None:
    for message in messages:
        await socket.send_str(dump(message))
    await socket.close(code=code)


def texts(*names: str) -> list[dict[str, Any]]:
    return [caption("a", name, 1.0, uuid=f"u-{name}") for name in names]


async def test_history_and_socket_are_united() -> None:
    async def once(socket: web.WebSocketResponse) -> None:
        await say(socket, *texts("three", "four"))

    service = Service([once], texts("one", "two", "three"))
    listener, report = await follow(service)

    assert listener.texts == ["four", "one", "three", "two"]
    assert (report.end, report.sockets) == ("ended", 1)
    assert [json.loads(frame)["kind"] for frame in service.frames] == [3, 2]
    assert json.loads(json.loads(service.frames[0])["payload"]) == {"access_token": "token-1"}


async def test_what_was_said_while_the_socket_opened_comes_from_the_history() -> None:
    asked_again = asyncio.Event()

    async def late(socket: web.WebSocketResponse) -> None:
        await asked_again.wait()
        await say(socket, *texts("last"))

    class Watching(Service):
        async def answer(self, request: web.Request) -> web.Response:
            answer = await super().answer(request)
            if self.frames:  # the socket is open, and the history is asked once more
                asked_again.set()
            else:
                self.history = texts("one", "between")
            return answer

    service = Watching([late], texts("one"))
    listener, _ = await follow(service)

    assert listener.texts == ["between", "last", "one"]


async def test_a_lost_socket_is_opened_again_and_the_history_fills_the_hole() -> None:
    service = Service(history=texts("one"))

    async def lost(socket: web.WebSocketResponse) -> None:
        await socket.send_str(dump(texts("two")[0]))
        service.history += texts("two", "missed")
        await socket.close(code=1011)

    async def last(socket: web.WebSocketResponse) -> None:
        await say(socket, *texts("three"))

    service.sockets = [lost, last]
    listener, report = await follow(service)

    assert listener.texts == ["missed", "one", "three", "two"]
    assert report.sockets == 2
    assert 0.5 <= listener.waits[0] <= 1.0


async def test_binary_frames_and_nonsense_are_kept_and_end_nothing() -> None:
    async def odd(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(dump(texts("binary")[0]).encode())
        await socket.send_str("<html>")
        await socket.send_bytes(b"\xff\xfe")
        await say(socket, presence(3, 5), *texts("after"))

    listener, _ = await follow(Service([odd]))

    assert {"binary", "after"} <= set(listener.texts)
    assert len(listener.lines) == 5


async def test_without_a_socket_the_history_is_polled_until_the_chat_is_gone() -> None:
    service = Service(history=texts("one"))
    service.statuses = []

    class Growing(Listener):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            if len(self.waits) == 2:
                service.history += texts("two")
            if len(self.waits) == 4:
                service.statuses += [503] * 4

    async with socket_server(service.talk, answer=service.answer, path="/elsewhere") as server:
        service.base = server.base
        async with AsyncClient(
            Endpoints.sandbox({"chat": server.base}), settings=HttpSettings(proxy="", backoff_seconds=0.001)
        ) as client:
            listener = Growing(service)
            async with asyncio.timeout(20):
                report = await follower_for(client, listener).follow()

    assert listener.texts == ["one", "two"]
    assert (report.end, report.sockets) == ("gone", 0)
    assert listener.waits == [0.02] * 4


async def test_an_expired_token_is_renewed_in_the_middle() -> None:
    async def once(socket: web.WebSocketResponse) -> None:
        await say(socket)

    service = Service([once], texts("one", "two", "three"), statuses=[200, 401])
    listener, report = await follow(service)

    assert listener.texts == ["one", "three", "two"]
    assert report.end == "ended"
    assert [body["access_token"] for body in service.asked][:3] == ["token-1", "token-1", "token-2"]


async def test_a_token_about_to_end_is_renewed_before_it_does() -> None:
    async def first(socket: web.WebSocketResponse) -> None:
        await socket.send_str(dump(texts("one")[0]))
        await socket.receive()

    async def second(socket: web.WebSocketResponse) -> None:
        await say(socket, *texts("two"))

    service = Service([first, second])
    listener, report = await follow(service, life=timedelta(minutes=10, seconds=0.3))

    assert report.end == "ended"
    assert listener.renewals >= 2
    assert "two" in listener.texts


async def test_no_token_means_no_chat_and_no_error() -> None:
    class Nobody(Listener):
        def renew(self) -> Question[ChatPass | None]:
            yield from ()
            return None

    async with AsyncClient(Endpoints.sandbox({"chat": "http://127.0.0.1:9"})) as client:
        follower = follower_for(client, Nobody(Service()))
        assert (await follower.follow()).end == "no chat"
        assert await follower.read_all() is None


async def test_trouble_is_waited_out_and_reported_and_never_raised() -> None:
    async def once(socket: web.WebSocketResponse) -> None:
        await say(socket)

    service = Service([once], texts("one"), statuses=[500, 500, 200])
    listener, report = await follow(service)

    assert (report.end, listener.texts) == ("ended", ["one"])
    assert len(listener.waits) == 1
    assert report.trouble == ""


async def test_a_pause_that_the_service_asks_for_is_kept() -> None:
    class Patient(Listener):
        async def sleep(self, seconds: float) -> None:
            self.waits.append(seconds)
            raise asyncio.CancelledError

    service = Service(statuses=[429])
    listener = Patient(service)
    async with socket_server(service.talk, answer=service.answer) as server:
        service.base = server.base
        async with AsyncClient(Endpoints.sandbox({"chat": server.base}), settings=HttpSettings(proxy="")) as client:
            with pytest.raises(asyncio.CancelledError):
                await follower_for(client, listener).follow()

    assert 50 < listener.waits[0] <= 60


async def test_after_the_end_all_of_it_is_read_once_more_and_only_what_is_new_is_kept() -> None:
    service = Service(history=texts("one", "two"))
    listener = Listener(service)
    async with socket_server(service.talk, answer=service.answer) as server:
        service.base = server.base
        async with AsyncClient(Endpoints.sandbox({"chat": server.base}), settings=HttpSettings(proxy="")) as client:
            follower = follower_for(client, listener)
            first = await follower.read_all()
            service.history += texts("three")
            second = await follower.read_all()

    assert first is not None
    assert second is not None
    assert (first.messages, second.messages, second.end) == (2, 3, HistoryEnd.COMPLETE)
    assert listener.texts == ["one", "three", "two"]
    assert all(json.loads(line)["via"] == "replay" for line in listener.lines)


async def test_others_get_their_turns_while_a_page_of_a_thousand_messages_is_kept() -> None:
    service = Service(history=texts(*(f"text {number:04}" for number in range(1000))), page=1000)
    listener = Listener(service)
    seen = {0}

    async def other() -> None:
        while True:
            seen.add(len(listener.lines))
            await asyncio.sleep(0)

    async with socket_server(service.talk, answer=service.answer) as server:
        service.base = server.base
        async with AsyncClient(Endpoints.sandbox({"chat": server.base}), settings=HttpSettings(proxy="")) as client:
            task = asyncio.create_task(other())
            walk = await follower_for(client, listener).read_all()
            task.cancel()

    assert walk is not None
    assert walk.messages == len(listener.lines) == 1000
    turns = sorted(seen | {1000})
    assert max(late - early for early, late in pairwise(turns)) <= TAKEN_AT_ONCE


async def test_what_came_before_trouble_is_kept() -> None:
    """The second page cannot be had; the first is stored nevertheless."""
    service = Service(history=texts("one", "two", "three"), statuses=[200, 500, 500, 500, 500])
    listener = Listener(service)
    async with socket_server(service.talk, answer=service.answer) as server:
        service.base = server.base
        settings = HttpSettings(proxy="", backoff_seconds=0.001)
        async with AsyncClient(Endpoints.sandbox({"chat": server.base}), settings=settings) as client:
            with pytest.raises(HydrophoneError):
                await follower_for(client, listener).read_all()

    assert listener.texts == ["one", "two"]

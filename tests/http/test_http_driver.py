"""The async driver against a server that misbehaves, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from hydrophone.errors import TooLargeError, UnreachableError, UnsafeAddressError
from hydrophone.http import AsyncClient, Call, Endpoints, HostKind, HttpSettings, Question, Reply, Request
from raw_server import Exchange, RawServer, serving


@pytest.fixture(params=["direct", "proxy"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Our own transport, or the library's that knows proxies: both owe the same. The server is its own proxy then."""
    if request.param == "proxy":
        monkeypatch.setattr("hydrophone.http.connect._is_loopback", lambda host: False)
    name: str = request.param
    return name


def client_for(
    server: RawServer,
    service: str = "x",
    *,
    way: str = "direct",
    bases: Mapping[str, str] | None = None,
    **knobs: Any,
) -> AsyncClient:
    proxy = server.base if way == "proxy" else ""
    settings = HttpSettings(**{"backoff_seconds": 0.001, "proxy": proxy, **knobs})
    return AsyncClient(Endpoints.sandbox({service: server.base, **(bases or {})}), settings=settings, rng=Random(1))


def get(path: str = "/", **more: Any) -> Request:
    return Request("GET", path, **{"deadline_seconds": 5.0, "attempts": 1, **more})


class Cookie:
    """A credential for one base URL."""

    fingerprint = "fp"

    def __init__(self, base: str) -> None:
        self.base = base
        self.asked: list[str] = []

    def allows(self, url: str) -> bool:
        self.asked.append(url)
        return url.startswith(self.base)

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        return {"cookie": "auth_token=canary", "x-csrf-token": "canary"}

    def adopt(self, reply: Reply) -> bool:
        return False


# ---------------------------------------------------------------- plain answers


async def test_a_reply_carries_status_headers_body_and_where_it_came_from(way: str) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.say(b"HTTP/1.1 404 No\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 2\r\n\r\nno")

    async with serving(handler) as server, client_for(server, way=way) as client:
        reply = await client.send(get("/a%2Fb?c=%20", params={"d": "e f"}))

    assert (reply.status, reply.body, reply.is_close_delimited) == (404, b"no", False)
    assert reply.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert reply.url == f"{server.base}/a%2Fb?c=%20&d=e%20f"
    assert server.paths == ["/a%2Fb?c=%20&d=e%20f"]


async def test_a_browser_like_agent_is_the_default_and_media_is_asked_for_as_it_is() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer()

    async with serving(handler) as server, client_for(server, bases={"cdn": server.base}) as client:
        await client.send(get("/"))
        await client.send(get(server.base + "/", kind=HostKind.CDN))
        await client.send(Request("POST", "/", headers={"user-agent": "mine"}, body=b"{}"))

    api, cdn, post = server.requests
    assert (api.header("user-agent") or "").startswith("Mozilla/5.0")
    assert (api.header("accept-encoding"), cdn.header("accept-encoding")) == ("gzip, deflate", "identity")
    assert (post.header("user-agent"), post.header("content-type"), post.body) == ("mine", None, b"{}")


async def test_connections_are_kept(way: str) -> None:
    writers = set()

    async def handler(exchange: Exchange) -> None:
        writers.add(exchange.writer)
        await exchange.answer(b"x")

    async with serving(handler) as server, client_for(server, way=way) as client:
        for _ in range(5):
            await client.send(get())

    assert len(writers) == 1


async def test_no_more_requests_of_a_kind_are_under_way_than_agreed() -> None:
    under_way = most = 0

    async def handler(exchange: Exchange) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        await exchange.answer()

    async with serving(handler) as server, client_for(server, api_connections=3) as client:
        await asyncio.gather(*[client.send(get()) for _ in range(12)])

    assert most == 3


# ---------------------------------------------------------------- retries


async def test_5xx_and_lost_connections_are_tried_again_then_the_answer_is_given(way: str) -> None:
    async def handler(exchange: Exchange) -> None:
        if exchange.number == 1:
            await exchange.answer(b"<html>", 503)
        elif exchange.number == 2:
            exchange.reset()
        elif exchange.number == 3:
            await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
            exchange.reset()
        else:
            await exchange.answer(b"fine")

    async with serving(handler) as server, client_for(server, way=way) as client:
        reply = await client.send(get(attempts=4))

    assert (reply.status, reply.body, len(server.requests)) == (200, b"fine", 4)


async def test_the_last_5xx_is_a_reply_not_an_exception(way: str) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(b"sorry", 500)

    async with serving(handler) as server, client_for(server, way=way) as client:
        reply = await client.send(get(attempts=3))

    assert (reply.status, reply.body, len(server.requests)) == (500, b"sorry", 3)


async def test_a_long_retry_after_is_not_waited_for_and_not_disregarded() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(b"", 503, retry_after="3600")

    async with serving(handler) as server, client_for(server) as client:
        reply = await client.send(get(attempts=3))

    assert (reply.status, len(server.requests)) == (503, 1)


async def test_a_challenge_is_not_asked_twice() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(b"<html>", 503, content_type="text/html; charset=UTF-8", cf_ray="abc")

    async with serving(handler) as server, client_for(server) as client:
        await client.send(get(attempts=3))

    assert len(server.requests) == 1


async def test_nobody_listening_is_unreachable() -> None:
    async with serving(_never) as server:
        pass
    async with client_for(server) as client:
        with pytest.raises(UnreachableError) as caught:
            await client.send(get(attempts=2))
    assert caught.value.host == "127.0.0.1"


async def test_a_name_that_fails_and_comes_back_is_asked_again() -> None:
    asked = 0

    async def resolve(host: str, port: int) -> list[str]:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise OSError("name resolution failed")
        return ["127.0.0.1"]

    async def handler(exchange: Exchange) -> None:
        await exchange.answer(b"back")

    async with serving(handler) as server:
        base = f"http://flaky.test:{server.port}"
        server_by_name = Endpoints.sandbox({"x": base, "cdn": base})
        async with AsyncClient(
            server_by_name, settings=HttpSettings(backoff_seconds=0.001, proxy="", resolve=resolve)
        ) as client:
            with pytest.raises(UnreachableError, match=r"flaky\.test could not be resolved"):
                await client.send(get())
            reply = await client.send(get(attempts=3))
            await client.send(get())

    assert (reply.body, asked) == (b"back", 3)


# ---------------------------------------------------------------- whole or not at all


async def _short(exchange: Exchange) -> None:
    await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort")
    exchange.hang_up()


async def _chunked_without_end(exchange: Exchange) -> None:
    await exchange.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
    exchange.hang_up()


async def _truncated_gzip(exchange: Exchange) -> None:
    await exchange.answer(gzip.compress(bytes(range(256)) * 20)[:-9], content_encoding="gzip")


async def _damaged_gzip(exchange: Exchange) -> None:
    await exchange.answer(b"\x1f\x8b\x08\x00" + b"\xff" * 40, content_encoding="gzip")


async def _unknown_encoding(exchange: Exchange) -> None:
    await exchange.answer(b"abc", content_encoding="br")


async def _not_http(exchange: Exchange) -> None:
    await exchange.say(b"220 mail.example ESMTP\r\n\r\n")
    exchange.hang_up()


async def _closed_at_once(exchange: Exchange) -> None:
    exchange.hang_up()


async def _never(exchange: Exchange) -> None:
    await asyncio.sleep(30)


async def _headers_stall(exchange: Exchange) -> None:
    await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-le")
    await asyncio.sleep(30)


async def _headers_drip(exchange: Exchange) -> None:
    for number in range(10_000):
        await exchange.say(b"x" if number else b"HTTP/1.1 200 OK\r\nx")
        await asyncio.sleep(0.02)


async def _body_stalls(exchange: Exchange) -> None:
    await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
    await asyncio.sleep(30)


async def _body_drips(exchange: Exchange) -> None:
    await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
    for _ in range(10_000):
        await exchange.say(b"x")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "handler",
    [_short, _chunked_without_end, _truncated_gzip, _damaged_gzip, _unknown_encoding, _not_http, _closed_at_once],
    ids=lambda handler: handler.__name__.strip("_"),
)
async def test_half_an_answer_is_no_answer(way: str, handler: Any) -> None:
    async with serving(handler) as server, client_for(server, way=way) as client:
        with pytest.raises(UnreachableError):
            await client.send(get(attempts=2))
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("handler", "knobs", "deadline"),
    [
        (_never, {}, 0.15),
        (_headers_stall, {}, 0.15),
        (_headers_drip, {}, 0.3),
        (_body_stalls, {}, 0.15),
        (_body_drips, {}, 0.3),
        (_never, {"stall_seconds": 0.1}, 60.0),
        (_body_stalls, {"stall_seconds": 0.1}, 60.0),
        (_body_drips, {"rate_grace_seconds": 0.1, "min_bytes_per_second": 5000}, 60.0),
    ],
)
async def test_an_answer_that_is_too_slow_is_given_up(
    way: str, handler: Any, knobs: dict[str, Any], deadline: float
) -> None:
    begun = time.monotonic()
    async with serving(handler) as server, client_for(server, way=way, **knobs) as client:
        with pytest.raises(UnreachableError):
            await client.send(get(deadline_seconds=deadline))
    assert time.monotonic() - begun < 10


async def test_a_slow_answer_that_keeps_moving_outlives_the_stall(way: str) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n")
        for _ in range(20):
            await asyncio.sleep(0.05)
            await exchange.say(b"x")

    async with serving(handler) as server, client_for(server, way=way, stall_seconds=0.6) as client:
        reply = await client.send(get(deadline_seconds=30.0))

    assert reply.body == b"x" * 20


async def test_waiting_for_a_free_connection_does_not_count_as_slowness() -> None:
    async def handler(exchange: Exchange) -> None:
        await asyncio.sleep(0.1)
        await exchange.answer()

    async with serving(handler) as server, client_for(server, api_connections=1) as client:
        replies = await asyncio.gather(*[client.send(get(deadline_seconds=0.5)) for _ in range(8)])

    assert {reply.status for reply in replies} == {200}


async def test_a_body_that_only_the_end_of_the_connection_ends_says_so(way: str) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.say(b"HTTP/1.1 200 OK\r\n\r\nperhaps whole")
        exchange.hang_up()

    async with serving(handler) as server, client_for(server, way=way) as client:
        reply = await client.send(get())

    assert (reply.body, reply.is_close_delimited) == (b"perhaps whole", True)


async def test_chunked_and_packed_answers_are_put_together(way: str) -> None:
    text = b"hello " * 1000
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(text[:3000]) + gzip.compress(text[3000:]) + b"\0\0",
        "deflate": zlib.compress(text),
        "DEFLATE": raw.compress(text) + raw.flush(),
        "identity": text,
    }

    async def handler(exchange: Exchange) -> None:
        name = exchange.path[1:]
        head = f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-encoding: {name}\r\n\r\n".encode()
        await exchange.say(head + b"".join(b"%x\r\n%s\r\n" % (1, bytes([b])) for b in packed[name]) + b"0\r\n\r\n")

    async with serving(handler) as server, client_for(server, way=way) as client:
        for name in packed:
            assert (await client.send(get("/" + name))).body == text


# ---------------------------------------------------------------- caps


async def test_an_announced_giant_is_refused_before_its_body(way: str) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n")
        await asyncio.sleep(30)

    async with serving(handler) as server, client_for(server, way=way) as client:
        with pytest.raises(TooLargeError) as caught:
            await client.send(get(max_bytes=1000, attempts=3))
    assert (caught.value.limit_bytes, len(server.requests)) == (1000, 1)


async def test_an_endless_body_is_cut_off(way: str) -> None:
    sent = 0

    async def handler(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            await exchange.say(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            sent += 65536

    async with serving(handler) as server, client_for(server, way=way) as client:
        with pytest.raises(TooLargeError):
            await client.send(get(max_bytes=1_000_000))
    assert sent < 20_000_000


async def test_a_gzip_bomb_stays_packed() -> None:
    bomb = gzip.compress(bytes(50_000_000), 9)

    async def handler(exchange: Exchange) -> None:
        await exchange.answer(bomb, content_encoding="gzip")

    async with serving(handler) as server, client_for(server, "cdn") as client:
        with pytest.raises(TooLargeError):
            await client.send(get(server.base + "/", kind=HostKind.CDN, max_bytes=1_000_000))


async def test_endless_headers_are_cut_off(way: str) -> None:
    async def many(exchange: Exchange) -> None:
        await exchange.say(b"HTTP/1.1 200 OK\r\n")
        while True:
            await exchange.say(b"x-filler: " + b"y" * 1000 + b"\r\n")

    async def long(exchange: Exchange) -> None:
        await exchange.say(b"HTTP/1.1 200 OK\r\nx-filler: ")
        while True:
            await exchange.say(b"y" * 1000)

    async def above_the_cap(exchange: Exchange) -> None:
        await exchange.say(
            b"HTTP/1.1 200 OK\r\n" + b"x-filler: %s\r\n" % (b"y" * 1000) * 70 + b"content-length: 0\r\n\r\n"
        )

    for handler in (many, long, above_the_cap):
        async with serving(handler) as server, client_for(server, way=way) as client:
            with pytest.raises((UnreachableError, TooLargeError)):
                await client.send(get())


# ---------------------------------------------------------------- redirects and credentials


async def test_redirects_are_followed_a_few_times_only(way: str) -> None:
    async def handler(exchange: Exchange) -> None:
        hop = int(exchange.path[1:])
        await (exchange.answer(b"end") if hop == 0 else exchange.answer(b"", 302, location=f"/{hop - 1}"))

    async with serving(handler) as server, client_for(server, way=way) as client:
        reply = await client.send(get("/5"))
        assert (reply.body, reply.url) == (b"end", server.base + "/0")
        with pytest.raises(UnreachableError, match="5 redirects"):
            await client.send(get("/21", attempts=3))
        assert len(server.requests) == 12
        assert (await client.send(get("/3", max_redirects=0))).status == 302


async def test_a_redirect_loop_ends(way: str) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(b"", 301, location="/again")

    async with serving(handler) as server, client_for(server, way=way) as client:
        with pytest.raises(UnreachableError):
            await client.send(get("/again", attempts=3))
    assert len(server.requests) == 6


async def test_a_redirect_without_a_location_is_a_reply(way: str) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(b"", 302)

    async with serving(handler) as server, client_for(server, way=way) as client:
        assert (await client.send(get())).status == 302


async def test_credentials_stay_behind_when_a_redirect_leads_to_another_origin() -> None:
    async def foreign(exchange: Exchange) -> None:
        await exchange.answer(b"arrived")

    async with serving(foreign) as other:

        async def handler(exchange: Exchange) -> None:
            await exchange.answer(b"", 307, location=other.base + "/landed")

        async with serving(handler) as server, client_for(server, bases={"proxsee": other.base}) as client:
            cookie = Cookie(server.base)
            headers = {
                "authorization": "Bearer canary",
                "x-guest-token": "canary",
                "range": "bytes=1-",
                "x-odd": "canary",
            }
            reply = await client.send(Request("POST", "/start", headers=headers, body=b"body", credential=cookie))

    assert reply.body == b"arrived"
    assert b"auth_token=canary" in server.requests[0].head
    assert b"canary" not in other.requests[0].head
    assert (other.requests[0].header("range"), other.requests[0].body) == ("bytes=1-", b"body")
    assert cookie.asked == [server.base + "/start", other.base + "/landed"]


async def test_303_and_302_after_post_become_get() -> None:
    async def handler(exchange: Exchange) -> None:
        if exchange.path != "/end":
            await exchange.answer(b"", int(exchange.path[1:]), location="/end")
        else:
            await exchange.answer(exchange.head.split(b" ")[0] + exchange.body)

    async with serving(handler) as server, client_for(server) as client:
        bodies = [(await client.send(Request("POST", f"/{code}", body=b"!"))).body for code in (302, 303, 307)]

    assert bodies == [b"GET", b"GET", b"POST!"]


@pytest.mark.parametrize("kind", [HostKind.CDN, HostKind.AVATAR, HostKind.USER])
async def test_no_kind_but_api_ever_carries_a_credential(kind: HostKind) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer()

    async with (
        serving(handler) as server,
        client_for(server, bases={"cdn": server.base, "avatar": server.base}) as client,
    ):
        headers = {"Cookie": "canary", "Authorization": "canary", "X-Csrf-Token": "canary", "accept-language": "en"}
        await client.send(get(server.base + "/", kind=kind, headers=headers, credential=Cookie(server.base)))

    assert b"canary" not in server.requests[0].head
    assert server.requests[0].header("accept-language") == "en"


async def test_the_cdn_may_redirect_to_the_cdn_only() -> None:
    async def foreign(exchange: Exchange) -> None:
        await exchange.answer(b"no")

    async with serving(foreign) as other:
        places = {"/foreign": other.base + "/", "/file": "file:///etc/passwd", "/decimal": "http://2130706433:1/"}

        async def handler(exchange: Exchange) -> None:
            await exchange.answer(b"", 302, location=places[exchange.path])

        async with serving(handler) as server, client_for(server, "cdn", bases={"x": other.base}) as client:
            for path in places:
                with pytest.raises(UnsafeAddressError):
                    await client.send(get(server.base + path, kind=HostKind.CDN, attempts=3))

    assert other.requests == []
    assert len(server.requests) == 3


async def test_cookies_are_not_kept_by_the_transport(way: str) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(b"", set_cookie="session=1; Path=/")

    async with serving(handler) as server, client_for(server, way=way) as client:
        await client.send(get())
        await client.send(get())

    assert server.requests[1].header("cookie") is None


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:7f00:1]", "localhost"]
)
async def test_a_private_address_is_refused_however_it_is_spelt(host: str) -> None:
    async with serving(_never) as server, AsyncClient(settings=HttpSettings(proxy="")) as client:
        with pytest.raises(UnsafeAddressError):
            await client.send(get(f"http://{host}:{server.port}/", kind=HostKind.USER))
    assert server.requests == []


@pytest.mark.parametrize(
    "answers", [["127.0.0.1"], ["::1"], ["203.0.113.9"], ["8.8.8.8", "10.0.0.1"], ["169.254.169.254"]]
)
async def test_a_public_name_that_leads_to_a_private_address_is_refused_at_connect_time(answers: list[str]) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return answers

    async with serving(_never) as server, AsyncClient(settings=HttpSettings(proxy="", resolve=resolve)) as client:
        with pytest.raises(UnsafeAddressError) as caught:
            await client.send(get(f"http://rebinding.example:{server.port}/", attempts=3))
        with pytest.raises(UnsafeAddressError):
            await client.send(get("https://x.com/", attempts=3))
    assert server.requests == []
    assert caught.value.host == "rebinding.example"


async def test_a_configured_origin_may_be_private_and_its_neighbours_may_not() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async def handler(exchange: Exchange) -> None:
        await exchange.answer(b"ok")

    async with serving(handler) as server:
        mixed = Endpoints(bases={**Endpoints.production().bases, "cdn": f"http://cdn.test:{server.port}"})
        async with AsyncClient(mixed, settings=HttpSettings(proxy="", resolve=resolve)) as client:
            reply = await client.send(get(f"http://cdn.test:{server.port}/", kind=HostKind.CDN))
            with pytest.raises(UnsafeAddressError):
                await client.send(get(f"http://cdn.test:{server.port + 1}/", kind=HostKind.USER))
    assert reply.body == b"ok"


# ---------------------------------------------------------------- questions


def _careful(paths: list[str]) -> Question[list[str]]:
    """Ask for each path and note what came, errors too."""
    notes = []
    for path in paths:
        try:
            reply = yield get(path, deadline_seconds=0.3)
        except UnreachableError as error:
            notes.append(type(error).__name__)
        else:
            notes.append(reply.text)
    return notes


async def test_a_question_may_handle_what_sending_raises() -> None:
    async def handler(exchange: Exchange) -> None:
        await (_never(exchange) if exchange.path == "/never" else exchange.answer(exchange.path.encode()))

    async with serving(handler) as server, client_for(server) as client:
        assert await client.ask(_careful(["/a", "/never", "/b"])) == ["/a", "UnreachableError", "/b"]
        assert await client.ask(Call(get("/c"), lambda reply: reply.text)) == "/c"


async def test_a_canceled_question_is_closed() -> None:
    ended = []

    def question() -> Question[None]:
        try:
            yield get("/")
        finally:
            ended.append(True)

    async with serving(_never) as server, client_for(server) as client:
        task = asyncio.create_task(client.ask(question()))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ended == [True]


async def test_a_wedged_try_leaves_no_task_or_socket_behind(way: str) -> None:
    async with serving(_body_stalls) as server, client_for(server, way=way) as client:
        before = len(asyncio.all_tasks())
        for _ in range(3):
            with pytest.raises(UnreachableError):
                await client.send(get(deadline_seconds=0.05))
        await asyncio.sleep(0.05)
        assert len(asyncio.all_tasks()) <= before + 3  # the server's own, one per connection


async def test_a_request_may_ask_to_be_sent_in_a_while() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def handler(exchange: Exchange) -> None:
        await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    async with serving(handler) as server:
        endpoints = Endpoints.sandbox({"x": server.base})
        async with AsyncClient(endpoints, settings=HttpSettings(proxy=""), sleep=sleep) as client:
            await client.send(get(wait_seconds=4.0))
            await client.send(get())

    assert waits == [4.0]

"""Cookies of a signed replay go to the origin of its playlist, with requests to the CDN, and to nobody else."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from hydrophone.http import AsyncClient, Endpoints, HostKind, HttpSettings, Request
from hydrophone.model import StreamCookies
from hydrophone.periscope.videos import PlaybackCookie, PlaybackCookies
from raw_server import Exchange, RawServer, serving


def cookies_for(base: str, path: str = "/stream") -> StreamCookies:
    cookie = PlaybackCookie(name="CloudFront-Policy", value="canary", domain="127.0.0.1", path=path)
    return PlaybackCookies([cookie], f"{base}{path}/playlist.m3u8")


def client_for(cdn: RawServer, other: RawServer) -> AsyncClient:
    bases = {"cdn": cdn.base, "x": other.base, "avatar": other.base}
    return AsyncClient(Endpoints.sandbox(bases), settings=HttpSettings(proxy=""), rng=Random(1))


def get(url: str, cookies: StreamCookies, **more: Any) -> Request:
    return Request("GET", url, attempts=1, deadline_seconds=5.0, stream_cookies=cookies, **more)


class Listening:
    """Answers everything, moves on what is asked for under /moved, and keeps the cookies it was shown."""

    def __init__(self) -> None:
        self.location = ""
        self.heard: list[tuple[str, str | None]] = []

    async def __call__(self, exchange: Exchange) -> None:
        path = exchange.path
        self.heard.append((path, exchange.header("cookie")))
        if "moved" in path:
            await exchange.say(f"HTTP/1.1 302 Y\r\nLocation: {self.location}\r\ncontent-length: 0\r\n\r\n".encode())
        else:
            await exchange.say(b"HTTP/1.1 200 Y\r\ncontent-length: 2\r\n\r\nok")


async def test_they_go_with_each_request_for_the_stream_and_with_no_other() -> None:
    cdn_ear, other_ear = Listening(), Listening()
    async with serving(cdn_ear) as cdn, serving(other_ear) as other, client_for(cdn, other) as client:
        cookies = cookies_for(cdn.base)
        for path in ("/stream/playlist.m3u8", "/stream/chunk_0.ts", "/another/chunk_0.ts", "/streams/chunk_0.ts"):
            await client.send(get(cdn.base + path, cookies, kind=HostKind.CDN))
        for kind in (HostKind.API, HostKind.AVATAR):
            await client.send(get(other.base + "/stream/x", cookies, kind=kind))

    assert [cookie for _, cookie in cdn_ear.heard] == ["CloudFront-Policy=canary"] * 2 + [None, None]
    assert [cookie for _, cookie in other_ear.heard] == [None, None]


async def test_a_redirect_asks_again_at_each_hop() -> None:
    cdn_ear, far_ear = Listening(), Listening()
    async with serving(cdn_ear) as cdn, serving(far_ear) as far:
        bases = {"cdn": cdn.base, "avatar": far.base}
        async with AsyncClient(Endpoints.sandbox(bases), settings=HttpSettings(proxy="")) as client:
            cookies = cookies_for(cdn.base)
            cdn_ear.location = cdn.base + "/stream/here.ts"
            await client.send(get(cdn.base + "/stream/moved", cookies, kind=HostKind.CDN))
            cdn_ear.location = cdn.base + "/elsewhere.ts"
            await client.send(get(cdn.base + "/stream/moved", cookies, kind=HostKind.CDN))

    shown = [cookie is not None for _, cookie in cdn_ear.heard]
    assert shown == [True, True, True, False]


async def test_a_caller_cannot_put_a_cookie_there_by_hand() -> None:
    cdn_ear, other_ear = Listening(), Listening()
    async with serving(cdn_ear) as cdn, serving(other_ear) as other, client_for(cdn, other) as client:
        by_hand = Request("GET", cdn.base + "/stream/a", kind=HostKind.CDN, headers={"cookie": "auth_token=canary"})
        await client.send(by_hand)
    assert cdn_ear.heard == [("/stream/a", None)]


@pytest.mark.parametrize(
    "url",
    [
        "http://replay.periscope.tv/stream/chunk_0.ts",
        "https://api.periscope.tv/stream/chunk_0.ts",
        "https://tn.periscope.tv/stream/chunk_0.ts",
        "https://replay.periscope.tv:8443/stream/chunk_0.ts",
        "https://replay.periscope.tv.evil.example/stream/chunk_0.ts",
        "https://replay.periscope.tv@evil.example/stream/chunk_0.ts",
        "https://replay.periscope.tv/other/chunk_0.ts",
        "https://x.com/stream/chunk_0.ts",
        "//replay.periscope.tv/stream/chunk_0.ts",
        "https://[",
        "",
    ],
)
def test_no_other_address_gets_them(url: str) -> None:
    cookie = PlaybackCookie(name="CloudFront-Policy", value="canary", domain=".periscope.tv", path="/stream")
    cookies = PlaybackCookies([cookie], "https://replay.periscope.tv/stream/playlist.m3u8")

    assert cookies.header("https://replay.periscope.tv/stream/chunk_0.ts") == "CloudFront-Policy=canary"
    assert cookies.header(url) is None
    assert "canary" not in repr(cookies)

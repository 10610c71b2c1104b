"""The same questions through the real client, against a small service on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hydrophone.errors import NotFoundError
from hydrophone.http import AsyncClient, Endpoints
from hydrophone.http.messages import Reply
from hydrophone.model import MediaKey, SpaceId, SpaceState
from hydrophone.xweb.login import Login
from hydrophone.xweb.posts import short_link_target
from hydrophone.xweb.session import WebSession
from hydrophone.xweb.spaces import space_by_id
from hydrophone.xweb.streams import stream_by_media_key
from xweb.talk import AUTH_TOKEN, CT0, error_sample, sample

NEW_CT0 = "b0c2558a"


def as_response(reply: Reply) -> web.Response:
    headers = {name: reply.headers[name] for name in reply.headers if name != "content-length"}
    return web.Response(status=reply.status, headers=headers, body=reply.body)


class Service:
    """Answers like x.com, with a csrf cookie that has just been changed."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        if request.path == "/short":
            return web.Response(status=301, headers={"location": "https://x.com/i/spaces/1hydroPhoneXZ"})
        if not request.headers.get("x-csrf-token", "").startswith(NEW_CT0):
            return as_response(error_sample("403_353_with_new_ct0"))
        if request.path.endswith("/AudioSpaceById"):
            return as_response(sample("audiospace_by_id.running.json"))
        return web.Response(status=404)


@pytest.fixture
async def service() -> AsyncIterator[tuple[Service, Endpoints]]:
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    async with TestServer(app) as server:
        base = str(server.make_url("")).rstrip("/")
        yield service, Endpoints.sandbox({"x": base, "tco": base})


async def test_a_space_is_asked_through_a_rotated_cookie(service: Any) -> None:
    ledger, endpoints = service
    session = WebSession(login=Login(AUTH_TOKEN, CT0), is_api=endpoints.is_api)

    async with AsyncClient(endpoints) as client:
        space = await client.ask(space_by_id(session, SpaceId("1hydroPhoneXZ")))
        with pytest.raises(NotFoundError):
            await client.ask(stream_by_media_key(session, MediaKey("28_2028900765724049408")))

    assert space.state is SpaceState.LIVE
    assert [request.headers["x-csrf-token"][:3] for request in ledger.seen] == ["5ea", "b0c", "b0c"]
    assert "Chrome" in ledger.seen[0].headers["user-agent"]


async def test_a_short_link_is_not_followed(service: Any) -> None:
    ledger, endpoints = service

    async with AsyncClient(endpoints) as client:
        assert await client.ask(short_link_target("short")) == "https://x.com/i/spaces/1hydroPhoneXZ"

    assert [request.path for request in ledger.seen] == ["/short"]
    assert ledger.seen[0].headers["user-agent"] == "curl/8"

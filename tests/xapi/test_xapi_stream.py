"""The activity stream over a real socket, and the patience between two connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby
from random import Random

import pytest

from hydrophone.errors import NotSignedInError, OutOfCreditsError, RateLimitedError, RefusedError, UnreachableError
from hydrophone.http import AsyncClient, Budgets, Endpoints
from hydrophone.http.messages import Reply
from hydrophone.xapi.credentials import AppBearer, UserBearer
from hydrophone.xapi.events import Seen, read_pushed
from hydrophone.xapi.stream import Arrived, Connected, Lost, Noted, Patience, read_stream
from xapi.xapi_talk import NOW, SAMPLES, app_bearer, reply_of, session, tokens_of, world

STREAM = (SAMPLES / "activity.stream.txt").read_bytes()


@asynccontextmanager
async def service(*answers: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Gives each connection the next answer."""
    left, heads = list(answers), []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(left.pop(0) if left else b"HTTP/1.1 401 x\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


def http(reply: Reply) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items() if name != "content-length")
    length = f"content-length: {len(reply.body)}\r\n" if reply.status != 200 else ""
    return f"HTTP/1.1 {reply.status} x\r\n{head}{length}\r\n".encode() + reply.body


async def test_every_event_comes_once_over_reconnections() -> None:
    ok = http(Reply(200, body=STREAM))
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def collect(client: AsyncClient) -> None:
        async for one in read_stream(client, ours, sleep=sleep, rng=Random(1)):
            news.append(one)

    # The budget waits in the same time in which the stream sleeps.
    budgets = Budgets(clock=lambda: NOW.timestamp() + sum(waits), jitter_seconds=0.0)
    ours, news = session(), []
    async with service(ok, http(reply_of("activity.too-many-connections")), ok) as (base, heads):
        bearer = AppBearer(world()["tokens"]["app"]["token"], is_api=lambda url: url.startswith(base))
        ours.app = bearer
        async with AsyncClient(Endpoints.sandbox({"x": base}), budgets=budgets) as client:
            with pytest.raises(NotSignedInError):
                await collect(client)

    # How often the budget says wait after the refusal is its own affair.
    kinds = [kind for kind, _ in groupby(type(one) for one in news)]
    assert kinds == [Connected, Arrived, Noted, Lost, Connected, Noted, Lost]
    assert [one.event.type for one in news if isinstance(one, Arrived)] == ["spaces.start", "spaces.end"]
    assert [one.is_again for one in news if isinstance(one, Connected)] == [False, True]
    assert waits[0] == 0.0
    assert waits[1] >= 60.0
    assert str(ours.ledger.run.cost) == "0.010"
    assert all(b"authorization: bearer" in head.lower() for head in heads)


@pytest.mark.parametrize(
    ("name", "kind"), [("error.403.user-token-on-app-endpoint", RefusedError), ("error.402.current", OutOfCreditsError)]
)
async def test_a_refusal_that_will_not_change_ends_the_stream(name: str, kind: type[Exception]) -> None:
    async with service(http(reply_of(name))) as (base, _), AsyncClient(Endpoints.sandbox({"x": base})) as client:
        with pytest.raises(kind):
            async for _ in read_stream(client, session()):
                pass


def test_patience_grows_with_the_kind_of_trouble() -> None:
    patience = Patience(Random(1))
    lost, full = UnreachableError("x"), RateLimitedError("x", retry_at=NOW)
    broken = RefusedError("x")
    for _ in range(3000):
        assert max(patience.after(one, NOW) for one in (lost, full, broken)) <= 901.0
    patience.opened()
    assert [patience.after(lost, NOW) for _ in range(4)] == [0.0, 0.25, 0.5, 0.75]
    assert [patience.after(broken, NOW) for _ in range(8)] == [5, 10, 20, 40, 80, 160, 320, 320]
    assert [round(patience.after(full, NOW), -1) for _ in range(4)] == [60, 120, 240, 480]
    assert max(patience.after(None, NOW) for _ in range(100)) == 16.0
    patience.opened()
    assert patience.after(None, NOW) == 0.0


def test_an_event_is_new_once_and_memory_is_bounded() -> None:
    (event,) = read_pushed(STREAM.split(b"\r\n")[1]).events
    seen = Seen(most=2)
    assert seen.is_new(event)
    assert not seen.is_new(event)


def test_old_names_and_lists_of_events_are_read() -> None:
    body = b'{"data":[{"event_type":"SpacesStart","event_uuid":-5,"payload":{"broadcast_id":"1Aa"}},{"x":1}]}'
    (event,) = read_pushed(body).events
    assert (event.type, event.uuid, event.space_id) == ("spaces.start", "-5", "1Aa")
    assert read_pushed(b" \r\n").events == ()


def test_the_pools_of_app_and_user_are_told_apart_by_their_names() -> None:
    assert app_bearer().fingerprint.startswith("app-")
    assert UserBearer(tokens_of()).fingerprint.startswith("user-")

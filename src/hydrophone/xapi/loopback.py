"""The one inbound socket of this room: waits on loopback for the browser to come back from the consent page.

It lives for one sign-in, answers one path, and reads no more than a request line and headers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from hydrophone.errors import SettingsError, UnreachableError

_MOST_LINE = 8192
_MOST_HEADERS = 100
_REQUEST_SECONDS = 10.0
_DONE = "You may close this page and go back to Hydrophone."
_UNKNOWN = "There is nothing here."


class Callback:
    """What the browser brings. `redirect_uri` is where it must be sent, `wait` gives the whole address it came to."""

    def __init__(self, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri
        self._path = urlsplit(redirect_uri).path or "/"
        self._came: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def wait(self, seconds: float = 300.0) -> str:
        """
        Raises:
            UnreachableError: nobody came.
        """
        try:
            return await asyncio.wait_for(asyncio.shield(self._came), seconds)
        except TimeoutError:
            raise UnreachableError(
                "the browser did not come back in time", host="127.0.0.1", advice="Run the sign-in again."
            ) from None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                line = await reader.readline()
                for _ in range(_MOST_HEADERS):
                    if (await reader.readline()).strip() == b"":
                        break
                method, _, rest = line.decode("ascii", "replace").partition(" ")
                target = rest.partition(" ")[0]
                # A browser also asks for an icon; only the registered path ends the wait.
                is_ours = method == "GET" and target.partition("?")[0] == self._path and "?" in target
                await self._reply(writer, "200 OK" if is_ours else "404 Not Found", _DONE if is_ours else _UNKNOWN)
                if is_ours and not self._came.done():
                    self._came.set_result(f"http://127.0.0.1{target}")
        except (TimeoutError, ValueError, OSError):
            pass  # whoever this was, it was not a browser with an answer
        finally:
            writer.close()

    async def _reply(self, writer: asyncio.StreamWriter, status: str, text: str) -> None:
        page = f"<!doctype html><meta charset=utf-8><title>Hydrophone</title><p>{text}".encode()
        head = (
            f"HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {len(page)}\r\n"
            "cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n"
        )
        writer.write(head.encode() + page)
        await writer.drain()


@asynccontextmanager
async def listen(redirect_uri: str) -> AsyncIterator[Callback]:
    """Listen where the redirect leads, ``http://127.0.0.1:PORT/…`` as it is registered for the app.

    Raises:
        SettingsError: the address is not on loopback, or its port is taken.
    """
    try:
        parts = urlsplit(redirect_uri)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme != "http" or parts.hostname != "127.0.0.1" or port is None:
        raise SettingsError(
            "the redirect must lead to this computer",
            setting="redirect_uri",
            advice="Register http://127.0.0.1:PORT/callback for the app (not localhost), and give the same here.",
        )
    callback = Callback(redirect_uri)
    try:
        server = await asyncio.start_server(callback.answer, "127.0.0.1", port, limit=_MOST_LINE)
    except OSError as error:
        raise SettingsError(
            f"nobody can listen on port {port}: {error.strerror or type(error).__name__}",
            setting="redirect_uri",
            advice="Stop the program that uses the port, or register another one for the app.",
        ) from None
    async with server:
        yield callback

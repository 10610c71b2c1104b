"""What the rules of sockets.yml find and leave alone; only read, never run."""

# ruleid: outbound-sockets-only-in-http
import aiohttp

# ruleid: outbound-sockets-only-in-http
from aiohttp import ClientSession

# ok: outbound-sockets-only-in-http
import asyncio
import socket


async def ring(host: str) -> None:
    # ruleid: outbound-sockets-only-in-http
    await asyncio.open_connection(host, 443)
    # ok: outbound-sockets-only-in-http
    await asyncio.start_server(print, "127.0.0.1", 0)
    # ruleid: outbound-sockets-only-in-http
    socket.create_connection((host, 443))
    # ruleid: outbound-sockets-only-in-http
    await asyncio.get_running_loop().create_connection(asyncio.Protocol, host, 443)

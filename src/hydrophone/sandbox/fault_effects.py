"""What a fault does on the wire. An effect is a coroutine that gets the exchange, the real answer, its parameters."""

from __future__ import annotations

import asyncio
import gzip
import re
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from hydrophone.sandbox.serving import Answer, Exchange, head_of

Params = Mapping[str, Any]
Act = Callable[[Exchange, "Answer | None", Params], Awaitable[None]]

ERROR_PAGE = (
    b"<!doctype html><html><head><title>503 backend read error</title></head><body><h1>Error 503</h1></body></html>\n"
)
# The head of an MPEG-TS packet, then an ADTS header that is none: only a look at what follows it can tell.
JUNK = bytes.fromhex("474011100042f0250001c10000ff01ff0001fc801448120106fff14c80039ffc") + b"\xff" * 62


@dataclass(frozen=True, slots=True)
class Effect:
    """`needs_answer`: it bends what the handler says; otherwise the handler is never asked."""

    act: Act
    needs_answer: bool = True


def _real(answer: Answer | None) -> Answer:
    assert answer is not None
    return answer


def _without(answer: Answer, *names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in answer.headers if name.lower() not in names)


# ---------------------------------------------------------------- instead of an answer


async def _status(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    status = int(params.get("status", 503))
    body = params.get("body")
    raw = (ERROR_PAGE if status >= 500 else b"") if body is None else str(body).encode()
    headers = {"content-type": "text/html" if body is None else "text/plain", **dict(params.get("headers", {}))}
    exchange.send(Answer(status, tuple((str(k), str(v)) for k, v in headers.items()), raw))


async def _reset(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    exchange.connection.reset()


async def _refuse(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    """For connections that are open already; the server stops listening as well, see `FaultTable.refusing`."""
    exchange.connection.reset()


async def _stall_headers(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    await asyncio.sleep(float(params.get("seconds", 3600)))
    exchange.connection.close()


async def _endless_headers(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\n", status=200)
    line = b"x-filler: " + b"y" * 1000 + b"\r\n"
    for _ in range(int(params.get("bytes", 64 << 20)) // 1012):
        exchange.write(line)
        await exchange.connection.drain()
    exchange.connection.close()


async def _giant(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    size = int(params.get("bytes", 10 << 30))
    headers: tuple[tuple[str, str], ...] = (("content-type", "audio/aac"),)
    if params.get("length", "told") == "told":
        headers += (("content-length", str(size)),)
    exchange.write(head_of(Answer(200, headers, b""), close=True, with_length=False), status=200)
    block = bytes(str(params.get("fill", "\0")), "latin-1")[:1] * 262_144
    for _ in range(max(1, size // len(block))):
        exchange.write(block)
        await exchange.connection.drain()
    exchange.connection.close()


@lru_cache(maxsize=2)
def _bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


async def _gzip_bomb(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    body = await asyncio.to_thread(_bomb, int(params.get("bytes", 300 << 20)))
    exchange.send(Answer(200, (("content-type", "audio/aac"), ("content-encoding", "gzip")), body))


# ---------------------------------------------------------------- other bytes


async def _replace(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    """Any body with 200: `body` as text, or `hex`."""
    body = bytes.fromhex(params["hex"]) if "hex" in params else str(params.get("body", "")).encode()
    exchange.send(Answer(200, (("content-type", str(params.get("type", "text/plain"))),), body))


async def _html(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    exchange.send(Answer(200, (("content-type", "text/html"),), ERROR_PAGE))


async def _json(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    exchange.send(Answer(200, (("content-type", "application/json"),), b'{"errors":[{"code":0,"message":"oops"}]}'))


async def _empty(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    exchange.send(Answer(200, _real(answer).headers, b""))


async def _junk(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    """Junk with a false sync in it: at the front, or (`where` ``between``) between two frames, before a tag."""
    real = _real(answer)
    at = max(0, real.body.rfind(b"ID3\x04\x00\x00")) if params.get("where") == "between" else 0
    exchange.send(Answer(real.status, real.headers, real.body[:at] + JUNK + real.body[at:]))


async def _edit(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    """A playlist, or any text, that is changed on the way out.

    Every match of `find` becomes `put`; `sub` holds pairs of the same. `prepend` and `append` are text; `entries` says
    how many invented ones are added; `bom`, `crlf`, `nul`, `latin` are flags; `line_bytes` is the length of a comment.
    """
    real = _real(answer)
    text = (gzip.decompress(real.body) if _is_packed(real) else real.body).decode("utf-8", "surrogateescape")
    pairs = list(params.get("sub", ()))
    if "find" in params:
        pairs.append((params["find"], params.get("put", "")))
    for pattern, replacement in pairs:
        text = re.sub(pattern, replacement, text)
    text = f"{params.get('prepend', '')}{text}{params.get('append', '')}"
    count = int(params.get("entries", 0))
    text += "".join(f"#EXTINF:3.000,\nchunk_{10**18 + n}_{10**6 + n}_a.aac\n" for n in range(count))
    if "line_bytes" in params:
        text += f"#{'x' * int(params['line_bytes'])}\n"
    if params.get("crlf"):
        text = text.replace("\n", " \r\n\r\n")
    if params.get("nul"):
        text = text.replace("\n", "\n\0\n", 1)
    body = (b"\xef\xbb\xbf" if params.get("bom") else b"") + text.encode("utf-8", "surrogateescape")
    body += b"# caf\xe9\n" if params.get("latin") else b""
    exchange.send(Answer(real.status, _without(real, "content-encoding", "content-length"), body))


def _is_packed(answer: Answer) -> bool:
    return any(name.lower() == "content-encoding" and value == "gzip" for name, value in answer.headers)


async def _id3_only(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    real = _real(answer)
    exchange.send(Answer(real.status, real.headers, real.body[:73]))


async def _garble(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    """Bytes in the middle are overwritten: the length is right, frames are not."""
    real = _real(answer)
    half, size = len(real.body) // 2, int(params.get("bytes", 2000))
    body = real.body[:half] + b"\x55" * min(size, len(real.body) - half) + real.body[half + size :]
    exchange.send(Answer(real.status, real.headers, body))


async def _wrong_type(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    real = _real(answer)
    headers = (*_without(real, "content-type"), ("content-type", str(params.get("type", "text/html"))))
    exchange.send(Answer(real.status, headers, real.body))


async def _headers(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    """The real answer with more headers."""
    real = _real(answer)
    more = tuple((str(k), str(v)) for k, v in dict(params.get("headers", {})).items())
    exchange.send(Answer(real.status, real.headers + more, real.body))


# ---------------------------------------------------------------- the real bytes, badly carried


def _keep(answer: Answer, params: Params, default: float) -> int:
    if "bytes" in params:
        return min(int(params["bytes"]), len(answer.body))
    return int(len(answer.body) * float(params.get("fraction", default)))


async def _short(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    """`length`: ``matching`` (Content-Length of the short body), ``wrong`` (of the whole), ``none`` (closed early)."""
    real = _real(answer)
    body = real.body[: _keep(real, params, 0.6)]
    how = params.get("length", "matching")
    if how == "matching":
        exchange.send(Answer(real.status, _without(real, "content-length"), body))
        return
    head = Answer(real.status, _without(real, "content-length"), real.body)
    exchange.write(head_of(head, close=True, with_length=how == "wrong"), status=real.status)
    exchange.write(body)
    exchange.connection.close()


async def _reset_mid(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    real = _real(answer)
    exchange.write(head_of(real), status=real.status)
    exchange.write(real.body[: _keep(real, params, 0.5)])
    await asyncio.sleep(float(params.get("after_seconds", 0.02)))  # let the bytes out before the RST overtakes them
    exchange.connection.reset()


async def _truncated_gzip(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    real = _real(answer)
    packed = gzip.compress(real.body, mtime=0)
    body = packed[: int(len(packed) * float(params.get("fraction", 0.6)))]
    headers = (*_without(real, "content-length", "content-encoding"), ("content-encoding", "gzip"))
    exchange.write(head_of(Answer(real.status, headers, body), close=True, with_length=False), status=real.status)
    exchange.write(body)
    exchange.connection.close()


async def _endless_chunks(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    """Chunked, the whole body, and never the last chunk; held open for `seconds`, then closed."""
    real = _real(answer)
    headers = (*_without(real, "content-length"), ("transfer-encoding", "chunked"))
    exchange.write(head_of(Answer(real.status, headers, b"")), status=real.status)
    body = real.body[: _keep(real, params, 1.0)]
    exchange.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")
    await asyncio.sleep(float(params.get("seconds", 3600)))
    exchange.connection.close()


async def _drip(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    real = _real(answer)
    exchange.write(head_of(real), status=real.status)
    pace = float(params.get("bytes_per_second", 500))
    step = max(1, int(pace / 10))
    for at in range(0, len(real.body), step):
        exchange.write(real.body[at : at + step])
        await exchange.connection.drain()
        await asyncio.sleep(step / pace)
    exchange.finish()


async def _stall(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    """Half of the body, then nothing for `seconds`; then the rest if `resume`, else the connection is closed."""
    real = _real(answer)
    keep = _keep(real, params, 0.5)
    exchange.write(head_of(real), status=real.status)
    exchange.write(real.body[:keep])
    await asyncio.sleep(float(params.get("seconds", 3600)))
    if params.get("resume"):
        exchange.write(real.body[keep:])
        exchange.finish()
    else:
        exchange.connection.close()


async def _delay(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    await asyncio.sleep(float(params.get("seconds", 1)))
    exchange.send(_real(answer))


async def _redirect(exchange: Exchange, answer: Answer | None, params: Params) -> None:
    """`to`: inside | loop | hops | http | foreign, or any URL. `hops` counts for ``hops``."""
    to = str(params.get("to", "inside"))
    hop = int(exchange.params.get("hop", "0"))
    last = {"inside": 1, "hops": int(params.get("hops", 21))}.get(to)
    if last is not None and hop >= last:
        exchange.send(_real(answer))
        return
    path = quote(exchange.path)
    rest = "&".join(part for part in exchange.query.split("&") if part and not part.startswith("hop="))
    again = f"{path}?{rest + '&' if rest else ''}hop={hop + 1}"
    locations = {
        "inside": again,
        "hops": again,
        "loop": f"{path}?{exchange.query}" if exchange.query else path,
        "http": f"http://{exchange.host}{again}",
        "foreign": f"{exchange.scheme}://foreign.invalid{again}",
    }
    location = locations.get(to, to.replace("{path}", path))
    exchange.send(Answer(int(params.get("status", 302)), (("location", location),), b""))


EFFECTS: dict[str, Effect] = {
    "status": Effect(_status, needs_answer=False),
    "reset": Effect(_reset, needs_answer=False),
    "refuse": Effect(_refuse, needs_answer=False),
    "stall-headers": Effect(_stall_headers, needs_answer=False),
    "endless-headers": Effect(_endless_headers, needs_answer=False),
    "giant": Effect(_giant, needs_answer=False),
    "gzip-bomb": Effect(_gzip_bomb, needs_answer=False),
    "replace": Effect(_replace, needs_answer=False),
    "html": Effect(_html, needs_answer=False),
    "json": Effect(_json, needs_answer=False),
    "empty": Effect(_empty),
    "junk": Effect(_junk),
    "edit": Effect(_edit),
    "id3-only": Effect(_id3_only),
    "garble": Effect(_garble),
    "wrong-type": Effect(_wrong_type),
    "headers": Effect(_headers),
    "short": Effect(_short),
    "reset-mid": Effect(_reset_mid),
    "truncated-gzip": Effect(_truncated_gzip),
    "endless-chunks": Effect(_endless_chunks),
    "drip": Effect(_drip),
    "stall": Effect(_stall),
    "delay": Effect(_delay),
    "redirect": Effect(_redirect),
}

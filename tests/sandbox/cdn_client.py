"""A raw client for tests of the sandbox's own bytes: one request, everything that came back, however broken."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Seen:
    """What the socket gave. `is_reset` when the far side tore the connection; `is_open` when it went silent."""

    head: bytes = b""
    body: bytes = b""
    is_reset: bool = False
    is_open: bool = False

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1]) if self.head else 0

    def header(self, name: str) -> str:
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name:
                return value.strip()
        return ""

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def names(self) -> list[str]:
        """Entries of a playlist."""
        return [line for line in self.text.splitlines() if line and not line.startswith("#")]


def fetch(url: str, *, silence: float = 1.0, limit: int = 50_000_000, **headers: str) -> Seen:
    """GET; reads until the announced length, the end, a reset, `silence` seconds without a byte, or `limit` bytes."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    seen, data = Seen(), b""
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=silence) as sock:
        sock.sendall("\r\n".join(lines).encode())
        while len(data) < limit:
            try:
                part = sock.recv(1 << 18)
            except TimeoutError:
                seen.is_open = True
                break
            except ConnectionResetError:
                seen.is_reset = True
                break
            data += part
            if not part or _is_whole(data):
                break
    seen.head, _, seen.body = data.partition(b"\r\n\r\n")
    return seen


def _is_whole(data: bytes) -> bool:
    head, mark, body = data.partition(b"\r\n\r\n")
    if not mark:
        return False
    for line in head.decode("latin-1").lower().split("\r\n"):
        if line.startswith("content-length:"):
            return len(body) >= int(line.partition(":")[2])
    return False


def sibling(url: str, name: str) -> str:
    """The URL of another file in the same folder."""
    return url.partition("?")[0].rpartition("/")[0] + "/" + name


def split_segment(data: bytes) -> tuple[list[bytes], list[tuple[int, bytes]], int]:
    """Frames, tags as (frames before it, bytes), and bytes that are neither: a reader of the tests' own."""
    frames: list[bytes] = []
    tags: list[tuple[int, bytes]] = []
    at = rest = 0
    while at < len(data):
        if data[at : at + 3] == b"ID3" and all(b < 128 for b in data[at + 6 : at + 10]):
            size = 10 + sum(b << s for b, s in zip(data[at + 6 : at + 10], (21, 14, 7, 0), strict=True))
            tags.append((len(frames), data[at : at + size]))
            at += size
        elif data[at : at + 2] == b"\xff\xf1":
            size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
            frames.append(data[at : at + size])
            at += size
        else:
            at, rest = at + 1, rest + 1
    return frames, tags, rest

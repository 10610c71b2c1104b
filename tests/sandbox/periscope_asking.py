"""Raw clients for the tests of the Periscope side: urllib without redirects, a bare WebSocket, an encoder process."""

from __future__ import annotations

import base64
import html
import http.client
import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from hydrophone.testing import SandboxBox


@dataclass
class Said:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(url: str, method: str = "GET", body: Any = None, **headers: str) -> Said:
    """One request; redirects are shown, not followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=20)
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    if body is not None:
        named.setdefault("content-type", "application/json")
    connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), raw, named)
    answer = connection.getresponse()
    said = Said(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    connection.close()
    return said


def call(box: SandboxBox, name: str, *, post: bool = False, at: str = "periscope", **params: Any) -> Said:
    """A call of the web API, by GET or by POST."""
    url = f"{box.bases[at]}/api/v2/{name}"
    if post:
        return ask(url, "POST", params)
    return ask(f"{url}?{urlencode(sorted(params.items()))}")


def page(box: SandboxBox, path: str) -> Said:
    return ask(box.bases["pscp"] + quote(path, safe="/%@"))


def store_of(said: Said) -> Any:
    """The data store of a page, read as a browser would."""
    found = re.search(r'data-store=(["\'])(.*?)\1', said.text, re.S)
    assert found is not None
    return json.loads(html.unescape(found[2]))


def tokens_of(said: Said) -> dict[str, str]:
    public = store_of(said)["SessionToken"]["public"]
    return {kind: entry["token"]["session_id"] for kind, entry in public.items()}


def switch(box: SandboxBox, **changes: Any) -> None:
    box.control.ask("POST", "/periscope/switches", changes)


def sid(box: SandboxBox, user: str) -> str:
    return str(box.control.ask("POST", "/periscope/session", {"user": user})["sid"])


class Socket:
    """A WebSocket client of forty lines."""

    def __init__(self, url: str, **headers: str) -> None:
        parts = urlsplit(url)
        self._sock = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=10)
        key = base64.b64encode(os.urandom(16)).decode()
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._sock.sendall("\r\n".join([*lines, "", ""]).encode())
        self._file = self._sock.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        while self._file.readline() not in (b"\r\n", b""):
            pass

    def send(self, text: str, kind: int = 1) -> None:
        data, mask = text.encode(), os.urandom(4)
        size = len(data)
        head = bytes((0x80 | kind, 0x80 | (size if size < 126 else 126)))
        head += b"" if size < 126 else size.to_bytes(2, "big")
        self._sock.sendall(head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(data)))

    def receive(self) -> tuple[int, bytes]:
        """Kind and data of the next frame; (-1, b"") when the far side has gone."""
        head = self._file.read(2)
        if len(head) < 2:
            return -1, b""
        size = head[1] & 127
        if size >= 126:
            size = int.from_bytes(self._file.read(2 if size == 126 else 8), "big")
        return head[0] & 15, self._file.read(size)

    def close(self) -> None:
        self._file.close()
        self._sock.close()


ENCODER = """
import sys, time, av
from av.audio.resampler import AudioResampler
url, seconds, real = sys.argv[1], float(sys.argv[2]), sys.argv[3] == "real"
out = av.open(url, "w", format="flv")
video = out.add_stream("libx264", rate=15)
video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
video.options = {"preset": "ultrafast", "g": "15"}
audio = out.add_stream("aac", rate=44100)
audio.layout = "mono"
import array, math, hashlib
began = time.monotonic()
digest = hashlib.sha256()
sent = 0
def give(packet):
    global sent
    if packet.stream is audio and packet.size:
        digest.update(bytes(packet)); sent += 1
    out.mux(packet)
done = 0
for number in range(int(seconds * 15)):
    frame = av.VideoFrame(160, 90, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([number * 3 % 256]) * plane.buffer_size)
    frame.pts = number
    for packet in video.encode(frame):
        give(packet)
    while done * 1024 < (number + 1) * 44100 / 15:
        tone = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        tone.sample_rate, tone.pts = 44100, done * 1024
        pitch = 0.04 + 0.02 * (done // 43 % 3)
        wave = array.array("f", (0.4 * math.sin((done * 1024 + n) * pitch) for n in range(1024)))
        tone.planes[0].update(wave.tobytes())
        for packet in audio.encode(tone):
            give(packet)
        done += 1
    if real:
        time.sleep(max(0, began + number / 15 - time.monotonic()))
for stream in (video, audio):
    for packet in stream.encode(None):
        give(packet)
out.close()
print(sent, digest.hexdigest())
"""


def push(url: str, seconds: float, *, pace: str = "fast") -> tuple[int, str]:
    """Send a picture and a tone by RTMP. Returns how many AAC frames were sent, and their SHA-256.

    In a process of its own, because PyAV keeps the interpreter's lock while it shakes hands.
    """
    done = subprocess.run(
        [sys.executable, "-c", ENCODER, url, str(seconds), pace], capture_output=True, text=True, timeout=60, check=True
    )
    count, digest = done.stdout.split()
    return int(count), digest

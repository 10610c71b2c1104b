"""A real RTMP server for tests: FFmpeg's own, listening on loopback for one publisher after the other."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import av

KEY = "s3cret-stream-key"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Publication:
    """What one publisher sent, from its connection to its end."""

    codecs: list[str] = field(default_factory=list)
    audio: list[bytes] = field(default_factory=list)
    video: list[tuple[bytes, bool]] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    is_over: bool = False


class Sink:
    """Takes publishers on one port until it is closed. `stop_after` frames it hangs up on the first of them."""

    def __init__(self, port: int | None = None, *, stop_after: int | None = None, publishers: int = 1) -> None:
        self.port = port or free_port()
        self.url = f"rtmp://127.0.0.1:{self.port}/live/{KEY}"
        self.publications: list[Publication] = []
        self._stop_after, self._publishers = stop_after, publishers
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for _ in range(self._publishers):
            one = Publication()
            try:
                with av.open(self.url, "r", format="flv", options={"listen": "1"}, timeout=(20, 20)) as container:
                    one.codecs = sorted(stream.codec_context.name for stream in container.streams)
                    self.publications.append(one)
                    self._take(container, one)
            except av.FFmpegError:
                pass  # so a publisher's end looks to this server
            one.is_over = True
            self._stop_after = None

    def _take(self, container: av.container.InputContainer, one: Publication) -> None:
        for count, packet in enumerate(container.demux()):
            if not packet.size:
                continue
            if packet.stream.type == "audio":
                one.audio.append(bytes(packet))
                one.times.append(packet.dts or 0)
            else:
                one.video.append((bytes(packet), packet.is_keyframe))
            if self._stop_after is not None and count >= self._stop_after:
                return

    def wait(self, seconds: float = 20.0) -> Publication:
        """The last publication, when all are over."""
        self._thread.join(seconds)
        assert self.publications
        return self.publications[-1]


@contextmanager
def deaf_server() -> Iterator[str]:
    """The address of a server that accepts and then says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        yield f"rtmp://127.0.0.1:{server.getsockname()[1]}/live/{KEY}"


def until(condition: object, seconds: float = 10.0) -> bool:
    """Wait for a callable to become true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False

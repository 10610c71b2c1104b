"""Takes an encoder's RTMP and gives back MPEG-TS segments, in a process: ``python -m …periscope.ingest APP KEY DIR``.

FFmpeg, as PyAV brings it, is the RTMP server and the segmenter. It lives in a child process because PyAV keeps the
interpreter's lock while it opens an RTMP output: a server in the same process as an encoder would wait for itself for
ever.

The public ports are ours and are open before anything is said to an encoder; FFmpeg listens behind them, for one
publisher at a time. ``rtmps`` is the same with TLS in front. Progress goes to standard output, a JSON object per line:
``ports`` once, then ``begin``, ``segment`` (a file in DIR) and ``end`` for every publisher. It stops when standard
input closes.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
import ssl
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SEGMENT_SECONDS = 2
RELAY_BYTES = 65_536
LISTEN_TRIES = 100
GRACE_SECONDS = 1.0
LAST_SECONDS = 5.0
_print_lock = threading.Lock()


def tell(**facts: Any) -> None:
    """One line to the parent."""
    with _print_lock:
        sys.stdout.write(json.dumps(facts, separators=(",", ":")) + "\n")
        sys.stdout.flush()


class SegmentFile(io.BytesIO):
    """What the segmenter writes; segments go to disk in one go when they are closed, playlists are read for lengths."""

    def __init__(self, sink: Sink, name: str) -> None:
        super().__init__()
        self._sink, self._name = sink, name

    def close(self) -> None:
        if not self.closed:
            self._sink.closed(self._name, self.getvalue())
        super().close()


class Sink:
    """Turns the packets of one publisher into numbered segments."""

    def __init__(self, directory: Path, first: int) -> None:
        self._directory = directory
        self.next = first
        self._waiting: bytes | None = None

    def open(self, url: str, flags: int, options: Mapping[str, str]) -> SegmentFile:
        return SegmentFile(self, url)

    def closed(self, name: str, data: bytes) -> None:
        if name.endswith(".ts"):
            self._waiting = data
        elif self._waiting is not None:
            # The playlist is written after each segment; its last EXTINF is the length of that one.
            lengths = [line[8:].partition(",")[0] for line in data.decode().splitlines() if line.startswith("#EXTINF:")]
            self._give(self._waiting, float(lengths[-1]) if lengths else float(SEGMENT_SECONDS))
            self._waiting = None

    def _give(self, data: bytes, seconds: float) -> None:
        path = self._directory / f"{self.next}.ts"
        path.write_bytes(data)
        tell(event="segment", number=self.next, seconds=seconds, size_bytes=len(data), file=path.name)
        self.next += 1


def copy_packets(source: Any, sink: Sink) -> None:
    """Everything that the encoder sends, untouched, into segments that begin with a key frame."""
    import av

    options = {
        "hls_time": str(SEGMENT_SECONDS),
        "hls_list_size": "0",
        "hls_segment_filename": "%d.ts",
        "hls_flags": "independent_segments",
    }
    output = av.open("live.m3u8", "w", format="hls", options=options, io_open=sink.open)
    streams = {s.index: output.add_stream_from_template(s) for s in source.streams if s.type in ("audio", "video")}
    tell(event="begin", kinds=sorted(s.type for s in source.streams if s.index in streams))
    try:
        for packet in source.demux():
            if packet.dts is not None and packet.stream.index in streams:
                packet.stream = streams[packet.stream.index]
                output.mux(packet)
    except av.FFmpegError as problem:
        # The encoder hung up: FFmpeg calls that an input error, and it is the usual end.
        sys.stderr.write(f"publisher left: {problem}\n")
    finally:
        output.close()


class Listener:
    """FFmpeg as an RTMP server on a private port, for one publisher after the other."""

    def __init__(self, app: str, key: str, directory: Path) -> None:
        self._app, self._key, self._directory = app, key, directory
        self._next = 0
        self.refused = False

    def serve_one(self, port: int) -> None:
        """Wait for a publisher and take what it sends. Returns when it has left."""
        import av

        url = f"rtmp://127.0.0.1:{port}/{self._app}/{self._key}"
        sink = Sink(self._directory, self._next)
        self.refused = False
        try:
            with av.open(
                url,
                "r",
                format="flv",
                options={"listen": "1", "timeout": "15", "analyzeduration": "2000000"},
                timeout=(20.0, 20.0),
            ) as source:
                if not self.refused:
                    copy_packets(source, sink)
        except (av.FFmpegError, OSError) as problem:
            sys.stderr.write(f"no publisher: {problem}\n")
        self._next = sink.next
        tell(event="end", segments=self._next)


class Gate:
    """The public ports: each connection gets a listener of its own, one at a time."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._busy = asyncio.Lock()
        self._writer: asyncio.StreamWriter | None = None

    async def drain(self) -> None:
        """Let a publisher end who is about to; hang up on one who goes on; return when its last segment is told."""
        for patience in (GRACE_SECONDS, LAST_SECONDS):
            try:
                async with asyncio.timeout(patience), self._busy:
                    return
            except TimeoutError:
                if self._writer is not None:
                    self._writer.close()

    async def admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._busy.locked():  # somebody publishes already
            writer.close()
            return
        async with self._busy:
            self._writer = writer
            port = free_port()
            serving = asyncio.create_task(asyncio.to_thread(self._listener.serve_one, port))
            try:
                inner_reader, inner_writer = await connect(port)
                await relay(reader, writer, inner_reader, inner_writer)
            except OSError as problem:
                sys.stderr.write(f"relay: {problem}\n")
            finally:
                writer.close()
                await serving


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """To the listener, as soon as it listens."""
    for _ in range(LISTEN_TRIES):
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
    raise TimeoutError("the RTMP server did not begin to listen")


async def relay(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    inner_reader: asyncio.StreamReader,
    inner_writer: asyncio.StreamWriter,
) -> None:
    """Bytes both ways until the encoder, or the listener, hangs up."""
    await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer), return_exceptions=True)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(RELAY_BYTES):
            target.write(data)
            await target.drain()
    finally:
        target.close()


def watch_keys(listener: Listener) -> None:
    """FFmpeg does not refuse a wrong stream key, it only warns of it: so its warnings are listened to."""
    import logging

    import av.logging

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "Unexpected stream" in record.getMessage():
                listener.refused = True

    av.logging.set_level(av.logging.WARNING)
    logging.getLogger("libav").addHandler(Ear())


def tls_context() -> ssl.SSLContext:
    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


async def main(app: str, key: str, directory: Path) -> None:
    """Serve until standard input closes."""
    listener = Listener(app, key, directory)
    watch_keys(listener)
    gate = Gate(listener)
    plain = await asyncio.start_server(gate.admit, "127.0.0.1", 0)
    sealed = await asyncio.start_server(gate.admit, "127.0.0.1", 0, ssl=tls_context())
    ports = [server.sockets[0].getsockname()[1] for server in (plain, sealed)]
    tell(event="ports", rtmp=ports[0], rtmps=ports[1])
    await asyncio.to_thread(sys.stdin.read)
    plain.close()
    sealed.close()
    await gate.drain()
    os._exit(0)  # a listener that waits for its publisher would hold the interpreter up for twenty seconds


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))

"""Sends FLV tags to one RTMP address, as a program of its own: ``python -m hydrophone.media.pushing``.

It is a process apart because the media library connects and disconnects without letting any other thread of its process
run, and takes no deadline for it: inside Hydrophone, one dead address would stop everything. A process can be ended.

Standard input: one line of JSON (an `Order`), then FLV tags to the end. The address comes this way because it holds the
stream key, which must not stand among the arguments of a process. Standard output: one line of JSON for each report.
"""

from __future__ import annotations

import base64
import faulthandler
import io
import json
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import IO, Any
from urllib.parse import urlsplit

from hydrophone.errors import MediaError
from hydrophone.media.flv import Kind, Tag, TagReader

REPORT_SECONDS = 0.25
#: The library may hang for ever where nobody can interrupt it; then the process ends itself.
STUCK_SECONDS = 30.0
READ_BYTES = 1 << 14
_OPTIONS = {"flvflags": "no_duration_filesize", "flush_packets": "1", "max_interleave_delta": "500000"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Where to send and what. `setup` is the beginning of the stream as an FLV file, with a first frame of each kind.

    `connect_seconds` bounds connecting; `ca_file` names certificates to trust beside the system's, for rtmps.
    """

    url: str = field(repr=False)
    setup: bytes = field(repr=False)
    connect_seconds: float = 15.0
    ca_file: str | None = None

    def line(self) -> bytes:
        """As it goes over the pipe."""
        facts = {
            "url": self.url,
            "setup": base64.b64encode(self.setup).decode("ascii"),
            "connect_seconds": self.connect_seconds,
            "ca_file": self.ca_file,
        }
        return json.dumps(facts).encode("ascii") + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Order:
        """Read what `line` wrote."""
        facts = json.loads(line)
        return cls(**{**facts, "setup": base64.b64decode(facts["setup"])})


def main() -> int:
    """Follow the order on standard input. The exit code is 0 when every tag was sent."""
    # Ctrl-C on a terminal reaches every process there; the stream must be ended properly, by the end of the input.
    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    standard_input = sys.stdin.buffer
    order = Order.parse(standard_input.readline())
    try:
        push(order, standard_input, _print)
    except Exception as error:
        _print({"state": "failed", "reason": reason_of(error)})
        return 1
    return 0


def push(order: Order, tags: IO[bytes], report: Callable[[dict[str, Any]], None]) -> None:
    """Connect, send every tag, disconnect.

    Raises:
        MediaError: the setup is no stream.
        OSError: the address does not answer, refuses, or the connection is lost.
    """
    import av

    _arm(order.connect_seconds)
    check_certificate(order)
    with av.open(io.BytesIO(order.setup), "r", format="flv") as template:
        # No `with`: after an error, closing would try to send the rest.
        output = av.open(order.url, "w", format="flv", options=dict(_OPTIONS))
        outputs: dict[Kind, Any] = {
            Kind.VIDEO if stream.type == "video" else Kind.AUDIO: output.add_stream_from_template(stream)
            for stream in template.streams
        }
        if not outputs:
            raise MediaError("there is neither sound nor picture to send")
        output.start_encoding()
        report({"state": "connected"})
        _send(output, outputs, tags, report)
        output.close()
    faulthandler.cancel_dump_traceback_later()


def _send(output: Any, outputs: dict[Kind, Any], source: IO[bytes], report: Callable[[dict[str, Any]], None]) -> None:
    reader = TagReader(has_header=False)
    sent_ms = sent_bytes = 0
    told_at = time.monotonic()
    while data := _read_some(source):
        _arm(STUCK_SECONDS)
        for tag in reader.feed(data):
            if tag.kind is Kind.SCRIPT or tag.is_setup or tag.is_empty:
                continue
            output.mux(packet_of(tag, outputs[tag.kind]))
            sent_ms, sent_bytes = tag.at_ms, sent_bytes + len(tag.body)
            if time.monotonic() - told_at >= REPORT_SECONDS:
                told_at = time.monotonic()
                report({"state": "sending", "at_ms": sent_ms, "bytes": sent_bytes})
    _arm(STUCK_SECONDS)
    report({"state": "sent", "at_ms": sent_ms, "bytes": sent_bytes})


def packet_of(tag: Tag, output: Any) -> Any:
    """The tag's frame as the library wants it."""
    import av

    packet: Any = av.Packet(tag.payload)
    packet.time_base = Fraction(1, 1000)
    packet.dts, packet.pts = tag.at_ms, tag.shown_ms
    packet.is_keyframe = tag.is_key or tag.kind is Kind.AUDIO
    packet.stream = output
    return packet


def check_certificate(order: Order) -> None:
    """Connect once to see whether an rtmps server is who it says: the library itself takes any certificate.

    Raises:
        OSError: it is not, or does not answer.
    """
    parts = urlsplit(order.url)
    if parts.scheme != "rtmps" or parts.hostname is None:
        return
    context = ssl.create_default_context()
    if order.ca_file:
        context.load_verify_locations(order.ca_file)
    address = (parts.hostname, parts.port or 443)
    with socket.create_connection(address, timeout=order.connect_seconds) as plain:
        context.wrap_socket(plain, server_hostname=parts.hostname).close()


def reason_of(error: BaseException) -> str:
    """What went wrong, without the address: the library's messages hold it whole, with the stream key."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not good: {error.verify_message}"
    if isinstance(error, MediaError):
        return error.message
    return getattr(error, "strerror", None) or type(error).__name__


def _read_some(source: IO[bytes]) -> bytes:
    """What is there, or at least something; not more than that, or live frames would wait for a full buffer."""
    read1 = getattr(source, "read1", None)
    faulthandler.cancel_dump_traceback_later()  # the source may pause for as long as it likes
    data: bytes = read1(READ_BYTES) if read1 else source.read(READ_BYTES)
    return data


def _arm(seconds: float) -> None:
    """End this process when it has not come back in time. Works even while the library holds every thread."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=_nowhere())


@cache
def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY)


def _print(facts: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

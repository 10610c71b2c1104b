"""The bed: the sandbox as the API, nginx as an independent origin, and a relay that makes both far away.

Everything listens on loopback. The status call of the sandbox names the origin instead of the sandbox's own CDN, so
that Hydrophone is given a Space and everybody else the playlist, and all fetch the same files from the same server.
"""

from __future__ import annotations

import contextlib
import getpass
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import trustme

from bench.material import Export
from hydrophone.sandbox.scene import Scene
from hydrophone.testing.box import SandboxBox, sandbox

RELAY = Path(__file__).with_name("relay.py")
START_SECONDS = 20.0
#: What a recorder may ask besides the CDN, and what must therefore be as far away.
FAR_SERVICES = ("x", "guest", "proxsee", "abs", "avatar", "signer")

NGINX = """daemon off;
{user}worker_processes 1;
worker_rlimit_nofile 16384;
pid {work}/nginx.pid;
error_log {work}/error.log warn;
events {{ worker_connections 8192; }}
http {{
  types {{ application/vnd.apple.mpegurl m3u8; audio/aac aac; video/MP2T ts; }}
  default_type application/octet-stream;
  log_format moments '$msec $status $request_uri';
  access_log {log};
  client_body_temp_path {work}/body; proxy_temp_path {work}/proxy; fastcgi_temp_path {work}/fastcgi;
  uwsgi_temp_path {work}/uwsgi; scgi_temp_path {work}/scgi;
  sendfile on; tcp_nopush on; etag off;
  keepalive_requests 1000000; keepalive_timeout 300s;
  open_file_cache max=40000 inactive=600s; open_file_cache_valid 600s;
  server {{ listen 127.0.0.1:{port} backlog=4096; root {root};{more} }}
  server {{
    listen 127.0.0.1:{port2} ssl http2 backlog=4096; root {root};
    ssl_certificate {work}/server.pem; ssl_certificate_key {work}/server.pem;
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where segments come from. `secure` is the same over TLS, with HTTP/2 for those who want it."""

    name: str
    base: str
    secure: str = ""
    log: Path | None = None


@dataclass(slots=True)
class Bed:
    """One origin at one distance, with the API that leads there.

    `bases` are the addresses for Hydrophone, `delay_seconds` is half a round trip.
    """

    box: SandboxBox
    origin: Origin
    bases: Mapping[str, str]
    delay_seconds: float = 0.0
    exports: dict[str, Export] = field(default_factory=dict)

    def environment(self, folder: Path) -> dict[str, str]:
        """What leads Hydrophone here and nowhere else, without any memory of earlier runs."""
        return {
            "HYDROPHONE_PROVIDER": "sandbox",
            "HYDROPHONE_ENDPOINTS": json.dumps(dict(self.bases)),
            "HYDROPHONE_STATE_DIR": str(folder / "state"),
            "HYDROPHONE_CONFIG": os.devnull,
        }

    def url(self, export: Export) -> str:
        """The replay's address, as the status call names it."""
        return f"{self.origin.base}{export.path}?{export.query}"


# ---------------------------------------------------------------- parts


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def nginx(root: Path, work: Path, *, log: bool = False, more: str = "", program: str = "nginx") -> Iterator[Origin]:
    """The files below `root`, served by one worker of nginx."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    port, port2 = free_port(), free_port()
    access = work / "access.log"
    text = NGINX.format(
        user=f"user {getpass.getuser()};\n" if os.geteuid() == 0 else "",
        work=work,
        root=root,
        port=port,
        port2=port2,
        more=more,
        log=f"{access} moments buffer=256k flush=1s" if log else "off",
    )
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(work / "server.pem")
    config = work / "nginx.conf"
    config.write_text(text)
    with child([program, "-c", str(config), "-e", str(work / "error.log"), "-p", str(work)]):
        wait_for(port, work / "error.log")
        yield Origin("nginx", f"http://127.0.0.1:{port}", f"https://127.0.0.1:{port2}", access if log else None)


@contextlib.contextmanager
def relayed(delay: float, bases: Sequence[str]) -> Iterator[list[str]]:
    """The same addresses, farther away; a process of its own."""
    targets = [urlsplit(base).netloc for base in bases]
    with child([sys.executable, str(RELAY), str(delay), *targets], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ports: list[int] = json.loads(process.stdout.readline())
        yield [f"http://127.0.0.1:{port}" for port in ports]


@contextlib.contextmanager
def child(command: Sequence[str], *, stdout: int | None = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    """A process for the length of the block."""
    process = subprocess.Popen(list(command), stdout=stdout)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def wait_for(port: int, log: Path | None = None) -> None:
    """Return when somebody listens."""
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    said = log.read_text(errors="replace")[-500:] if log is not None and log.exists() else ""
    raise RuntimeError(f"nothing listens at port {port} {said}")


def round_trip(base: str, path: str = "/") -> float:
    """The median time of a small request on an open connection, in seconds."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    times = []
    for _ in range(11):
        began = time.perf_counter()
        connection.request("HEAD", path)
        connection.getresponse().read()
        times.append(time.perf_counter() - began)
    connection.close()
    return sorted(times)[len(times) // 2]


# ---------------------------------------------------------------- the whole


@contextlib.contextmanager
def made(
    root: Path,
    work: Path,
    *,
    scenes: Sequence[Scene] = (),
    origin: str = "nginx",
    delay_seconds: float = 0.0,
    say: Callable[[str], None],
) -> Iterator[Bed]:
    """A bed with these scenes loaded and their files written. `origin` is ``nginx`` or ``sandbox``."""
    exports = {scene.name: Export(root, scene) for scene in scenes}
    for export in exports.values():
        export.write(say)
    with contextlib.ExitStack() as stack:
        box = stack.enter_context(sandbox(isolated=True))
        place = Origin("sandbox", box.bases["cdn"])
        if origin == "nginx":
            place = stack.enter_context(nginx(root, work / "nginx"))
        near = {**box.bases, "cdn": place.base}
        names = [*FAR_SERVICES, "cdn"]
        addresses = [near[name] for name in names] + [place.secure or place.base]
        if delay_seconds:
            addresses = stack.enter_context(relayed(delay_seconds, addresses))
        *far, secure = addresses
        bases = {**near, **dict(zip(names, far, strict=True))}
        bed = Bed(
            box, Origin(place.name, bases["cdn"], secure.replace("http:", "https:")), bases, delay_seconds, exports
        )
        for scene in scenes:
            load(bed, scene)
        yield bed


def load(bed: Bed, scene: Scene) -> None:
    """Put a scene into the sandbox; its status call names the bed's origin."""
    bed.box.control.load(scene)
    bed.box.control.clear_faults()
    bed.box.control.inject(
        kind="edit",
        service="x",
        path="live_video_stream/status",
        find=bed.box.bases["cdn"].replace(".", r"\."),
        put=bed.bases["cdn"],
    )

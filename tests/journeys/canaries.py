"""Secrets that cannot be mistaken for anything else, and the search for them in whatever a recorder lets out."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

OWN_ID = "1799417239905551234"

#: Name to value. The stream key is the address of the audio itself: the CDN has to be told it, and nobody else.
CANARIES: Mapping[str, str] = {
    "auth_token": "canaryauthtoken5d1f7ac3b09e8244716c0a95",
    "ct0": "canaryct0" + "9b42e71c" * 18,
    "chat token": "eyJhbGciOiJIUzI1NiJ9.canaryChatTokenQx71Zb.sig0Canary",
    "lifecycle token": "eyJhbGciOiJIUzI1NiJ9.canaryLifeTokenKw93Jd.sig1Canary",
    "stream key": "canaryStreamKey_" + "Zt8Rq2Lm9X" * 7,
    "own account id": OWN_ID,
    "own handle": "canary_archivist",
    "proxy password": "canaryProxyPass-77ZqLw",
}
COOKIES = "\n".join(
    (
        "# Netscape HTTP Cookie File",
        f".x.com\tTRUE\t/\tTRUE\t4102444800\tauth_token\t{CANARIES['auth_token']}",
        f".x.com\tTRUE\t/\tTRUE\t4102444800\tct0\t{CANARIES['ct0']}",
        f".x.com\tTRUE\t/\tTRUE\t4102444800\ttwid\tu%3D{OWN_ID}",
        "",
    )
)


def disguises(value: str) -> tuple[bytes, ...]:
    """The forms in which a value could be somewhere: plain, escaped, as hex, in base64 of any alignment."""
    raw = value.encode()
    forms = {raw, quote(value, safe="").encode(), raw.hex().encode(), raw[::-1]}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        # The ends depend on the neighbours; what is between does not.
        forms.add(coded[4 if shift else 0 : -4])
    return tuple(forms)


def canaries_in(data: bytes, secrets: Mapping[str, str] = CANARIES) -> set[str]:
    """The names of the secrets that are in there, in any disguise."""
    return {name for name, value in secrets.items() if any(form in data for form in disguises(value))}


@dataclass
class Haul:
    """What was let out: for each sink, pieces with the place they are from."""

    sinks: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)

    def put(self, sink: str, place: str, data: bytes | str) -> None:
        raw = data.encode() if isinstance(data, str) else data
        self.sinks.setdefault(sink, []).append((place, raw))

    def put_files(self, sink: str, paths: Iterable[Path]) -> None:
        for path in paths:
            if path.is_file():
                self.put(sink, str(path), path.read_bytes())

    def finds(self, sink: str, secrets: Mapping[str, str]) -> dict[str, set[str]]:
        """Where in this sink secrets are, and which."""
        found = {place: canaries_in(data, secrets) for place, data in self.sinks.get(sink, ())}
        return {place: names for place, names in found.items() if names}


def request_text(row: Mapping[str, Any]) -> str:
    """A row of the sandbox's ledger as what was sent."""
    headers = "\n".join(f"{name}: {value}" for name, value in row["headers"])
    return f"{row['method']} {row['host']}{row['path']}?{row['query']}\n{headers}\n\n{row['body']}"


class Commands:
    """Runs the command in processes of their own, all it says recorded, its arguments watched from outside."""

    def __init__(self, haul: Haul, environment: Mapping[str, str], folder: Path) -> None:
        self.haul = haul
        self._environment = environment
        self._folder = folder
        self._pids: set[int] = set()

    def run(self, sink: str, *words: str, more: Mapping[str, str] | None = None, given: str = "") -> int:
        """One command; what it says goes into the sinks ``SINK stdout`` and ``SINK stderr``. Returns the exit code."""
        with self._started(words, more) as process:
            out, err = process.communicate(given, timeout=100)
        self._keep(sink, words, out, err)
        return process.returncode

    def run_until(self, sink: str, word: str, *words: str) -> int:
        """The same, ended by Ctrl-C when its output says `word`."""
        with self._started(words, None) as process:
            watchdog = threading.Timer(60, process.kill)
            watchdog.start()
            lines = []
            for line in process.stdout or ():
                lines.append(line)
                if word in line:
                    break
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
            watchdog.cancel()
        self._keep(sink, words, "".join(lines) + out, err)
        return process.returncode

    def run_answering(self, sink: str, hear: Callable[[str], None], *words: str, given: str) -> int:
        """The same, with each line of stderr told as it comes."""
        with self._started(words, None) as process:
            watchdog = threading.Timer(100, process.kill)
            watchdog.start()
            assert process.stdin is not None
            process.stdin.write(given)
            process.stdin.close()
            lines = []
            for line in process.stderr or ():
                lines.append(line)
                hear(line)
            out = process.stdout.read() if process.stdout else ""
            process.wait(30)
            watchdog.cancel()
        self._keep(sink, words, out, "".join(lines))
        return process.returncode

    def _keep(self, sink: str, words: Sequence[str], out: str, err: str) -> None:
        place = " ".join(words)
        self.haul.put(f"{sink} stdout", place, out)
        self.haul.put(f"{sink} stderr", place, err)

    @contextlib.contextmanager
    def _started(self, words: Sequence[str], more: Mapping[str, str] | None) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "hydrophone", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self._folder,
            env={**self._environment, **(more or {})},
        )
        self._pids.add(process.pid)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            self._pids.discard(process.pid)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Within the block, the arguments of all processes are sampled, as any local user could."""
        done = threading.Event()

        def look() -> None:
            seen: set[bytes] = set()
            while not done.wait(0.03):
                for pid in tuple(self._pids):
                    seen |= set(_arguments(pid))
            for line in seen:
                self.haul.put("process arguments", "/proc", line)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _arguments(pid: int) -> Iterator[bytes]:
    """The arguments of a process and of its children."""
    root = Path("/proc") / str(pid)
    with contextlib.suppress(OSError, ValueError):
        yield (root / "cmdline").read_bytes()
        for child in (root / "task" / str(pid) / "children").read_text().split():
            yield from _arguments(int(child))


def environment(folder: Path, proxy_url: str, ca_file: Path) -> dict[str, str]:
    """An environment in which everything that a user may set is set, and temporary files are found again."""
    for name in ("home", "tmp", "state"):
        (folder / name).mkdir(parents=True)
    cookies = folder / "home" / "cookies.txt"
    cookies.write_text(COOKIES)
    cookies.chmod(0o600)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HYDROPHONE_", "XDG_"))}
    scheme, _, host = proxy_url.partition("://")
    return {
        **kept,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "HYDROPHONE_ARCHIVE": str(folder / "archive"),
        "HYDROPHONE_STATE_DIR": str(folder / "state"),
        "HYDROPHONE_COOKIES": str(cookies),
        "HYDROPHONE_PROXY": f"{scheme}://porter:{CANARIES['proxy password']}@{host}",
        "HYDROPHONE_CA_FILE": str(ca_file),
    }


def typed_login() -> str:
    """The two cookies as `auth login` reads them from a pipe."""
    return f"{CANARIES['auth_token']}\n{CANARIES['ct0']}\n"


def tokens_given(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Secrets that the service made up in the course of it, by what they are: guest tokens, newer ct0."""
    found: dict[str, str] = {}
    for row in rows:
        for name, value in row["headers"]:
            if name.lower() in ("x-guest-token", "x-csrf-token") and value != CANARIES["ct0"]:
                found[f"{name.lower()} {value[:6]}"] = value
    return found

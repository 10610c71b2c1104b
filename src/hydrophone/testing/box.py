"""Starts a sandbox for the length of a ``with`` block: in a thread of this process, or as a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydrophone.sandbox.export import write_export
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.scenefile import read_scene
from hydrophone.sandbox.server import serve
from hydrophone.sandbox.space_chat.truth import TrueCue, true_cues, true_turns
from hydrophone.sandbox.truth import true_frames
from hydrophone.sandbox.world import World
from hydrophone.testing.control import ControlRoom

START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SandboxBox:
    """A running sandbox. `bases` maps service names to base URLs.

    `proxy_url` and `ca_file` (what to trust) are there when it was started with a proxy.
    """

    bases: Mapping[str, str]
    control: ControlRoom
    proxy_url: str = ""
    ca_file: Path | None = None

    def scene(self, name: str) -> Scene:
        """A loaded scene by name or id, on the clock."""
        return read_scene(self.control.show(name)["scene"])

    def link(self, name: str) -> str:
        """What a user would paste: the canonical URL of the scene."""
        scene = self.scene(name)
        return f"https://x.com/i/{'broadcasts' if scene.kind.value == 'broadcast' else 'spaces'}/{scene.id}"

    def stream_url(self, name: str) -> str | None:
        """The playlist that the status call names now, None where it answers 404."""
        shown = self.control.show(name)
        url: str | None = shown["live_url"] or shown["replay_url"]
        return url

    def ledger(self, name: str, **options: Any) -> dict[str, Any]:
        """`ControlRoom.ledger` by name."""
        return self.control.ledger(self.control.show(name)["id"], **options)

    def true_frames(self, name: str) -> list[bytes]:
        """The ADTS frames that a perfect recording of an audio scene holds, in order."""
        return list(true_frames(self.scene(name)))

    def true_cues(self, name: str) -> list[TrueCue]:
        """Who said what, when: every sentence of a Space that has an end, by position and by the clock of the audio."""
        return list(true_cues(self.scene(name)))

    def true_turns(self, name: str) -> list[tuple[str, float, float]]:
        """Who is heard from where to where, as (handle, begin, end): what diarisation is held against."""
        return true_turns(self.scene(name))

    def export(self, path: Path, *names: str, **options: Any) -> Path:
        """The export of the host's data with these Spaces, as a ZIP file; see `hydrophone.sandbox.export`."""
        return write_export(path, [self.scene(name) for name in names], **options)

    def chat_ledger(self, name: str) -> dict[str, Any]:
        """What a Space's chat has told by now: counts of `kinds`, and the uuids of `captions` and of `others`."""
        found: dict[str, Any] = self.control.ask("GET", f"/chat/ledger?space={self.control.show(name)['id']}")
        return found


@contextmanager
def sandbox(
    *more: Scene | str,
    scenes: Iterable[Scene | str] = (),
    speed: float = 1.0,
    isolated: bool = False,
    proxy: bool = False,
    ports: Mapping[str, int] | None = None,
) -> Iterator[SandboxBox]:
    """A sandbox with these scenes, shipped ones by name. `speed` is scene seconds per real second.

    `isolated` runs it in a process of its own, so that a test's load does not slow it; `ports` have no effect then.
    """
    started = _process(speed, proxy) if isolated else _thread(speed, proxy, dict(ports or {}))
    with started as bases, tempfile.TemporaryDirectory(prefix="hydrophone-sandbox-") as folder:
        control = ControlRoom(bases["control"])
        box = SandboxBox(bases, control)
        if proxy:
            proxy_url, ca_pem = control.proxy()
            ca_file = Path(folder) / "ca.pem"
            ca_file.write_text(ca_pem, encoding="ascii")
            box = SandboxBox(bases, control, proxy_url or "", ca_file)
        for scene in (*more, *scenes):
            box.control.load(scene)
        yield box


@contextmanager
def _thread(speed: float, proxy: bool, ports: dict[str, int]) -> Iterator[Mapping[str, str]]:
    ready = threading.Event()
    bases: dict[str, str] = {}
    problems: list[BaseException] = []
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def on_ready(world: World) -> None:
        bases.update(world.bases)
        ready.set()

    async def run() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        await serve((), speed=speed, proxy=proxy, ports=ports, on_ready=on_ready, until=stop.wait())

    def main() -> None:
        try:
            asyncio.run(run())
        except BaseException as problem:  # handed over to the thread that waits
            problems.append(problem)
        finally:
            ready.set()

    thread = threading.Thread(target=main, name="hydrophone-sandbox", daemon=True)
    thread.start()
    ready.wait(START_SECONDS)
    if problems:
        raise problems[0]
    try:
        yield bases
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(START_SECONDS)


@contextmanager
def _process(speed: float, proxy: bool) -> Iterator[Mapping[str, str]]:
    command = [sys.executable, "-m", "hydrophone.sandbox", "--json", "--speed", str(speed)]
    command += ["--proxy"] if proxy else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - nothing of it comes from outside
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the sandbox did not start: exit code {process.wait()}")
        yield json.loads(line)["bases"]
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

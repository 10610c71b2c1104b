"""Broadcasts that come in by RTMP: the process that takes them, the segments it made, the scene that they become."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import math
import sys
import tempfile
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydrophone.sandbox.cdn_video import LIVE_MASTER, REPLAY_MASTER, VideoShelf
from hydrophone.sandbox.periscope.shelf import LIVE_NAME
from hydrophone.sandbox.periscope.words import broadcast_id, opaque
from hydrophone.sandbox.playlists import dated
from hydrophone.sandbox.scene import Audience, Kind, Person, Scene, State
from hydrophone.sandbox.shelf import SEGMENT_NAME, SNAPSHOT_NAME, Found, PlaylistFile, SegmentFile
from hydrophone.sandbox.world import World

WINDOW = 5
START_SECONDS = 30.0
DRAIN_SECONDS = 10.0
TIMEOUT_SECONDS = 320.0  #: a producer that vanished is given up after so long
AFTERWARDS_US = 600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Part:
    """One segment that an encoder sent."""

    number: int
    name: str
    seconds: float
    dated_us: int
    path: Path
    is_break: bool  #: the first one of another publisher


class Push:
    """One broadcast that waits for an encoder, or has one. Its scene is replaced as it goes on."""

    def __init__(self, world: World, scene: Scene, owner: Person, app: str, stream_name: str) -> None:
        self.world = world
        self.scene = scene
        self.owner = owner
        self.app = app
        self.stream_name = stream_name
        self.parts: list[Part] = []
        self.ports: Mapping[str, int] = {}
        self.has_posted = False  #: publishing it wrote a post on X
        self._directory = tempfile.TemporaryDirectory(prefix="hydrophone-ingest-")
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._reader: asyncio.Task[None] | None = None
        self._publishers = 0
        self._is_break = False

    # ------------------------------------------------------------ the encoder's side

    async def open(self) -> None:
        """Start the process; when this returns its ports are open."""
        command = [sys.executable, "-m", "hydrophone.sandbox.periscope.ingest"]
        self._process = await asyncio.create_subprocess_exec(
            *command,
            self.app,
            self.stream_name,
            self._directory.name,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        told = await asyncio.wait_for(self._line(), START_SECONDS)
        self.ports = {"rtmp": told["rtmp"], "rtmps": told["rtmps"]}
        self._reader = self._spawn(self._listen())

    def close(self) -> None:
        """Hang up on everybody and forget the segments."""
        for task in self._tasks:
            task.cancel()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process = None
        self._directory.cleanup()

    async def drain(self) -> None:
        """No more media: returns when the last segment of an encoder that has ended, or is made to, is here."""
        self.hang_up()
        if self._reader is not None:
            await asyncio.wait({self._reader}, timeout=DRAIN_SECONDS)

    def hang_up(self) -> None:
        """No more media; what came stays."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    async def _line(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise ConnectionResetError("the RTMP process has gone")
        told: dict[str, Any] = json.loads(line)
        return told

    async def _listen(self) -> None:
        with contextlib.suppress(ConnectionResetError):
            while True:
                told = await self._line()
                if told["event"] == "segment":
                    self._take(told)
                elif told["event"] == "begin":
                    self._publishers += 1
                    self._is_break = bool(self.parts)
                elif self.parts and self.is_running:
                    self._spawn(self._give_up(self._publishers))

    def _take(self, told: Mapping[str, Any]) -> None:
        seconds = float(told["seconds"])
        dated_us = self.world.clock.now_us() - round(seconds * 1_000_000)
        name = f"chunk_{dated_us * 1000 - 3_990_000_000}_{told['number']}_a.ts"
        path = Path(self._directory.name) / str(told["file"])
        self.parts.append(Part(int(told["number"]), name, seconds, dated_us, path, self._is_break))
        self._is_break = False

    async def _give_up(self, publishers: int) -> None:
        """When nobody comes back, the broadcast has timed out."""
        due_us = self.world.clock.now_us() + round(TIMEOUT_SECONDS * 1_000_000)
        while self.world.clock.now_us() < due_us:  # noqa: ASYNC110 - scene time jumps, and no event tells of it
            await asyncio.sleep(0.05)
        if self.is_running and self._publishers == publishers:
            self.stop(outcome=State.TIMED_OUT)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # ------------------------------------------------------------ the scene's side

    @property
    def state(self) -> State:
        return self.scene.state_at(self.world.now())

    @property
    def is_running(self) -> bool:
        return self.state is State.RUNNING

    def publish(self, title: str, *, posts: bool) -> None:
        self.has_posted = posts
        self._become(title=title, started=self._since_origin())

    def stop(self, *, outcome: State = State.ENDED) -> None:
        """It ends now. One that was never published ends all the same."""
        started = self.scene.started if self.scene.started is not None else self._since_origin() - 1.0
        elapsed = self._since_origin() - started
        count = max(1, int(elapsed // 2))
        self._become(started=started, seconds=2.0 * count, closing_seconds=elapsed - 2.0 * count, outcome=outcome)
        self.hang_up()

    def delete(self) -> None:
        told = dict(self.scene.extra["periscope"]) | {"deleted": True}
        self._become(extra={"periscope": told})
        self.hang_up()

    def _since_origin(self) -> float:
        origin_at = self.scene.origin_at or self.world.now()
        return (self.world.now() - origin_at).total_seconds()

    def _become(self, **changes: Any) -> None:
        self.scene = self.world.load(replace(self.scene, **changes))


class Pushes:
    """All of them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pushes: dict[str, Push] = {}

    async def create(self, owner: Person, *, region: str, app: str = "x", source: str = "producer") -> Push:
        """A broadcast that does not run yet, with an open port for its encoder."""
        number = len(self._pushes)
        stream_name = opaque("c", 16).lower().replace("-", "7") if app == "x" else ""
        scene = Scene(
            name=f"pushed-{number}",
            id=broadcast_id("pushed", owner.handle, number, self._world.clock.now_us()),
            title="",
            kind=Kind.BROADCAST,
            people=(owner,),
            created=0.0,
            started=None,
            seconds=None,
            audio_lead_seconds=0.0,
            closing_seconds=0.0,
            region=region,
            audience=(Audience(at=0, listeners=3, total=5),),
            extra={"periscope": {"pushed": True, "source": source, "chat": "none"}},
        )
        placed = self._world.load(scene)
        push = Push(self._world, placed, owner, app, stream_name or placed.stream_key)
        self._pushes[placed.id] = push
        self._world.on_close(push.close)
        await push.open()
        return push

    def find(self, wanted: str) -> Push | None:
        return self._pushes.get(wanted)

    def unpublished(self, owner: Person) -> Push | None:
        """One that its owner has not published yet; it is handed out again."""
        waiting = (p for p in self._pushes.values() if p.owner is owner and p.state is State.NOT_STARTED)
        return next((p for p in waiting if not p.scene.extra["periscope"].get("deleted")), None)

    def all(self) -> tuple[Push, ...]:
        return tuple(self._pushes.values())


def pushes_of(world: World) -> Pushes:
    return world.room(Pushes, lambda: Pushes(world))


# ---------------------------------------------------------------- the CDN's side


class PushedShelf(VideoShelf):
    """The files of a broadcast that came in by RTMP: every name of a list is the one quality that there is."""

    def __init__(self, world: World, scene: Scene) -> None:
        super().__init__(scene, world.timeline(scene.id), world.ledger)
        self._push = pushes_of(world).find(scene.id)

    def find(
        self, name: str, *, token: str, is_audio: bool, params: Mapping[str, str], now_us: int, x_base: str = ""
    ) -> Found:
        """The file of that name now, or an error status."""
        parts = self._push.parts if self._push else []
        if SEGMENT_NAME.fullmatch(name):
            found = next((part for part in parts if part.name == name), None)
            return 404 if found is None else SegmentFile(found.path.read_bytes(), "video/MP2T")
        is_over = self.timeline.ended_us <= now_us
        if LIVE_NAME.fullmatch(name) or LIVE_MASTER.fullmatch(name):
            if not parts or now_us > self.timeline.ended_us + AFTERWARDS_US:
                return 404
            return self._list(parts[-WINDOW:], "live", parts, now_us, is_over=is_over)
        if (SNAPSHOT_NAME.fullmatch(name) or REPLAY_MASTER.fullmatch(name)) and parts:
            return self._list(parts, "replay", parts, now_us, is_over=is_over)
        return 404

    def _list(self, shown: list[Part], query: str, parts: list[Part], now_us: int, *, is_over: bool) -> Found:
        is_live = query == "live"
        longest = max(math.ceil(part.seconds) for part in parts)
        self.ledger.listed(self.scene.id, query, shown[0].number, shown[-1].number, now_us)
        lines = ["#EXTM3U", f"#EXT-X-VERSION:{6 if is_live else 3}", f"#EXT-X-TARGETDURATION:{longest}"]
        lines += ["#EXT-X-PLAYLIST-TYPE:VOD"] if is_over and not is_live else []
        breaks = sum(part.is_break for part in parts if part.number < shown[0].number)
        lines += ["#EXT-X-INDEPENDENT-SEGMENTS", f"#EXT-X-MEDIA-SEQUENCE:{shown[0].number}"]
        lines += [f"#EXT-X-DISCONTINUITY-SEQUENCE:{breaks}"]
        for part in shown:
            lines += ["#EXT-X-DISCONTINUITY"] if part.is_break else []
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{dated(part.dated_us)}")
            lines += [f"#EXTINF:{part.seconds:.3f},", f"{part.name}?type={query}"]
        lines += ["#EXT-X-ENDLIST"] if is_over else []
        return PlaylistFile(("\n".join(lines) + "\n").encode(), is_live=is_live)

    def own_ledger(self, *, with_digests: bool) -> dict[str, Any]:
        """What came in, for the control room."""
        parts = self._push.parts if self._push else []
        rows: list[dict[str, Any]] = []
        for part in parts:
            row: dict[str, Any] = {"place": part.number, "sequence": part.number, "name": part.name}
            row |= {"seconds": part.seconds, "is_available": True, "is_break": part.is_break}
            if with_digests:
                row["payload_sha256"] = hashlib.sha256(part.path.read_bytes()).hexdigest()
            rows.append(row)
        return {
            "space": self.scene.id,
            "state": self._push.state.value if self._push else "",
            "total": len(parts),
            "segments": rows,
            "seconds": sum(part.seconds for part in parts),
        }

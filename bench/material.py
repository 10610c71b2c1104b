"""What is recorded in the bench: scenes of any length that share their segments, written out as plain files.

A scene is cut on a fixed day, so that its files are the same on every machine and in every run; they are made once and
kept. All lengths of the audio Space are the beginning of the longest: the same names, the same bytes (linked, not
copied), a folder and a playlist for each.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from hydrophone.sandbox.cdn import FILE_PATH, replay_stream_url, shelf_of, warm_up
from hydrophone.sandbox.clock import to_us
from hydrophone.sandbox.playlists import stream_root
from hydrophone.sandbox.scene import Kind, Person, Scene, invented_id, invented_stream_key, taking_turns
from hydrophone.sandbox.shelf import PlaylistFile
from hydrophone.sandbox.timeline import Timeline
from hydrophone.sandbox.world import World

BEGAN_AT = datetime(2025, 6, 1, 18, 0, tzinfo=UTC)
LONGEST_HOURS = 16.0
READY = ".ready"


def space(hours: float) -> Scene:
    """The audio Space, ended, of that length."""
    return Scene.live(
        "the-bench",
        seconds=hours * 3600,
        id=invented_id("bench"),
        stream_key=invented_stream_key("bench"),
        media_key="28_1929248613000000001",
        region=f"bench-{round(hours * 3600)}",  # is part of every path
        turns=taking_turns(_people(), LONGEST_HOURS * 3600),
        people=_people(),
        origin_at=BEGAN_AT,
        since=0.0,
    )


def broadcast(minutes: float) -> Scene:
    """The video broadcast, ended, of that length, in one quality."""
    return Scene.live(
        "the-bench-video",
        kind=Kind.BROADCAST,
        seconds=minutes * 60,
        id=invented_id("bench-video"),
        stream_key=invented_stream_key("bench-video"),
        media_key="28_1929248613000000002",
        people=_people(),
        origin_at=BEGAN_AT,
        since=0.0,
    )


@lru_cache(maxsize=1)
def _people() -> tuple[Person, ...]:
    return (
        Person.invent("ada_keel", "Ada Keel", role="creator", voice=1, followers=3100),
        Person.invent("jon_spar", "Jon Spar", role="host", voice=2),
        Person.invent("ivy_hull", "Ivy Hull", role="speaker", voice=3, comes=9.0),
    )


class Export:
    """The files of a scene below `root`, as the CDN names them; `path` is that of the replay's playlist."""

    def __init__(self, root: Path, scene: Scene) -> None:
        self.scene = scene
        self.root = root
        self._world = World()
        self._world.bases.update(dict.fromkeys(("cdn", "x"), "http://cdn.invalid"))
        self._placed = self._world.load(scene)
        url = replay_stream_url(self._world, self._placed)
        assert url is not None, "the scene has ended long ago"
        self.path = urlsplit(url).path
        self.query = urlsplit(url).query

    @property
    def segments(self) -> list[Path]:
        """The segments of the playlist that a program would choose, in order."""
        return [self.root / path.lstrip("/") for path in self._chosen()]

    @property
    def media_playlist(self) -> str:
        """The path of the list that names segments: the replay itself (audio), or its best variant (video)."""
        if not self.scene.is_video:
            return self.path
        lines = (self.root / self.path.lstrip("/")).read_text().splitlines()
        return urlsplit(next(line for line in lines if line.startswith("/"))).path

    def _chosen(self) -> Iterator[str]:
        playlist = self.media_playlist
        for line in (self.root / playlist.lstrip("/")).read_text().splitlines():
            if line and not line.startswith("#"):
                yield urlsplit(urljoin(playlist, line)).path

    def write(self, say: Callable[[str], None]) -> None:
        """Write what is not there yet: playlists, and the segments that they name."""
        mark = self.root / f"{READY}-{self.scene.id}-{round(self.scene.seconds or 0)}"
        if mark.exists():
            return
        began = time.monotonic()
        warm_up(self._placed)
        todo = [self.path, urljoin(self.path, "master_playlist.m3u8")]
        seen: set[str] = set()
        made = 0
        while todo:
            path = todo.pop()
            if path in seen:
                continue
            seen.add(path)
            target = self.root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if self._is_linked(target):
                continue
            body, is_playlist = self._file(path, "type=replay" if path == self.path else "")
            if body is None:
                continue
            target.write_bytes(body)
            made += 1
            if is_playlist:
                lines = (line for line in body.decode().splitlines() if line and not line.startswith("#"))
                for name in lines:
                    found = urlsplit(urljoin(path, name)).path
                    if found not in seen and not (self.root / found.lstrip("/")).is_file():
                        todo.append(found)
        mark.touch()
        say(f"made {made} files of {self.scene.name} in {time.monotonic() - began:.0f} s")

    def _is_linked(self, target: Path) -> bool:
        """Audio segments of another length are used again: their names tell them apart."""
        if self.scene.is_video or not target.name.startswith("chunk_") or "/non_transcode/" not in target.as_posix():
            return False
        pool = self.root / "segments" / target.name
        pool.parent.mkdir(exist_ok=True)
        if not pool.exists():
            body, _ = self._file("/" + target.relative_to(self.root).as_posix(), "")
            assert body is not None, target
            pool.write_bytes(body)
        target.unlink(missing_ok=True)
        target.hardlink_to(pool)
        return True

    def _file(self, path: str, query: str) -> tuple[bytes | None, bool]:
        """What the sandbox would serve at that path."""
        match = re.fullmatch(FILE_PATH, path)
        assert match is not None, path
        found = shelf_of(self._world, self._placed).find(
            match["name"],
            token=match["token"] or "",
            is_audio=bool(match["audio"]),
            params={"type": "replay"} if query or self.scene.is_video else {},
            now_us=to_us(datetime.now(UTC)),
            x_base="http://x.invalid",
        )
        if isinstance(found, int):
            return None, False
        return found.body, isinstance(found, PlaylistFile)


def live_pieces(scene: Scene, count: int) -> list[tuple[str, str, str]]:
    """For each of the first `count` segments: date, EXTINF and name, as a live list spells them."""
    timeline = Timeline(scene)
    pieces = (timeline.piece(place) for place in range(count))
    return [
        (f"{BEGAN_AT + timedelta(microseconds=p.dated_us - to_us(BEGAN_AT)):%Y-%m-%dT%H:%M:%S.000Z}", p.extinf, p.name)
        for p in pieces
    ]


def live_root(scene: Scene) -> str:
    """The folder of a scene's live stream in URLs."""
    return stream_root(scene, "non_transcode")


def forget(root: Path) -> None:
    """Remove everything that was made."""
    shutil.rmtree(root, ignore_errors=True)

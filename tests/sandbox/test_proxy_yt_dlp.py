"""The unmodified yt-dlp package, behind the proxy: it describes a Space and a broadcast, and downloads the latter."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hydrophone.sandbox.proxy import write_ca_file
from hydrophone.sandbox.scene import Kind, Scene, VideoVariant
from x_visiting import CT0, Visitor, visiting

pytestmark = pytest.mark.skipif(importlib.util.find_spec("yt_dlp") is None, reason="yt-dlp is not installed")

SMALL = (VideoVariant(width=160, height=90, kbps=120),)
OVER = Scene.ended("a Space that is over", seconds=30.0, user_shape="legacy")
RUNNING = Scene.live("a Space on air", user_shape="legacy")
SOON = Scene.live("a Space to come", started=None, scheduled=900.0, user_shape="legacy")
CLOSED = Scene.ended("for members", guest_allowed=False, user_shape="legacy")
CAMERA = Scene.ended("the harbour camera", kind=Kind.BROADCAST, seconds=12.0, variants=SMALL)


@dataclass
class Program:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


@dataclass
class Desk:
    """A machine with yt-dlp on it."""

    visitor: Visitor
    folder: Path

    async def yt_dlp(self, *words: str) -> Program:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "yt_dlp", "--ignore-config", "--no-cache-dir", "--retries", "0"),
            *("--proxy", self.visitor.world.bases["proxy"], "--compat-options", "no-certifi", *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "SSL_CERT_FILE": str(self.folder / "ca.pem")},
        )
        out, err = await process.communicate()
        return Program(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with visiting(OVER, RUNNING, SOON, CLOSED, CAMERA, proxy=True) as visitor:
        write_ca_file(tmp_path / "ca.pem")
        yield Desk(visitor, tmp_path)


@pytest.mark.parametrize(("scene", "live_status"), [(OVER, "was_live"), (RUNNING, "is_live")])
async def test_yt_dlp_describes_a_space(desk: Desk, scene: Scene, live_status: str) -> None:
    info = (await desk.yt_dlp("-J", f"https://x.com/i/spaces/{scene.id}")).json
    placed = desk.visitor.world.scene(scene.id)
    assert placed is not None
    assert placed.started_at is not None
    assert info["id"] == scene.id
    assert info["title"].startswith(scene.title or "")  # it adds the time to the title of a live stream
    assert (info["uploader"], info["uploader_id"]) == (scene.creator.name, scene.creator.handle)
    assert info["live_status"] == live_status
    assert info["release_timestamp"] == int(placed.started_at.timestamp())
    assert [entry["acodec"] for entry in info["formats"]] == ["aac"]
    assert info["formats"][0]["url"].startswith("https://prod-fastly-eu-central-1.video.pscp.tv/")


async def test_yt_dlp_says_what_cannot_be_had(desk: Desk) -> None:
    soon = await desk.yt_dlp("-J", f"https://x.com/i/spaces/{SOON.id}")
    closed = await desk.yt_dlp("-J", f"https://x.com/i/spaces/{CLOSED.id}")
    assert "not started yet" in soon.err
    assert "not found" in closed.err


async def test_yt_dlp_with_cookies_sees_what_guests_do_not(desk: Desk) -> None:
    lines = ["# Netscape HTTP Cookie File"]
    for name, value in (("auth_token", "b" * 40), ("ct0", CT0)):
        lines.append("\t".join((".x.com", "TRUE", "/", "TRUE", "4102444800", name, value)))
    jar = desk.folder / "cookies.txt"
    jar.write_text("\n".join(lines) + "\n")
    info = (await desk.yt_dlp("-J", "--cookies", str(jar), f"https://x.com/i/spaces/{CLOSED.id}")).json
    assert info["title"] == CLOSED.title
    for note in desk.visitor.world.ledger.requests(service="cdn"):
        assert "auth_token" not in str(note.headers)


async def test_yt_dlp_describes_a_broadcast(desk: Desk) -> None:
    info = (await desk.yt_dlp("-J", f"https://x.com/i/broadcasts/{CAMERA.id}")).json
    assert (info["id"], info["title"], info["live_status"]) == (CAMERA.id, CAMERA.title, "was_live")
    assert (info["uploader"], info["uploader_id"]) == (CAMERA.creator.name, CAMERA.creator.handle)
    assert [(entry["width"], entry["height"]) for entry in info["formats"]] == [(160, 90)]
    assert info["thumbnails"]


async def test_yt_dlp_finds_a_broadcast_by_its_post(desk: Desk) -> None:
    post = await find_post(desk, CAMERA)
    info = (await desk.yt_dlp("-J", f"https://x.com/{CAMERA.creator.handle}/status/{post}")).json
    assert info["id"] == CAMERA.id


async def test_yt_dlp_downloads_a_broadcast_byte_for_byte(desk: Desk) -> None:
    done = await desk.yt_dlp(
        *("--downloader", "native", "--fixup", "never", "-N", "4", "-o", "camera.%(ext)s"),
        f"https://x.com/i/broadcasts/{CAMERA.id}",
    )
    assert done.status == 0, done.err
    world = desk.visitor.world
    served = {n.path: n for n in world.ledger.requests(service="cdn", containing="/chunk_") if n.status == 200}
    names = sorted(served, key=lambda path: int(path.rsplit("_", 2)[1]))
    segments = [(await desk.visitor.ask(path, service="cdn")).body for path in names]
    assert len(names) == CAMERA.segment_count
    assert (desk.folder / "camera.mp4").read_bytes() == b"".join(segments)


async def find_post(desk: Desk, scene: Scene) -> str:
    said = await desk.visitor.graphql("UserTweets", {"userId": scene.creator.user_id, "count": 20})
    instructions = said.json["data"]["user"]["result"]["timeline"]["timeline"]["instructions"]
    results = [
        entry["content"]["itemContent"]["tweet_results"]["result"]
        for entry in instructions[-1]["entries"]
        if "itemContent" in entry["content"]
    ]
    return str(next(r["rest_id"] for r in results if scene.id in str(r.get("card"))))

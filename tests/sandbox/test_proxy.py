"""The forward proxy: curl and other unmodified programs reach the sandbox under the real names, and nothing else."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from hydrophone.sandbox.proxy import ca_pem, proxied_service, write_ca_file
from hydrophone.sandbox.scene import Kind, Scene
from x_visiting import BEARER, CT0, Visitor, visiting

SPACE = Scene.ended("behind the proxy", seconds=30.0)
CAMERA = Scene.live("camera", kind=Kind.BROADCAST, seconds=20.0)

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@dataclass
class Program:
    """What a program left behind."""

    status: int
    out: bytes
    err: str


@dataclass
class Behind:
    """A machine on which the proxy and its certificate are set up."""

    visitor: Visitor
    ca_file: Path

    @property
    def proxy_url(self) -> str:
        return self.visitor.world.bases["proxy"]

    async def curl(self, *words: str) -> Program:
        command = ("curl", "-sS", "--max-time", "20", "--proxy", self.proxy_url, "--cacert", str(self.ca_file), *words)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.ca_file.parent)},
        )
        out, err = await process.communicate()
        return Program(process.returncode or 0, out, err.decode())


@pytest.fixture
async def behind(tmp_path: Path) -> AsyncIterator[Behind]:
    async with visiting(SPACE, CAMERA, proxy=True) as visitor:
        yield Behind(visitor, write_ca_file(tmp_path / "ca.pem"))


@needs_curl
async def test_curl_reads_a_space_record_as_a_guest(behind: Behind) -> None:
    bearer = f"authorization: {BEARER['authorization']}"
    activated = await behind.curl("-X", "POST", "-H", bearer, "https://api.x.com/1.1/guest/activate.json")
    token = json.loads(activated.out)["guest_token"]
    variables = json.dumps({"id": SPACE.id, "withReplays": True, "withListeners": True})
    said = await behind.curl(
        *("-G", "-H", bearer, "-H", f"x-guest-token: {token}", "--data-urlencode", f"variables={variables}"),
        "https://x.com/i/api/graphql/Uv5R_-Chxbn1FEkyUkSW2w/AudioSpaceById",
    )
    record = json.loads(said.out)["data"]["audioSpace"]
    assert record["metadata"]["title"] == SPACE.title
    assert record["participants"]["admins"][0]["avatar_url"].startswith("https://pbs.twimg.com/")


@needs_curl
async def test_curl_follows_the_status_call_to_the_playlist_and_a_segment(behind: Behind) -> None:
    login = ("-H", f"cookie: auth_token=a; ct0={CT0}", "-H", f"x-csrf-token: {CT0}")
    bearer = f"authorization: {BEARER['authorization']}"
    media_key = behind.visitor.world.scene(SPACE.id).media_key  # type: ignore[union-attr]
    url = f"https://api.twitter.com/1.1/live_video_stream/status/{media_key}"
    location = json.loads((await behind.curl("-H", bearer, *login, url)).out)["source"]["location"]
    playlist = (await behind.curl(location)).out.decode()
    name = next(line for line in playlist.splitlines() if line and not line.startswith("#"))
    segment = await behind.curl(location.rpartition("/")[0] + "/" + name)
    assert location.startswith("https://prod-fastly-eu-central-1.video.pscp.tv/Transcoding/")
    assert playlist.startswith("#EXTM3U")
    assert segment.out.startswith(b"ID3")
    notes = [note for note in behind.visitor.world.ledger.requests() if note.service == "cdn"]
    assert [(note.via_proxy, note.host) for note in notes] == [(True, "prod-fastly-eu-central-1.video.pscp.tv")] * 2


@needs_curl
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.x.com/", b"__INITIAL_STATE__"),
        ("https://mobile.twitter.com/", b"__INITIAL_STATE__"),
        ("https://pbs.twimg.com/profile_images/1/anybody_normal.jpg", b"JFIF"),
        ("http://x.com/home", b"__INITIAL_STATE__"),
    ],
)
async def test_curl_reaches_pages_and_pictures(behind: Behind, url: str, expected: bytes) -> None:
    said = await behind.curl(url)
    assert said.status == 0, said.err
    assert expected in said.out


@needs_curl
@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "http://example.com/",
        "https://x.com.example.com/",
        "https://x.com:8443/",
        "https://10.0.0.1/",
    ],
)
async def test_strangers_are_refused_with_403(behind: Behind, url: str) -> None:
    said = await behind.curl("-o", "/dev/null", "-w", "%{http_connect} %{http_code}", url)
    assert "403" in said.out.decode()


@needs_curl
async def test_without_the_certificate_nobody_trusts_the_proxy(behind: Behind, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    process = await asyncio.create_subprocess_exec(
        *("curl", "-sS", "--max-time", "20", "--proxy", behind.proxy_url, "--capath", str(empty), "https://x.com/"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin"},
    )
    out, _ = await process.communicate()
    assert process.returncode == 60
    assert out == b""
    assert (await behind.curl("https://x.com/")).status == 0


async def test_a_tunnel_carries_many_requests_and_faults_apply(behind: Behind) -> None:
    context = ssl.create_default_context(cadata=ca_pem().decode())
    behind.visitor.world.faults.add({"kind": "answer", "service": "x", "name": "503_overcapacity", "count": 1})
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as session:
        seen = []
        for _ in range(3):
            async with session.get("https://x.com/", proxy=behind.proxy_url, ssl=context) as reply:
                seen.append((reply.status, len(await reply.read()) > 0))
    connects = [note for note in behind.visitor.world.ledger.requests() if note.method == "CONNECT"]
    assert seen == [(503, True), (200, True), (200, True)]
    assert len(connects) == 1


async def test_a_reset_inside_the_tunnel_reaches_the_client(behind: Behind) -> None:
    context = ssl.create_default_context(cadata=ca_pem().decode())
    behind.visitor.world.faults.add({"kind": "reset", "service": "x", "count": 1})
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post("https://x.com/", proxy=behind.proxy_url, ssl=context)


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("x.com", "x"),
        ("API.twitter.com", "x"),
        ("t.co", "tco"),
        ("cdn.syndication.twimg.com", "syndication"),
        ("abs.twimg.com", "abs"),
        ("video.twitter.com", "cdn"),
        ("prod-ec-us-east-1.video.pscp.tv", "cdn"),
        ("api.periscope.tv", "periscope"),
        ("www.pscp.tv", "pscp"),
        ("api-ws.pscp.tv", "producer"),
        ("prod-chatman-ancillary-eu-central-1.pscp.tv", "chat"),
        ("replay.periscope.tv", "cdn"),
        ("assets.periscope.tv", "unserved"),
        ("evil.com", None),
        ("xx.com", None),
        ("x.com.evil.com", None),
        ("pscp.tv.evil.com", None),
        ("localhost", None),
        ("127.0.0.1", None),
    ],
)
def test_only_impersonated_hosts_are_served(host: str, service: str | None) -> None:
    assert proxied_service(host) == service

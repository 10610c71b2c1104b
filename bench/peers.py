"""The other programs: where they are, how they are installed, and the command line with which each does the job.

Python programs live in ``.venv-peers``, apart from ours, at exact versions. The others come from the system's packages;
as root on Debian they are installed, otherwise they must be there. Whoever is missing is named in the results.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bed import Bed
from bench.material import Export

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv-peers"
PINS = Path(__file__).with_name("constraints-peers.txt")
FROM_DEBIAN = {"nginx": "nginx-light", "ffmpeg": "ffmpeg", "curl": "curl", "ffprobe": "ffmpeg"}
FROM_PYPI = ("yt-dlp", "streamlink")
US = (sys.executable, "-m", "hydrophone")
CRAWLER = "5 at once with curl, then ffmpeg"


@dataclass(frozen=True, slots=True)
class Peers:
    """Name to path of what is there; `missing` says why something is not."""

    paths: Mapping[str, str]
    missing: Mapping[str, str]

    def has(self, *names: str) -> bool:
        return all(name in self.paths for name in names)

    def version(self, name: str) -> str:
        """What the program says of its version; of some, in a short form."""
        if name not in self.paths:
            return f"not installed: {self.missing.get(name, 'not found')}"
        flag = {"ffmpeg": "-version", "nginx": "-v"}.get(name, "--version")
        said = subprocess.run([self.paths[name], flag], capture_output=True, text=True, check=False)
        first = (said.stdout or said.stderr).splitlines()[0]
        words = first.replace("nginx version: nginx/", "").split()
        return next((word for word in words if word[:1].isdigit()), first)


def find(*, install: bool, say: Callable[[str], None]) -> Peers:
    """All peers. With `install`, those that can be installed are."""
    missing: dict[str, str] = {}
    if install:
        missing |= _install_from_debian(say)
        missing |= _install_from_pypi(say)
    paths: dict[str, str] = {}
    bin_folder = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin")
    for name in (*FROM_DEBIAN, *FROM_PYPI):
        path = shutil.which(name, path=f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
        if path is None:
            missing.setdefault(name, "not found")
        else:
            paths[name] = path
    for name in missing.keys() - paths.keys():
        say(f"NOT INSTALLED: {name} ({missing[name]}); its rows will be missing")
    return Peers(paths, {name: why for name, why in missing.items() if name not in paths})


def _install_from_debian(say: Callable[[str], None]) -> dict[str, str]:
    wanted = {name: package for name, package in FROM_DEBIAN.items() if shutil.which(name) is None}
    wanted = {name: package for name, package in wanted.items() if not Path("/usr/sbin", name).exists()}
    if not wanted:
        return {}
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return dict.fromkeys(wanted, "needs root and apt-get to be installed")
    packages = sorted(set(wanted.values()))
    say(f"installing {', '.join(packages)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # no service is to be started
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", "-qq", *command], env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            return dict.fromkeys(wanted, f"apt-get {command[0]} failed: {done.stderr.strip()[-200:]}")
    return {}


def _install_from_pypi(say: Callable[[str], None]) -> dict[str, str]:
    stamp = ENVIRONMENT / ".stamp"
    if stamp.exists() and stamp.read_text() == PINS.read_text():
        return {}
    say("installing yt-dlp and streamlink into an environment of their own")
    python = ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    steps = (
        [sys.executable, "-m", "venv", str(ENVIRONMENT)],
        [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install", "-r", str(PINS)],
    )
    for command in steps:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return dict.fromkeys(FROM_PYPI, f"could not be installed: {done.stderr.strip()[-200:]}")
    stamp.write_text(PINS.read_text())
    return {}


# ---------------------------------------------------------------- the job: an ended recording


def hydrophone(
    bed: Bed, target: str, *, connections: int = 16, start: Sequence[str] = US
) -> Callable[[Path], Sequence[str]]:
    """Our command, as a user types it: the Space's link, or the playlist's address. `start` may be a profiler."""

    def command(folder: Path) -> Sequence[str]:
        settings = [f"{name}={value}" for name, value in bed.environment(folder).items()]
        flags = ["record", "-q", "-N", str(connections), "-P", str(folder / "archive"), target]
        return ["env", *settings, *start, *flags]

    return command


def ffmpeg(peers: Peers, url: str, out: str = "out.m4a") -> Callable[[Path], Sequence[str]]:
    """The usual line: copy the stream into a file."""
    return lambda folder: [
        *(peers.paths["ffmpeg"], "-hide_banner", "-loglevel", "error", "-nostdin", "-y"),
        *("-i", url, "-c", "copy", out),
    ]


def yt_dlp(
    peers: Peers, bed: Bed, url: str, *, connections: int | None, is_video: bool = False
) -> Callable[[Path], Sequence[str]]:
    """yt-dlp with what its own extractor says of such a Space; `connections` None lets it hand over to ffmpeg.

    What the extractor found is given as a file, so that its requests to the API count neither for nor against it.
    """

    def command(folder: Path) -> Sequence[str]:
        info = folder / "info.json"
        info.write_text(json.dumps(_extracted(url, is_video)))
        flags = ["--ignore-config", "--no-cache-dir", "--quiet", "--no-warnings", "-o", "out.%(ext)s"]
        if connections is not None:
            flags += ["--downloader", "m3u8:native", "-N", str(connections)]
        flags += ["--ffmpeg-location", peers.paths["ffmpeg"]] if peers.has("ffmpeg") else []
        return [peers.paths["yt-dlp"], *flags, "--load-info-json", str(info)]

    return command


def _extracted(url: str, is_video: bool) -> dict[str, object]:
    headers = {"Referer": "https://twitter.com/"}
    form: dict[str, object] = {"format_id": "replay", "url": url, "http_headers": headers}
    if is_video:
        form |= {"ext": "mp4", "protocol": "m3u8_native"}
    else:
        form |= {"ext": "m4a", "protocol": "m3u8", "vcodec": "none", "acodec": "aac", "container": "m4a_dash"}
    return {
        "_type": "video",
        "id": "1bench",
        "title": "The bench",
        "ext": form["ext"],
        "live_status": "was_live",
        "extractor": "twitter:spaces",
        "extractor_key": "TwitterSpaces",
        "webpage_url": "https://x.com/i/spaces/1bench",
        "http_headers": headers,
        "formats": [form],
    }


def streamlink(peers: Peers, url: str, out: str = "out.ts") -> Callable[[Path], Sequence[str]]:
    """streamlink with as many threads as it allows."""
    return lambda folder: [
        *(peers.paths["streamlink"], "--no-config", "--loglevel", "error", "--no-plugin-sideloading"),
        *("--stream-segment-threads", "10", "-o", out, url, "best"),
    ]


def curl(
    peers: Peers, base: str, export: Export, *, at_once: int, flags: Sequence[str] = (), then: str = ""
) -> Callable[[Path], Sequence[str]]:
    """curl with a list of all addresses, then cat: what any shell can do. `then` is a last step."""

    def command(folder: Path) -> Sequence[str]:
        lines = []
        for number, segment in enumerate(export.segments):
            path = segment.relative_to(export.root).as_posix()
            lines.append(f'url = "{base}/{path}?type=replay"\noutput = "{number:06}.part"\n')
        (folder / "list").write_text("".join(lines))
        fetch = f"{peers.paths['curl']} --silent --fail --parallel --parallel-max {at_once} {' '.join(flags)} -K list"
        return ["sh", "-c", f"{fetch} && cat *.part > out.raw && rm *.part{f' && {then}' if then else ''}"]

    return command


def crawler(peers: Peers, base: str, export: Export) -> Callable[[Path], Sequence[str]]:
    """The way of twspace-crawler, imitated: five requests at once, then ffmpeg makes the file."""
    make = f"{peers.paths['ffmpeg']} -loglevel error -nostdin -y -i out.raw -c copy out.m4a"
    return curl(peers, base, export, at_once=5, then=make)

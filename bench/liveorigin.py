"""An origin for thousands of live Spaces that costs next to nothing: nginx serves files, a thread turns the pages.

All Spaces share the segments of one scene, under a stream key each. The last two digits of a key are its *phase*: its
window moves that many tenths of a second after that of phase 0, so that thousands of Spaces do not move in step. So
thirty small files, each replaced once every three seconds, are the live playlists of any number of Spaces. What was
asked when is in nginx's log.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.bed import Origin
from bench.material import Export, live_pieces
from hydrophone.sandbox.scene import Scene

PHASES = 30
PHASE_SECONDS = 0.1
STEP_SECONDS = 3.0
WINDOW = 4

LOCATIONS = r"""
    location ~ "^/Transcoding/v1/hls/[^/]+(?<phase>\d\d)/.*/dynamic_playlist\.m3u8$" {{
      alias {live}/$phase.m3u8; open_file_cache off; add_header Cache-Control "max-age=1";
    }}
    location ~ "^/Transcoding/v1/hls/[^/]+/.*/(?<chunk>chunk_[^/]+)$" {{ alias {segments}/$chunk; }}
"""

_ASKED = re.compile(
    r"^(?P<at>\d+\.\d+) (?P<status>\d+) /Transcoding/v1/hls/(?P<key>[^/]+)/\S*/chunk_\d+_(?P<number>\d+)_a\.aac"
)


def locations(live: Path, segments: Path) -> str:
    """The part of nginx's configuration that makes one set of files look like many streams."""
    return LOCATIONS.format(live=live, segments=segments)


def stream_key(number: int) -> str:
    """The key of the Space with this number: 86 characters, its phase last."""
    return f"{'bench' * 16}{number:04}{number % PHASES:02}"


class Pages:
    """Writes the live playlists: first only segment 0, and from `begin` on a window that moves."""

    def __init__(self, folder: Path, scene: Scene, count: int) -> None:
        self._folder = folder
        self._pieces = live_pieces(scene, count)
        self._began = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)
        folder.mkdir(parents=True, exist_ok=True)
        for phase in range(PHASES):
            self._write(phase, 0)

    def begin(self) -> float:
        """Let the windows move. Returns the instant (epoch seconds) that `listed_at` counts from."""
        self._began = time.time()
        self._thread.start()
        return self._began

    def close(self) -> None:
        """The windows stand still again."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def listed_at(self, phase: int, number: int) -> float:
        """When a segment is listed first."""
        return self._began + phase * PHASE_SECONDS + STEP_SECONDS * number

    def _run(self) -> None:
        turn = 0
        while not self._stop.is_set():
            turn += 1
            number, phase = divmod(turn, PHASES)
            if number >= len(self._pieces):
                return
            # Phase p lists its segment n at p tenths after 3 n seconds.
            due = self._began + turn * STEP_SECONDS / PHASES
            self._stop.wait(max(0.0, due - time.time()))
            self._write(phase, number)

    def _write(self, phase: int, newest: int) -> None:
        first = max(0, newest - WINDOW + 1)
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:6",
            "#EXT-X-TARGETDURATION:4",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            f"#EXT-X-MEDIA-SEQUENCE:{first}",
            "#EXT-X-DISCONTINUITY-SEQUENCE:0",
            "#EXT-X-START:TIME-OFFSET=0.01",
        ]
        for dated, extinf, name in self._pieces[first : newest + 1]:
            lines += [f"#EXT-X-PROGRAM-DATE-TIME:{dated}", f"#EXTINF:{extinf},", f"{name}?type=live"]
        part = self._folder / f"{phase:02}.part"
        part.write_text("\n".join(lines) + "\n")
        part.replace(self._folder / f"{phase:02}.m3u8")


# ---------------------------------------------------------------- who came when


@dataclass(frozen=True, slots=True)
class Punctuality:
    """When segments were fetched, counted from their first listing. `late` are those asked for after their window."""

    fetched: int
    late: int
    missing: int
    median_seconds: float
    p99_seconds: float
    most_seconds: float


class Fetched:
    """What the origin's log tells of segments that were answered well, read on from where it was left."""

    def __init__(self, origin: Origin) -> None:
        assert origin.log is not None
        self._log = origin.log
        self._place = 0

    def more(self) -> Mapping[tuple[str, int], float]:
        """(key, number) to the instant of the first good answer, of what was answered since the last call."""
        found: dict[tuple[str, int], float] = {}
        with self._log.open("rb") as log:
            log.seek(self._place)
            for line in log:
                if not line.endswith(b"\n"):
                    break  # the rest of it is still to come
                self._place += len(line)
                match = _ASKED.match(line.decode())
                if match and match["status"] in ("200", "206"):
                    found.setdefault((match["key"], int(match["number"])), float(match["at"]))
        return found


def punctuality(origin: Origin, pages: Pages, keys: list[str], first: int, last: int) -> Punctuality:
    """How punctually the segments `first` to `last` of each stream were fetched."""
    found = Fetched(origin).more()
    delays: list[float] = []
    late = missing = 0
    for key in keys:
        phase = int(key[-2:])
        for number in range(first, last + 1):
            at = found.get((key, number))
            if at is None:
                missing += 1
                continue
            delay = at - pages.listed_at(phase, number)
            delays.append(delay)
            late += delay > WINDOW * STEP_SECONDS
    delays.sort()

    def share(part: float) -> float:
        return delays[min(len(delays) - 1, int(len(delays) * part))] if delays else float("nan")

    return Punctuality(len(delays), late, missing, share(0.5), share(0.99), share(1.0))


def live_segments(export: Export) -> Path:
    """The folder that holds the segments of an exported scene."""
    return export.segments[0].parent

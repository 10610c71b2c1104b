"""What a user named as the source: a file, ``-``, a device, or an item of the archive, finished or still growing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hydrophone.archive.following import Key, TakeFollower, frames_of
from hydrophone.archive.item import Item, find_item, is_item
from hydrophone.errors import NotFoundError, SettingsError
from hydrophone.media.inputs import ChunkInput, FileInput, Input, parse_input

LIVE_EDGE_SEGMENTS = 3  #: how far behind the newest segment a follower begins
LOOK_SECONDS = 0.5
HOLE_SECONDS = 15.0  #: a missing segment is waited for so long while later ones are there
IDLE_SECONDS = 600.0  #: a recording without anything new for so long counts as over


def find_source(text: str, archive: Path, *, from_start: bool = False, stopped: Callable[[], bool]) -> Input:
    """The source that a user named.

    Args:
        archive: where the items are, for ids.
        from_start: begin a growing recording with its first segment, not with its newest.
        stopped: asked again and again while a growing recording is waited for.

    Raises:
        SettingsError: it cannot be a source.
        NotFoundError: there is no such file or item.
    """
    if text == "-" or text.startswith("device:"):
        return parse_input(text)
    path = Path(text).expanduser()
    if path.is_file():
        return FileInput(path)
    item = Item(path) if path.is_dir() and is_item(path) else None
    if item is None and not path.exists() and "/" not in text:
        item = find_item(archive, text)
    if item is not None:
        return item_source(item, from_start=from_start, stopped=stopped)
    if path.is_dir():
        raise SettingsError(f"{text!r} is a folder, but no recording", setting="source")
    raise NotFoundError(
        f"there is no file and no recording {text!r}",
        advice="Name a file, - for standard input, device:KIND:NAME, or a recording's folder or id.",
    )


def item_source(item: Item, *, from_start: bool = False, stopped: Callable[[], bool]) -> Input:
    """An item as a source: its packaged media when it is finished, else its take as it grows.

    Raises:
        NotFoundError: it holds nothing yet.
    """
    for path in (item.video, item.audio, item.original("aac"), item.original("ts")):
        if path.is_file() and item.manifest.is_file():
            return FileInput(path)
    follower = TakeFollower(item.path)
    follower.poll()
    first = next(follower.keys(), None)
    if first is None:
        follower.close()
        raise NotFoundError(f"{item.path.name!r} holds nothing yet", advice="Start the recording, then try again.")
    segment, _ = follower.read(first)
    demuxer = "mpegts" if segment.frame_sizes is None else "aac"
    return ChunkInput(item.path.name, demuxer, follow(follower, from_start=from_start, stopped=stopped))


def follow(
    follower: TakeFollower,
    *,
    from_start: bool = False,
    stopped: Callable[[], bool],
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Iterator[bytes]:
    """The media of a growing take, segment by segment, until it is over. Blocks while nothing is there.

    Segments come in order. One that is missing is waited for while it may still be fetched, then passed over: what goes
    on air cannot be repaired later.
    """
    with follower:
        follower.poll()
        after = None if from_start else _live_edge(follower)
        hole_since = idle_since = now()
        while not stopped():
            key = next(follower.keys(after), None)
            if key is not None and (_follows(after, key) or now() - hole_since > HOLE_SECONDS or follower.is_over):
                segment, body = follower.read(key)
                yield frames_of(segment, body)
                after, hole_since, idle_since = key, now(), now()
                continue
            if key is None:
                hole_since = now()
                if follower.is_over or now() - idle_since > IDLE_SECONDS:
                    # The last segments may have come between the last look and the end.
                    follower.poll()
                    if next(follower.keys(after), None) is None:
                        return
                    continue
            sleep(LOOK_SECONDS)
            follower.poll()


def _live_edge(follower: TakeFollower) -> Key | None:
    """The segment before the one to begin with."""
    keys = list(follower.keys())
    return keys[-LIVE_EDGE_SEGMENTS - 1] if len(keys) > LIVE_EDGE_SEGMENTS else None


def _follows(after: Key | None, key: Key) -> bool:
    return after is None or key == (after[0], after[1] + 1)

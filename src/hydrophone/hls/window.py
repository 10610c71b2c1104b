"""Reading the list of a live window again and again: of one that has moved on, only what is new is read.

A recorder of thousands of Spaces reads each list every three seconds, and three quarters of it are what was there
before. The short way is taken only for lists of the plainest form; it gives exactly what `parse_playlist` gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from operator import is_

from hydrophone.hls.attributes import read_duration, read_instant
from hydrophone.hls.naming import SEGMENT_NAME
from hydrophone.hls.parsing import parse_playlist
from hydrophone.hls.playlist import MediaPlaylist, MultivariantPlaylist
from hydrophone.model import Segment

MAX_WINDOW_BYTES = 16 * 1024
MAX_WINDOW_SEGMENTS = 64

_NUMBER_TAG = b"#EXT-X-MEDIA-SEQUENCE:"
_HEAD_TAGS = (
    rb"#(?:EXTM3U|EXT-X-(?:VERSION|TARGETDURATION|INDEPENDENT-SEGMENTS|DISCONTINUITY-SEQUENCE|START|ALLOW-CACHE"
    rb"|PLAYLIST-TYPE)[^\r\n]{0,200})\n"
)
#: Everything before the number of the first entry, the number, everything between it and the first entry.
_HEAD = re.compile(
    rb"((?:" + _HEAD_TAGS + rb"){1,16}" + _NUMBER_TAG + rb")([0-9]{1,15})(\n(?:" + _HEAD_TAGS + rb"){0,16})"
)
_ENTRY = re.compile(
    rb"(?:#EXT-X-PROGRAM-DATE-TIME:([0-9TZ:.+-]{10,40})\n)?#EXTINF:([0-9.]{1,16}),\n(("
    + SEGMENT_NAME.pattern.encode()
    + rb")(?:\?[A-Za-z0-9_.~=&-]{0,200})?)\n"
)
_MAX_DIGITS = 15


class WindowReader:
    """Reads lists of one stream. Remembers the last one that was short and plain, which is that of the live window."""

    __slots__ = ("_after", "_before", "_body", "_ends", "_folder", "_playlist")

    def __init__(self) -> None:
        self._playlist: MediaPlaylist | None = None  #: as read from `_body`
        self._body = b""
        self._before = b""
        self._after = b""
        self._ends: tuple[int, ...] = ()  #: where in `_body` the first entry begins, and where each one ends
        self._folder = ""

    def read(
        self,
        body: bytes,
        *,
        url: str,
        check: Callable[[str], bool] | None = None,
        check_key: Callable[[str], bool] | None = None,
    ) -> MediaPlaylist | MultivariantPlaylist:
        """What `parse_playlist` gives. The very same object as the last time for the same bytes; else the same
        segments where they stand in both.

        `check` must answer for an origin as it did before.

        Raises:
            PlaylistError: as `parse_playlist`.
        """
        known = self._playlist
        if known is not None and known.url == url:
            if body == self._body:
                return known
            moved = self._moved(body, known)
            if moved is not None:
                return moved
            self._playlist = None
        found = parse_playlist(body, url=url, check=check, check_key=check_key)
        if isinstance(found, MediaPlaylist):
            self._adopt(body, found)
        return found

    def _moved(self, body: bytes, known: MediaPlaylist) -> MediaPlaylist | None:
        """The list of these bytes if it goes on from the known one; None when it must be read from the front."""
        if len(body) > MAX_WINDOW_BYTES or not body.startswith(self._before):
            return None
        digits_at = len(self._before)
        digits_end = body.find(b"\n", digits_at, digits_at + _MAX_DIGITS + 1)
        digits = body[digits_at : max(digits_at, digits_end)]
        if not digits.isdigit() or not body.startswith(self._after, digits_end):
            return None
        first = int(digits)
        gone = first - known.media_sequence
        if not 0 <= gone < len(known.segments):
            return None
        kept = self._body[self._ends[gone] : self._ends[-1]]
        begin = digits_end + len(self._after)
        if not body.startswith(kept, begin):
            return None

        segments = list(known.segments[gone:])
        shift = begin - self._ends[gone]
        ends = [end + shift for end in self._ends[gone:]]
        while ends[-1] < len(body):
            entry = _ENTRY.match(body, ends[-1])
            segment = None if entry is None else self._segment(entry, first + len(segments), segments[-1].sequence)
            if entry is None or segment is None:
                return None
            segments.append(segment)
            ends.append(entry.end())
        self._body, self._ends = body, tuple(ends)
        self._playlist = MediaPlaylist(
            url=known.url,
            segments=tuple(segments),
            target_duration=known.target_duration,
            media_sequence=first,
            discontinuity_sequence=known.discontinuity_sequence,
            playlist_type=known.playlist_type,
        )
        return self._playlist

    def _segment(self, entry: re.Match[bytes], media_sequence: int, latest: int) -> Segment | None:
        """The segment of a plain entry; None if something about it needs a second look."""
        date, extinf, reference, name, written_ns, number, _ = entry.groups()
        seconds = read_duration(extinf.decode())
        at = None if date is None else read_instant(date.decode())
        sequence = int(number)
        if seconds is None or (date is not None and at is None) or sequence <= latest:
            return None
        url = self._folder + reference.decode()
        return Segment(sequence, url, name.decode(), seconds, int(written_ns), at, media_sequence)

    def _adopt(self, body: bytes, found: MediaPlaylist) -> None:
        """Remember a list of the plain form: nothing in it says anything about more than its own entry."""
        head = _HEAD.match(body)
        is_plain = not (found.problems or found.refused or found.is_ended)
        if head is None or not is_plain or not found.segments or len(found.segments) > MAX_WINDOW_SEGMENTS:
            return
        if len(body) > MAX_WINDOW_BYTES or any(old.sequence >= new.sequence for old, new in pairwise(found.segments)):
            return
        ends = [head.end()]
        reference = b""
        while ends[-1] < len(body):
            entry = _ENTRY.match(body, ends[-1])
            if entry is None:
                return
            reference = entry[3]
            ends.append(entry.end())
        url = found.segments[-1].url
        if len(ends) != len(found.segments) + 1 or not url.endswith(reference.decode()):
            return
        self._folder = url.removesuffix(reference.decode())
        self._before, self._after = head[1], head[3]
        self._body, self._ends, self._playlist = body, tuple(ends), found


def fresh_segments(now: tuple[Segment, ...], before: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Those behind the ones that both lists share; all of `now` if it does not go on from `before`."""
    if now is before:
        return ()
    last = before[-1] if before else None
    for place in range(len(now) - 1, -1, -1):
        if now[place] is last:
            kept = place + 1
            goes_on = kept <= len(before) and all(map(is_, now[:kept], before[-kept:]))
            return now[kept:] if goes_on else now
    return now

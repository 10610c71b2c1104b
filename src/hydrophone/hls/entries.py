"""Reading a media playlist: its segments, with the numbers by which a recording knows them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from hydrophone.hls.addresses import EntryRule, HostCheck, is_audio_space, original_url
from hydrophone.hls.attributes import (
    MAX_DURATION_SECONDS,
    read_attributes,
    read_decimal,
    read_duration,
    read_initialisation_vector,
    read_instant,
    read_whole,
)
from hydrophone.hls.naming import MAX_SEQUENCE, SEGMENT_NAME
from hydrophone.hls.noting import BLANKS, MAX_ENTRIES, MAX_LINE_CHARACTERS, Problems
from hydrophone.hls.playlist import MediaPlaylist
from hydrophone.model import Segment, SegmentKey

# The service's own form of an entry. It is joined to the folder without the general rules, which cost ten times more.
_NAMED = re.compile(f"({SEGMENT_NAME.pattern})")
_PLAIN_ENTRY = re.compile(_NAMED.pattern + r"(?:\?[A-Za-z0-9_.~=&-]{0,200})?")
# A name in the same folder, of any form: nothing in it can lead elsewhere.
_SIMPLE_ENTRY = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9_.~-]{0,250})(?:\?[A-Za-z0-9_.~=&-]{0,200})?")
_KEY_HOSTS = ("x.com", "twitter.com")
_MAX_SKIPPED = 1_000_000


class MediaReader:
    """Reads one media playlist, line by line."""

    def __init__(self, url: str, check: Callable[[str], bool] | None, check_key: Callable[[str], bool] | None) -> None:
        self.problems = Problems()
        self._url = url
        self._hosts = None if check is None else HostCheck(check)
        self._check_key = check_key
        # Audio segments are only served below non_transcode: below the token they answer 400.
        self._swaps_base = "/transcode/" in url and is_audio_space(url)
        base = original_url(url) if self._swaps_base else url
        self._folder = base.partition("#")[0].partition("?")[0].rpartition("/")[0] + "/"
        self._plain_allowed = url.startswith(("https://", "http://")) and self._folder.count("/") > 2

        self._segments: list[Segment] = []
        self._refused: list[int] = []
        self._target_duration: float | None = None
        self._media_sequence = 0
        self._discontinuity_sequence = 0
        self._is_ended = False
        self._playlist_type: str | None = None
        self._skipped = 0
        self._map_url: str | None = None

        self._index = 0  # entries seen, refused ones included
        self._next_number: int | None = None  # the number that the next entry should have
        self._seen: set[tuple[int, int | None]] | None = None  # built only once numbers stop growing

        # What the tags say about the entry that follows them.
        self._duration_text: str | None = None
        self._date_text: str | None = None
        self._is_discontinuity = False
        self._is_gap = False
        self._key: SegmentKey | None = None
        self._range_text: str | None = None
        self._range_end: tuple[str, int] = ("", 0)
        self._durations: dict[str | None, float] = {}

    @cached_property
    def _rule(self) -> EntryRule:
        # The lists of the service itself never need it, and thousands of them are read every second.
        return EntryRule(self._url)

    def read(self, lines: list[str]) -> MediaPlaylist:
        """The playlist of these lines."""
        for number, line in enumerate(lines, 1):
            line = line.strip(BLANKS)
            if not line:
                continue
            if len(line) > MAX_LINE_CHARACTERS:
                self._refuse_long_line(number, line)
            elif line[0] != "#":
                if self._index >= MAX_ENTRIES:
                    self.problems.add(number, f"the list goes on after {MAX_ENTRIES} entries; the rest is left out")
                    break
                self._entry(number, line)
            elif line.startswith("#EXTINF"):
                self._duration_text = line[8:]
            elif line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
                self._date_text = line[25:]
            elif line.startswith("#EXT-X-"):
                name, _, value = line.partition(":")
                tag = _TAGS.get(name)
                if tag is not None:
                    tag(self, number, value.strip())
        if self._refused:
            listed = {segment.sequence for segment in self._segments}
            self._refused = [number for number in self._refused if number not in listed]
        return MediaPlaylist(
            url=self._url,
            segments=tuple(self._segments),
            target_duration=self._target_duration,
            media_sequence=self._media_sequence,
            discontinuity_sequence=self._discontinuity_sequence,
            is_ended=self._is_ended,
            playlist_type=self._playlist_type,
            skipped=self._skipped,
            refused=tuple(self._refused),
            map_url=self._map_url,
            problems=self.problems.collected(),
        )

    # ------------------------------------------------------------ entries

    def _entry(self, line: int, reference: str) -> None:
        media_sequence = self._media_sequence + self._skipped + self._index
        expected = self._next_number if self._next_number is not None else media_sequence
        self._index += 1

        match = _PLAIN_ENTRY.fullmatch(reference) if self._plain_allowed else None
        reason = ""
        if match is not None:
            url = self._folder + reference
            name = match[1]
        elif self._plain_allowed and (simple := _SIMPLE_ENTRY.fullmatch(reference)):
            url = self._folder + reference
            name = simple[1]
        else:
            url, reason = self._resolve(reference)
            name = reference.partition("#")[0].partition("?")[0].rpartition("/")[2]
            match = _NAMED.fullmatch(name)
        if not reason and self._hosts is not None and not self._hosts.allow(url):
            reason = "it leads to an address that is not allowed here"
        if reason:
            self._refuse(line, expected, reason)
            return

        written_ns = None
        sequence = expected
        if match is not None:
            # The name wins: after a hole in the list the place no longer tells the number.
            written_ns, sequence = int(match[2]), int(match[3])
        if not self._is_new(sequence, written_ns, expected):
            self.problems.add(line, f"segment {sequence} is listed twice")
            self._reset_entry()
            return
        seconds = self._durations.get(self._duration_text) or self._duration(line)
        at = None if self._date_text is None else self._date(line, self._date_text)
        byte_range = None if self._range_text is None else self._byte_range(line, url, self._range_text)
        self._segments.append(
            Segment(
                sequence,
                url,
                name,
                seconds,
                written_ns,
                at,
                media_sequence,
                self._key,
                byte_range,
                self._is_discontinuity,
                self._is_gap,
            )
        )
        self._reset_entry()

    def _resolve(self, reference: str) -> tuple[str, str]:
        """The URL of an entry by the general rules, or the reason why it is refused."""
        url, reason = self._rule.resolve(reference)
        if url is None:
            return "", reason
        return (original_url(url) if self._swaps_base else url), ""

    def _is_new(self, sequence: int, written_ns: int | None, expected: int) -> bool:
        """False for a second entry of the same segment. Costs nothing as long as numbers grow."""
        if self._seen is None:
            if sequence >= expected or not self._segments:
                self._next_number = sequence + 1
                return True
            self._seen = {(segment.sequence, segment.written_ns) for segment in self._segments}
        identity = (sequence, written_ns)
        if identity in self._seen:
            self._next_number = expected
            return False
        self._seen.add(identity)
        # A list that restarts its numbers goes on from the new ones.
        self._next_number = sequence + 1
        return True

    def _refuse(self, line: int, sequence: int, reason: str) -> None:
        self.problems.add(line, f"segment {sequence} refused: {reason}")
        self._refused.append(sequence)
        self._next_number = sequence + 1
        self._reset_entry()

    def _refuse_long_line(self, line: int, text: str) -> None:
        self.problems.add(line, f"a line of more than {MAX_LINE_CHARACTERS} characters is left out")
        if text[0] != "#" and self._index < MAX_ENTRIES:
            number = self._media_sequence + self._skipped + self._index
            self._index += 1
            self._refuse(line, self._next_number if self._next_number is not None else number, "its line is too long")

    def _reset_entry(self) -> None:
        self._duration_text = self._date_text = self._range_text = None
        self._is_discontinuity = self._is_gap = False

    def _duration(self, line: int) -> float | None:
        text = self._duration_text
        if text is None:
            self.problems.add(line, "an entry without EXTINF")
            return None
        seconds = read_duration(text)
        if seconds is None:
            self.problems.add(line, "an EXTINF that is no duration")
        # The list of a whole Space has two different durations in 20,000 entries.
        elif len(self._durations) < 1000:
            self._durations[text] = seconds
        return seconds

    def _date(self, line: int, text: str) -> datetime | None:
        at = read_instant(text)
        if at is None:
            self.problems.add(line, "a PROGRAM-DATE-TIME that is no date")
        return at

    def _byte_range(self, line: int, url: str, text: str) -> tuple[int, int] | None:
        length_text, has_offset, offset_text = text.partition("@")
        length = read_whole(length_text, MAX_SEQUENCE)
        # Without an offset a range begins where the preceding one of the same file ended.
        follows = self._range_end[1] if self._range_end[0] == url else 0
        offset = read_whole(offset_text, MAX_SEQUENCE) if has_offset else follows
        if not length or offset is None:
            self.problems.add(line, "a BYTERANGE that is no range")
            return None
        self._range_end = (url, offset + length)
        return offset, length

    # ------------------------------------------------------------ tags

    def _read_target_duration(self, line: int, value: str) -> None:
        seconds = read_decimal(value)
        if seconds is None or not 0 < seconds <= MAX_DURATION_SECONDS:
            self.problems.add(line, "a TARGETDURATION that is no duration")
        else:
            self._target_duration = seconds

    def _read_media_sequence(self, line: int, value: str) -> None:
        number = read_whole(value, MAX_SEQUENCE)
        if number is None or self._index:
            self.problems.add(line, "a MEDIA-SEQUENCE that is no number, or stands after the first entry")
        else:
            self._media_sequence = number

    def _read_discontinuity_sequence(self, line: int, value: str) -> None:
        number = read_whole(value, MAX_SEQUENCE)
        if number is None:
            self.problems.add(line, "a DISCONTINUITY-SEQUENCE that is no number")
        else:
            self._discontinuity_sequence = number

    def _read_discontinuity(self, _line: int, _value: str) -> None:
        self._is_discontinuity = True

    def _read_gap(self, _line: int, _value: str) -> None:
        self._is_gap = True

    def _read_byte_range(self, _line: int, value: str) -> None:
        self._range_text = value

    def _read_playlist_type(self, _line: int, value: str) -> None:
        self._playlist_type = value.upper() if value.upper() in ("VOD", "EVENT") else None

    def _read_endlist(self, _line: int, _value: str) -> None:
        self._is_ended = True

    def _read_skip(self, line: int, value: str) -> None:
        skipped = read_whole(read_attributes(value).get("SKIPPED-SEGMENTS", ""), _MAX_SKIPPED)
        if skipped is None or self._index:
            self.problems.add(line, "a SKIP that says no number, or stands after the first entry")
        else:
            self._skipped = skipped

    def _read_map(self, line: int, value: str) -> None:
        url, reason = self._rule.resolve(read_attributes(value).get("URI", ""))
        if url is None or (self._hosts is not None and not self._hosts.allow(url)):
            self.problems.add(line, f"the initialisation section is refused: {reason or 'not allowed here'}")
        else:
            self._map_url = url

    def _read_key(self, line: int, value: str) -> None:
        attributes = read_attributes(value)
        method = attributes.get("METHOD", "").upper()
        if method == "NONE":
            self._key = None
            return
        url = self._key_url(attributes.get("URI", "")) if method == "AES-128" else None
        if url is None:
            self.problems.add(line, "a KEY that is refused: its method or address is not one that we follow")
        iv_text = attributes.get("IV")
        iv = None if iv_text is None else read_initialisation_vector(iv_text)
        if iv_text is not None and iv is None:
            self.problems.add(line, "an IV that is no number of sixteen bytes")
        self._key = SegmentKey(url=url or "", iv=iv)

    def _key_url(self, reference: str) -> str | None:
        """Where the key may be fetched; None when nowhere. Keys live on the API hosts, not on the CDN."""
        try:
            parts = urlsplit(reference)
            host = (parts.hostname or "").lower()
        except ValueError:
            return None
        if self._check_key is not None and parts.scheme in ("http", "https"):
            return reference if self._check_key(reference) else None
        is_api = host in _KEY_HOSTS or host.endswith(tuple(f".{known}" for known in _KEY_HOSTS))
        if parts.scheme == "https" and parts.netloc.lower() == host and is_api:
            return reference
        return self._rule.resolve(reference)[0] if reference else None


_TAGS: dict[str, Callable[[MediaReader, int, str], None]] = {
    "#EXT-X-TARGETDURATION": MediaReader._read_target_duration,
    "#EXT-X-MEDIA-SEQUENCE": MediaReader._read_media_sequence,
    "#EXT-X-DISCONTINUITY-SEQUENCE": MediaReader._read_discontinuity_sequence,
    "#EXT-X-DISCONTINUITY": MediaReader._read_discontinuity,
    "#EXT-X-GAP": MediaReader._read_gap,
    "#EXT-X-BYTERANGE": MediaReader._read_byte_range,
    "#EXT-X-PLAYLIST-TYPE": MediaReader._read_playlist_type,
    "#EXT-X-ENDLIST": MediaReader._read_endlist,
    "#EXT-X-SKIP": MediaReader._read_skip,
    "#EXT-X-MAP": MediaReader._read_map,
    "#EXT-X-KEY": MediaReader._read_key,
}

"""The index of an audio file: the ``moov`` box with one track of sound, one of chapter titles, and the tags.

It stands before the audio, and the offsets in it depend on its own size, so it is built twice: once to be measured,
once for real. The table of frame sizes, by far its longest part, is left open and written by whoever has the sizes.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hydrophone.media.boxes import (
    IDENTITY,
    UINT32_MAX,
    box,
    box_begin,
    chunk_offsets,
    data_information,
    descriptor,
    full_box,
    handler,
    media_header,
    movie_header,
    sample_sizes,
    sample_to_chunk,
    time_to_sample,
    track_header,
)
from hydrophone.media.frames import SAMPLES_PER_FRAME, AudioConfig
from hydrophone.media.tags import Chapter, Tags, chapter_sample, metadata_box, nero_chapters

FRAMES_PER_CHUNK = 128  #: about 3 s at 48 kHz: players seek by chunk, and the table of chunks stays small
SOUND_TRACK, CHAPTER_TRACK = 1, 2


@dataclass(frozen=True, slots=True)
class Layout:
    """What the sizes of the frames alone tell."""

    frames: int
    audio_bytes: int  #: payloads only
    largest: int  #: the longest payload
    chunks: array[int]  #: where each chunk begins, counted from the first byte of audio


@dataclass(frozen=True, slots=True)
class OpenMovie:
    """A ``moov`` box with a hole: `before`, then `table_bytes` of frame sizes, then `after`."""

    before: bytes
    table_bytes: int
    after: bytes

    @property
    def size(self) -> int:
        return len(self.before) + self.table_bytes + len(self.after)


class MovieBuilder:
    """Builds the index of one file for any position of its media."""

    def __init__(
        self, layout: Layout, config: AudioConfig, tags: Tags, chapters: Sequence[Chapter], created: int
    ) -> None:
        self._layout = layout
        self._config = config
        self._created = created
        self._duration = layout.frames * SAMPLES_PER_FRAME
        self._starts = [round(chapter.start_seconds * config.rate) for chapter in chapters]
        self.words = [chapter_sample(chapter) for chapter in chapters]
        nero = [nero_chapters(chapters)] if chapters else []
        self._user_data = box(b"udta", *nero, metadata_box(tags))
        self._words_bytes = sum(map(len, self.words))
        # Decided by a generous estimate and not by the offsets themselves, so that both builds agree.
        reach = layout.audio_bytes + 8 * layout.frames + 2 * self._words_bytes + len(self._user_data) + (1 << 20)
        self._is_wide = reach > UINT32_MAX

    def build(self, base: int) -> OpenMovie:
        """The index for a file whose media (chapter titles, then audio) begins at byte `base`."""
        layout = self._layout
        table_bytes = 4 * layout.frames
        audio = base + self._words_bytes
        offsets = chunk_offsets([audio + chunk for chunk in layout.chunks], is_wide=self._is_wide)
        rest = table_bytes + len(offsets)
        before = (
            full_box(b"stsd", 0, 0, struct.pack(">I", 1), audio_entry(self._config, layout))
            + time_to_sample([(layout.frames, SAMPLES_PER_FRAME)])
            + sample_to_chunk(layout.frames, FRAMES_PER_CHUNK)
            + box_begin(b"stsz", struct.pack(">4xII", 0, layout.frames), table_bytes)
        )
        before = full_box(b"smhd", 0, 0, bytes(4)) + data_information() + box_begin(b"stbl", before, rest)
        before = self._media_header() + handler(b"soun", b"Sound") + box_begin(b"minf", before, rest)
        before = self._track_header(SOUND_TRACK) + self._reference() + box_begin(b"mdia", before, rest)
        before = self._movie_header() + box_begin(b"trak", before, rest)
        after = offsets + self._chapter_track(base) + self._user_data
        return OpenMovie(box_begin(b"moov", before, table_bytes + len(after)), table_bytes, after)

    def _movie_header(self) -> bytes:
        next_track = CHAPTER_TRACK + 1 if self.words else CHAPTER_TRACK
        return movie_header(
            created=self._created, timescale=self._config.rate, duration=self._duration, next_track=next_track
        )

    def _track_header(self, track: int) -> bytes:
        is_sound = track == SOUND_TRACK
        return track_header(
            created=self._created, track=track, duration=self._duration, is_enabled=is_sound, is_audio=is_sound
        )

    def _media_header(self) -> bytes:
        return media_header(created=self._created, timescale=self._config.rate, duration=self._duration)

    def _reference(self) -> bytes:
        return box(b"tref", box(b"chap", struct.pack(">I", CHAPTER_TRACK))) if self.words else b""

    def _chapter_track(self, base: int) -> bytes:
        if not self.words:
            return b""
        lengths = [(1, end - begin) for begin, end in pairwise([*self._starts, self._duration])]
        table = box(
            b"stbl",
            full_box(b"stsd", 0, 0, struct.pack(">I", 1), text_entry()),
            time_to_sample(lengths),
            sample_to_chunk(len(self.words), len(self.words)),
            sample_sizes([len(word) for word in self.words]),
            chunk_offsets([base], is_wide=self._is_wide),
        )
        general = full_box(b"gmin", 0, 0, struct.pack(">HHHH4x", 0x40, 0x8000, 0x8000, 0x8000))
        header = box(b"gmhd", general, box(b"text", IDENTITY))
        media = box(
            b"mdia",
            self._media_header(),
            handler(b"text", b"Chapters"),
            box(b"minf", header, data_information(), table),
        )
        return box(b"trak", self._track_header(CHAPTER_TRACK), media)


def text_entry() -> bytes:
    """The QuickTime description of plain text: no colour, no font, nothing to draw."""
    return box(b"text", struct.pack(">6xH", 1), bytes(43))


def audio_entry(config: AudioConfig, layout: Layout) -> bytes:
    """The description of the sound: AAC, with what the decoder must know."""
    seconds = layout.frames * SAMPLES_PER_FRAME / config.rate
    average = round(layout.audio_bytes * 8 / seconds)
    peak = max(average, round(layout.largest * 8 * config.rate / SAMPLES_PER_FRAME))
    # 0x40 is MPEG-4 audio; 0x15 an audio stream.
    decoder = struct.pack(">BB3sII", 0x40, 0x15, layout.largest.to_bytes(3, "big"), peak, average)
    body = descriptor(0x04, decoder + descriptor(0x05, config.specific)) + descriptor(0x06, b"\x02")
    stream = descriptor(0x03, struct.pack(">HB", 1, 0) + body)
    # The rate has 16 bits before the point here; readers take it from the decoder's configuration anyway.
    rate = config.rate if config.rate <= 0xFFFF else 0
    entry = struct.pack(">6xH8xHH4xHH", 1, config.channels, 16, rate, 0)
    return box(b"mp4a", entry, full_box(b"esds", 0, 0, stream))

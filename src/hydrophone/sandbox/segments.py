"""Builds the audio segments of a scene: frames picked from the loops of who speaks, tags between them.

Every frame of a scene is one of its kind and decodes like any other: a data stream element with the scene's mark and
the frame's number opens the raw block. (Element 4, instance 0, no alignment flag, eight bytes: exactly two bytes of
head, so that the encoder's bits stay where they were.) A frame depends on the scene's people, turns, id and the frame's
number alone, not on when the scene was loaded.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from functools import lru_cache
from typing import Any

from hydrophone.sandbox.scene import Mute, Person, Scene, Turn, invented_number
from hydrophone.sandbox.tags import clock_tag, compact, hydra_tag
from hydrophone.sandbox.timeline import SAMPLES, Piece, clock_offset_us
from hydrophone.sandbox.voices import TAPE, voice_loop

RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
MARK_HEAD = bytes([0b1000_0000, 8])
TAG_FRAMES = (0, 47, 94)
TAG_LATE_US = 34_000
CACHED_SEGMENTS = 4  # of a scene, and there may be thousands of scenes; `extra` may ask for more


def adts_header(size: int, rate: int, channels: int) -> bytes:
    """The seven bytes before a raw block of `size` bytes."""
    length = size + 7
    index = RATES.index(rate)
    return bytes(
        (
            0xFF,
            0xF1,
            0x40 | index << 2 | channels >> 2,
            (channels & 3) << 6 | length >> 11,
            length >> 3 & 0xFF,
            (length & 7) << 5 | 0x1F,
            0xFC,
        )
    )


@lru_cache(maxsize=64)
def _framed_loop(voices: frozenset[int], rate: int, channels: int) -> tuple[tuple[bytes, bytes], ...]:
    """For each block of a loop: what stands before the mark, and the block itself."""
    return tuple(
        (adts_header(len(block) + 10, rate, channels) + MARK_HEAD, block)
        for block in voice_loop(voices, rate, channels)
    )


class Stage:
    """Who sounds when: turns and mutes, swept once."""

    def __init__(self, people: tuple[Person, ...], turns: tuple[Turn, ...], mutes: tuple[Mute, ...]) -> None:
        self._mutes = mutes
        self._voice = {p.handle: p.voice for p in people} | {"tape": TAPE}
        self._begins: list[float] = [-1.0]
        self._sounding: list[frozenset[str]] = [frozenset()]
        self._sweep(turns)

    def _sweep(self, turns: tuple[Turn, ...]) -> None:
        points = {t.begin for t in turns} | {t.end for t in turns}
        points |= {m.begin for m in self._mutes} | {m.end for m in self._mutes}
        starts: dict[float, list[str]] = {}
        ends: dict[float, list[str]] = {}
        for turn in turns:
            starts.setdefault(turn.begin, []).append(turn.handle)
            ends.setdefault(turn.end, []).append(turn.handle)
        speaking: Counter[str] = Counter()
        for point in sorted(points):
            speaking.update(starts.get(point, ()))
            speaking.subtract(ends.get(point, ()))
            muted = {m.handle for m in self._mutes if m.begin <= point < m.end}
            self._begins.append(point)
            self._sounding.append(frozenset(h for h, n in speaking.items() if n > 0) - muted)

    def sounding(self, position: float) -> frozenset[str]:
        """Handles that are heard at a position; ``"tape"`` is one of them while a tape runs."""
        return self._sounding[bisect_right(self._begins, position) - 1]

    def mixtures(self) -> frozenset[frozenset[int]]:
        """Every combination of voices that will sound, silence among them."""
        return frozenset(self._voices(handles) for handles in set(self._sounding))

    def runs(self, piece: Piece) -> list[tuple[int, frozenset[int]]]:
        """The mixtures within a segment: (index of the first frame, voices)."""
        found = [(0, self._voices(self.sounding(piece.position)))]
        end = piece.position + piece.frames * SAMPLES / piece.rate
        at = bisect_right(self._begins, piece.position)
        while at < len(self._begins) and self._begins[at] < end:
            index = min(piece.frames - 1, round((self._begins[at] - piece.position) * piece.rate / SAMPLES))
            found.append((index, self._voices(self._sounding[at])))
            at += 1
        return found

    def _voices(self, handles: frozenset[str]) -> frozenset[int]:
        # At most two at once: each mixture is a loop that has to be encoded once.
        return frozenset(sorted({self._voice.get(h, 1) for h in handles})[:2])


_stage = lru_cache(maxsize=64)(Stage)  # thousands of scenes may share one conversation


class SegmentMaker:
    """Makes the segments of one scene. Deterministic, and quick: frames are joined, nothing is encoded anew."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._stage = _stage(scene.people, scene.turns, scene.mutes)
        self._mark = invented_number("mark", scene.id) >> 32 << 32
        self._cached: dict[int, bytes] = {}
        self._cache_size = int(scene.extra.get("cached_segments", CACHED_SEGMENTS))
        self._people_texts: dict[tuple[str, ...], str] = {}

    def warm_up(self) -> None:
        """Have every loop at hand that the scene needs, so that no listener waits for an encoder."""
        for form in self.scene.formats:
            for voices in self._stage.mixtures():
                _framed_loop(voices, form.rate, form.channels)

    def body(self, piece: Piece) -> bytes:
        """The segment as the CDN serves it."""
        found = self._cached.get(piece.place)
        if found is None:
            if len(self._cached) >= self._cache_size:
                self._cached.pop(next(iter(self._cached)))
            found = self._cached[piece.place] = b"".join(self._with_tags(piece, self._parts(piece)))
        return found

    def frames(self, piece: Piece) -> list[bytes]:
        """The ADTS frames of a segment, in order."""
        parts = self._parts(piece)
        return [b"".join(parts[at : at + 3]) for at in range(0, len(parts), 3)]

    def _parts(self, piece: Piece) -> list[bytes]:
        """Three parts for each frame: head, mark, block. Joined at once, because copies are what costs here."""
        runs = self._stage.runs(piece)
        made: list[bytes] = []
        for index, (begin, voices) in enumerate(runs):
            end = runs[index + 1][0] if index + 1 < len(runs) else piece.frames
            loop = _framed_loop(voices, piece.rate, piece.channels)
            size, mark = len(loop), self._mark
            for number in range(piece.first_frame + begin, piece.first_frame + end):
                head, block = loop[number % size]
                made += (head, (mark | number).to_bytes(8, "big"), block)
        return made

    def plain_frames(self, first: int, end: int) -> list[bytes]:
        """Frames `first` to `end` − 1 at 48 kHz in the creator's voice, without regard to cuts and turns."""
        loop = _framed_loop(frozenset({self.scene.creator.voice}), 48_000, 2)
        made = []
        for number in range(first, end):
            head, block = loop[number % len(loop)]
            made.append(head + (self._mark | number).to_bytes(8, "big") + block)
        return made

    def digest(self, piece: Piece) -> str:
        """SHA-256 of the frames, joined: what any honest copy of the segment must hold."""
        return hashlib.sha256(b"".join(self.frames(piece))).hexdigest()

    def _with_tags(self, piece: Piece, parts: list[bytes]) -> list[bytes]:
        style = self.scene.tags
        if piece.place in style.bare:
            return parts
        tagged: list[bytes] = [clock_tag(self._clock_us(piece))] if style.has_priv else []
        if not style.has_hydra:
            return tagged + parts
        for index, begin in enumerate(TAG_FRAMES):
            end = TAG_FRAMES[index + 1] if index + 1 < len(TAG_FRAMES) else piece.frames
            if begin < piece.frames:
                tagged.append(self.stage_tag(piece, begin))
                tagged += parts[3 * begin : 3 * end]
        return tagged

    def _clock_us(self, piece: Piece) -> int:
        return piece.starts_us + clock_offset_us(self.scene, piece.place)

    def stage_tag(self, piece: Piece, frame: int) -> bytes:
        """The tag that stands before a frame of a segment."""
        chance = invented_number(self.scene.id, piece.place, frame)
        position = piece.position + frame * SAMPLES / piece.rate
        late_us = TAG_LATE_US + chance % 8001 - 4000
        unix_us = self._clock_us(piece) + frame * SAMPLES * 1_000_000 // piece.rate + late_us
        people = self.scene.on_stage(position)
        heard = self._stage.sounding(position)
        levels = [self._level(person, heard, index, chance) for index, person in enumerate(people)]
        if self.scene.tags.short_levels and len(levels) > 1:
            levels.pop()
        return hydra_tag(unix_us, self._participants(people[1:]), levels, self.scene.tags)

    def _level(self, person: Person, heard: frozenset[str], index: int, chance: int) -> int:
        dice = chance >> (index * 6)
        if person.handle in heard:
            return 38 + dice % 40
        if index == 0 and "tape" in heard:
            return 18 + dice % 14
        return dice % 4

    def _participants(self, people: tuple[Person, ...]) -> str:
        key = tuple(person.handle for person in people)
        text = self._people_texts.get(key)
        if text is None:
            text = self._people_texts[key] = compact([self._participant(p) for p in people])
        return text

    def _participant(self, person: Person) -> dict[str, Any]:
        shown: dict[str, Any] = {"ParticipantIndex": person.index, "UserId": person.periscope_id}
        if self.scene.tags.has_stream_name:
            shown["StreamName"] = f"{self.scene.id}-{person.index}"
        return shown | {
            "UserName": person.handle,
            "SessionId": person.session_id,
            "ProfileUrl": person.avatar_url.replace("_normal", "_reasonably_small"),
        }

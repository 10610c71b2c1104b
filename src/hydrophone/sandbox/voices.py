"""Real AAC for pretended people: loops of encoded frames, one for each mixture of voices, made once and kept on disk.

A voice is a row of harmonics under two formants, opened and closed by syllables. Nobody is fooled, but three voices, a
tape and silence can be told apart by ear and by spectrum. Segments pick frames from these loops.
"""

from __future__ import annotations

import math
import operator
import os
import random
import struct
import tempfile
from array import array
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from typing import Any

LOOP_FRAMES = 1125  # 24 s at 48 kHz: eight segments
PRIMING_FRAMES = 4
VERSION = 1
TAPE = 0

AMPLITUDE = 9000
STEPS = 12  # of loudness

_PITCH = {1: 112.0, 2: 171.0, 3: 236.0}
_VOWELS = {
    1: ((560.0, 1150.0), (340.0, 1900.0)),
    2: ((690.0, 1480.0), (420.0, 820.0)),
    3: ((480.0, 2150.0), (760.0, 1300.0)),
}
_SYLLABLES_PER_SECOND = {1: 3.1, 2: 4.3, 3: 5.2}


def voice_samples(voice: int, count: int, rate: int) -> array[int]:
    """How a voice sounds: `count` samples of 16 bits. Voice 0 is the tape: hum and hiss."""
    return _tape(count, rate) if voice == TAPE else _speech(voice, count, rate)


def _speech(voice: int, count: int, rate: int) -> array[int]:
    """Pitch periods, one after the other, chosen by vowel, intonation and loudness: joining is all the work."""
    dice = random.Random(voice)
    periods: dict[tuple[int, int, int], array[int]] = {}
    out: array[int] = array("h")
    syllable = 0
    while len(out) < count:
        vowel, tone = dice.randrange(2), dice.randrange(4)
        left = int(rate / _SYLLABLES_PER_SECOND[voice] * dice.uniform(0.7, 1.3))
        length = left
        is_pause = syllable % 9 == 8
        while left > 0:
            loudness = 1 if is_pause else 1 + round((STEPS - 1) * math.sin(math.pi * (1 - left / length)))
            key = (vowel, tone, loudness)
            if key not in periods:
                periods[key] = _period(voice, vowel, tone, loudness, rate)
            out += periods[key]
            left -= len(periods[key])
        syllable += 1
    return out[:count]


def _period(voice: int, vowel: int, tone: int, loudness: int, rate: int) -> array[int]:
    pitch = _PITCH[voice] * (1 + 0.06 * (tone - 1.5))
    low, high = _VOWELS[voice][vowel]
    size = round(rate / pitch)
    gains = []
    for harmonic in range(1, 16):
        frequency = pitch * harmonic
        gains.append(1 / (1 + ((frequency - low) / 180) ** 2) + 0.5 / (1 + ((frequency - high) / 260) ** 2) + 0.03)
    scale = AMPLITUDE * loudness / STEPS / sum(gains) * 1.8
    turn = 2 * math.pi / size
    return array(
        "h", (int(scale * sum(g * math.sin(turn * (h + 1) * n) for h, g in enumerate(gains))) for n in range(size))
    )


def _tape(count: int, rate: int) -> array[int]:
    noise = array("h", random.Random(83).randbytes(2 * count))
    hum = [int(1800 * math.sin(2 * math.pi * n / 576)) for n in range(576)]  # 83 Hz at 48 kHz
    return array("h", map(lambda hiss, wave: (hiss >> 5) + wave, noise, cycle(hum)))


def encode_loop(voices: Iterable[int], rate: int, channels: int) -> tuple[bytes, ...]:
    """The raw AAC-LC blocks (no ADTS header) of a loop in which these voices sound together; none: silence."""
    import av

    count = (LOOP_FRAMES + PRIMING_FRAMES + 2) * 1024
    mixed = array("h", bytes(2 * count))
    for voice in sorted(voices):
        mixed = array("h", map(operator.add, mixed, voice_samples(voice, count, rate)))
    layout = "stereo" if channels == 2 else "mono"
    codec: Any = av.CodecContext.create("aac", "w")
    codec.sample_rate, codec.layout, codec.format, codec.bit_rate = rate, layout, "fltp", 47_000 * channels
    codec.options = {"aac_coder": "fast"}
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
    blocks: list[bytes] = []
    for at in range(0, count, 1024):
        frame = av.AudioFrame(format="s16", layout="mono", samples=1024)
        frame.sample_rate, frame.pts = rate, at
        frame.planes[0].update(mixed[at : at + 1024].tobytes())
        for part in resampler.resample(frame):
            blocks += [bytes(packet) for packet in codec.encode(part)]
    blocks += [bytes(packet) for packet in codec.encode(None)]
    # The first frames hold the encoder's delay and its name.
    return tuple(blocks[PRIMING_FRAMES : PRIMING_FRAMES + LOOP_FRAMES])


@lru_cache(maxsize=64)
def voice_loop(voices: frozenset[int], rate: int = 48_000, channels: int = 2) -> tuple[bytes, ...]:
    """The loop of a mixture, from memory, from the cache directory, or encoded now (about a second)."""
    name = f"voices-{''.join(map(str, sorted(voices))) or 'none'}-{rate}-{channels}"
    return cached_blocks(name, lambda: encode_loop(voices, rate, channels))


def cached_blocks(name: str, make: Callable[[], Iterable[bytes]]) -> tuple[bytes, ...]:
    """What `make` made once on this machine: a tuple of bytes. Without a writable cache it is made for each process."""
    directory = cache_directory()
    if directory is None:
        return tuple(make())
    path = directory / f"{name}.bin"
    try:
        return _unpack(path.read_bytes())
    except (OSError, ValueError):
        pass
    blocks = tuple(make())
    try:
        with tempfile.NamedTemporaryFile(dir=directory, delete=False) as part:
            part.write(_pack(blocks))
        Path(part.name).replace(path)  # atomic: several processes may do this at once
    except OSError:
        pass
    return blocks


def cache_directory() -> Path | None:
    """Where loops are kept: ``HYDROPHONE_SANDBOX_CACHE``, else the user's cache directory; None if not writable."""
    import av
    import platformdirs

    told = os.environ.get("HYDROPHONE_SANDBOX_CACHE")
    base = Path(told) if told else Path(platformdirs.user_cache_dir("hydrophone")) / "sandbox"
    directory = base / f"v{VERSION}-av{av.__version__}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return directory if os.access(directory, os.W_OK) else None


def _pack(blocks: tuple[bytes, ...]) -> bytes:
    return b"HPSB" + struct.pack(">I", len(blocks)) + b"".join(struct.pack(">I", len(b)) + b for b in blocks)


def _unpack(data: bytes) -> tuple[bytes, ...]:
    if data[:4] != b"HPSB":
        raise ValueError("not a cache file")
    (count,) = struct.unpack_from(">I", data, 4)
    blocks, at = [], 8
    for _ in range(count):
        (size,) = struct.unpack_from(">I", data, at)
        block = data[at + 4 : at + 4 + size]
        if len(block) != size:
            raise ValueError("short cache file")
        blocks.append(block)
        at += 4 + size
    return tuple(blocks)

"""Writes the timed ID3 metadata of a segment: the clock, who is on stage, how loud each of them is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from hydrophone.sandbox.scene import TagStyle

NTP_OFFSET_US = 2_208_988_800 * 1_000_000  # from 1900 to 1970
CLOCK_OWNER = b"com.apple.streaming.transportStreamTimestamp\x00"


def synchsafe(number: int) -> bytes:
    """28 bits in four bytes of seven."""
    return bytes((number >> 21 & 0x7F, number >> 14 & 0x7F, number >> 7 & 0x7F, number & 0x7F))


def id3_frame(name: bytes, payload: bytes, *, plain: bool = False) -> bytes:
    """A frame; `plain` sizes are not what ID3v2.4 demands, but they are in circulation."""
    size = len(payload).to_bytes(4, "big") if plain else synchsafe(len(payload))
    return name + size + b"\0\0" + payload


def id3_tag(frames: bytes) -> bytes:
    return b"ID3\x04\x00\x00" + synchsafe(len(frames)) + frames


def clock_ticks(unix_us: int) -> int:
    """90 kHz ticks of the NTP clock, low 33 bits."""
    return (unix_us + NTP_OFFSET_US) * 9 // 100 % 2**33


def ntp_text(unix_us: int) -> str:
    """NTP seconds with three decimals, cut off rather than rounded."""
    ms = (unix_us + NTP_OFFSET_US) // 1000
    return f"{ms // 1000}.{ms % 1000:03d}"


def clock_tag(unix_us: int) -> bytes:
    """The 73 bytes that open every clean segment."""
    return id3_tag(id3_frame(b"PRIV", CLOCK_OWNER + clock_ticks(unix_us).to_bytes(8, "big")))


def hydra_tag(unix_us: int, participants: str, levels: Sequence[int], style: TagStyle) -> bytes:
    """One tag of the stage: the clock in two spellings, the people without the creator (JSON), the levels with them."""
    clock = ntp_text(unix_us)
    shown = f'"{clock}"' if style.ntp_as_text else clock
    frames = id3_frame(b"TIT3", _text(clock, style), plain=style.plain_sizes)
    frames += _named_text("JSONMetadata", f'{{"HydraVersion":4,"ntp":{shown}}}', style)
    frames += _people_text(participants, style)
    frames += _named_text("HydraAudioLevel", compact(levels), style)
    if style.rotation is not None:
        frames += id3_frame(b"TKEY", _text(str(style.rotation), style), plain=style.plain_sizes)
    return id3_tag(frames)


def _named_text(name: str, value: str, style: TagStyle) -> bytes:
    payload = _text(name, style) + _text(value, style)[1:]
    return id3_frame(b"TXXX", payload, plain=style.plain_sizes)


@lru_cache(maxsize=1024)  # the stage changes seldom, and this is the longest text of a tag
def _people_text(participants: str, style: TagStyle) -> bytes:
    return _named_text("HydraParticipants", participants, style)


def compact(value: Any) -> str:
    """JSON without blanks, as the service writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(text: str, style: TagStyle) -> bytes:
    """Encoding byte, text, closing NUL."""
    codec = "latin-1" if style.encoding == 0 else "utf-8"
    return bytes([style.encoding]) + text.encode(codec, "replace") + b"\0"

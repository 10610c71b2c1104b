"""Choosing one variant out of those that a multivariant playlist offers."""

from __future__ import annotations

import re

from hydrophone.errors import PlaylistError, SettingsError
from hydrophone.hls.playlist import MultivariantPlaylist, Variant

_HEIGHT = re.compile(r"([0-9]{1,5})p?([0-9]{1,3})?")


def choose_variant(playlist: MultivariantPlaylist, wanted: str = "best") -> Variant:
    """The variant that fits `wanted` best.

    Args:
        wanted: ``best`` or ``worst`` (also ``smallest``) by bandwidth; ``720p``: the best that is not higher, else the
            lowest there is; ``audio``: the best without a picture, else the smallest, whose audio is complete too.

    Raises:
        PlaylistError: the playlist offers nothing that we may follow.
        SettingsError: `wanted` is none of these words.
    """
    if not playlist.variants:
        raise PlaylistError("the multivariant playlist offers no variant that we may follow")
    ranked = sorted(playlist.variants, key=_rank)
    match wanted.strip().lower():
        case "best" | "":
            # Where sound alone is offered beside pictures, the best is a picture.
            return ranked[-1]
        case "worst" | "smallest":
            return ranked[0]
        case "audio" | "bestaudio":
            return next((variant for variant in reversed(ranked) if variant.is_audio_only), ranked[0])
        case word:
            return _at_most(ranked, word)


def _at_most(ranked: list[Variant], word: str) -> Variant:
    match = _HEIGHT.fullmatch(word)
    if match is None:
        raise SettingsError(
            f"{word!r} is no format",
            setting="format",
            advice="Use best, worst, audio, or a height such as 720p.",
        )
    height = int(match[1])
    fitting = [variant for variant in ranked if variant.height is not None and variant.height <= height]
    if fitting:
        return max(fitting, key=lambda variant: (variant.height or 0, *_rank(variant)))
    return min(ranked, key=lambda variant: (variant.height or 0, *_rank(variant)))


def _rank(variant: Variant) -> tuple[int, int]:
    """Bandwidth first: the order in the playlist means nothing, and the resolution of audio is invented."""
    return variant.bandwidth_bps or 0, variant.height or 0

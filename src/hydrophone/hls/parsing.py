"""From the text of a playlist to its values, whatever the text is.

Each line is looked at once. What cannot be used is noted and passed over; only a text that is no playlist at all, or
is larger than any real one, raises.
"""

from __future__ import annotations

from collections.abc import Callable

from hydrophone.errors import PlaylistError
from hydrophone.hls.choices import ChoiceReader
from hydrophone.hls.entries import MediaReader
from hydrophone.hls.playlist import MediaPlaylist, MultivariantPlaylist

MAX_PLAYLIST_BYTES = 8 * 1024 * 1024

_VARIANT_TAGS = ("#EXT-X-STREAM-INF", "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-MEDIA:")


def parse_playlist(
    body: bytes | str,
    *,
    url: str,
    check: Callable[[str], bool] | None = None,
    check_key: Callable[[str], bool] | None = None,
) -> MediaPlaylist | MultivariantPlaylist:
    """The playlist of these bytes, which came from `url` (where redirects finally led).

    Takes about 4 µs an entry: let a thread read bodies of a megabyte and more.

    Args:
        body: as served; at most 8 MiB, of which the first 200,000 entries count.
        check: one more rule for the hosts of entries, asked once for each; an entry for which it is False is
            refused. It cannot allow what the playlist's own rule forbids: another origin, key or scheme.
        check_key: which URLs a decryption key may be fetched from; by default https on the service's API hosts,
            and the playlist's own origin. A key that is refused leaves an empty URL in `SegmentKey`.

    Raises:
        PlaylistError: the text does not begin with ``#EXTM3U``, or is larger than the cap.
    """
    if len(body) > MAX_PLAYLIST_BYTES:
        raise PlaylistError(f"the playlist is larger than {MAX_PLAYLIST_BYTES} bytes")
    text, is_utf8 = _decode(body)
    text = text.lstrip("\ufeff\r\n\t \0")
    if not text.startswith("#EXTM3U"):
        raise PlaylistError("not a playlist: the text does not begin with #EXTM3U", line=1)
    # Blank lines before the first tag are dropped, so numbers of lines count from the first tag.
    lines = text.split("\n")
    reader: ChoiceReader | MediaReader
    reader = ChoiceReader(url, check) if _is_multivariant(text) else MediaReader(url, check, check_key)
    if not is_utf8:
        reader.problems.add(1, "the text is not UTF-8")
    return reader.read(lines)


def _decode(body: bytes | str) -> tuple[str, bool]:
    if isinstance(body, str):
        return body, True
    try:
        return body.decode("utf-8"), True
    except UnicodeDecodeError:
        return body.decode("utf-8", errors="replace"), False


def _is_multivariant(text: str) -> bool:
    """True when a tag of a multivariant playlist stands before the first segment."""
    first_segment = text.find("\n#EXTINF")
    end = len(text) if first_segment < 0 else first_segment
    return any(text.find(f"\n{tag}", 0, end) >= 0 for tag in _VARIANT_TAGS)

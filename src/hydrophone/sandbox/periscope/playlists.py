"""Media playlists as Periscope wrote them: live windows, replays of both generations, a key line per segment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hydrophone.sandbox.playlists import dated
from hydrophone.sandbox.timeline import Piece

KeyLine = Callable[[Piece], str]


def live_list(pieces: Sequence[Piece], key_line: KeyLine | None, *, discontinuities: int = 0, is_ended: bool) -> str:
    """A window of the newest segments. At the end ENDLIST comes without a playlist type."""
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        "#EXT-X-TARGETDURATION:3",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f"#EXT-X-MEDIA-SEQUENCE:{pieces[0].sequence if pieces else 0}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}",
    ]
    if key_line is None:
        lines.append("#EXT-X-START:TIME-OFFSET=0.01")
    for piece in pieces:
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{dated(piece.dated_us)}")
        if key_line is not None:
            lines.append(key_line(piece))
        lines += [f"#EXTINF:{piece.extinf},", f"{piece.name}?type=live"]
    return _text(lines, is_ended=is_ended)


def replay_list(pieces: Sequence[Piece], key_line: KeyLine | None, *, is_complete: bool) -> str:
    """Everything from the beginning; a partial replay of a running broadcast is neither VOD nor ended."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:3", "#EXT-X-MEDIA-SEQUENCE:0"]
    lines += ["#EXT-X-PLAYLIST-TYPE:VOD"] if is_complete else []
    lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    for piece in pieces:
        if key_line is not None:
            lines.append(key_line(piece))
        lines += [f"#EXTINF:{piece.extinf},", f"{piece.name}?type=replay"]
    return _text(lines, is_ended=is_complete)


def old_list(pieces: Sequence[Piece]) -> str:
    """A replay of 2016: short names, nothing else."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:3"]
    lines += ["#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD"]
    for piece in pieces:
        lines += [f"#EXTINF:{piece.extinf},", f"chunk_{piece.place}.ts"]
    return _text(lines, is_ended=True)


def _text(lines: list[str], *, is_ended: bool) -> str:
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if is_ended else [])]) + "\n"

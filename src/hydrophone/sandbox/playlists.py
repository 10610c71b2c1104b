"""Writes the playlists of a scene as text, in the tags and the order of the service."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache

from hydrophone.sandbox.clock import from_us
from hydrophone.sandbox.scene import Scene, VideoVariant
from hydrophone.sandbox.timeline import Piece

AUDIO_SETTING = {"Height": 8, "Kbps": 350, "TranscodeAudio": True, "Width": 8}


def stream_root(scene: Scene, kind: str, token: str = "") -> str:
    """The path of a stream's folder, with its closing slash: ``non_transcode``, or ``transcode`` with a token."""
    region = scene.region
    path = f"/Transcoding/v1/hls/{scene.stream_key}/{kind}/{region}/periscope-replay-direct-prod-{region}-public/"
    if token:
        path += f"{token}/"
    return path if scene.is_video else f"{path}audio-space/"


@lru_cache(maxsize=64)
def transcode_token(setting: str) -> str:
    """The JWT of a transcode path; `setting` is its payload as JSON. Equal settings give equal tokens, as in life."""
    head = _base64(b'{"alg":"HS256","typ":"JWT","version":"2"}')
    body = _base64(setting.encode())
    return f"{head}.{body}.{_base64(hashlib.blake2b(f'{head}.{body}'.encode(), digest_size=32).digest())}"


def audio_token() -> str:
    return transcode_token(json.dumps(AUDIO_SETTING, separators=(",", ":")))


def video_token(variant: VideoVariant) -> str:
    setting: dict[str, object] = {"EncoderSetting": variant.setting, "Height": variant.height}
    if variant.frame_rate > 30:
        setting["HighFrameRate"] = True
    setting["Kbps"] = variant.kbps
    if variant.kbps <= 600:
        setting["TranscodeAudio"] = True
    setting["Width"] = variant.width
    return transcode_token(json.dumps(setting, separators=(",", ":")))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def dated(unix_us: int) -> str:
    """An instant as PROGRAM-DATE-TIME spells it."""
    at = from_us(unix_us)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def entries(pieces: Iterable[Piece], query: str, *, twice: Iterable[int] = (), breaks: Iterable[int] = ()) -> list[str]:
    """Three lines for each segment; places in `twice` come twice, those in `breaks` after a DISCONTINUITY."""
    doubled, broken = frozenset(twice), frozenset(breaks)
    lines: list[str] = []
    for piece in pieces:
        if piece.place in broken:
            lines.append("#EXT-X-DISCONTINUITY")
        entry = [
            f"#EXT-X-PROGRAM-DATE-TIME:{dated(piece.dated_us)}",
            f"#EXTINF:{piece.extinf},",
            f"{piece.name}?type={query}" if query else piece.name,
        ]
        lines += entry * 2 if piece.place in doubled else entry
    return lines


def live_list(
    scene: Scene,
    pieces: list[Piece],
    *,
    discontinuities: int = 0,
    is_ended: bool = False,
    key_line: str = "",
    twice: Iterable[int] = (),
) -> str:
    """The live window. `discontinuities` is how many lie before it."""
    first = pieces[0].sequence if pieces else 0
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        f"#EXT-X-TARGETDURATION:{3 if scene.is_video else 4}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
    ]
    if key_line:
        lines.append(key_line)
    else:
        lines += [f"#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}", "#EXT-X-START:TIME-OFFSET=0.01"]
    lines += entries(pieces, "live", twice=twice, breaks=scene.quirks.discontinuities)
    if is_ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def whole_list(
    scene: Scene, pieces: Iterable[Piece], query: str, *, is_vod: bool, has_endlist: bool, key_line: str = ""
) -> str:
    """A snapshot or a replay: everything from the first segment on."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:6"]
    if is_vod:
        lines.append("#EXT-X-PLAYLIST-TYPE:VOD")
    lines += [
        f"#EXT-X-TARGETDURATION:{3 if scene.is_video else 5}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-DISCONTINUITY-SEQUENCE:0",
    ]
    if key_line:
        lines.append(key_line)
    quirks = scene.quirks
    lines += entries(pieces, query, twice=quirks.duplicates, breaks=quirks.discontinuities)
    if has_endlist:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def delta_list(pieces: list[Piece], skipped: int) -> str:
    """A live video list for delta updates; `skipped` of the oldest stand behind one SKIP line."""
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:9",
        "#EXT-X-TARGETDURATION:3",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=24.0",
        f"#EXT-X-MEDIA-SEQUENCE:{pieces[0].sequence if pieces else 0}",
    ]
    if skipped:
        lines.append(f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}")
    return "\n".join(lines + entries(pieces[skipped:], "live")) + "\n"


def audio_master(scene: Scene, number: int) -> str:
    """The master of an audio Space: one variant, an absolute path under the transcode base."""
    size, bandwidth = ("100x100", 500_000) if scene.quirks.wide_master else ("8x8", 350_000)
    return (
        "#EXTM3U\n"
        "#EXT-X-DYNAMICALLY-GENERATED\n"
        f"#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH={bandwidth},RESOLUTION={size},"
        'CODECS="avc1.640015,mp4a.40.2",FRAME-RATE=30.000\n'
        f"{stream_root(scene, 'transcode', audio_token())}playlist_{number}.m3u8\n"
    )


def video_master(scene: Scene, name: str) -> str:
    """The master of a video stream: each variant's list is called `name`."""
    lines = ["#EXTM3U", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for variant in scene.variants:
        codec = "avc1.64002a" if variant.height > 720 else "avc1.64001f" if variant.height > 480 else "avc1.640015"
        lines.append(
            f"#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH={variant.kbps * 1000},"
            f"RESOLUTION={variant.width}x{variant.height},"
            f'CODECS="{codec},mp4a.40.2",FRAME-RATE={variant.frame_rate}.000'
        )
        lines.append(f"{stream_root(scene, 'transcode', video_token(variant))}{name}")
    return "\n".join(lines) + "\n"

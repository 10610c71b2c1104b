"""The CDN's files of a video stream: masters, variants with and without delta, replay, original, AES-128."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace

from hydrophone.sandbox.ledger import Ledger
from hydrophone.sandbox.pictures import VideoMaker
from hydrophone.sandbox.playlists import delta_list, live_list, video_master, video_token, whole_list
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.shelf import SNAPSHOT_NAME, Found, PlaylistFile, SegmentFile, Shelf
from hydrophone.sandbox.timeline import Piece, Timeline

LIVE_MASTER = re.compile(r"(tw_)?master_dynamic_(highlatency|playlist|delta)\.m3u8")
REPLAY_MASTER = re.compile(r"(tw_)?master_dynamic_(\d{20})\.m3u8")
LIVE_VARIANT = re.compile(r"(tw_)?dynamic_(highlatency|playlist|delta)\.m3u8")
DELTA_WINDOW = 20
DELTA_KEPT = 8
FIXED_IV = 0x136


def video_key(scene: Scene) -> bytes:
    """The 16 bytes that the key endpoint hands to somebody signed in."""
    return hashlib.blake2b(f"aes/{scene.stream_key}".encode(), digest_size=16).digest()


def encrypt(scene: Scene, piece: Piece, body: bytes) -> bytes:
    """AES-128 in CBC mode with PKCS#7, as the playlists with the prefix ``tw_`` announce it."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    number = FIXED_IV if has_fixed_iv(scene) else piece.sequence
    pad = 16 - len(body) % 16
    # Fixed parameters of the wire format that is imitated; nothing here is secret.
    coder = Cipher(algorithms.AES(video_key(scene)), modes.CBC(number.to_bytes(16, "big"))).encryptor()
    return coder.update(body + bytes((pad,)) * pad) + coder.finalize()


def has_fixed_iv(scene: Scene) -> bool:
    """Whether the key line carries an IV; `extra` ``aes_iv = "sequence"`` leaves it to the sequence number."""
    return bool(scene.extra.get("aes_iv", "fixed") == "fixed")


class VideoShelf(Shelf):
    """Like the audio shelf, but variants are used with their transcode base, and segments live there."""

    window = 5

    def __init__(self, scene: Scene, timeline: Timeline, ledger: Ledger) -> None:
        super().__init__(scene, timeline, ledger)
        self._makers = {video_token(v): VideoMaker(scene, v) for v in scene.variants}
        self._sealed_scene = replace(
            scene, variants=tuple(replace(v, setting=f"{v.setting}_tw") for v in scene.variants)
        )
        sealed = zip(self._sealed_scene.variants, self._makers.values(), strict=True)
        self._sealed_makers = {video_token(v): maker for v, maker in sealed}

    @property
    def original(self) -> VideoMaker:
        """The quality that was sent."""
        return max(self._makers.values(), key=lambda maker: maker.variant.kbps)

    def find(
        self, name: str, *, token: str, is_audio: bool, params: Mapping[str, str], now_us: int, x_base: str = ""
    ) -> Found:
        """The file of that name now, or an error status. `x_base` is where keys are to be asked."""
        if is_audio or (token and token not in self._makers and token not in self._sealed_makers):
            return 404
        is_sealed = token in self._sealed_makers
        if name.startswith("chunk_"):
            return self._segment(name, token, now_us)
        key_line = self._key_line(x_base) if is_sealed else ""
        if token and (match := LIVE_VARIANT.fullmatch(name)):
            return self._live(match[2], params, now_us, key_line)
        if match := SNAPSHOT_NAME.fullmatch(name):
            return self._whole_list(int(match[2]), params.get("type", ""), now_us, key_line)
        return 404 if token else self._master(name, now_us)

    # ------------------------------------------------------------ masters

    def _master(self, name: str, now_us: int) -> Found:
        if match := LIVE_MASTER.fullmatch(name):
            if not self.is_on_air(now_us) or not self.live_pieces(now_us):
                return 404
            skip = "&_HLS_skip=YES" if match[2] == "delta" else ""
            return self._choices(bool(match[1]), f"dynamic_{match[2]}.m3u8?type=live{skip}", is_live=True)
        newest = self.newest_snapshot(now_us)
        if newest is None:
            return 404
        if name == "master_master_playlist.m3u8":
            return self._choices(False, f"playlist_{newest.number}.m3u8", is_live=False)
        match = REPLAY_MASTER.fullmatch(name)
        snapshot = self.snapshot(int(match[2]), now_us) if match else None
        if match is None or snapshot is None or not self.replay_count(snapshot, now_us):
            return 404
        return self._choices(bool(match[1]), f"playlist_{snapshot.number}.m3u8?type=replay", is_live=False)

    def _choices(self, is_sealed: bool, name: str, *, is_live: bool) -> Found:
        if is_sealed and not self.scene.is_encrypted:
            return 404
        text = video_master(self._sealed_scene if is_sealed else self.scene, f"{'tw_' if is_sealed else ''}{name}")
        return PlaylistFile(text.encode(), is_live=is_live)

    # ------------------------------------------------------------ variants

    def _live(self, form: str, params: Mapping[str, str], now_us: int, key_line: str) -> Found:
        is_delta = form == "delta"
        on_air = self.is_on_air(now_us)
        pieces = self.live_pieces(now_us, window=DELTA_WINDOW if is_delta else None) if on_air else []
        if not pieces:
            return 404
        self.note("live", pieces, now_us)
        if is_delta:
            wants_skip = params.get("_HLS_skip") == "YES" and len(pieces) == DELTA_WINDOW
            return PlaylistFile(
                delta_list(pieces, DELTA_WINDOW - DELTA_KEPT if wants_skip else 0).encode(), is_live=True
            )
        text = live_list(
            self.scene,
            pieces,
            discontinuities=self.breaks_before(pieces[0].place),
            is_ended=self.shows_false_end(now_us),
            key_line=key_line,
            twice=self.scene.quirks.duplicates,
        )
        return PlaylistFile(text.encode(), is_live=True)

    def _whole_list(self, number: int, kind: str, now_us: int, key_line: str) -> Found:
        snapshot = self.snapshot(number, now_us)
        if snapshot is None:
            return 404
        query = "replay" if kind == "replay" else ""
        count = self.replay_count(snapshot, now_us) if query else snapshot.count
        if not count:
            return 404
        pieces = list(self.listed_pieces(count))
        self.note(query or "snapshot", pieces, now_us)
        has_endlist = snapshot.is_final or self.scene.snapshot.has_endlist
        text = whole_list(
            self.scene, pieces, query, is_vod=snapshot.is_final, has_endlist=has_endlist, key_line=key_line
        )
        return PlaylistFile(text.encode(), is_live=False)

    def _key_line(self, x_base: str) -> str:
        line = f'#EXT-X-KEY:METHOD=AES-128,URI="{x_base}/i/live_video_stream/key?stream_name={self.scene.stream_key}"'
        return f"{line},IV=0x{FIXED_IV:032x}" if has_fixed_iv(self.scene) else line

    # ------------------------------------------------------------ segments

    def _segment(self, name: str, token: str, now_us: int) -> Found:
        piece = self.fetchable(name, now_us)
        if piece is None:
            return 404
        if token in self._sealed_makers:
            return SegmentFile(encrypt(self.scene, piece, self._sealed_makers[token].body(piece)), "video/MP2T")
        maker = self._makers[token] if token else self.original
        return SegmentFile(maker.body(piece), "video/MP2T")

    def digest(self, piece: Piece, variant: str = "") -> str:
        """SHA-256 of a segment in the quality that was sent, or in the variant ``WIDTHxHEIGHT``."""
        for maker in self._makers.values():
            if variant == f"{maker.variant.width}x{maker.variant.height}":
                return maker.digest(piece)
        return self.original.digest(piece)

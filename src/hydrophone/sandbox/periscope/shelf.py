"""The CDN's files of a Periscope broadcast: what differs from the broadcasts of X is here, the rest is theirs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from hydrophone.sandbox.cdn_video import VideoShelf, video_key
from hydrophone.sandbox.periscope.facts import fact
from hydrophone.sandbox.periscope.playlists import KeyLine, live_list, old_list, replay_list
from hydrophone.sandbox.periscope.thumbnails import rotation_at
from hydrophone.sandbox.pictures import VideoMaker
from hydrophone.sandbox.playlists import video_token
from hydrophone.sandbox.scene import Scene, VideoVariant
from hydrophone.sandbox.shelf import SNAPSHOT_NAME, Found, PlaylistFile, SegmentFile
from hydrophone.sandbox.tags import id3_frame, id3_tag, ntp_text
from hydrophone.sandbox.timeline import Piece, Snapshot
from hydrophone.sandbox.world import World

LIVE_NAME = re.compile(r"(?:tw_)?dynamic_(?:playlist|lowlatency|lhlsweb|highlatency)\.m3u8")
OLD_LIST = re.compile(r"playlist(?:_(\d{19}))?\.m3u8")
OLD_SEGMENT = re.compile(r"chunk_(\d{1,9})\.ts")
FINAL_LAG_US = 4_714_118  #: of the final list behind the end, by X's clock
AFTERWARDS_US = 600 * 1_000_000
TAGS_IN_SECONDS = 1.0


class TaggedMaker(VideoMaker):
    """Makes segments with timed metadata: the clock, how the camera is held, the picture's size."""

    def __init__(self, scene: Scene, variant: VideoVariant) -> None:
        super().__init__(scene, variant)
        self._scene = scene

    def metadata(self, piece: Piece) -> list[tuple[int, bytes]]:
        if not fact(self._scene, "rotation") or not fact(self._scene, "rotation_tags"):
            return []
        tagged = []
        for number in range(int(self._scene.segment_seconds / TAGS_IN_SECONDS)):
            position = piece.position + number * TAGS_IN_SECONDS
            texts = {
                b"TIT3": ntp_text(piece.starts_us + round(number * TAGS_IN_SECONDS * 1_000_000)),
                b"TKEY": str(rotation_at(self._scene, position)),
                b"TMED": str(self.variant.width),
                b"TMOO": str(self.variant.height),
            }
            frames = b"".join(id3_frame(name, b"\x03" + text.encode() + b"\0") for name, text in texts.items())
            tagged.append((round(position * 90_000), id3_tag(frames)))
        return tagged


class PeriscopeShelf(VideoShelf):
    """One broadcast. Without a token every name is the quality that was sent."""

    def __init__(self, world: World, scene: Scene) -> None:
        super().__init__(scene, world.timeline(scene.id), world.ledger)
        self._world = world
        self._makers = {video_token(v): TaggedMaker(scene, v) for v in scene.variants}

    def find(
        self, name: str, *, token: str, is_audio: bool, params: Mapping[str, str], now_us: int, x_base: str = ""
    ) -> Found:
        """The file of that name now, or an error status. What is not Periscope's own way is X's."""
        if is_audio:
            return 404
        key_line = self._key_line_of(x_base) if fact(self.scene, "private") else None
        if LIVE_NAME.fullmatch(name) and not name.startswith("tw_"):
            return self._live_window(now_us, key_line)
        match = SNAPSHOT_NAME.fullmatch(name)
        if match and not match[1]:
            return self._everything(int(match[2]), now_us, key_line)
        found = super().find(name, token=token, is_audio=False, params=params, now_us=now_us, x_base=x_base)
        if isinstance(found, SegmentFile) and key_line is not None:
            piece = self.fetchable(name, now_us)
            return found if piece is None else SegmentFile(self._seal(piece, found.body), found.content_type)
        return found

    def snapshot(self, number: int, now_us: int) -> Snapshot | None:
        """By the number that Periscope gave it, or by X's."""
        found = super().snapshot(number, now_us)
        if found is not None:
            return found
        readable = (s for s in self.timeline.snapshots(now_us) if s.readable_us <= now_us)
        return next((s for s in readable if list_number(s) == number), None)

    def find_old(self, name: str, now_us: int) -> Found:
        """The file of that name on the replay host of 2015 to 2017."""
        if OLD_LIST.fullmatch(name):
            newest = self.newest_snapshot(now_us)
            if newest is None or not self.replay_count(newest, now_us):
                return 404
            pieces = list(self.listed_pieces(self.replay_count(newest, now_us)))
            self.note("replay", pieces, now_us)
            return PlaylistFile(old_list(pieces).encode(), is_live=False)
        match = OLD_SEGMENT.fullmatch(name)
        if match is None or int(match[1]) >= self.timeline.count_at(now_us):
            return 404
        piece = self.timeline.piece(int(match[1]))
        holes = self.scene.quirks.holes
        return 404 if piece.place in holes else SegmentFile(self.original.body(piece), "video/MP2T")

    # ------------------------------------------------------------ lists

    def _live_window(self, now_us: int, key_line: KeyLine | None) -> Found:
        timeline = self.timeline
        since = (now_us - timeline.started_us) / 1_000_000
        if 0 <= since < float(fact(self.scene, "not_playlist_seconds")):
            return PlaylistFile(b"not ready\n", is_live=True)
        is_over = timeline.ended_us <= now_us < timeline.ended_us + AFTERWARDS_US
        pieces = self.live_pieces(now_us) if is_over or self.is_on_air(now_us) else []
        if not pieces:
            return 404
        self.note("live", pieces, now_us)
        ends = is_over and fact(self.scene, "closing") == "endlist"
        text = live_list(
            pieces,
            key_line,
            discontinuities=self.breaks_before(pieces[0].place),
            is_ended=ends or self.shows_false_end(now_us),
        )
        return PlaylistFile(text.encode(), is_live=True)

    def _everything(self, number: int, now_us: int, key_line: KeyLine | None) -> Found:
        snapshot = self.snapshot(number, now_us)
        if snapshot is None or not self.scene.has_replay:
            return 404
        count = self.replay_count(snapshot, now_us) if snapshot.is_final else snapshot.count
        if not count:
            return 404
        pieces = list(self.listed_pieces(count))
        self.note("replay" if snapshot.is_final else "snapshot", pieces, now_us)
        text = replay_list(pieces, key_line, is_complete=snapshot.is_final)
        return PlaylistFile(text.encode(), is_live=False)

    # ------------------------------------------------------------ keys

    def _key_line_of(self, x_base: str) -> KeyLine:
        # Those who came through the proxy were told real names everywhere else, too.
        is_real = x_base.startswith("https://")
        api = "https://api.periscope.tv" if is_real else self._world.bases.get("periscope", "https://api.periscope.tv")
        uri = f"{api}/api/v2/hlsEncryptionKey?stream_name={self.scene.stream_key}"

        def line(piece: Piece) -> str:
            text = f'#EXT-X-KEY:METHOD=AES-128,URI="{uri}"'
            return text if fact(self.scene, "iv") == "sequence" else f"{text},IV=0x{self._iv(piece).hex()}"

        return line

    def _iv(self, piece: Piece) -> bytes:
        if fact(self.scene, "iv") == "sequence":
            return piece.sequence.to_bytes(16, "big")
        return hashlib.blake2b(f"iv/{piece.name}".encode(), digest_size=16).digest()

    def _seal(self, piece: Piece, body: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        pad = 16 - len(body) % 16
        # Fixed parameters of the wire format that is imitated; nothing here is secret.
        coder = Cipher(algorithms.AES(video_key(self.scene)), modes.CBC(self._iv(piece))).encryptor()
        return coder.update(body + bytes((pad,)) * pad) + coder.finalize()


def list_number(snapshot: Snapshot) -> int:
    """The number in a replay's name: 2^64 minus nanoseconds, half a second after the end of the recording."""
    if not snapshot.is_final:
        return snapshot.number
    return snapshot.number + (FINAL_LAG_US - 500_000) * 1000


def key_of(scene: Scene) -> bytes:
    """What `hlsEncryptionKey` hands out; a scene may make its length wrong."""
    return (video_key(scene) * 2)[: int(fact(scene, "key_bytes"))]

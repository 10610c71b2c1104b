"""The CDN's files of an audio Space."""

from __future__ import annotations

from collections.abc import Mapping

from hydrophone.sandbox.ledger import Ledger
from hydrophone.sandbox.playlists import audio_master, audio_token, live_list, whole_list
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.segments import SegmentMaker
from hydrophone.sandbox.shelf import SNAPSHOT_NAME, Found, PlaylistFile, SegmentFile, Shelf
from hydrophone.sandbox.timeline import Piece, Timeline


class AudioShelf(Shelf):
    """Live list, master, snapshots, replay, segments."""

    def __init__(self, scene: Scene, timeline: Timeline, ledger: Ledger) -> None:
        super().__init__(scene, timeline, ledger)
        self.maker = SegmentMaker(scene)

    def find(
        self, name: str, *, token: str, is_audio: bool, params: Mapping[str, str], now_us: int, x_base: str = ""
    ) -> Found:
        """The file of that name now, or an error status."""
        if not is_audio or (token and token != audio_token()):
            return 404
        if name.startswith("chunk_"):
            return self._segment(name, token, now_us)
        if name == "dynamic_playlist.m3u8" and not token:
            return self._live(now_us)
        if name == "master_playlist.m3u8" and not token:
            return self._master(now_us)
        match = SNAPSHOT_NAME.fullmatch(name)
        if match and not match[1]:
            return self._whole_list(int(match[2]), params.get("type", ""), now_us)
        return 404

    def digest(self, piece: Piece, variant: str = "") -> str:
        """SHA-256 of the frames of a segment; there is only one variant."""
        return self.maker.digest(piece)

    def _segment(self, name: str, token: str, now_us: int) -> Found:
        if token:
            return 400  # a player that resolves names against the variant ends here
        piece = self.fetchable(name, now_us)
        return 404 if piece is None else SegmentFile(self.maker.body(piece), "audio/aac")

    def _live(self, now_us: int) -> Found:
        pieces = self.live_pieces(now_us) if self.is_on_air(now_us) else []
        if not pieces:
            return 404
        self.note("live", pieces, now_us)
        text = live_list(
            self.scene,
            pieces,
            discontinuities=self.breaks_before(pieces[0].place),
            is_ended=self.shows_false_end(now_us),
            twice=self.scene.quirks.duplicates,
        )
        return PlaylistFile(text.encode(), is_live=True)

    def _master(self, now_us: int) -> Found:
        newest = self.newest_snapshot(now_us)
        if newest is None:
            return 404
        return PlaylistFile(audio_master(self.scene, newest.number).encode(), is_live=False)

    def _whole_list(self, number: int, kind: str, now_us: int) -> Found:
        snapshot = self.snapshot(number, now_us)
        if snapshot is None:
            return 404
        query = "replay" if kind == "replay" else ""
        count = self.replay_count(snapshot, now_us) if query else snapshot.count
        if not count:
            return 404
        pieces = list(self.listed_pieces(count))
        self.note(query or "snapshot", pieces, now_us)
        key = (number, query, "")
        if key not in self._whole:
            self._whole.clear()
            has_endlist = snapshot.is_final or self.scene.snapshot.has_endlist
            text = whole_list(self.scene, pieces, query, is_vod=snapshot.is_final, has_endlist=has_endlist)
            self._whole[key] = text.encode()
        return PlaylistFile(self._whole[key], is_live=False)

"""Where the stream of a recording has been seen, in this run and in earlier ones.

The address of a stream is the only way back to a Space whose replay is off, so it is kept before anything is fetched.
"""

from __future__ import annotations

import asyncio

from hydrophone.archive import StreamStore
from hydrophone.errors import DiskError
from hydrophone.hls import is_audio_space
from hydrophone.model import MediaKind, Stream
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.reporting import Reporter
from hydrophone.recorder.sources import Source


class Addresses:
    """The addresses of one source's stream; `urls` has the newest last."""

    def __init__(self, source: Source, store: StreamStore, clock: Clock, tell: Reporter) -> None:
        self.urls: list[str] = []
        self._source = source
        self._store = store
        self._clock = clock
        self._tell = tell

    async def recall(self) -> None:
        """Begin with what an earlier run has seen."""
        seen = await asyncio.to_thread(self._store.recall, self._source.key)
        self.urls = [seen.url] if seen is not None else []

    async def remember(self, stream: Stream) -> None:
        """Keep the address for this run, and for later ones if the source can be asked for again."""
        if stream.url not in self.urls:
            self.urls.append(stream.url)
        await self._save(self._source.key, stream.url, "the stream's address")

    async def remember_key(self, url: str) -> None:
        """Keep the address of a key that was not to be had: it may be one day, when nobody names it any more."""
        await self._save(self._key_name, url, "the address of the key")

    async def recall_key(self) -> str | None:
        """Where the key of what was stored sealed is to be asked for; None where that is not known."""
        seen = await asyncio.to_thread(self._store.recall, self._key_name)
        return seen.url if seen is not None else None

    async def _save(self, name: str, url: str, what: str) -> None:
        if not self._source.link:
            return
        try:
            await asyncio.to_thread(self._store.remember, name, url, seen_at=self._clock.now())
        except DiskError as error:
            self._tell.notice("warning", f"{what} could not be saved: {error.message}")

    @property
    def _key_name(self) -> str:
        return f"{self._source.key} key"

    def __bool__(self) -> bool:
        return bool(self.urls)

    def newest(self, kind: MediaKind | None = None) -> Stream:
        """The stream at the address that was seen last. There must be one."""
        return Stream(url=self.urls[-1], kind=kind or self.kind)

    @property
    def kind(self) -> MediaKind:
        """What the newest address leads to, by its form; audio where there is none."""
        return MediaKind.VIDEO if self.urls and "/audio-space/" not in self.urls[-1] else MediaKind.AUDIO

    @property
    def has_audio_space(self) -> bool:
        """Whether one of them is of an audio Space, which has lists of the whole."""
        return any(is_audio_space(url) for url in self.urls)

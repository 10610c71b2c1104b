"""What a user may ask of a recording, and the way to say stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from hydrophone.media.listening import WhisperOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long each kind of trouble is borne, in seconds. The defaults follow the playlist reference, "Timing"."""

    transient: float = 90.0  #: a segment that answers 5xx, nothing, or damaged bytes
    absent: float = 20.0  #: a segment that answers 404
    soft_deadline: float = 4.0  #: then a second request for the same segment starts beside the first
    hard_deadline: float = 20.0
    playlist_deadline: float = 5.0
    settle_every: float = 10.0  #: after the end, between looks for the final snapshot
    settle_looks: int = 20
    late_look: float = 300.0  #: once more after this, when a segment may still come
    replay_every: float = 300.0  #: while something is still missing, or may be
    replay_for: float = 3600.0
    silence: float = 600.0  #: without any API, this long without a new segment counts as the end, unconfirmed
    lingering: float = 21_600.0  #: the same, though the record says that it is live: nothing may hang for ever
    chat_looks: tuple[float, ...] = (60.0, 600.0)  #: after the end, for what the chat still adds to its history
    stop: float = 5.0  #: after the first Ctrl-C, for what is in flight; SIGTERM leaves 8 s for this and the files


class Chapters(StrEnum):
    """Where the chapters of the packaged audio begin."""

    BOTH = "both"
    TURNS = "turns"  #: where somebody begins to hold the floor
    GAPS = "gaps"  #: where something is missing, and where it goes on
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaging:
    """What is put into the packaged audio. `lyrics`: what is said, as a tag, and as an LRC file beside it."""

    chapters: Chapters = Chapters.BOTH
    lyrics: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recogniser:
    """With which weights a local speech recogniser listens, and how. See `hydrophone.media.whisper`."""

    model: Path
    options: WhisperOptions = field(default_factory=WhisperOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOptions:
    """How to record.

    Attributes:
        archive: the folder that holds the items.
        wait: a Space that has not begun is waited for; else it is an error.
        live_edge: start with what is live now instead of the first second.
        connections: segments fetched at once, for each recording.
        format: which variant of a video: ``"best"``, ``"worst"``, ``"720p"`` …
        output: template of the item's folder; None is the default layout.
        poll_seconds: between looks at the record while live.
        wait_poll_seconds: between looks at a Space that has not begun; None looks every five minutes from afar and
            every ten seconds near the time.
        patience: see `Patience`.
        keep_media_log: keep the working file of a finished, complete recording.
        directory: go on with the item in this folder, wherever it lies.
        transcript: say who said what; the chat is kept either way.
        packaging: which chapters the packaged audio has, and whether it holds what is said.
        recogniser: listens where the service has written no words down; None leaves them out.
    """

    archive: Path
    wait: bool = False
    live_edge: bool = False
    connections: int = 16
    format: str = "best"
    output: str | None = None
    poll_seconds: float = 60.0
    wait_poll_seconds: float | None = None
    patience: Patience = Patience()
    keep_media_log: bool = False
    directory: Path | None = None
    transcript: bool = True
    packaging: Packaging = field(default_factory=Packaging)
    recogniser: Recogniser | None = None


class StopSignal:
    """Two steps of stopping: finish what is there, or abort. Safe to call from a handler of the loop's signals."""

    def __init__(self) -> None:
        self._finish = asyncio.Event()
        self._abort = asyncio.Event()

    def finish(self) -> None:
        """Fetch nothing new, make the files of what is there."""
        self._finish.set()

    def abort(self) -> None:
        """Leave at once; what is on disk stays and a re-run continues."""
        self._finish.set()
        self._abort.set()

    @property
    def is_finishing(self) -> bool:
        return self._finish.is_set()

    @property
    def is_aborting(self) -> bool:
        return self._abort.is_set()

    async def finishing(self) -> None:
        """Return when the user has said stop."""
        await self._finish.wait()

    async def aborting(self) -> None:
        """Return when the user has said stop twice."""
        await self._abort.wait()

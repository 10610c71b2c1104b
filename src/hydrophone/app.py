"""The whole of Hydrophone behind one door, `AsyncHydrophone`; `syncdoor` leads to it from code that is not async.

The command line, the web pages and the Python API all go through here and nowhere else. What a recording does not need
is loaded by those who ask for it, inside their functions: imports are what the start of a command costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from hydrophone.errors import NoReplayError, NotFoundError
from hydrophone.hls import live_url, master_url
from hydrophone.model import Broadcast, BroadcastRef, MediaKey, SpaceRef
from hydrophone.recorder.options import Chapters, Packaging, Recogniser, RecordOptions, StopSignal
from hydrophone.recorder.sources import BroadcastSource, HasBroadcast, SpaceSource
from hydrophone.settings import Settings
from hydrophone.wiring import DEFAULT_REDIRECT, Parts, connect
from hydrophone.xweb.broadcasts import broadcasts_by_ids
from hydrophone.xweb.spaces import space_by_id

if TYPE_CHECKING:
    from hydrophone.archive import VerifyReport
    from hydrophone.broadcasting.events import BroadcastEvent, TargetOutcome
    from hydrophone.checkup import Finding
    from hydrophone.discovering import ApiBudget, Found
    from hydrophone.lookback import Lookback
    from hydrophone.model import MergedSpace, Sighting, Space, Stream, User
    from hydrophone.onair import OnAir
    from hydrophone.recorder.events import Event, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamUrls:
    """Where the media of something is to be had. The URLs are secrets: whoever has one can listen.

    `playlists` holds (name, url): what the service names, and what follows from it.
    """

    stream: Stream
    playlists: tuple[tuple[str, str], ...] = field(repr=False)


def _ignore(event: Event | BroadcastEvent) -> None:
    """Nobody is listening."""


class AsyncHydrophone:
    """Records, looks up, verifies and repairs.

    Use it with ``async with``. One engine serves any number of recordings at once.
    """

    def __init__(self, settings: Settings | None = None, **overrides: Any) -> None:
        """Begin.

        Args:
            settings: None loads them as the command line does (environment, TOML file, defaults).
            overrides: single settings by name, when `settings` is None; they count as flags.
        """
        self.settings = settings or Settings.load(**overrides)
        self._parts: Parts | None = None

    async def __aenter__(self) -> Self:
        self._parts = await connect(self.settings)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        parts, self._parts = self._parts, None
        if parts is not None:
            parts.session.save()
            await parts.client.close()
            await asyncio.to_thread(parts.syncer.close)

    async def record(
        self,
        links: str | Sequence[str],
        *,
        options: RecordOptions | None = None,
        on_event: Callable[[Event], None] | None = None,
        stop: StopSignal | None = None,
    ) -> list[Outcome]:
        """Record one link or many at once; one outcome for each, in their order.

        What goes wrong with one of them is in its outcome (`error`) and does not touch the others.

        Raises:
            AbortedError: `stop` was told twice.
        """
        parts = await self._open()
        return await parts.recorder.record(
            [links] if isinstance(links, str) else list(links),
            options or options_of(self.settings),
            on_event=on_event or _ignore,
            stop=stop,
        )

    async def info(
        self,
        link: str,
        *,
        all_sources: bool = False,
        with_names: bool = False,
        on_notice: Callable[[str], None] | None = None,
    ) -> Space | Broadcast:
        """What is known of a Space or a broadcast, from the cheapest source that can answer.

        Args:
            all_sources: ask every source of `ask_order`, and merge what they say. An own recording always counts.
            with_names: have the X API name the people as well, at $0.010 for each.
            on_notice: gets one line when the source that was asked first could not.

        `raw` is the record of the source that was asked last; `info_with_origins` has all of them.

        Raises:
            LinkError: it is no link that we know.
            RemoteError: the service will not tell; the class says why.
        """
        found = await self.info_with_origins(link, all_sources=all_sources, with_names=with_names, on_notice=on_notice)
        if isinstance(found, Broadcast):
            return found
        teller = found.origins["id"].source
        return replace(found.space, raw=found.space.raw.get(teller, {}))

    async def info_with_origins(
        self,
        link: str,
        *,
        all_sources: bool = False,
        with_names: bool = False,
        on_notice: Callable[[str], None] | None = None,
    ) -> MergedSpace | Broadcast:
        """The same, and for each field of a Space who told it and when. Its `raw` holds a record for each source."""
        from hydrophone.knowing import Knowledge
        from hydrophone.reaching import Reach

        parts = await self._open()
        knowledge = Knowledge(Reach(parts, on_notice), with_names=with_names)
        return await knowledge.about(
            link, lambda: self._info(parts, link, thorough=all_sources), everywhere=all_sources
        )

    async def _info(self, parts: Parts, link: str, *, thorough: bool) -> Space | Broadcast:
        source = await parts.resolver.resolve(link)
        match source:
            case SpaceSource(ref=SpaceRef(space_id)):
                return await parts.client.ask(space_by_id(parts.session, space_id, thorough=thorough))
            case BroadcastSource(ref=BroadcastRef(broadcast_id)):
                broadcast = (await parts.client.ask(broadcasts_by_ids(parts.session, [broadcast_id])))[broadcast_id]
                if broadcast is not None:
                    return broadcast
            case HasBroadcast():
                return await source.broadcast()
        raise NotFoundError(f"nothing is known about {link!r} but its stream", advice="use `hydrophone record`")

    async def stream(self, link: str) -> StreamUrls:
        """Where the media is to be had now.

        Raises:
            NoReplayError: the service offers no stream now.
        """
        parts = await self._open()
        source = await parts.resolver.resolve(link)
        look = await source.look()
        stream = await source.stream(MediaKey(look.media_key) if look.media_key else None)
        if stream is None:
            raise NoReplayError(f"{look.title!r} has no stream now ({look.state.value})")
        derived = (("stream", stream.url), ("live", live_url(stream.url)), ("master", master_url(stream.url)))
        urls: dict[str, str] = {}
        for name, url in derived:
            if url is not None and url not in urls:
                urls[url] = name
        return StreamUrls(stream=stream, playlists=tuple((name, url) for url, name in urls.items()))

    async def broadcast(
        self,
        source: str,
        to: Sequence[str],
        *,
        on_air: OnAir | None = None,
        on_event: Callable[[BroadcastEvent], None] | None = None,
        stop: StopSignal | None = None,
    ) -> list[TargetOutcome]:
        """Play a file, standard input (``-``), a device or a recording to RTMP addresses, in real time.

        Args:
            to: ``rtmp://…``, ``rtmps://…`` or ``periscope``. What leaves this machine needs `OnAir.is_agreed`.

        Raises:
            SettingsError: the source or a target cannot be one, or the consent is missing.
            MediaError: the source cannot be played.
            UnreachableError: no target could be reached at all.
            AbortedError: `stop` was told twice.
        """
        from hydrophone.onair import OnAir, go_on_air

        parts = await self._open()
        return await go_on_air(
            parts, source, to, on_air or OnAir(), stop=stop or StopSignal(), on_event=on_event or _ignore
        )

    async def verify(self, path: Path | str, *, deep: bool = False) -> VerifyReport:
        """Check an item on disk: every file, journal line and segment. Needs no network."""
        from hydrophone.archive import verify_item

        return await asyncio.to_thread(verify_item, Path(path), is_deep=deep)

    async def repair(
        self,
        path: Path | str,
        *,
        on_event: Callable[[Event], None] | None = None,
        stop: StopSignal | None = None,
    ) -> Outcome:
        """Fetch again what an item lacks or holds damaged, and make its files anew.

        Raises:
            ArchiveError: it is no item, or its journal does not say what it is a recording of.
            TakeInUseError: it is being recorded right now.
        """
        from hydrophone.recorder.repairing import forget_damaged, refetchable_link

        folder = Path(path)
        await asyncio.to_thread(forget_damaged, folder)
        link = await asyncio.to_thread(refetchable_link, folder)
        (outcome,) = await self.record(
            link, options=options_of(self.settings, into=folder), on_event=on_event, stop=stop
        )
        return outcome

    async def periscope(self) -> Lookback:
        """What Periscope still tells about users and broadcasts."""
        from hydrophone.lookback import Lookback

        return Lookback(await self._open())

    async def find_spaces(
        self,
        *phrases: str,
        state: str = "all",
        language: str | None = None,
        min_listeners: int = 0,
        with_names: bool = False,
        on_notice: Callable[[str], None] | None = None,
    ) -> Found:
        """Live and scheduled Spaces that have one of the phrases in their title.

        Args:
            state: ``"live"``, ``"scheduled"``, ``"all"`` (both), or ``"ended"``: what was recorded or seen before.
            with_names: have the X API name the creators, at $0.010 for each; those that were named before are anyway.

        Raises:
            NotSignedInError: there is neither a token of the X API nor a login to X.
        """
        from hydrophone.discovering import Discovery, Sieve

        discovery = Discovery(await self._open(), on_notice)
        sieve = Sieve(state=state, language=language, min_listeners=min_listeners)
        return await discovery.find(phrases, sieve, with_names=with_names)

    async def each_space(
        self,
        *phrases: str,
        state: str = "all",
        language: str | None = None,
        min_listeners: int = 0,
        with_names: bool = False,
        on_notice: Callable[[str], None] | None = None,
    ) -> AsyncGenerator[Space, None]:
        """What `find_spaces` finds, one by one, live ones first; who breaks off spares what was not asked yet."""
        from hydrophone.discovering import Discovery, Sieve

        discovery = Discovery(await self._open(), on_notice)
        sieve = Sieve(state=state, language=language, min_listeners=min_listeners)
        async with aclosing(discovery.each(phrases, sieve, with_names=with_names)) as found:
            async for space in found:
                yield space

    async def spaces_by_creators(
        self,
        *creators: str,
        state: str = "all",
        language: str | None = None,
        min_listeners: int = 0,
        with_names: bool = False,
        on_notice: Callable[[str], None] | None = None,
    ) -> Found:
        """The live and scheduled Spaces of these accounts, given as ids or ``@names`` in any mixture and number.

        Arguments and errors as in `find_spaces`.
        """
        from hydrophone.discovering import Discovery, Sieve

        discovery = Discovery(await self._open(), on_notice)
        sieve = Sieve(state=state, language=language, min_listeners=min_listeners)
        return await discovery.by_creators(creators, sieve, with_names=with_names)

    async def follow(
        self, *creators: str, on_notice: Callable[[str], None] | None = None
    ) -> AsyncGenerator[Sighting, None]:
        """Everything that happens to the Spaces of these accounts, for as long as it is iterated.

        The activity stream of the X API tells it, else sweeps over the creators, else x.com.
        """
        from hydrophone.discovering import Discovery

        async with aclosing(Discovery(await self._open(), on_notice).follow(creators)) as news:
            async for sighting in news:
                yield sighting

    async def budget(self, *, on_notice: Callable[[str], None] | None = None) -> ApiBudget:
        """What the X API has cost on each day, and what is left."""
        from hydrophone.discovering import Discovery

        return await Discovery(await self._open(), on_notice).budget()

    async def sign_in_to_api(
        self,
        client_id: str,
        client_secret: str | None = None,
        *,
        redirect_uri: str = DEFAULT_REDIRECT,
        open_page: Callable[[str], None],
    ) -> User:
        """Have a user consent in the browser, and keep the tokens; who it was."""
        from hydrophone.apisignin import sign_in

        parts = await self._open()
        return await sign_in(parts, client_id, client_secret, redirect_uri=redirect_uri, open_page=open_page)

    async def keep_api_bearer(self, bearer: str) -> str:
        """Keep the token of an app for the X API; its fingerprint."""
        from hydrophone.apisignin import keep_app_bearer

        return keep_app_bearer(await self._open(), bearer)

    async def sign_out_of_api(self) -> bool:
        """Give back and forget the tokens of the X API."""
        from hydrophone.apisignin import sign_out

        return await sign_out(await self._open())

    async def doctor(self) -> list[Finding]:
        """Check login, service, clock and disk."""
        from hydrophone.checkup import examine

        return await examine(await self._open())

    async def _open(self) -> Parts:
        if self._parts is None:
            self._parts = await connect(self.settings)
        return self._parts


def recogniser_of(settings: Settings) -> Recogniser | None:
    """Who listens where the service has written no words down; None where no weights are named."""
    if settings.whisper_model is None:
        return None
    from hydrophone.media.listening import WhisperOptions

    options = WhisperOptions(
        language=settings.whisper_language,
        device=settings.whisper_device,
        compute_type=settings.whisper_compute_type,
        threads=settings.whisper_threads,
    )
    return Recogniser(model=settings.whisper_model, options=options)


def options_of(settings: Settings, *, into: Path | None = None) -> RecordOptions:
    """What the settings say about recording. `into` is an item's folder that must be gone on with."""
    return RecordOptions(
        archive=settings.archive,
        wait=settings.wait,
        live_edge=settings.live_edge,
        connections=settings.connections,
        format=settings.format,
        output=settings.output,
        poll_seconds=settings.poll_seconds,
        wait_poll_seconds=settings.wait_poll_seconds,
        directory=into,
        transcript=settings.transcript,
        packaging=Packaging(chapters=Chapters(settings.chapters), lyrics=settings.lyrics),
        recogniser=recogniser_of(settings),
    )


__all__ = [
    "ApiBudget",
    "AsyncHydrophone",
    "Finding",
    "Found",
    "StreamUrls",
    "options_of",
    "recogniser_of",
]

_LATE = {"ApiBudget": "discovering", "Finding": "checkup", "Found": "discovering"}


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"hydrophone.{_LATE[name]}"), name)

"""What is known of one Space: the cheapest source that can answer, or all of them, merged, with who said what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from hydrophone.errors import HydrophoneError, NotFoundError
from hydrophone.links import parse_link
from hydrophone.model import (
    Broadcast,
    Known,
    MergedSpace,
    ProfileRef,
    Source,
    Space,
    SpaceId,
    SpaceRef,
    SpaceState,
    merge_space,
)
from hydrophone.reaching import NAMES, NoSourceError, Reach
from hydrophone.recorder.recalling import recall_space
from hydrophone.xapi import finding, spaces
from hydrophone.xapi.wanted import SpaceWish
from hydrophone.xweb.spaces import space_by_id

_SOURCES = {"web": Source.WEB, "api": Source.API, "local": Source.RECORDING}
_WITH_PEOPLE = SpaceWish(expansions=("creator_id", "host_ids", "speaker_ids"))


class Knowledge:
    """Everything that can be said about one link.

    Args:
        with_names: have the API name the people too, at $0.010 for each of them.
    """

    def __init__(self, reach: Reach, *, with_names: bool = False) -> None:
        self._reach = reach
        self._parts = reach.parts
        self._wish = _WITH_PEOPLE if with_names else SpaceWish()

    async def about(
        self, link: str, over_web: Callable[[], Awaitable[Space | Broadcast]], *, everywhere: bool = False
    ) -> MergedSpace | Broadcast:
        """What is known of the thing behind a link.

        The first source of `ask_order` that answers counts. What the archive knows is added in any case where it may
        be asked, since it costs nothing; with `everywhere`, what every other source knows.

        Args:
            over_web: how x.com is asked what the link leads to, and about that.

        Raises:
            LinkError: it is no link that we know.
            RemoteError: no source will tell; the error is that of the first.
        """
        ref = parse_link(link)

        async def web() -> Known | Broadcast:
            found = await over_web()
            return found if isinstance(found, Broadcast) else self._known(found, Source.WEB)

        async def api() -> Known | Broadcast:
            if isinstance(ref, SpaceRef):
                return await self._ask("api", ref.id)
            if isinstance(ref, ProfileRef):
                return await self._of_creator(ref.handle)
            raise NotFoundError(f"the X API knows nothing of {link!r}")

        async def local() -> Known | Broadcast:
            if isinstance(ref, SpaceRef):
                return await self._ask("local", ref.id)
            raise NoSourceError("the archive is asked by id", endpoint="archive")

        first = await self._reach.first({"web": web, "api": api, "local": local})
        if isinstance(first, Broadcast):
            return first
        known = [first, *await self._others(first, everywhere=everywhere)]
        merged = merge_space(known)
        self._reach.note(spaces=[one.space for one in known if one.source is not Source.RECORDING])
        return replace(merged, space=self._reach.noted.named(merged.space))

    async def _others(self, first: Known, *, everywhere: bool) -> list[Known]:
        """What the sources add that have not been asked yet."""
        more = []
        for name in self._reach.order:
            if _SOURCES[name] is first.source or (name != "local" and not everywhere):
                continue
            try:
                more.append(await self._ask(name, first.space.id))
            except HydrophoneError as error:
                if everywhere:
                    self._reach.tell(f"{NAMES[name]} adds nothing: {error.message}")
        return more

    async def _ask(self, name: str, space_id: SpaceId) -> Known:
        """What one source knows of a Space."""
        if name == "web":
            space = await self._parts.client.ask(space_by_id(self._parts.session, space_id, thorough=True))
            return self._known(space, Source.WEB)
        if name == "api":
            asked = spaces.space_by_id(await self._reach.api(), space_id, wish=self._wish)
            return self._known(await self._parts.client.ask(asked), Source.API)
        known = await asyncio.to_thread(recall_space, self._parts.settings.archive, space_id)
        if known is None:
            raise NotFoundError(
                f"the archive has no recording of {space_id}", advice="Name another archive with --paths."
            )
        return known

    async def _of_creator(self, handle: str) -> Known:
        """The creator's Space that is live, else one that is scheduled."""
        asked = finding.spaces_by_creators(await self._reach.api(), [f"@{handle}"], wish=self._wish)
        answer = await self._parts.client.ask(asked)
        if not answer.items:
            raise NotFoundError(f"@{handle} has no Space that is live or scheduled")
        return self._known(min(answer.items, key=lambda one: one.state is not SpaceState.LIVE), Source.API)

    def _known(self, space: Space, source: Source) -> Known:
        return Known(space, source, self._parts.clock.now())

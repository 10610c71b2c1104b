"""What Periscope still tells about users and broadcasts, asked through the app's own connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydrophone.errors import LinkError, SettingsError
from hydrophone.http.messages import Question, Request
from hydrophone.links import is_broadcast_id, parse_link
from hydrophone.links.periscope import read_periscope_names
from hydrophone.model import (
    Broadcast,
    BroadcastId,
    PeriscopeBroadcastRef,
    PeriscopeUserId,
    PeriscopeUserRef,
    ProfileRef,
)
from hydrophone.periscope.asking import API, HEADERS, PREFIX
from hydrophone.periscope.closing import closed_error
from hydrophone.periscope.pages import Page
from hydrophone.periscope.records import PeriscopeUser
from hydrophone.periscope.refusals import read_answer
from hydrophone.periscope.session import PeriscopeSession
from hydrophone.periscope.users import user_broadcasts, user_by_id, user_by_name, user_page
from hydrophone.recorder.periscope_source import PeriscopeSource
from hydrophone.wiring import Parts
from hydrophone.xweb.broadcasts import broadcasts_by_ids

LINK = "https://www.periscope.tv/w/"


class Lookback:
    """Questions to Periscope. Names are taken as people write them: links, ids, user names with or without ``@``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._session = parts.periscope

    async def user(self, name: str) -> PeriscopeUser:
        """The record of a user.

        Raises:
            LinkError: the name can be none.
            NotFoundError: there is no such user (any more).
        """
        ref = parse_user(name)
        if ref.user_id is not None:
            return await self._parts.client.ask(user_by_id(self._session, ref.user_id))
        return await self._parts.client.ask(user_by_name(self._session, ref.username or ""))

    async def broadcast(self, name: str) -> Broadcast:
        """The record of a broadcast, from Periscope or, where it knows nothing any more, from X.

        Raises:
            NotFoundError: neither knows it.
        """
        broadcast_id = parse_broadcast(name).id
        source = await self._parts.resolver.resolve(LINK + broadcast_id)
        if isinstance(source, PeriscopeSource):
            return await source.broadcast()
        on_x = await self._parts.client.ask(broadcasts_by_ids(self._parts.session, [broadcast_id]))
        found = on_x.get(broadcast_id)
        if found is None:
            raise closed_error(broadcast_id, asked_x=True)
        return found

    async def history(self, name: str) -> tuple[Broadcast, ...]:
        """Every public broadcast of a user, newest first."""
        return await self._parts.client.ask(user_broadcasts(self._session, parse_user(name)))

    async def page(self, name: str) -> Page:
        """A user's page, with the session tokens that it gives to everybody."""
        return await self._parts.client.ask(user_page(self._session, parse_user(name)))

    async def request(self, endpoint: str, params: Mapping[str, str]) -> Any:
        """The answer of any public call, as it came.

        Raises:
            RemoteError: every refusal, by its kind.
        """
        return await self._parts.client.ask(_raw(self._session, endpoint, params))


def _raw(session: PeriscopeSession, endpoint: str, params: Mapping[str, str]) -> Question[Any]:
    if not endpoint or not endpoint.isascii() or not endpoint.replace("_", "").replace(".", "").isalnum():
        raise SettingsError(f"{endpoint[:80]!r} is no name of a call", setting="endpoint")
    reply = yield Request(
        "GET", PREFIX + endpoint, params=dict(sorted(params.items())), headers=HEADERS, service=API, endpoint=endpoint
    )
    return read_answer(reply, endpoint, now=session.now()).value


def parse_user(text: str) -> PeriscopeUserRef:
    """A user from a link, an id or a name. Ids of letters look like names; the 13 characters of an id are one."""
    name = text.strip()
    if "/" in name or ":" in name:
        ref = parse_link(name)
        if isinstance(ref, PeriscopeUserRef):
            return ref
        if isinstance(ref, PeriscopeBroadcastRef) and ref.username:
            return PeriscopeUserRef(ref.username)
        raise LinkError(f"{text[:200]!r} names no user of Periscope", text=text)
    if name.startswith("@"):
        return PeriscopeUserRef(_checked_name(name[1:], text))
    if name.isascii() and name.isdigit():
        return PeriscopeUserRef(user_id=PeriscopeUserId(name))
    if len(name) == 13 and name[0] == "1" and name.isalnum() and is_broadcast_id(name):
        return PeriscopeUserRef(user_id=PeriscopeUserId(name))
    return PeriscopeUserRef(_checked_name(name, text))


def _checked_name(name: str, text: str) -> str:
    found = read_periscope_names(f"https://www.periscope.tv/{name}").username
    if found is None or found != name:
        raise LinkError(f"{text[:200]!r} names no user of Periscope", text=text)
    return found


def parse_broadcast(text: str) -> PeriscopeBroadcastRef:
    """A broadcast from a link or an id."""
    name = text.strip()
    if is_broadcast_id(name):
        return PeriscopeBroadcastRef(BroadcastId(name))
    ref = parse_link(name)
    if not isinstance(ref, PeriscopeBroadcastRef):
        kind = "a profile" if isinstance(ref, ProfileRef) else "something else"
        raise LinkError(f"{text[:200]!r} is {kind}, not a broadcast of Periscope", text=text)
    return ref

"""Where the video of a broadcast is: the access calls, and what they answer in all the years.

An answer may be a success and yet name no address: private, replay removed, not started, or not ready yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from hydrophone.http.messages import Question, Reply, Request
from hydrophone.http.reading import Node
from hydrophone.model import Broadcast, BroadcastId, MediaKind, Stream
from hydrophone.periscope.asking import API, PREFIX, ask_private, ask_public
from hydrophone.periscope.records import read_broadcast
from hydrophone.periscope.refusals import refusal_error
from hydrophone.periscope.session import PeriscopeSession

ACCESS = "accessVideoPublic"
KEY_BYTES = 16
_DEADLINE_SECONDS = 10.0
#: In the order of preference.
_ADDRESSES = ("replay_url", "https_hls_url", "hls_url", "lhls_url", "lhlsweb_url", "rtmp_url")
_COOKIE_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_COOKIE_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]{1,8192}")
_STREAM_NAME = re.compile(r"[A-Za-z0-9_-]{20,120}={0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackCookie:
    """A cookie that the CDN wants with the playlist and with every segment of a replay of 2015 to 2017."""

    name: str
    value: str = field(repr=False)
    domain: str = ""
    path: str = "/"
    expires_at: datetime | None = None

    def fits(self, url: str, *, came_with: str = "") -> bool:
        """May it go to this URL: over https below its domain, or to the origin of the address that it came with?

        Either way only below its path.
        """
        try:
            parts, given = urlsplit(url), urlsplit(came_with)
            same_origin = bool(parts.netloc) and (parts.scheme, parts.netloc) == (given.scheme, given.netloc)
            host = parts.hostname or ""
        except ValueError:
            return False
        domain = self.domain.lstrip(".").lower()
        in_domain = bool(domain) and (host == domain or host.endswith("." + domain)) and parts.scheme == "https"
        path = self.path.rstrip("/")
        return (in_domain or same_origin) and (parts.path == path or parts.path.startswith(path + "/"))


class PlaybackCookies:
    """The cookies of one replay, for those who fetch it: they go to the origin of its playlist and nowhere else."""

    def __init__(self, cookies: Sequence[PlaybackCookie], playlist_url: str) -> None:
        self._cookies = tuple(cookies)
        self._playlist_url = playlist_url
        self._origin = _origin(playlist_url)

    def header(self, url: str) -> str | None:
        if self._origin is None or _origin(url) != self._origin:
            return None
        given = self._playlist_url
        pairs = [f"{cookie.name}={cookie.value}" for cookie in self._cookies if cookie.fits(url, came_with=given)]
        return "; ".join(pairs) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoAccess:
    """The answer of an access call.

    `urls` are addresses by the service's own name for them, best first; each is a secret. `key` is the AES key where
    the answer itself has it. `type_text` is kept as it came and decides nothing.
    """

    broadcast: Broadcast | None = None
    urls: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: tuple[PlaybackCookie, ...] = field(default=(), repr=False)
    is_encrypted: bool = False
    type_text: str = ""
    share_url: str | None = None
    session_id: str | None = field(default=None, repr=False)
    chat_token: str | None = field(default=None, repr=False)
    lifecycle_token: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def playlist_url(self) -> str | None:
        """The best address that is a playlist; None where there is none now."""
        return next((url for url in self.urls.values() if url.startswith("http")), None)

    def stream(self, *, at: str | None = None) -> Stream | None:
        """The same as a stream to record; None where there is no playlist now. `at` is where a redirector led."""
        url = at or self.playlist_url
        if url is None:
            return None
        return Stream(
            url=url,
            media_key=self.broadcast.media_key if self.broadcast else None,
            kind=MediaKind.VIDEO,
            status_text=self.type_text,
            session_id=self.session_id,
            chat_token=self.chat_token,
            lifecycle_token=self.lifecycle_token,
            share_url=self.share_url,
            cookies=PlaybackCookies(self.cookies, url) if self.cookies else None,
        )

    def cookie_header(self, url: str) -> str | None:
        """What the `Cookie` header of a request to the CDN must be, as given, without quoting; None for no cookie."""
        given = self.playlist_url or ""
        pairs = [f"{cookie.name}={cookie.value}" for cookie in self.cookies if cookie.fits(url, came_with=given)]
        return "; ".join(pairs) or None


def access_video(
    session: PeriscopeSession, broadcast_id: BroadcastId, *, partial_replay: bool = False, wait_seconds: float = 0.0
) -> Question[VideoAccess]:
    """Where a public broadcast is to be seen, live or replayed.

    Args:
        partial_replay: of a running broadcast, ask for what can already be replayed: all from its beginning.
        wait_seconds: how long to wait before asking.

    Raises:
        NotFoundError: there is no such broadcast (404), or it is over and gone (410).
    """
    params = {"broadcast_id": broadcast_id, "replay_redirect": "false"}
    if partial_replay:
        params["latest_replay_playlist"] = "true"
    root = yield from ask_public(session, ACCESS, params, deadline_seconds=_DEADLINE_SECONDS, wait_seconds=wait_seconds)
    return read_access(root)


def access_private_video(
    session: PeriscopeSession, broadcast_id: BroadcastId, *, partial_replay: bool = False
) -> Question[VideoAccess]:
    """The same for a signed-in user, who may be invited to a private broadcast."""
    fields = {
        "broadcast_id": broadcast_id,
        "replay_redirect": False,
        "from_push": False,
        "latest_replay_playlist": partial_replay,
    }
    return read_access((yield from ask_private(session, "accessVideo", fields)))


def access_channel(
    session: PeriscopeSession, broadcast_id: BroadcastId, *, entry_ticket: str | None = None
) -> Question[VideoAccess]:
    """Video and chat in one answer, as the apps asked until 2019: the older way into private broadcasts."""
    fields = {
        "broadcast_id": broadcast_id,
        "from_push": False,
        "uses_sessions": True,
        "entry_ticket": entry_ticket,
    }
    return read_access((yield from ask_private(session, "accessChannel", fields)))


def read_access(root: Node) -> VideoAccess:
    """An access answer of any year; empty addresses and doubles are left out."""
    root.need_object()
    record = root.at("broadcast")
    return VideoAccess(
        broadcast=read_broadcast(record) if record.is_object() and record.value else None,
        urls=_read_urls(root),
        cookies=tuple(_read_cookies(root.at("cookies"))),
        is_encrypted=bool(root.at("hls_is_encrypted").flag() or root.at("lhls_is_encrypted").flag()),
        type_text=root.at("type").text() or "",
        share_url=root.at("share_url").some_text(),
        session_id=root.at("session").some_text(),
        chat_token=root.at("chat_token").some_text(),
        lifecycle_token=root.at("life_cycle_token").some_text(),
        key=root.at("key").some_text(),
        raw=root.mapping(),
    )


def _read_urls(root: Node) -> dict[str, str]:
    urls: dict[str, str] = {}
    for name in _ADDRESSES:
        url = root.at(name).some_text()
        if url and url not in urls.values() and _is_address(url):
            urls[name] = url
    return urls


def _origin(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return (parts.scheme, parts.netloc) if parts.netloc else None


def _is_address(url: str) -> bool:
    if len(url) > 16_384 or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https", "rtmp", "rtmps") and bool(parts.hostname)
    except ValueError:
        return False


def _read_cookies(records: Node) -> list[PlaybackCookie]:
    found = []
    for record in records.items():
        name, value = record.at("Name").text() or "", record.at("Value").text() or ""
        # A line break in one of these would become a header of its own.
        if _COOKIE_NAME.fullmatch(name) and _COOKIE_VALUE.fullmatch(value):
            found.append(
                PlaybackCookie(
                    name=name,
                    value=value,
                    domain=record.at("Domain").text() or "",
                    path=record.at("Path").some_text() or "/",
                    expires_at=record.at("Expires").instant(),
                )
            )
    return found


# ---------------------------------------------------------------- private replays


def private_replay_url(session: PeriscopeSession, broadcast_id: BroadcastId) -> Question[str | None]:
    """The playlist that the redirector for private replays leads to; None where it leads nowhere.

    The one call that wants the session's cookie in its query. Its redirect is read, never followed with the cookie.
    """
    endpoint = "replayPlaylist.m3u8"
    login = session.need_login(endpoint)
    reply = yield Request(
        "GET",
        PREFIX + endpoint,
        params={"broadcast_id": broadcast_id, "cookie": login.secret_value()},
        service=API,
        credential=login,
        endpoint=endpoint,
        max_redirects=0,
    )
    return _read_redirect(session, reply, endpoint)


def redirect_target(session: PeriscopeSession, url: str) -> Question[str | None]:
    """The playlist that an address of the API leads to; None where it leads nowhere. Without any credential."""
    reply = yield Request("GET", url, service=API, endpoint=ACCESS, max_redirects=0)
    return _read_redirect(session, reply, ACCESS)


def hls_key(session: PeriscopeSession, stream_name: str) -> Question[bytes]:
    """The AES key of an encrypted broadcast. It is gone once the broadcast is deleted: fetch it first, and keep it.

    Raises:
        NotSignedInError: no session, or the service does not take it.
        WireError: what came is no key.
    """
    endpoint = "hlsEncryptionKey"
    login = session.need_login(endpoint)
    reply = yield Request(
        "GET",
        PREFIX + endpoint,
        params={"stream_name": stream_name},
        service=API,
        credential=login,
        endpoint=endpoint,
        max_bytes=64 * 1024,
        max_redirects=0,
    )
    error = refusal_error(reply, endpoint, now=session.now())
    if error is not None:
        raise error
    if len(reply.body) != KEY_BYTES:
        raise Node(None, "the key", endpoint).wrong(f"{KEY_BYTES} bytes (these are {len(reply.body)})")
    return reply.body


def _read_redirect(session: PeriscopeSession, reply: Reply, endpoint: str) -> str | None:
    if reply.status in (301, 302, 303, 307, 308):
        url = reply.headers.get("location", "")
        return url if _is_address(url) and url.startswith("http") else None
    error = refusal_error(reply, endpoint, now=session.now())
    if error is not None:
        raise error
    return None


def read_stream_name(url: str) -> str | None:
    """The stream name in an address of the CDN: the only key to public video, in all three generations of addresses."""
    try:
        parts = urlsplit(url).path.split("/")
    except ValueError:
        return None
    return next((part for part in parts if _STREAM_NAME.fullmatch(part) and len(part) >= 80), None)

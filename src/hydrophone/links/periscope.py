"""The links of Periscope: pages of both its domains, links of its apps, and what a looser reader makes of them.

The path is split before its escapes are undone, so that an escaped slash never separates anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, unquote, urlsplit

from hydrophone.links.periscope_ids import is_broadcast_id, is_user_id
from hydrophone.links.sharing import read_share_token
from hydrophone.model import (
    BroadcastId,
    PeriscopeBroadcastRef,
    PeriscopeChannelRef,
    PeriscopeUserId,
    PeriscopeUserRef,
)

PeriscopeRef = PeriscopeBroadcastRef | PeriscopeUserRef | PeriscopeChannelRef

HOST = re.compile(r"(?:www\.)?(?:periscope|pscp)\.tv\.?")
#: A third-party mirror, long dead, whose links have the same tokens.
MIRROR = re.compile(r"(?:www\.)?perisearch\.net\.?")
APP_SCHEME = "pscp://"
WEB_BASE = "https://www.periscope.tv"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ALPHANUMERIC = re.compile(r"[A-Za-z0-9]+")
_FOLLOWING = frozenset({"follow", "following", "followers"})
_BARE_HOST = re.compile(r"(?:www\.)?(?:periscope|pscp)\.tv[./:]", re.IGNORECASE)
_MAX_LENGTH = 16_384

#: First path elements that are pages of the service, so no user can have these names.
RESERVED_PATHS = frozenset(
    {
        *(".well-known", "about", "assets", "content", "embed", "help", "i", "partners", "press", "privacy", "tos"),
        *("v", "vipprogram", "android-attribution", "ios-attribution"),
        *("w", "u", "account", "oauth", "channel", "channels", "search", "features", "couchmode", "device"),
    }
)


# ---------------------------------------------------------------- links to refs, and back


def read_page(path: str, query: str = "") -> PeriscopeRef | None:
    """What a page of the service is about, None where it is about nothing that we know."""
    segments = split_path(path)
    if not segments:
        return None
    first, rest = segments[0], segments[1:]
    if first == "w":
        return _shared(rest[0], _channel(query)) if rest else None
    if first == "u":
        return PeriscopeUserRef(user_id=PeriscopeUserId(rest[0])) if len(rest) == 1 and is_user_id(rest[0]) else None
    if first == "channel":
        return PeriscopeChannelRef(rest[0]) if len(rest) == 1 and _SLUG.fullmatch(rest[0]) else None
    name = read_name(first)
    if name is None:
        return None
    if not rest or (len(rest) == 1 and rest[0] in _FOLLOWING):
        return PeriscopeUserRef(username=name)
    return PeriscopeBroadcastRef(BroadcastId(rest[0]), name, _channel(query)) if is_broadcast_id(rest[0]) else None


def read_mirror_page(path: str) -> PeriscopeRef | None:
    """The same for the mirror, which had nothing but shared broadcasts."""
    segments = split_path(path)
    return _shared(segments[1], None) if len(segments) > 1 and segments[0] == "w" else None


def read_app_link(text: str) -> PeriscopeRef | None:
    """What a link of the apps (``pscp://``) points at."""
    kind, *rest = split_path(re.split("[?#]", text[len(APP_SCHEME) :], maxsplit=1)[0]) or [""]
    if kind == "broadcast" and rest and is_broadcast_id(rest[0]):
        return PeriscopeBroadcastRef(BroadcastId(rest[0]))
    name = read_name(rest[0]) if kind == "user" and rest else None
    return PeriscopeUserRef(username=name) if name and (len(rest) == 1 or rest[1] in _FOLLOWING) else None


def build_page(ref: PeriscopeRef) -> str | None:
    """The canonical link, None where a part of the ref has a form that no such part has."""
    match ref:
        case PeriscopeBroadcastRef(id=broadcast_id, username=username, channel=channel):
            is_named = username is None or read_name(username) == username
            if not is_named or not is_broadcast_id(broadcast_id) or not (channel is None or _SLUG.fullmatch(channel)):
                return None
            query = "" if channel is None else f"?channel={channel}"
            return f"{WEB_BASE}/{username or 'w'}/{broadcast_id}{query}"
        case PeriscopeUserRef(username=None, user_id=user_id):
            return f"{WEB_BASE}/u/{user_id}" if user_id is not None and is_user_id(user_id) else None
        case PeriscopeUserRef(username=username, user_id=None):
            return f"{WEB_BASE}/{username}" if username is not None and read_name(username) == username else None
        case PeriscopeChannelRef(slug=slug):
            return f"{WEB_BASE}/channel/{slug}" if _SLUG.fullmatch(slug) else None
        case _:
            return None


def read_name(text: str) -> str | None:
    """A user name, with or without ``@``, None for what cannot be one."""
    name = text.removeprefix("@")
    return name if _NAME.fullmatch(name) and name.lower() not in RESERVED_PATHS else None


def split_path(path: str) -> list[str]:
    """The elements of a path with their escapes undone, empty ones left out; [] where one hides something."""
    segments = [unquote(segment) for segment in path.split("/") if segment]
    if any("/" in segment or "\\" in segment or " " in segment or not segment.isprintable() for segment in segments):
        return []
    return segments


def _shared(text: str, channel: str | None) -> PeriscopeBroadcastRef | None:
    if is_broadcast_id(text):
        return PeriscopeBroadcastRef(BroadcastId(text), channel=channel)
    token = read_share_token(text)
    if token is None:
        return None
    return PeriscopeBroadcastRef(
        token.broadcast_id, channel=channel, shared_by=token.shared_by, share_expires_at=token.expires_at
    )


def _channel(query: str) -> str | None:
    if "channel=" not in query:
        return None
    try:
        slugs = parse_qs(query, max_num_fields=100).get("channel", [])
    except ValueError:
        return None
    return slugs[0] if slugs and _SLUG.fullmatch(slugs[0]) else None


# ---------------------------------------------------------------- the looser reader, for the drop-in


class PeriscopeForm(StrEnum):
    """The four documented forms of a link."""

    SHARED = "w"  #: ``/w/<broadcast id>``
    USER_ID = "u"  #: ``/u/<user id>``
    USERNAME = "username"  #: ``/<user name>``
    USERNAME_AND_BROADCAST = "username and broadcast"  #: ``/<user name>/<broadcast id>``


@dataclass(frozen=True, slots=True)
class PeriscopeNames:
    """What a link of Periscope names; all None for anything else."""

    form: PeriscopeForm | None = None
    broadcast_id: str | None = None
    user_id: str | None = None
    username: str | None = None


def read_periscope_names(text: str) -> PeriscopeNames:
    """What a link names, without judging ids: letters and digits are passed on, so that the service may say no.

    Total. Links of X, bare ids and bare names name nothing here.
    """
    text = text.strip()
    if len(text) > _MAX_LENGTH or not text.isprintable() or " " in text or "\\" in text:
        return PeriscopeNames()
    if text[: len(APP_SCHEME)].lower() == APP_SCHEME:
        return _names_of(read_app_link(text))
    found = _page_path(text)
    if found is None:
        return PeriscopeNames()
    path, is_mirror = found
    known = _names_of(read_mirror_page(path) if is_mirror else read_page(path))
    return known if known.form or is_mirror else _pass_on(split_path(path))


def _page_path(text: str) -> tuple[str, bool] | None:
    if text.startswith("//"):
        text = "https:" + text
    elif _BARE_HOST.match(text):
        text = "https://" + text
    try:
        url = urlsplit(text)
        host, port = (url.hostname or "").lower(), url.port
    except ValueError:
        return None
    if url.scheme not in ("http", "https") or "@" in url.netloc or port not in (None, 80, 443):
        return None
    is_mirror = bool(MIRROR.fullmatch(host))
    return (url.path, is_mirror) if is_mirror or HOST.fullmatch(host) else None


def _names_of(ref: PeriscopeRef | None) -> PeriscopeNames:
    match ref:
        case PeriscopeBroadcastRef(id=broadcast_id, username=None):
            return PeriscopeNames(PeriscopeForm.SHARED, broadcast_id=broadcast_id)
        case PeriscopeBroadcastRef(id=broadcast_id, username=username):
            return PeriscopeNames(PeriscopeForm.USERNAME_AND_BROADCAST, broadcast_id=broadcast_id, username=username)
        case PeriscopeUserRef(username=None, user_id=user_id):
            return PeriscopeNames(PeriscopeForm.USER_ID, user_id=user_id)
        case PeriscopeUserRef(username=username):
            return PeriscopeNames(PeriscopeForm.USERNAME, username=username)
        case _:
            return PeriscopeNames()


def _pass_on(segments: Sequence[str]) -> PeriscopeNames:
    if len(segments) < 2 or not _ALPHANUMERIC.fullmatch(segments[1]):
        return PeriscopeNames()
    if segments[0] == "w":
        return PeriscopeNames(PeriscopeForm.SHARED, broadcast_id=segments[1])
    name = read_name(segments[0])
    if name is None:
        return PeriscopeNames()
    return PeriscopeNames(PeriscopeForm.USERNAME_AND_BROADCAST, broadcast_id=segments[1], username=name)

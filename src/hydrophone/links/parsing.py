"""The way from any text to a ref and back: cleaning, bare ids, one parser per site."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import SplitResult, unquote, urlsplit

from hydrophone.errors import LinkError
from hydrophone.links import periscope
from hydrophone.model import (
    BroadcastId,
    BroadcastRef,
    EventId,
    EventRef,
    MediaKey,
    MediaKeyRef,
    PeriscopeBroadcastRef,
    PeriscopeChannelRef,
    PeriscopeUserRef,
    PlaylistRef,
    PostId,
    PostRef,
    ProfileRef,
    Ref,
    ShortLinkRef,
    SpaceId,
    SpaceRef,
)

MAX_LENGTH = 16_384  #: longer text is no link; playlist URLs with a token reach about 600
ACCEPTED = (
    "Accepted are: a Space (https://x.com/i/spaces/ID or its 13-character id), a broadcast "
    "(https://x.com/i/broadcasts/ID), an event page, a post, a profile (@name), a t.co link, "
    "a Periscope link (https://www.periscope.tv/w/ID or /NAME), a media key (28_...), or a playlist URL (.m3u8)."
)

#: First path elements that are pages of the site, so no account can have these names.
RESERVED_NAMES = frozenset(
    {
        *("about", "account", "compose", "download", "explore", "hashtag", "help", "home", "i", "intent", "jobs"),
        *("login", "logout", "messages", "notifications", "oauth", "privacy", "safety", "search", "settings", "share"),
        *("signup", "tos", "who_to_follow", "widgets"),
    }
)

_ID = re.compile(r"[0-9A-Za-z]{13}")
_BROADCAST_ID = re.compile(r"[0-9A-Za-z_]{13}")
_MEDIA_KEY = re.compile(r"[0-9]{1,3}_[0-9]{5,20}")
_NAME = re.compile(r"[A-Za-z0-9_]{1,15}")
_DIGITS = re.compile(r"[0-9]{1,20}")
_CODE = re.compile(r"[A-Za-z0-9]{1,64}")
_SPACE_PATH = re.compile(r"/i/spaces/([0-9A-Za-z]{13})(?:/peek)?/?")
_BROADCAST_PATH = re.compile(r"/i/broadcasts/([0-9A-Za-z_]{13})/?")
_EVENT_PATH = re.compile(r"/i/events/([0-9]{1,20})/?")
_POST_PATH = re.compile(r"/(?:([^/]{1,64})/)?(?:[^/]{1,64}/)?status(?:es)?/([0-9]{1,20})(?:/.*)?", re.DOTALL)
_PROFILE_PATH = re.compile(r"/@?([A-Za-z0-9_]{1,15})/?")
_X_HOST = re.compile(r"(?:www\.|m\.|mobile\.)?(?:x|twitter)\.com")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://")
_HOST_FIRST = re.compile(r"(?:[0-9A-Za-z-]{1,63}\.){1,8}[0-9A-Za-z-]{1,63}(?::[0-9]{1,5})?/")
#: Below this path live playlists and segments, whatever the host (the regions change, and tests have their own).
_CDN_PATH = re.compile(r"/Transcoding/v1/hls/[A-Za-z0-9_-]{1,120}/[^?#]+")
_UNSAFE_PREFIX = re.compile(r"https?://(?:www\.|mobile\.)?(?:x|twitter)\.com/safety/unsafe_link_warning\?unsafe_link=")


def parse_link(text: str) -> Ref:
    """What a link, id or name points at.

    A bare 13-character id is taken for a Space; a name needs its ``@``. Query and fragment are ignored, except in
    playlist URLs, which are kept as they are, and in that a Periscope link may name a channel.

    Raises:
        LinkError: the text is none of these; its advice lists what is accepted.
    """
    cleaned = _clean(text)
    bare = _parse_bare(cleaned)
    return bare if bare is not None else _parse_url(cleaned)


def build_link(ref: Ref) -> str:
    """The canonical text of a ref, such that `parse_link` gives the ref again.

    Raises:
        LinkError: an id inside has characters that no such id has, so that the text would mean something else.
    """
    match ref:
        case SpaceRef(id=space_id):
            return "https://x.com/i/spaces/" + _checked(_ID, space_id)
        case BroadcastRef(id=broadcast_id):
            return "https://x.com/i/broadcasts/" + _checked(_BROADCAST_ID, broadcast_id)
        case EventRef(id=event_id):
            return "https://x.com/i/events/" + _checked(_DIGITS, event_id)
        case PostRef(id=post_id, handle=handle):
            owner = "i/web" if handle is None else _checked_name(handle)
            return f"https://x.com/{owner}/status/{_checked(_DIGITS, post_id)}"
        case ProfileRef(handle=handle):
            return "https://x.com/" + _checked_name(handle)
        case ShortLinkRef(code=code):
            return "https://t.co/" + _checked(_CODE, code)
        case MediaKeyRef(key=key):
            return _checked(_MEDIA_KEY, key)
        case PlaylistRef(url=url):
            if parse_link(url) != ref:
                raise _unknown(url)
            return url
        case PeriscopeBroadcastRef() | PeriscopeUserRef() | PeriscopeChannelRef():
            page = periscope.build_page(ref)
            if page is None:
                raise _unknown(str(ref))
            return page


# ---------------------------------------------------------------- text


def _clean(text: str) -> str:
    if not isinstance(text, str):
        raise LinkError(f"a link is text, not {type(text).__name__}", advice=ACCEPTED)
    if len(text) > MAX_LENGTH:
        raise LinkError(f"this is no link: {len(text)} characters", text=text[:80], advice=ACCEPTED)
    cleaned = text.strip().strip("<>\"'")
    for _ in range(3):  # a warning page may have been put before a warning page
        warning = _UNSAFE_PREFIX.match(cleaned)
        if warning is None:
            break
        target = cleaned[warning.end() :]
        cleaned = target if "://" in target else unquote(target)
    if not cleaned:
        raise LinkError("nothing was given", advice=ACCEPTED)
    if not cleaned.isprintable() or " " in cleaned:
        raise _unknown(cleaned)
    return cleaned


def _parse_bare(text: str) -> Ref | None:
    if _ID.fullmatch(text):
        return SpaceRef(SpaceId(text))
    if _MEDIA_KEY.fullmatch(text):
        return MediaKeyRef(MediaKey(text))
    if text.startswith("@") and _NAME.fullmatch(text, 1):
        return _profile(text[1:])
    return None


def _parse_url(text: str) -> Ref:
    if text[: len(periscope.APP_SCHEME)].lower() == periscope.APP_SCHEME:
        return _known(periscope.read_app_link(text), text)
    if text.startswith("//"):
        text = "https:" + text
    if not _SCHEME.match(text):
        if not _HOST_FIRST.match(text):
            raise _unknown(text)
        text = "https://" + text
    try:
        url = urlsplit(text)
        host, port = (url.hostname or "").lower(), url.port
    except ValueError:
        raise _unknown(text) from None
    # Names and passwords before the host serve only to make one host look like another.
    if url.scheme.lower() not in ("http", "https") or not host or "@" in url.netloc:
        raise _unknown(text)
    if url.path.lower().endswith(".m3u8") or _CDN_PATH.fullmatch(url.path):
        return PlaylistRef(text)
    if port not in (None, 80, 443):
        raise _unknown(text)
    for known, parse in _SITES:
        if known.fullmatch(host):
            return parse(url, text)
    raise LinkError(f"not a site that we know: {host[:80]}", text=_short(text), advice=ACCEPTED)


# ---------------------------------------------------------------- one parser per site


def _parse_x(url: SplitResult, text: str) -> Ref:
    path = url.path
    if space := _SPACE_PATH.fullmatch(path):
        return SpaceRef(SpaceId(space[1]))
    if broadcast := _BROADCAST_PATH.fullmatch(path):
        return BroadcastRef(BroadcastId(broadcast[1]))
    if event := _EVENT_PATH.fullmatch(path):
        return EventRef(EventId(event[1]))
    if post := _POST_PATH.fullmatch(path):
        handle = post[1] if post[1] and _is_name(post[1]) else None
        return PostRef(PostId(post[2]), handle)
    if profile := _PROFILE_PATH.fullmatch(path):
        return _profile(profile[1])
    raise _unknown(text)


def _parse_short_link(url: SplitResult, text: str) -> Ref:
    code = url.path.strip("/")
    if not _CODE.fullmatch(code):
        raise _unknown(text)
    return ShortLinkRef(code)


def _parse_periscope(url: SplitResult, text: str) -> Ref:
    return _known(periscope.read_page(url.path, url.query), text)


def _parse_mirror(url: SplitResult, text: str) -> Ref:
    return _known(periscope.read_mirror_page(url.path), text)


_SITES: tuple[tuple[re.Pattern[str], Callable[[SplitResult, str], Ref]], ...] = (
    (_X_HOST, _parse_x),
    (re.compile(r"(?:www\.)?t\.co"), _parse_short_link),
    (periscope.HOST, _parse_periscope),
    (periscope.MIRROR, _parse_mirror),
)


# ---------------------------------------------------------------- small words


def _is_name(handle: str) -> bool:
    return bool(_NAME.fullmatch(handle)) and handle.lower() not in RESERVED_NAMES


def _profile(handle: str) -> ProfileRef:
    if not _is_name(handle):
        raise LinkError(f"“{handle}” is a page of the site, not an account", text=handle, advice=ACCEPTED)
    return ProfileRef(handle)


def _known(ref: Ref | None, text: str) -> Ref:
    if ref is None:
        raise _unknown(text)
    return ref


def _checked(form: re.Pattern[str], value: str) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise _unknown(str(value))
    return value


def _checked_name(handle: str) -> str:
    if not isinstance(handle, str) or not _is_name(handle):
        raise _unknown(str(handle))
    return handle


def _unknown(text: str) -> LinkError:
    return LinkError(f"not a link, id or name that we know: {_short(text)}", text=_short(text), advice=ACCEPTED)


def _short(text: str) -> str:
    """At most 80 harmless characters. The query is left out: in a playlist URL it may be a key."""
    shown = text.partition("?")[0]
    shown = "".join(character if character.isprintable() else "�" for character in shown[:80])
    return shown + "…" if len(shown) < len(text) else shown

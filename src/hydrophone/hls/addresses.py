"""The URLs of the CDN: recognised, derived from one another, checked, and made fit for a log line.

Whoever knows the key in such a URL can listen, so keys and tokens never get into a repr or a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin, urlsplit

from hydrophone.hls.naming import snapshot_written_ns

_MARK = "/Transcoding/v1/hls/"
_KEY = re.compile(r"[A-Za-z0-9_-]{40,120}")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_AUDIO = "audio-space"
_MAX_URL = 8192
_DOTTED_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}\.(?:m3u8|aac|ts|mp4|m4s|m4a|vtt|key)")
# Written so, a path means one thing to us and another to a server that decodes it.
_DISGUISED = re.compile(r"%(?:2e|2f|5c|00)|\\", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAddress:
    """The parts of a CDN URL.

    `origin` is scheme and authority. `kind` is ``non_transcode`` (what the encoder sent) or ``transcode``, which has a
    `token` with the encoder's settings, signed, so that it cannot be made by us.
    """

    origin: str
    key: str = field(repr=False)
    kind: str
    region: str
    bucket: str
    token: str | None = field(default=None, repr=False)
    is_audio: bool
    name: str
    query: str = field(default="", repr=False)

    @property
    def folder(self) -> str:
        """The URL of the directory, with a slash at its end."""
        parts = [self.key, self.kind, self.region, self.bucket]
        if self.token:
            parts.append(self.token)
        if self.is_audio:
            parts.append(_AUDIO)
        return f"{self.origin}{_MARK}{'/'.join(parts)}/"

    @property
    def url(self) -> str:
        return f"{self.folder}{self.name}{'?' if self.query else ''}{self.query}"


def parse_address(url: str) -> StreamAddress | None:
    """The parts of a CDN URL; None for any other text."""
    if len(url) > _MAX_URL or _MARK not in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    head, _, tail = parts.path.partition(_MARK)
    if head or parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    elements = tail.split("/")
    if len(elements) < 5:
        return None
    key, kind, region, bucket, *rest = elements
    token = rest.pop(0) if kind == "transcode" and len(rest) > 1 and _is_token(rest[0]) else None
    is_audio = len(rest) > 1 and rest[0] == _AUDIO
    if is_audio:
        rest.pop(0)
    shape = _KEY.fullmatch(key) and kind in ("transcode", "non_transcode") and _REGION.fullmatch(region) and bucket
    if not shape or len(rest) != 1 or not rest[0]:
        return None
    return StreamAddress(
        origin=f"{parts.scheme}://{parts.netloc}",
        key=key,
        kind=kind,
        region=region,
        bucket=bucket,
        token=token,
        is_audio=is_audio,
        name=rest[0],
        query=parts.query,
    )


def _is_token(element: str) -> bool:
    return element.count(".") == 2 and len(element) > 86


# ---------------------------------------------------------------- one from another


def is_audio_space(url: str) -> bool:
    """True for the URL of an audio Space; video has no ``audio-space/`` in its path."""
    address = parse_address(url)
    return address is not None and address.is_audio


def original_url(url: str) -> str:
    """The same playlist as the encoder sent it, without the transcoder's token; any other URL as it is."""
    address = parse_address(url)
    return url if address is None or address.kind != "transcode" else _original(address).url


def live_url(url: str) -> str | None:
    """The live playlist of the audio Space that this URL belongs to; None where it is no audio Space."""
    return _sibling(url, "dynamic_playlist.m3u8", "type=live")


def master_url(url: str) -> str | None:
    """The multivariant playlist of the audio Space that this URL belongs to; None where it is no audio Space."""
    return _sibling(url, "master_playlist.m3u8", "")


def video_original_url(url: str) -> str | None:
    """The replay in the quality that was sent, from a video replay's multivariant URL; None for any other URL."""
    address = parse_address(url)
    if address is None or address.is_audio or not address.name.startswith("master_dynamic_"):
        return None
    if snapshot_written_ns(address.name) is None:
        return None
    name = address.name.replace("master_dynamic_", "playlist_", 1)
    return replace(_original(address), name=name, query="").url


def video_fallback_master_url(url: str) -> str | None:
    """Where to ask when the multivariant URL of a video Space's replay answers 404; None for audio."""
    address = parse_address(url)
    if address is None or address.is_audio:
        return None
    return replace(_original(address), name="master_master_playlist.m3u8", query="").url


def _original(address: StreamAddress) -> StreamAddress:
    return replace(address, kind="non_transcode", token=None)


def _sibling(url: str, name: str, query: str) -> str | None:
    address = parse_address(url)
    if address is None or not address.is_audio:
        return None
    return replace(_original(address), name=name, query=query).url


def same_stream(url_a: str, url_b: str) -> bool:
    """True when both URLs lead to the same broadcast: the same key, or the same path where there is no key."""
    folder_a, folder_b = key_folder(url_a), key_folder(url_b)
    if folder_a or folder_b:
        return folder_a == folder_b
    return url_a.partition("?")[0] == url_b.partition("?")[0]


def key_folder(url: str) -> str | None:
    """The part of the path that belongs to one broadcast, ``/Transcoding/v1/hls/<key>/``; None where there is none."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    if not path.startswith(_MARK):
        return None
    key, slash, _ = path[len(_MARK) :].partition("/")
    return f"{_MARK}{key}/" if slash and _KEY.fullmatch(key) else None


# ---------------------------------------------------------------- where an entry may lead


def is_cdn_host(host: str) -> bool:
    """True for the hosts that the service keeps media on."""
    host = host.lower().rstrip(".")
    return host.endswith((".pscp.tv", ".video.periscope.tv")) or host == "video.twitter.com"


class EntryRule:
    """Where the entries of one playlist may lead: nowhere outside of the stream they belong to.

    That is the playlist's own origin, or another host of the CDN, and in both cases the folder of the playlist's key
    if it has one. So no entry can make us read a local file, knock at a private address or fetch another's stream.
    """

    __slots__ = ("_base", "_folder", "_is_cdn", "_origin")

    def __init__(self, url: str) -> None:
        self._base = url
        try:
            parts = urlsplit(url)
            self._origin = (parts.scheme.lower(), parts.netloc.lower())
            self._is_cdn = parts.scheme == "https" and is_cdn_host(parts.hostname or "")
        except ValueError:
            self._origin = ("", "")
            self._is_cdn = False
        self._folder = key_folder(url)

    def resolve(self, reference: str) -> tuple[str | None, str]:
        """The absolute URL of an entry and ``""``, or None and the reason why it is refused."""
        if len(reference) > _MAX_URL:
            return None, "its address is too long"
        if _CONTROL.search(reference) or _DISGUISED.search(reference):
            return None, "its address has forbidden characters"
        try:
            url = urljoin(self._base, reference)
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            return None, "its address cannot be read"
        if parts.scheme not in ("http", "https"):
            return None, "it leads to another scheme"
        own = (parts.scheme, parts.netloc.lower()) == self._origin
        if not own and not (self._is_cdn and parts.scheme == "https" and parts.netloc == host and is_cdn_host(host)):
            return None, "it leads to another host"
        if self._folder is not None and (not parts.path.startswith(self._folder) or "/../" in parts.path):
            return None, "it leads out of the folder of this stream"
        if not own and self._folder is None:
            return None, "it leads to another host"
        return url, ""


class HostCheck:
    """A rule of the caller about hosts, asked once for each origin: a list names the same one 20,000 times."""

    __slots__ = ("_answers", "_check", "_latest")

    def __init__(self, check: Callable[[str], bool]) -> None:
        self._check = check
        self._answers: dict[str, bool] = {}
        self._latest = "\0"  # an origin that is allowed, with the slash behind it

    def allow(self, url: str) -> bool:
        """True when the caller's rule allows the host of this absolute http(s) URL."""
        if url.startswith(self._latest):
            return True
        origin = url[: url.find("/", 8) + 1] or url
        allowed = self._answers.get(origin)
        if allowed is None:
            allowed = self._answers[origin] = self._check(url)
        if allowed and origin.endswith("/"):
            self._latest = origin
        return allowed


# ---------------------------------------------------------------- for people


def redact_url(url: str) -> str:
    """Host, ``…`` and the name: enough to recognise a request, too little to listen. For log lines and messages."""
    try:
        parts = urlsplit(url[:_MAX_URL])
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "…"
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9.:-]{1,255}", host):
        return "…"
    name = parts.path.rpartition("/")[2]
    shown = name if _DOTTED_NAME.fullmatch(name) else ""
    return f"{parts.scheme}://{host}{port}/…{'/' if shown else ''}{shown}"

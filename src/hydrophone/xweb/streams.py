"""Where the media of a Space or a broadcast is to be had: `live_video_stream/status`."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, urlsplit

from hydrophone.errors import NotFoundError
from hydrophone.http.messages import Question
from hydrophone.model import MediaKey, MediaKind, Stream, UserId
from hydrophone.xweb.asking import ask_api, raise_for_status
from hydrophone.xweb.reading import Node, read_json
from hydrophone.xweb.session import WebSession

ENDPOINT = "live_video_stream/status"
_WEB_PARAMETERS = {"client": "web", "use_syndication_guest_id": "false", "cookie_set_host": "x.com"}


def stream_by_media_key(session: WebSession, media_key: MediaKey) -> Question[Stream]:
    """The stream behind a media key, live or replay.

    Raises:
        NotFoundError: nothing to be had: not started yet, or ended without a replay.
        WireError: the answer names no playlist.
    """
    path = f"/1.1/live_video_stream/status/{quote(media_key, safe='')}"
    if session.signed_in:
        reply = yield from ask_api(session, ENDPOINT, "/i/api" + path, service="x", params=_WEB_PARAMETERS)
    else:
        reply = yield from ask_api(session, ENDPOINT, path, service="api")
    if reply.status == 404:
        raise NotFoundError(
            "there is no stream: it has not started, or it ended without a replay",
            status=404,
            endpoint=ENDPOINT,
            advice="A Space that is still to come can be waited for with --wait.",
        )
    raise_for_status(session, reply, ENDPOINT)
    root = read_json(reply, ENDPOINT)
    own_id = read_token_owner(root.at("chatToken").text())
    if own_id is not None:
        session.own_user_ids.add(own_id)
    return read_stream(root, media_key)


def read_stream(root: Node, media_key: MediaKey | None = None) -> Stream:
    """A stream from the status answer. `status` is always the same text and decides nothing."""
    source = root.at("source").need_object()
    url = _web_url(source.at("noRedirectPlaybackUrl")) or _web_url(source.at("location"))
    if url is None:
        raise source.at("location").wrong("an http(s) URL")
    return Stream(
        url=url,
        media_key=media_key,
        # The service's own test: audio Spaces have this element in the path, everything else is video.
        kind=MediaKind.AUDIO if "/audio-space/" in url else MediaKind.VIDEO,
        is_geoblocked="/live_video_stream/geoblocked/" in url,
        status_text=source.at("status").text() or "",
        session_id=root.at("sessionId").some_text(),
        chat_token=root.at("chatToken").some_text(),
        lifecycle_token=root.at("lifecycleToken").some_text(),
        share_url=root.at("shareUrl").some_text(),
    )


def _web_url(node: Node) -> str | None:
    text = node.some_text()
    if text is None or len(text) > 16_384 or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
        return text if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None


def read_token_owner(token: str | None) -> UserId | None:
    """The account that a chat token names: the one that asks, which must be kept out of the archive."""
    claims = _claims(token.split(".")[1]) if token and token.count(".") == 2 and len(token) < 16_384 else None
    hidden = Node(claims).at("ambiguous_user_id").some_text()
    owner = Node(_claims(hidden)).at("TwitterUserId").some_text() if hidden else None
    return UserId(owner) if owner and owner.isascii() and owner.isdigit() else None


def _claims(text: str) -> object:
    """The JSON inside base64 of either alphabet, None if there is none."""
    try:
        padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
        return json.loads(base64.b64decode(padded))
    except (ValueError, RecursionError):
        return None

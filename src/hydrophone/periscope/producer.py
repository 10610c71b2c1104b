"""The Producer API: to broadcast with an encoder of one's own. Signing in by device code, then region to delete.

It closed in 2021. Publishing is public and acts in the user's name, so nothing here does it by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from hydrophone.errors import NotSignedInError, SettingsError
from hydrophone.http.messages import NO_PARAMS, Question, Reply, Request
from hydrophone.http.reading import Node
from hydrophone.links import is_broadcast_id
from hydrophone.model import BroadcastId, SpaceState
from hydrophone.periscope.asking import expect_success
from hydrophone.periscope.records import PeriscopeUser, read_state, read_user
from hydrophone.periscope.refusals import read_answer
from hydrophone.periscope.session import PeriscopeSession

SERVICE = "producer"
HOSTS = frozenset({"api.pscp.tv", "api-ws.pscp.tv"})
OAUTH_PAGE = "https://www.periscope.tv/oauth"
_TOKEN = re.compile(r"[!-~]{1,4096}")
_REGION = re.compile(r"[a-zA-Z]{2}-[a-zA-Z0-9-]{1,40}-[0-9]")
_LONGEST_LIFE_SECONDS = 10 * 366 * 86_400


class ProducerLogin:
    """The tokens of a user of the Producer API. As a credential it goes to its hosts only.

    Args:
        is_api: allows further origins, e.g. those of a sandbox on loopback.
    """

    def __init__(
        self,
        access_token: str,
        *,
        refresh_token: str = "",
        expires_at: datetime | None = None,
        user: PeriscopeUser | None = None,
        is_api: Callable[[str], bool] | None = None,
    ) -> None:
        if not _TOKEN.fullmatch(access_token):
            raise SettingsError("this is no access token", setting="access_token")
        self._access_token = access_token
        self._refresh_token = refresh_token
        self.expires_at = expires_at
        self.user = user
        self.is_api = is_api

    def __repr__(self) -> str:
        return f"ProducerLogin({self.user.username if self.user else 'unknown'})"

    @property
    def fingerprint(self) -> str:
        return f"producer:{self.user.id if self.user else ''}"

    def secret_values(self) -> tuple[str, str]:
        """Access token and refresh token, for a store of secrets only."""
        return self._access_token, self._refresh_token

    def allows(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            is_ours = parts.scheme == "https" and (parts.hostname or "") in HOSTS and parts.port in (None, 443)
        except ValueError:
            return False
        return (is_ours and "@" not in parts.netloc) or (self.is_api is not None and self.is_api(url))

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self._access_token}"}

    def adopt(self, reply: Reply) -> bool:
        return False


class DeviceState(StrEnum):
    """How far the user has come with a device code."""

    PENDING = "authorization_pending"
    EXPIRED = "expired"
    NETWORK_CHANGED = "network_changed"  #: asked from another address than before: start over
    ASSOCIATED = "associated"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """Show `user_code` and `page_url` to the user, then check every `interval_seconds` until `expires_at`."""

    user_code: str
    page_url: str
    interval_seconds: float
    expires_at: datetime
    device_code: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    """What the service recommends to send."""

    video_codec: str | None = None
    video_bitrate_bps: int | None = None
    frame_rate: float | None = None
    keyframe_interval_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    audio_codec: str | None = None
    audio_rate: int | None = None
    audio_bitrate_bps: int | None = None
    audio_channels: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestTarget:
    """Where an encoder sends to: the address is a base and a key, and the key is a secret."""

    stream_key: str = field(repr=False)
    rtmp_url: str | None = None
    rtmps_url: str | None = None
    name: str | None = None
    recommended: EncoderSettings = EncoderSettings()

    def address(self, *, secure: bool = True) -> str:
        """The whole address for an encoder; a secret. Falls back to what there is."""
        bases = (self.rtmps_url, self.rtmp_url) if secure else (self.rtmp_url, self.rtmps_url)
        base = next((base for base in bases if base), "")
        return f"{base.rstrip('/')}/{self.stream_key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducedBroadcast:
    """A broadcast of one's own. `ingest` and the playlist are only told when it is created."""

    id: BroadcastId
    state: SpaceState
    state_text: str = ""
    title: str = ""
    share_url: str | None = None
    playlist_url: str | None = field(default=None, repr=False)
    ingest: IngestTarget | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


# ---------------------------------------------------------------- signing in


def start_device_login(session: PeriscopeSession, client_id: str, *, scopes: str = "chat") -> Question[DeviceCode]:
    """A code for the user to type on a page. The service allows few of these per address: do not ask again at once.

    Args:
        scopes: separated by commas; ``chat`` allows to read the chat.
    """
    body = {"client_id": client_id, **({"scope": scopes} if scopes else {})}
    root = yield from _ask(session, "POST", "/v1/device_code/create", body)
    return read_device_code(root, session.now())


def read_device_code(root: Node, now: datetime) -> DeviceCode:
    life = root.need_object().at("expires_in").count() or 0
    return DeviceCode(
        user_code=root.at("user_code").need_text(),
        page_url=root.at("associate_url").some_text() or "https://www.periscope.tv/device",
        interval_seconds=float(min(max(root.at("interval").count() or 10, 1), 300)),
        expires_at=now + timedelta(seconds=min(life, _LONGEST_LIFE_SECONDS)),
        device_code=root.at("device_code").need_text(),
    )


def check_device_login(
    session: PeriscopeSession, client_id: str, code: DeviceCode
) -> Question[tuple[DeviceState, ProducerLogin | None]]:
    """How far the user has come; the login where all is done. Ask from the same address, at the interval of the code.

    Raises:
        WireError: a state that we do not know.
    """
    body = {"device_code": code.device_code, "client_id": client_id}
    root = yield from _ask(session, "POST", "/v1/device_code/check", body)
    return read_device_state(root, session.now())


def read_device_state(root: Node, now: datetime) -> tuple[DeviceState, ProducerLogin | None]:
    text = (root.need_object().at("state").text() or "").lower()
    if text not in set(DeviceState):
        raise root.at("state").wrong("a state of a device code")
    state = DeviceState(text)
    return state, read_login(root, now) if state is DeviceState.ASSOCIATED else None


def wait_for_device_login(session: PeriscopeSession, client_id: str, code: DeviceCode) -> Question[ProducerLogin]:
    """Check until the user is done.

    Raises:
        NotSignedInError: the code has expired, or we have moved to another address.
    """
    while session.now() < code.expires_at:
        body = {"device_code": code.device_code, "client_id": client_id}
        request = replace(_request("POST", "/v1/device_code/check", body), wait_seconds=code.interval_seconds)
        reply = yield request
        root = read_answer(reply, request.endpoint, now=session.now())
        state, login = read_device_state(root, session.now())
        if login is not None:
            return login
        if state is not DeviceState.PENDING:
            break
    raise NotSignedInError(
        "the code was not confirmed", endpoint="device_code/check", advice="Ask for a new code and type it in time."
    )


def exchange_code(
    session: PeriscopeSession, code: str, *, client_id: str, client_secret: str, redirect_uri: str
) -> Question[ProducerLogin]:
    """The login for a code that came back with the redirect of `OAUTH_PAGE`."""
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "client_id": client_id,
        "client_secret": client_secret,
    }
    root = yield from _ask(session, "POST", "/v1/oauth/token", body)
    return read_login(root, session.now())


def refresh_login(
    session: PeriscopeSession, login: ProducerLogin, *, client_id: str, client_secret: str
) -> Question[ProducerLogin]:
    """A new login for one that is about to expire."""
    body = {
        "grant_type": "refresh_token",
        "refresh_token": login.secret_values()[1],
        "client_id": client_id,
        "client_secret": client_secret,
    }
    root = yield from _ask(session, "POST", "/v1/oauth/token", body)
    return read_login(root, session.now(), is_api=login.is_api)


def read_login(root: Node, now: datetime, *, is_api: Callable[[str], bool] | None = None) -> ProducerLogin:
    """Tokens from an answer; their life comes as a number or as digits."""
    token = root.need_object().at("access_token").need_text()
    if not _TOKEN.fullmatch(token):
        raise root.at("access_token").wrong("a token")
    life = root.at("expires_in").count()
    user = root.at("user")
    return ProducerLogin(
        token,
        refresh_token=root.at("refresh_token").some_text() or "",
        expires_at=now + timedelta(seconds=min(life, _LONGEST_LIFE_SECONDS)) if life is not None else None,
        user=read_user(user) if user.first("id", "user_id").some_text() else None,
        is_api=is_api,
    )


# ---------------------------------------------------------------- broadcasts


def own_user(session: PeriscopeSession, login: ProducerLogin) -> Question[PeriscopeUser]:
    return read_user((yield from _ask(session, "GET", "/v1/me", login=login)))


def nearest_region(session: PeriscopeSession, login: ProducerLogin) -> Question[str]:
    """The region to send to. The service answers by way of redirects.

    Raises:
        WireError: what came is no region.
    """
    root = yield from _ask(session, "GET", "/v1/region", login=login)
    region = root.at("region").need_text()
    if not _REGION.fullmatch(region):
        raise root.at("region").wrong("a region")
    return region


def create_broadcast(
    session: PeriscopeSession, login: ProducerLogin, region: str, *, low_latency: bool = True, is_360: bool = False
) -> Question[ProducedBroadcast]:
    """A broadcast to send to; nobody sees it yet. It may be an earlier one that was never published."""
    body = {"region": region, "is_360": is_360, "is_low_latency": low_latency}
    root = yield from _ask(session, "POST", "/v1/broadcast/create", body, login=login)
    return read_created(root)


def publish_broadcast(
    session: PeriscopeSession,
    login: ProducerLogin,
    broadcast_id: BroadcastId,
    title: str,
    *,
    posts_to_x: bool = False,
    locale: str = "en_US",
    super_hearts: bool = False,
) -> Question[ProducedBroadcast]:
    """Let everybody see it: a public act in the user's name. The service's own default posts it to X; ours does not."""
    body = {
        "broadcast_id": broadcast_id,
        "title": title,
        "should_not_tweet": not posts_to_x,
        "locale": locale,
        "enable_super_hearts": super_hearts,
    }
    root = yield from _ask(session, "POST", "/v1/broadcast/publish", body, login=login)
    return read_produced(root.at("broadcast"))


def stop_broadcast(session: PeriscopeSession, login: ProducerLogin, broadcast_id: BroadcastId) -> Question[None]:
    reply = yield _request("POST", "/v1/broadcast/stop", {"broadcast_id": broadcast_id}, login)
    expect_success(session, reply, "broadcast/stop")


def delete_broadcast(session: PeriscopeSession, login: ProducerLogin, broadcast_id: BroadcastId) -> Question[None]:
    """Delete a broadcast with its replay, for ever."""
    reply = yield _request("POST", "/v1/broadcast/delete", {"broadcast_id": broadcast_id}, login)
    expect_success(session, reply, "broadcast/delete")


def look_up_broadcast(
    session: PeriscopeSession, login: ProducerLogin, broadcast_id: BroadcastId
) -> Question[ProducedBroadcast]:
    """A broadcast of one's own as it is now; not found once it is deleted."""
    root = yield from _ask(session, "GET", "/v1/broadcast", params={"id": broadcast_id}, login=login)
    return read_produced(root)


def read_created(root: Node) -> ProducedBroadcast:
    """The answer to a creation, with where to send to.

    Raises:
        WireError: there is no broadcast, or nowhere to send to.
    """
    produced = read_produced(root.need_object().at("broadcast"))
    encoder = root.at("encoder").need_object()
    ingest = IngestTarget(
        stream_key=encoder.at("stream_key").need_text(),
        rtmp_url=_rtmp(encoder.at("rtmp_url")),
        rtmps_url=_rtmp(encoder.at("rtmps_url")),
        name=encoder.at("display_name").some_text(),
        recommended=_read_recommended(encoder.at("recommended_configuration")),
    )
    if not (ingest.rtmp_url or ingest.rtmps_url):
        raise encoder.at("rtmps_url").wrong("an address to send to")
    return replace(
        produced,
        share_url=root.at("share_url").some_text(),
        playlist_url=root.first("video_access.https_hls_url", "video_access.hls_url").some_text(),
        ingest=ingest,
        raw=root.mapping(),
    )


def read_produced(record: Node) -> ProducedBroadcast:
    """A broadcast as this API tells it; states are in lower case here."""
    broadcast_id = record.need_object().at("id").need_text()
    if not is_broadcast_id(broadcast_id):
        raise record.at("id").wrong("the id of a broadcast")
    state, state_text = read_state(record.at("state"))
    return ProducedBroadcast(
        id=BroadcastId(broadcast_id),
        state=state,
        state_text=state_text,
        title=record.at("title").text() or "",
        raw=record.mapping(),
    )


def _read_recommended(record: Node) -> EncoderSettings:
    video_kbps, audio_kbps = record.at("video_bitrate").count(), record.at("audio_bitrate").count()
    frame_rate, interval = record.at("framerate").count(), record.at("keyframe_interval").count()
    return EncoderSettings(
        video_codec=record.at("video_codec").some_text(),
        video_bitrate_bps=video_kbps * 1000 if video_kbps is not None else None,
        frame_rate=float(frame_rate) if frame_rate is not None else None,
        keyframe_interval_seconds=float(interval) if interval is not None else None,
        width=record.at("width").count(),
        height=record.at("height").count(),
        audio_codec=record.at("audio_codec").some_text(),
        audio_rate=record.at("audio_sampling_rate").count(),
        audio_bitrate_bps=audio_kbps * 1000 if audio_kbps is not None else None,
        audio_channels=record.at("audio_num_channels").count(),
    )


def _rtmp(node: Node) -> str | None:
    url = node.some_text()
    if url is None or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        return url if parts.scheme in ("rtmp", "rtmps") and parts.hostname else None
    except ValueError:
        return None


# ---------------------------------------------------------------- requests


def _request(
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    login: ProducerLogin | None = None,
    params: Mapping[str, str] = NO_PARAMS,
) -> Request:
    return Request(
        method,
        path,
        params=params,
        headers={"accept": "application/json", "content-type": "application/json"},
        body=json.dumps(body).encode() if body is not None else None,
        service=SERVICE,
        credential=login,
        endpoint=path.removeprefix("/v1/"),
        attempts=3 if method == "GET" else 1,
        # Only the region is meant to be reached by redirects; a body with secrets is never carried on.
        max_redirects=5 if body is None else 0,
    )


def _ask(
    session: PeriscopeSession,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    login: ProducerLogin | None = None,
    params: Mapping[str, str] = NO_PARAMS,
) -> Question[Node]:
    request = _request(method, path, body, login, params)
    reply = yield request
    return read_answer(reply, request.endpoint, now=session.now())

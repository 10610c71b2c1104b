"""Webhooks: where the service shall deliver events, the answer to its challenge, and the check of its signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from hydrophone.errors import RefusedError, SettingsError
from hydrophone.http.messages import Question
from hydrophone.http.reading import Node
from hydrophone.xapi import limits
from hydrophone.xapi.answers import Answer, read_answer
from hydrophone.xapi.asking import Asked, ask
from hydrophone.xapi.checks import check_number, check_text
from hydrophone.xapi.events import Pushed, read_pushed
from hydrophone.xapi.session import ApiSession, Auth

SIGNATURE_HEADER = "x-twitter-webhooks-signature"
_PATH = "/2/webhooks"
_MOST_URL = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A place to which the service delivers. `is_valid` is what it thought of the last challenge."""

    id: str
    url: str = ""
    is_valid: bool | None = None
    created_at: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


# ---------------------------------------------------------------- what the hook itself does


def _sign(consumer_secret: str, message: bytes) -> str:
    digest = hmac.new(consumer_secret.encode(), message, hashlib.sha256).digest()
    return "sha256=" + base64.b64encode(digest).decode()


def challenge_answer(consumer_secret: str, crc_token: str) -> dict[str, str]:
    """The JSON object to answer a challenge (``GET …?crc_token=``) with, at any time and at once."""
    return {"response_token": _sign(consumer_secret, crc_token.encode())}


def read_delivery(consumer_secret: str, signature: str | None, body: bytes) -> Pushed:
    """What was delivered. Acknowledge first and work later; the same event may come twice.

    Args:
        signature: the header `SIGNATURE_HEADER`, None where there was none.
        body: the raw bytes as they came.

    Raises:
        RefusedError: the signature is not the service's; answer 403.
        WireError: it is, but the body is no JSON object.
    """
    wanted = _sign(consumer_secret, body).encode()
    if signature is None or not hmac.compare_digest(signature.strip().encode("utf-8", "replace"), wanted):
        raise RefusedError("a delivery that X has not signed", status=403, endpoint="webhook")
    return read_pushed(body)


# ---------------------------------------------------------------- asking the service


def create_webhook(session: ApiSession, url: str, *, allow_loopback: bool = False) -> Question[Webhook]:
    """Register a hook. The service challenges it at once, so it must be running.

    Args:
        allow_loopback: take ``http://127.0.0.1:PORT/…`` as well, for a sandbox.

    Raises:
        InvalidRequestError: the challenge failed, or there are too many; `messages` says which.
    """
    _check_url(url, allow_loopback=allow_loopback)
    asked = Asked(endpoint=limits.WEBHOOKS, path=_PATH, method="POST", body={"url": url}, auth=Auth.APP, is_free=True)
    root, _ = yield from ask(session, asked)
    return read_webhook(root.at("data"))


def webhooks(session: ApiSession) -> Question[Answer[Webhook]]:
    """All hooks of the app; their secrets are nowhere in it."""
    asked = Asked(endpoint=limits.WEBHOOKS, path=_PATH, auth=Auth.APP, is_free=True)
    root, _ = yield from ask(session, asked)
    return read_answer(root, lambda node, _: read_webhook(node))


def validate_webhook(session: ApiSession, webhook_id: str) -> Question[bool]:
    """Have the hook challenged again; True says that it was, `webhooks` says how it went."""
    path = f"{_PATH}/{check_number(webhook_id, 'webhook id')}"
    asked = Asked(endpoint=limits.WEBHOOKS, path=path, method="PUT", auth=Auth.APP, is_free=True)
    root, _ = yield from ask(session, asked)
    return bool(root.at("data", "valid").flag())


def delete_webhook(session: ApiSession, webhook_id: str) -> Question[bool]:
    """Remove a hook; True when the service says that it is gone."""
    path = f"{_PATH}/{check_number(webhook_id, 'webhook id')}"
    asked = Asked(endpoint=limits.WEBHOOKS, path=path, method="DELETE", auth=Auth.APP, is_free=True)
    root, _ = yield from ask(session, asked)
    return bool(root.at("data", "deleted").flag())


def replay_deliveries(session: ApiSession, webhook_id: str, *, begin_at: datetime, end_at: datetime) -> Question[str]:
    """Have what was delivered in this span delivered again (whole minutes, the last 24 hours); the id of the job."""
    if begin_at > end_at:
        raise SettingsError("the span ends before it begins", setting="end_at", advice="Exchange the two instants.")
    body = {
        "webhook_id": check_number(webhook_id, "webhook id"),
        "from_date": f"{begin_at.astimezone(UTC):%Y%m%d%H%M}",
        "to_date": f"{end_at.astimezone(UTC):%Y%m%d%H%M}",
    }
    asked = Asked(
        endpoint=limits.WEBHOOK_REPLAY,
        path=f"{_PATH}/replay",
        method="POST",
        body=body,
        auth=Auth.APP,
        is_free=True,
    )
    root, _ = yield from ask(session, asked)
    return root.at("data", "job_id").need_text()


def read_webhook(node: Node) -> Webhook:
    """
    Raises:
        WireError: it has no id.
    """
    return Webhook(
        id=node.at("id").need_text(),
        url=node.at("url").text() or "",
        is_valid=node.at("valid").flag(),
        created_at=node.at("created_at").instant(),
        raw=node.mapping(),
    )


def _check_url(url: str, *, allow_loopback: bool) -> None:
    check_text("url", url, _MOST_URL)
    try:
        parts = urlsplit(url)
        is_public = parts.scheme == "https" and bool(parts.hostname) and parts.port is None
        is_loopback = parts.scheme == "http" and parts.hostname == "127.0.0.1"
    except ValueError:
        is_public = is_loopback = False
    if not is_public and not (allow_loopback and is_loopback):
        raise SettingsError(
            "a webhook needs a public https address without a port", setting="url", advice="Give https://host/path."
        )

"""Webhooks: the challenge when they are registered, signed deliveries, retries, and what makes them invalid."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from hydrophone.sandbox.api2.activity import Event, events_between
from hydrophone.sandbox.api2.gate import Answering, Endpoint, Said, Visit
from hydrophone.sandbox.api2.meter import meter_of
from hydrophone.sandbox.api2.problems import Refusal
from hydrophone.sandbox.api2.records import instant
from hydrophone.sandbox.api2.stage import stage_of
from hydrophone.sandbox.api2.switches import read_switches
from hydrophone.sandbox.scene import invented_number
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.ids import snowflake

_LOOK_SECONDS = 0.05
_ANSWER_SECONDS = 10.0
_TRIES = 4
_MOST = 1
_SPAN = re.compile(r"\d{12}")
_HOUR_US = 3_600_000_000
_PATIENCE_US = 28 * _HOUR_US  #: how long a hook may be out of reach before it is given up
_WRONG_ANSWER = "Invalid response_token"


@dataclass(slots=True)
class Postman:
    """Delivers while there are hooks, and challenges them every hour: one task per world. Instants are scene time."""

    task: asyncio.Task[None] | None = None
    since_us: int = 0
    checked_us: dict[str, int] = field(default_factory=dict)
    failing_us: dict[str, int] = field(default_factory=dict)
    checks: int = 0  #: hourly ones that are done


def signature(secret: str, message: bytes) -> str:
    """What proves that a message comes from the service."""
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


# ---------------------------------------------------------------- registering


def _create(visit: Visit) -> Answering:
    url = str(visit.body.get("url", ""))
    if not url:
        visit.asking.complain("url", "The `url` field is required")

    async def finish() -> Said:
        if len(url) > 200 or not _is_allowed(url, visit.switches):
            return _failure(visit, "UrlValidationFailed", "The url must be https, public and without a port")
        hooks = visit.stage.webhooks
        if any(hook["url"] == url for hook in hooks.values()):
            return _failure(visit, "DuplicateUrlFailed", "A webhook with this url exists")
        if len(hooks) >= _MOST:
            return _failure(visit, "WebhookLimitExceeded", f"At most {_MOST} webhook is allowed")
        problem = await _challenge(visit.world, url)
        if problem:
            return _failure(visit, "CrcValidationFailed", problem)
        made: dict[str, Any] = {
            "id": snowflake(visit.now, "hook", url),
            "url": url,
            "valid": True,
            "created_at": instant(visit.now),
        }
        hooks[made["id"]] = made
        start_postman(visit.world, made["id"])
        return {"data": made}

    return finish


def _is_allowed(url: str, switches: Any) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if switches["local_webhooks"] and parts.scheme == "http" and parts.hostname == "127.0.0.1":
        return True
    return parts.scheme == "https" and port is None and (parts.hostname or "").endswith(".example")


def _failure(visit: Visit, reason: str, details: str) -> Refusal:
    return visit.tongue.invalid([{"message": f"{reason}: {details}"}])


async def _challenge(world: World, url: str) -> str:
    """Ask the hook to prove that it knows the secret; "" when it did."""
    switches = read_switches(world)
    if (urlsplit(url).hostname or "").endswith(".example"):
        return "" if switches["webhook_check"] == "good" else _WRONG_ANSWER
    number = f"{world.clock.now_us()}-{invented_number('crc', url)}"
    token = base64.b64encode(number.encode()).decode().rstrip("=")
    status, body = await _ask("GET", f"{url}?crc_token={token}", b"", {})
    if status != 200:
        return f"Status {status}" if status else "No answer"
    try:
        said = json.loads(body).get("response_token", "")
    except (ValueError, AttributeError):
        return _WRONG_ANSWER
    expected = signature(stage_of(world).app["consumer_secret"], token.encode())
    return "" if hmac.compare_digest(str(said).encode(), expected.encode()) else _WRONG_ANSWER


def _list(visit: Visit) -> Answering:
    visit.asking.check_names((), ("webhook_config.fields",))
    visit.asking.names("webhook_config.fields")

    def finish() -> Said:
        hooks = list(visit.stage.webhooks.values())
        return {"data": hooks, "meta": {"result_count": len(hooks)}}

    return finish


def _check(visit: Visit) -> Answering:
    wanted = visit.exchange.group("id")

    async def finish() -> Said:
        hook = visit.stage.webhooks.get(wanted)
        if hook is None:
            return _failure(visit, "WebhookIdInvalid", f"There is no webhook {wanted}")
        hook["valid"] = not await _challenge(visit.world, hook["url"])
        if hook["valid"]:
            start_postman(visit.world, hook["id"])
        return {"data": {"valid": True}}

    return finish


def _delete(visit: Visit) -> Answering:
    wanted = visit.exchange.group("id")

    def finish() -> Said:
        if visit.stage.webhooks.pop(wanted, None) is None:
            return _failure(visit, "WebhookIdInvalid", f"There is no webhook {wanted}")
        return {"data": {"deleted": True}}

    return finish


def _replay(visit: Visit) -> Answering:
    told = {name: str(visit.body.get(name, "")) for name in ("webhook_id", "from_date", "to_date")}
    for name in ("from_date", "to_date"):
        if not _SPAN.fullmatch(told[name]):
            visit.asking.complain(name, f"The `{name}` field value [{told[name]}] does not match ^[0-9]{{12}}$")

    async def finish() -> Said:
        hook = visit.stage.webhooks.get(told["webhook_id"])
        if hook is None:
            return _failure(visit, "WebhookIdInvalid", "There is no such webhook")
        begin, end = (_minute(told[name]) for name in ("from_date", "to_date"))
        for event in events_between(visit.world, begin, end + 60_000_000):
            if event.webhook_id == hook["id"]:
                await _deliver(visit.world, hook, event)
        job = snowflake(visit.now, "replay", *told.values())
        return {"data": {"job_id": job, "created_at": instant(visit.now)}}

    return finish


def _minute(text: str) -> int:
    at = datetime.strptime(text, "%Y%m%d%H%M").replace(tzinfo=UTC)
    return int(at.timestamp()) * 1_000_000


# ---------------------------------------------------------------- delivering


def start_postman(world: World, hook_id: str) -> None:
    """Begin to deliver, if nobody does. The hook has just been challenged."""
    postman = world.room(Postman)
    postman.checked_us[hook_id] = world.clock.now_us()
    postman.failing_us.pop(hook_id, None)
    if postman.task is None or postman.task.done():
        postman.since_us = world.clock.now_us()
        task = asyncio.get_running_loop().create_task(_carry(world, postman))
        postman.task = task
        world.on_close(partial(_stop, task))


def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()


async def _carry(world: World, postman: Postman) -> None:
    while True:
        now_us = world.clock.now_us()
        news = events_between(world, postman.since_us, now_us)
        postman.since_us = max(postman.since_us, now_us)
        for event in news:
            hook = stage_of(world).webhooks.get(event.webhook_id or "")
            if hook is not None and hook["valid"]:
                await _deliver(world, hook, event)
        await _check_hourly(world, postman, now_us)
        await asyncio.sleep(_LOOK_SECONDS)


async def _check_hourly(world: World, postman: Postman, now_us: int) -> None:
    """A wrong answer or a redirect ends a hook at once, one that cannot be reached after a day and some hours."""
    for hook in list(stage_of(world).webhooks.values()):
        last_us = postman.checked_us.setdefault(hook["id"], now_us)
        if not hook["valid"] or now_us - last_us < _HOUR_US:
            continue
        postman.checked_us[hook["id"]] = now_us
        problem = await _challenge(world, hook["url"])
        if problem:
            since_us = postman.failing_us.setdefault(hook["id"], now_us)
            is_final = problem == _WRONG_ANSWER or problem.startswith("Status 3")
            hook["valid"] = not is_final and now_us - since_us < _PATIENCE_US
        else:
            postman.failing_us.pop(hook["id"], None)
        postman.checks += 1


async def _deliver(world: World, hook: dict[str, Any], event: Event) -> None:
    """Until it is taken; a hook that never takes it becomes invalid."""
    if (urlsplit(hook["url"]).hostname or "").endswith(".example"):
        return
    if event.type.startswith("spaces."):
        meter_of(world).charge("event", [f"{event.type}:{event.uuid}"], world.now())
    body = json.dumps(event.body, ensure_ascii=False, separators=(",", ":")).encode()
    secret = stage_of(world).app["consumer_secret"]
    headers = {"content-type": "application/json", "x-twitter-webhooks-signature": signature(secret, body)}
    pause = float(read_switches(world)["webhook_retry_seconds"])
    for tried in range(_TRIES):
        status, _ = await _ask("POST", hook["url"], body, headers)
        if status == 200:
            return
        if 300 <= status < 400:
            break
        await asyncio.sleep(pause * 2**tried)
    hook["valid"] = False


async def _ask(method: str, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """One request to a hook on loopback; status 0 is no answer."""
    parts = urlsplit(url)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    lines = [f"{method} {target} HTTP/1.1", f"host: {parts.netloc}", "user-agent: Twitterbot/1.0", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"content-length: {len(body)}")
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
            try:
                writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
                await writer.drain()
                said = await reader.read(1 << 20)
                while chunk := await reader.read(1 << 20):
                    said += chunk
            finally:
                writer.close()
        head, _, rest = said.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), rest
    except (OSError, TimeoutError, ValueError, IndexError):
        return 0, b""


def _endpoint(method: str, path: str, prepare: Any, name: str = "webhooks") -> Endpoint:
    return Endpoint(name=name, method=method, path=path, prepare=prepare, takes="app", is_free=True)


ENDPOINTS = (
    _endpoint("POST", r"/2/webhooks/replay", _replay, "webhook replay"),
    _endpoint("POST", r"/2/webhooks", _create),
    _endpoint("GET", r"/2/webhooks", _list),
    _endpoint("PUT", r"/2/webhooks/(?P<id>[^/]+)", _check),
    _endpoint("DELETE", r"/2/webhooks/(?P<id>[^/]+)", _delete),
)

"""Chat: access to it, its history in pages, its socket while the broadcast runs."""

from __future__ import annotations

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from typing import Any

from hydrophone.sandbox.periscope.answers import NAMED, said
from hydrophone.sandbox.periscope.asking import Asked, asked_of, say
from hydrophone.sandbox.periscope.chat_messages import Message, chat, compact, control, ending, messages_of
from hydrophone.sandbox.periscope.sessions import signed_in
from hydrophone.sandbox.periscope.switches import read_switches
from hydrophone.sandbox.periscope.websocket import WebSocket, accept
from hydrophone.sandbox.periscope.words import opaque, steady
from hydrophone.sandbox.scene import Person, Scene
from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.space_chat.doors import (
    access_fields,
    has_client_headers,
    history_trouble,
    is_replay_address,
    room_names,
    scene_of_room,
    viewer_of,
)
from hydrophone.sandbox.space_chat.facts import chat_fact, is_space
from hydrophone.sandbox.space_chat.script import space_messages
from hydrophone.sandbox.space_chat.stage import join_draft
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.tokens import is_ours

LIVE_LENGTH, REPLAY_LENGTH = 425, 309
MAX_PAGE = 1000
LOOK_SECONDS = 0.04
JOIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Pass:
    """What an access token opens."""

    scene_id: str
    expires_us: int
    owner: Person | None  #: who may write with it
    viewer: Person | None = None  #: who reads with it, where the service knows


class Log:
    """The messages of one scene, made as far as the clock has come."""

    def __init__(self, world: World, scene: Scene) -> None:
        timeline = world.timeline(scene.id)
        self._clock, self._ended_us, self._scene = world.clock, timeline.ended_us, scene
        self._source: Iterator[Message] = (
            space_messages(scene, timeline) if is_space(scene) else messages_of(scene, timeline.zero_us)
        )
        self._next = next(self._source, None)
        self._has_ended = False
        self._messages: list[Message] = []

    def until_now(self, *, after_ns: int = 0, count: int | None = None) -> list[Message]:
        """All that was said by now, in order; or, for a page, so much that `count` of it came after an instant.

        An hour of speech takes a second to make up, and nobody on this loop should wait for so long.
        """
        now_us = self._clock.now_us()
        limit_ns = min(now_us, self._ended_us) * 1000
        stamps = [message.ns for message in self._messages] if count is not None else []
        fresh = len(stamps) - bisect_right(stamps, after_ns)
        while self._next is not None and self._next.ns <= limit_ns:
            if count is not None and fresh >= count:
                return self._messages
            fresh += self._next.ns > after_ns
            self._put(self._next)
            self._next = next(self._source, None)
        if now_us >= self._ended_us and not self._has_ended and not is_space(self._scene):
            self._has_ended = True
            self._put(ending(self._scene, self._ended_us))
        return self._messages

    def wires(self, first: int, end: int | None = None) -> list[dict[str, Any]]:
        """Messages by their places, among those that have been said, as they go over the wire.

        Each is written once and then kept as written, for socket and history, however many read it.
        """
        found = []
        for place in range(first, len(self._messages) if end is None else min(end, len(self._messages))):
            message = self._messages[place]
            found.append(message.wire)
            self._messages[place] = Message((message.ns, found[-1]))
        return found

    def add(self, person: Person, body: dict[str, Any]) -> None:
        """Somebody says something now."""
        self.until_now()
        self._put(chat(self._scene, person, self._clock.now_us() - 130_000, {"type": 1, **body}))

    def join(self, person: Person) -> None:
        """Somebody opens the room; Spaces tell everybody."""
        if is_space(self._scene):
            self.until_now()
            now_us = self._clock.now_us()
            self._put(Message((now_us * 1000, join_draft(self._scene, person, now_us).write(now_us * 1000))))

    def _put(self, message: Message) -> None:
        if self._messages and message.ns <= self._messages[-1].ns:
            message = Message((self._messages[-1].ns + 1, message.wire))
        self._messages.append(message)


class Rooms:
    """All logs and all passes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._logs: dict[str, tuple[Scene, Log]] = {}
        self._passes: dict[str, Pass] = {}

    def log(self, scene: Scene) -> Log:
        found = self._logs.get(scene.id)
        if found is None or found[0] is not scene:
            found = self._logs[scene.id] = (scene, Log(self._world, scene))
        return found[1]

    def issue(self, asked: Asked, scene: Scene, length: int, owner: Person | None, viewer: Person | None = None) -> str:
        token = opaque("2", length)
        lifetime_us = round(float(asked.switches["chat_lifetime_seconds"]) * 1_000_000)
        self._passes[token] = Pass(scene.id, asked.now_us + lifetime_us, owner, viewer)
        return token

    def open(self, token: str) -> tuple[Scene, Pass] | None:
        found = self._passes.get(token)
        if found is None or self._world.clock.now_us() >= found.expires_us:
            return None
        scene = scene_of_room(self._world, found.scene_id)
        return None if scene is None else (scene, found)


def rooms_of(world: World) -> Rooms:
    return world.room(Rooms, lambda: Rooms(world))


# ---------------------------------------------------------------- access


def answer_access(asked: Asked) -> Answer:
    """`accessChatPublic`: for readers."""
    return _access(asked, None)


def answer_write_access(asked: Asked) -> Answer:
    """`accessChat`: for those with a cookie, who may write."""
    owner = signed_in(asked)
    return NAMED["401"] if owner is None else _access(asked, owner)


def _access(asked: Asked, owner: Person | None) -> Answer:
    token = asked.text("chat_token")
    if not token:
        return NAMED["400"]
    claims = _claims(token)
    if claims is None or claims.get("exp", 0) <= asked.world.now().timestamp():
        return NAMED["401"]
    scene = scene_of_room(asked.world, str(claims.get("broadcast_id", "")))
    if scene is None:
        return NAMED["404"]
    if not is_space(scene):
        return said(channel_fields(asked, scene, owner))
    return said(_space_fields(asked, scene, owner, claims)) if has_client_headers(asked.exchange) else NAMED["400"]


def _space_fields(asked: Asked, scene: Scene, owner: Person | None, claims: dict[str, Any]) -> dict[str, Any]:
    viewer = owner or viewer_of(asked.world, claims)
    is_over = asked.now_us >= asked.world.timeline(scene.id).ended_us
    token = rooms_of(asked.world).issue(asked, scene, REPLAY_LENGTH if is_over else LIVE_LENGTH, owner, viewer)
    return access_fields(asked, scene, token=token, viewer=viewer, is_over=is_over, is_writer=owner is not None)


def _claims(token: str) -> dict[str, Any] | None:
    """What a chat token says, if it was signed here."""
    if token.count(".") != 2 or not is_ours(token):
        return None
    body = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims if isinstance(claims, dict) else None


def channel_fields(asked: Asked, scene: Scene, owner: Person | None) -> dict[str, Any]:
    """The chat part of an answer. Once a broadcast has ended both pairs are the same."""
    rooms, region = rooms_of(asked.world), scene.region
    replay_token = rooms.issue(asked, scene, REPLAY_LENGTH, None)
    replay = asked.places.chat(region, is_replay=True)
    is_over = asked.now_us >= asked.world.timeline(scene.id).ended_us
    token = replay_token if is_over else rooms.issue(asked, scene, LIVE_LENGTH, owner)
    return {
        "subscriber": "",
        "publisher": "",
        "auth_token": "-",
        "signer_key": steady("", 432, "signer", scene.id),
        "signer_token": "-",
        "channel": "-",
        "should_verify_signature": False,
        "access_token": token,
        "endpoint": replay if is_over else asked.places.chat(region),
        "replay_access_token": replay_token,
        "replay_endpoint": replay,
        "room_id": scene.id,
        "participant_index": owner.index if owner else 0,
        "read_only": owner is None,
        "should_log": False,
        "chan_perms": {"pb": 0, "cm": 3 if is_over else 15},
    }


# ---------------------------------------------------------------- history


def answer_history(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """POST …/chatapi/v1/history."""
    asked = asked_of(world, exchange)
    return say(world, exchange, _history(asked))


def _history(asked: Asked) -> Answer:
    trouble = {"young": Answer(404, (), b""), "gone": Answer(503, (), b"")}.get(str(asked.switches["chat"]))
    if trouble is not None:
        return trouble
    opened = rooms_of(asked.world).open(asked.text("access_token"))
    if opened is None:
        return NAMED["401"]
    scene, _ = opened
    missing = history_trouble(scene, asked.world.timeline(scene.id), asked.now_us)
    if missing is not None:
        return Answer(missing, (), b"")
    size = int(asked.switches["chat_page_size"]) or min(MAX_PAGE, _number(asked.params.get("limit"), MAX_PAGE))
    size = max(1, size)
    after_ns = _number(asked.text("cursor") or asked.params.get("since"), 0)
    log = rooms_of(asked.world).log(scene)
    said_so_far = log.until_now(after_ns=after_ns, count=size + 2)
    stamps = [message.ns for message in said_so_far]
    begin = _begin(asked, stamps)
    if is_space(scene) and chat_fact(scene, "repeats") and asked.text("cursor").isdigit() and 0 < begin < len(stamps):
        begin, size = begin - 1, size + 1  # a boundary comes twice, but an answer without news is empty
    page = said_so_far[begin : begin + size]
    is_last = begin + len(page) >= len(said_so_far)
    is_over = asked.now_us >= asked.world.timeline(scene.id).ended_us
    cursor = asked.text("cursor") or str(asked.now_us * 1000)
    if page:
        cursor = str(page[-1].ns)
    if is_last and is_over:
        cursor = ""
    return said({"messages": log.wires(begin, begin + size), "cursor": cursor})


def _begin(asked: Asked, stamps: list[int]) -> int:
    cursor = asked.text("cursor")
    if cursor.isdigit():
        repeats = asked.switches["chat_repeats"]
        return bisect_left(stamps, int(cursor)) if repeats else bisect_right(stamps, int(cursor))
    return bisect_left(stamps, _number(asked.params.get("since"), 0))


def _number(value: Any, default: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return default


# ---------------------------------------------------------------- the socket


async def answer_socket(world: World, exchange: Exchange) -> None:
    """GET …/chatapi/v1/chatnow: two frames from the client, then everything new."""
    asked = asked_of(world, exchange)
    refusal = {"ok": None, "gone": 503, "young": 404}.get(str(asked.switches["chat"]), 403)
    refusal = 403 if is_replay_address(exchange) else refusal
    socket = accept(exchange) if refusal is None else None
    if socket is None:
        pending = exchange.reply(refusal or 400)
        if pending is not None:
            await pending
        return
    try:
        opened = await _welcome(world, socket)
        if opened is not None:
            await _talk(world, socket, *opened)
    except ConnectionError:
        pass


async def _welcome(world: World, socket: WebSocket) -> tuple[Scene, Pass] | None:
    """Authentication first, then the room; anything else is the end."""
    token = await _expect(socket, 3)
    opened = rooms_of(world).open(str(token.get("access_token", "")))
    room = await _expect(socket, 2) if opened else {}
    body = room.get("body", {})
    wanted = json.loads(body) if isinstance(body, str) else body
    if opened is None or str(wanted.get("room")) not in room_names(opened[0]):
        socket.close(1008)
        return None
    scene, granted = opened
    if is_space(scene) and world.clock.now_us() >= world.timeline(scene.id).ended_us:
        socket.close(1008)
        return None
    if granted.viewer is not None:
        rooms_of(world).log(scene).join(granted.viewer)
    return opened


async def _expect(socket: WebSocket, kind: int) -> dict[str, Any]:
    frame = await socket.receive(JOIN_SECONDS)
    try:
        told = json.loads(frame.data) if frame else {}
        payload = json.loads(told["payload"]) if told.get("kind") == kind else {}
    except (ValueError, KeyError, AttributeError, TypeError):
        payload = {}
    return payload if isinstance(payload, dict) else {}


async def _talk(world: World, socket: WebSocket, scene: Scene, opened: Pass) -> None:
    log, presence_us = rooms_of(world).log(scene), 0
    shown = len(log.until_now()) - (opened.viewer is not None and is_space(scene))
    cuts = _cuts(world, scene)
    while socket.is_open:
        switches, now_us = read_switches(world), world.clock.now_us()
        is_binary = bool(switches["chat_binary"])
        if now_us >= presence_us:
            seen = scene.audience_at(world.now())
            counts = {"occupancy": seen.listeners, "total_participants": seen.total or seen.listeners}
            socket.send(compact(control(scene, None, now_us, 4, counts).wire), binary=is_binary)
            presence_us = now_us + round(float(switches["presence_seconds"]) * 1_000_000)
        log.until_now()
        for wire in log.wires(shown):
            socket.send(compact(wire), binary=is_binary)
            shown += 1
        if now_us >= world.timeline(scene.id).ended_us:
            socket.close(1000)
            return
        if any(cut <= now_us for cut in cuts):
            socket.close(1006)
            return
        frame = await socket.receive(LOOK_SECONDS)
        if frame is not None and opened.owner is not None:
            _hear(log, opened.owner, frame.data)


def _cuts(world: World, scene: Scene) -> list[int]:
    """When open sockets of this Space are cut off, from now on."""
    if not is_space(scene):
        return []
    now_us, started_us = world.clock.now_us(), world.timeline(scene.id).started_us
    cuts = (started_us + round(float(since) * 1_000_000) for since in chat_fact(scene, "drops"))
    return [cut for cut in cuts if cut > now_us]


def _hear(log: Log, person: Person, data: bytes) -> None:
    """A message of somebody who may write; what cannot be read is ignored, as the service does."""
    try:
        told = json.loads(data)
        body = json.loads(json.loads(told["payload"])["body"]) if told.get("kind") == 1 else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    if isinstance(body, dict) and isinstance(body.get("type"), int):
        log.add(person, body)

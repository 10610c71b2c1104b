"""Reading a chat for as long as its Space runs, and all of it after the end: the loop around the rules of this room.

Socket and history both, united by identity: the socket is quick and never repeats, the history is whole. Trouble with
the chat is waited out and reported, and never reaches the recording of the audio.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from hydrophone.chat.access import ChatPass
from hydrophone.chat.history import HistoryEnd, HistoryWalk, walk_history
from hydrophone.chat.intake import ChatIntake, Via
from hydrophone.chat.socketing import Act, Comeback, Pulse, is_end, opening_frames, socket_request
from hydrophone.errors import DiskError, HydrophoneError, RateLimitedError, RefusedError
from hydrophone.http.driver import AsyncClient
from hydrophone.http.frames import FrameKind
from hydrophone.http.messages import Question
from hydrophone.model import ChatKind

if TYPE_CHECKING:
    from hydrophone.http.sockets import WebSocket

log = logging.getLogger("hydrophone.chat")

#: Without a socket the history is polled this often; and the socket is tried again this often.
POLL_SECONDS = 10.0
SOCKET_RETRY_SECONDS = 300.0
#: A socket on a video broadcast tells who is there and nothing else, so the history is polled beside it.
QUIET_SOCKET_SECONDS = 120.0
#: Of a page of a thousand messages, with three layers of JSON each: a millisecond. Fifty recordings may begin at once.
TAKEN_AT_ONCE = 16

#: Of all recordings of a client, who opens a page now.
_turns: WeakKeyDictionary[AsyncClient, asyncio.Lock] = WeakKeyDictionary()

Renew = Callable[[], Question[ChatPass | None]]
Store = Callable[[bytes], None]  #: gets one whole line or several


@dataclass(slots=True)
class ChatReport:
    """How following went. `trouble` is the newest, "" when all is well; `end` why it ended."""

    sockets: int = 0
    walks: int = 0
    trouble: str = ""
    end: str = ""


class ChatFollower:
    """Follow one chat.

    Args:
        renew: asks for a pass: stream status, then access. Asked at the start and whenever a pass ends.
        intake: decides what is kept; resume it from the log of an earlier run first.
        store: writes a line. It must not block for long; what it raises ends following (`DiskError` most of all).
        sleep: waits; returns early by raising nothing, so that a recorder may pass its own clock.
    """

    def __init__(
        self,
        client: AsyncClient,
        *,
        renew: Renew,
        intake: ChatIntake,
        store: Store,
        rng: Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self.report = ChatReport()
        self._client = client
        self._renew = renew
        self._intake = intake
        self._store = store
        self._comeback = Comeback(rng or Random())
        self._sleep = sleep
        self._clock = clock
        self._now = now
        self._poll_seconds = poll_seconds
        self._chat: ChatPass | None = None
        self._cursor = ""

    async def follow(self) -> ChatReport:
        """Read until the service says that the chat is over, or there is none. Cancel it when the Space has ended.

        Raises:
            DiskError: a line could not be stored.
        """
        socket_refused_at: float | None = None
        while not self.report.end:
            opened = self._clock()
            lasted = 0.0
            try:
                if not await self._catch_up(is_live=True):
                    break
                if socket_refused_at is not None and opened - socket_refused_at < SOCKET_RETRY_SECONDS:
                    await self._sleep(self._poll_seconds)
                    continue
                socket_refused_at = None
                lasted = await self._listen()
                self.report.trouble = ""
            except DiskError:
                raise
            except RefusedError as error:
                # No socket for us, or not any more; the history may still be open.
                self._note(error)
                socket_refused_at = self._clock()
                self._chat = None
                continue
            except RateLimitedError as error:
                self._note(error)
                await self._sleep(max(1.0, (error.retry_at - self._now()).total_seconds()))
                continue
            except HydrophoneError as error:
                self._note(error)
            if not self.report.end:
                await self._sleep(self._comeback.lost(lasted))
        return self.report

    async def read_all(self, *, is_over: bool = True) -> HistoryWalk | None:
        """The whole history from the beginning, once more: what is known already is passed over. None: no chat.

        Raises:
            HydrophoneError: it could not be read to the end; what came before is stored.
        """
        chat = await self._client.ask(self._renew())
        if chat is None:
            return None
        return await self._walk(chat, "", Via.REPLAY if is_over else Via.HISTORY, is_young=False)

    # ------------------------------------------------------------------ history

    async def _catch_up(self, *, is_live: bool) -> bool:
        """Read what the history has beyond the cursor; False when there is no chat (any more)."""
        if self._chat is None or self._chat.needs_renewal(self._now()):
            self._chat = await self._client.ask(self._renew())
        if self._chat is None:
            self.report.end = "no chat"
            return False
        self._intake.own_index = self._chat.participant_index
        walk = await self._walk(self._chat, self._cursor, Via.HISTORY, is_young=is_live and not self._cursor)
        self._chat, self._cursor = walk.chat, walk.cursor
        if walk.end is HistoryEnd.EXPIRED:
            self._chat = None
        if walk.end is HistoryEnd.GONE:
            self.report.end = "gone"
            return False
        return True

    async def _walk(self, chat: ChatPass, cursor: str, via: Via, *, is_young: bool) -> HistoryWalk:
        self.report.walks += 1
        pages: list[Sequence[Any]] = []
        walk = walk_history(chat, pages.append, cursor=cursor, renew=self._renew, is_young=is_young, now=self._now)
        found: HistoryWalk | None = None
        try:
            request = next(walk)
            while found is None:
                # As the client's `ask`, but that others get their turns between the pieces of a page.
                try:
                    reply = await self._client.send(request)
                except Exception as error:
                    request = walk.throw(error)
                    continue
                # A page becomes several times as large when it is opened: one after the other.
                async with _turn_of(self._client):
                    try:
                        request = walk.send(reply)
                    except StopIteration as end:
                        found = end.value
                    del reply
                    await self._take(pages, via)
        except StopIteration as end:
            # That trouble was the end; nothing came with it.
            found = end.value
        finally:
            walk.close()
        return found

    async def _take(self, pages: list[Sequence[Any]], via: Via) -> None:
        """Keep what is new in them: one write for some messages, and then a turn for the other recordings."""
        while pages:
            messages = pages.pop(0)
            arrived_ns = self._arrived_ns()
            for first in range(0, len(messages), TAKEN_AT_ONCE):
                some = messages[first : first + TAKEN_AT_ONCE]
                lines = [self._intake.take(message, via, arrived_ns) for message in some]
                if kept := b"".join(line for line in lines if line is not None):
                    self._store(kept)
                await asyncio.sleep(0)

    # ------------------------------------------------------------------ socket

    async def _listen(self) -> float:
        """Listen until the socket ends, in seconds."""
        chat = self._chat
        if chat is None:
            return 0.0
        opened = self._clock()
        async with await self._client.socket(socket_request(chat)) as socket:
            self.report.sockets += 1
            for frame in opening_frames(chat):
                await socket.send(frame)
            # What was said between the last page and now is in neither: the socket never repeats.
            await self._catch_up(is_live=False)
            await self._hear(socket, chat, opened)
        return self._clock() - opened

    async def _hear(self, socket: WebSocket, chat: ChatPass, opened: float) -> None:
        pulse = Pulse(opened)
        told_at = polled_at = self._clock()
        while not self.report.end and not chat.needs_renewal(self._now()):
            beat = pulse.beat(self._clock())
            if beat.act is Act.GIVE_UP:
                return
            if beat.act is Act.PING:
                await socket.ping()
            frame = await socket.receive(min(beat.wait_seconds, self._poll_seconds))
            now = self._clock()
            if frame is not None:
                pulse.heard(now)
                if frame.kind is FrameKind.CLOSED:
                    if is_end(frame.code):
                        self.report.end = "ended"
                    return
                if frame.kind is FrameKind.MESSAGE and self._keep(frame.data, Via.SOCKET, self._arrived_ns()):
                    told_at = now if self._is_telling() else told_at
            if now - told_at > QUIET_SOCKET_SECONDS and now - polled_at >= self._poll_seconds:
                polled_at = now
                await self._catch_up(is_live=False)

    # ------------------------------------------------------------------ pieces

    def _keep(self, message: object, via: Via, arrived_ns: int) -> bool:
        line = self._intake.take(message, via, arrived_ns)
        if line is not None:
            self._store(line)
        return line is not None

    def _is_telling(self) -> bool:
        """Was the newest message more than a sign of who is there?"""
        newest = self._intake.newest
        return newest is not None and newest.kind not in (ChatKind.PRESENCE, ChatKind.JOIN, ChatKind.LEAVE)

    def _arrived_ns(self) -> int:
        return int(self._now().timestamp() * 1_000_000) * 1000

    def _note(self, error: HydrophoneError) -> None:
        if self.report.trouble != error.message:
            log.info("chat: %s", error.message)
        self.report.trouble = error.message


def _turn_of(client: AsyncClient) -> asyncio.Lock:
    return _turns.setdefault(client, asyncio.Lock())

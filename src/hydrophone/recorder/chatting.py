"""The chat beside a recording: followed while it is live, read to its end afterwards, kept raw.

Trouble with the chat never touches the audio: whatever goes wrong here becomes one notice, and is tried again.

Source: chat reference, "How to capture".
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Set
from pathlib import Path

from hydrophone.chat.access import ChatPass, ask_access, read_chat_token
from hydrophone.chat.following import ChatFollower, ChatReport
from hydrophone.chat.intake import ChatIntake
from hydrophone.errors import DiskError, HydrophoneError, NotFoundError
from hydrophone.http import AsyncClient, Question
from hydrophone.model import Stream
from hydrophone.recorder.chatlog import ChatLog
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.patience import PASSING, TRY_AGAIN_SECONDS

log = logging.getLogger("hydrophone.recorder")

AGAIN_SECONDS = 10.0  #: between two tries to follow
SYNC_SECONDS = 1.0
DISK_TRIES = 3  #: for what is not known to pass, like a hardware error
#: No chat is waited for longer than this after the audio is whole, in real seconds.
PATIENCE_SECONDS = 900.0

AskStream = Callable[[], Question[Stream | None]]


class ChatCapture:
    """Keep the chat of one recording. Without a chat token it does nothing at all.

    Args:
        ask_stream: asks the status call for the stream, and so for a fresh token; None where there is no such call.
        own_ids: X ids of the signed-in account: what it does in the chat is not kept.
        notice: tells the user, at most once for each kind of trouble.
        late_looks: when to look again after the end of something that was followed live.
    """

    def __init__(
        self,
        client: AsyncClient,
        clock: Clock,
        *,
        broadcast_id: str,
        ask_stream: AskStream | None,
        own_ids: Set[str],
        notice: Callable[[str, str], None],
        late_looks: tuple[float, ...],
    ) -> None:
        self._client = client
        self._clock = clock
        self._broadcast_id = broadcast_id
        self._ask_stream = ask_stream
        self._own_ids = own_ids
        self._notice = notice
        self._late_looks = late_looks
        self._token = ""
        self._is_fresh = False
        self._token_owners: set[str] = set()
        self._is_over = False
        self._log: ChatLog | None = None
        self._intake: ChatIntake | None = None
        self._following: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._syncing: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()
        self._report = ChatReport()
        self._told: set[str] = set()

    def use(self, stream: Stream) -> None:
        """Learn a token. What is no token is passed over: some services send three dots."""
        token = stream.chat_token
        facts = read_chat_token(token)
        if not token or token == self._token or facts is None:
            return
        self._token, self._is_fresh = token, True
        if facts.own_user_id is not None:
            self._token_owners.add(facts.own_user_id)

    @property
    def kept(self) -> int:
        """How many messages are known."""
        return len(self._intake) if self._intake is not None else 0

    @contextlib.asynccontextmanager
    async def running(self, path: Path) -> AsyncIterator[None]:
        """Keep lines in `path` while inside; afterwards the file does not change any more."""
        self._log = ChatLog(path)
        try:
            yield
        finally:
            await _end(self._following, self._reading, self._syncing)
            self._following = self._reading = self._syncing = None
            with contextlib.suppress(DiskError):
                await asyncio.to_thread(self._close)

    def follow(self) -> None:
        """From now on it is live."""
        self._is_over = False
        if self._token and self._following is None:
            self._following = asyncio.create_task(self._guarded(self._follow))

    async def over(self) -> None:
        """It is live no more: go on reading the history until the service adds nothing."""
        await _end(self._following)
        was_live, self._following = self._following is not None, None
        self._is_over = True
        if was_live and self._report.trouble:
            self._tell(f"trouble with the chat: {self._report.trouble}")
        if was_live:
            await _end(self._reading)
            self._looked.clear()
        if self._token and (self._reading is None or self._reading.done()):
            looks = self._late_looks if was_live else (0.0,)
            self._reading = asyncio.create_task(self._guarded(lambda: self._read_late(looks)))

    async def settled(self) -> None:
        """Return when the whole history was read once. Later looks are made only while the audio still settles."""
        reading = self._reading
        if reading is None:
            return
        looked = asyncio.create_task(self._looked.wait())
        try:
            done, _ = await asyncio.wait(
                [reading, looked], timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            looked.cancel()
        if not done:
            self._tell("the chat takes too long; its last messages may be missing")

    # ------------------------------------------------------------------ the two ways

    async def _follow(self) -> None:
        follower: ChatFollower | None = None
        while True:
            follower = follower or await self._follower()
            self._report = follower.report
            try:
                report = await follower.follow()
                if report.end in ("no chat", "gone"):
                    return
                # The chat said that it is over, and the Space is not: its host may be back.
                report.end = ""
            except DiskError as error:
                # What could not be stored is not known either; the history brings it again.
                self._intake = follower = None
                self._tell_unkept(error)
            await self._clock.sleep(AGAIN_SECONDS)

    async def _read_late(self, looks: tuple[float, ...]) -> None:
        """Look; and look again, as long as a look brought something new or did not succeed."""
        began = self._clock.monotonic()
        for number, moment in enumerate(looks):
            await self._clock.sleep_until(began + moment)
            before = self.kept
            try:
                await self._read_whole()
            except DiskError:
                self._looked.set()
                continue
            except NotFoundError:
                # Nothing is there any more. What came live is kept.
                return
            except HydrophoneError as error:
                if number == 0 or number == len(looks) - 1:
                    self._tell(f"the chat could not be read to its end: {error.message}")
                self._looked.set()
                continue
            self._looked.set()
            if self.kept == before:
                return

    async def _read_whole(self) -> None:
        """Read the history, once more whenever the disk did not take it: what was not stored comes again."""
        for attempt in itertools.count(1):
            try:
                await (await self._follower()).read_all(is_over=True)
                return
            except DiskError as error:
                self._intake = None
                self._tell_unkept(error)
                if error.errno not in PASSING and attempt == DISK_TRIES:
                    raise
            await self._clock.sleep(TRY_AGAIN_SECONDS)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """Nothing that a stranger's chat holds may end a recording."""
        try:
            await work()
        except HydrophoneError as error:
            self._tell(f"no chat: {error.message}")
        except Exception as error:
            log.exception("chat")
            self._tell(f"no chat: {type(error).__name__}")

    # ------------------------------------------------------------------ pieces

    async def _follower(self) -> ChatFollower:
        log_ = self._log
        if log_ is None:
            raise DiskError("the chat has no file")
        if self._intake is None:
            self._intake = await asyncio.to_thread(self._resumed, log_)
        self._intake.own_user_ids |= self._own_ids | self._token_owners
        clock = self._clock
        return ChatFollower(
            self._client,
            renew=self._renew,
            intake=self._intake,
            store=self._store,
            sleep=clock.sleep,
            clock=clock.monotonic,
            now=clock.now,
        )

    def _resumed(self, log_: ChatLog) -> ChatIntake:
        intake = ChatIntake(self._own_ids)
        for line in log_.lines():
            intake.resume(line)
        return intake

    def _renew(self) -> Question[ChatPass | None]:
        """A pass; a token that was used once is asked for anew, and is used again where there is no new one."""
        if not self._is_fresh and self._ask_stream is not None:
            with contextlib.suppress(NotFoundError):
                stream = yield from self._ask_stream()
                if stream is not None:
                    self.use(stream)
        self._is_fresh = False
        found = yield from ask_access(
            self._token, is_over=self._is_over, broadcast_id=self._broadcast_id, now=self._clock.now
        )
        if found is not None and self._intake is not None:
            self._intake.own_index = found.participant_index
        return found

    def _store(self, line: bytes) -> None:
        """Write a line, and sync it soon. A chat in which nobody speaks costs nothing."""
        if self._log is None:
            raise DiskError("the chat has no file")
        self._log.append(line)
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.create_task(self._sync_soon())

    async def _sync_soon(self) -> None:
        while self._log is not None and self._log.is_dirty:
            await asyncio.sleep(SYNC_SECONDS)
            try:
                await asyncio.to_thread(self._log.sync)
            except DiskError as error:
                self._tell_unkept(error)

    def _close(self) -> None:
        if self._log is not None:
            try:
                self._log.sync()
            finally:
                self._log.close()

    def _tell_unkept(self, error: DiskError) -> None:
        self._tell(f"the chat cannot be kept: {error.message}")

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._notice("warning", text)


async def _end(*tasks: asyncio.Task[None] | None) -> None:
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)

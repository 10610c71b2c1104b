"""Going on air at a service that has a producer API: create, push, publish, stop, in this order and always to the end.

Publishing is public and done in the user's name; so this is only reached after the user has said so, and whatever was
created is stopped again, also after an error or an abort.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from hydrophone.broadcasting.events import BroadcastEvent, Notice, Published
from hydrophone.broadcasting.sending import Sender
from hydrophone.errors import HydrophoneError

READY_SECONDS = 60.0  #: from the first frame to the first playlist
LOOK_SECONDS = 1.0
STOP_SECONDS = 10.0  #: saying stop to the service may take so long at the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """A broadcast that was created and is not public yet, and where its stream must be pushed."""

    broadcast_id: str
    server: str = field(repr=False)  #: ``rtmps://HOST:PORT/APP``
    stream_key: str = field(repr=False)
    share_url: str = ""


class Producer(Protocol):
    """What a service's producer API can be asked. Every method raises `HydrophoneError`s."""

    async def create(self, title: str) -> Ingest:
        """A new broadcast that nobody sees yet."""
        ...

    async def is_receiving(self, ingest: Ingest) -> bool:
        """True when the service has made the first playlist of what is pushed."""
        ...

    async def publish(self, ingest: Ingest, title: str) -> str:
        """Show it to the public; the address to share."""
        ...

    async def stop(self, ingest: Ingest) -> None:
        """End it."""
        ...


@asynccontextmanager
async def created(producer: Producer, title: str) -> AsyncIterator[Ingest]:
    """A broadcast for the length of a block; stopped afterwards, whatever happened."""
    ingest = await producer.create(title)
    try:
        yield ingest
    finally:
        with contextlib.suppress(HydrophoneError, TimeoutError):
            await asyncio.shield(asyncio.wait_for(producer.stop(ingest), STOP_SECONDS))


async def publish_when_ready(
    producer: Producer, ingest: Ingest, sender: Sender, title: str, emit: Callable[[BroadcastEvent], None]
) -> str:
    """Wait until the service has something to show, then publish it. The address to share.

    Raises:
        HydrophoneError: the service refuses.
    """
    await sender.connected.wait()
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await producer.is_receiving(ingest):  # noqa: ASYNC110  (the service is asked, no task of ours)
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        emit(Notice(text="the service shows no playlist yet; publishing all the same"))
    share_url = await producer.publish(ingest, title) or ingest.share_url
    emit(Published(target=sender.target.label, broadcast_id=ingest.broadcast_id, share_url=share_url))
    return share_url

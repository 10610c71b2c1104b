"""Opening encrypted segments: AES-128 in CBC mode, one key request for each key URL.

The key lies behind the login on an API host. It is the one exception from "media hosts get no credentials", and the
credential itself decides: it goes only to hosts it belongs to, whatever a playlist says.

Source: RFC 8216, section 5.2; playlist reference, "AES-128".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hydrophone.archive import Take
from hydrophone.archive.segments import SEALED
from hydrophone.errors import HydrophoneError
from hydrophone.http import AsyncClient, Credential, HostKind, Request
from hydrophone.model import GapCause, Segment
from hydrophone.recorder.download import Failure

KEY_BYTES = 16
BLOCK_BITS = 128


class KeyRing:
    """The keys of one recording. They live in memory only; a key that was refused is asked for again after a minute.

    Args:
        credentials: the logins there are; the first that may go to a key's host goes along.
        on_refused: gets the address of each key that was not to be had, the first time.
    """

    def __init__(
        self,
        client: AsyncClient,
        *credentials: Credential | None,
        on_refused: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._client = client
        self._on_refused = on_refused
        self._credentials = [credential for credential in credentials if credential is not None]
        self._keys: dict[str, bytes] = {}
        self._refused: dict[str, tuple[float, str]] = {}
        self._lock = asyncio.Lock()

    async def open(self, segment: Segment, body: bytes) -> bytes | Failure:
        """The plain bytes of one segment, or a failure that says why it stays sealed."""
        if segment.key is None:
            return body
        if not is_whole_cipher(body):
            return Failure(GapCause.DAMAGED, "an encrypted body that is no whole number of blocks")
        key = await self._key(segment.key.url)
        if isinstance(key, Failure):
            return key
        return decrypt(body, key, vector_of(segment))

    async def _key(self, url: str) -> bytes | Failure:
        async with self._lock:
            if url in self._keys:
                return self._keys[url]
            now = asyncio.get_running_loop().time()
            again_at, why = self._refused.get(url, (0.0, ""))
            if now < again_at:
                return Failure(GapCause.SEALED, why, is_final=True)
            found = await self._ask(url)
            if isinstance(found, bytes):
                self._keys[url] = found
                return found
            if self._on_refused is not None and url not in self._refused:
                await self._on_refused(url)
            self._refused[url] = (now + 60.0, found.text)
            return found

    async def _ask(self, url: str) -> bytes | Failure:
        login = next((credential for credential in self._credentials if credential.allows(url)), None)
        request = Request(
            "GET", url, kind=HostKind.API, credential=login, endpoint="live_video_stream/key", max_bytes=4096
        )
        try:
            reply = await self._client.send(request)
        except HydrophoneError as error:
            return Failure(GapCause.SEALED, f"no key: {error.message}", is_final=True)
        if reply.status != 200:
            return Failure(GapCause.SEALED, f"no key: status {reply.status}", reply.status, is_final=True)
        if len(reply.body) != KEY_BYTES:
            return Failure(GapCause.SEALED, f"no key: {len(reply.body)} bytes instead of 16", is_final=True)
        return reply.body


def note_sealed(take: Take, epoch: int, segment: Segment) -> None:
    """Put into the journal what it takes, beside the key, to open this segment later."""
    take.note(SEALED, epoch=epoch, seq=segment.sequence, iv=vector_of(segment).hex())


def vector_of(segment: Segment) -> bytes:
    """The initialisation vector of an encrypted segment: its own, else its media sequence number."""
    own = segment.key.iv if segment.key is not None else None
    return own or (segment.media_sequence or 0).to_bytes(KEY_BYTES, "big")


def is_whole_cipher(body: bytes) -> bool:
    """Can this be ciphertext? An error page or a body that was cut anywhere but between two blocks cannot."""
    return bool(body) and len(body) % KEY_BYTES == 0


def decrypt(body: bytes, key: bytes, iv: bytes) -> bytes | Failure:
    """Undo AES-128-CBC with PKCS#7 padding. Pure; a body that does not come out right is a failure, never an error."""
    if not is_whole_cipher(body):
        return Failure(GapCause.DAMAGED, "an encrypted body that is no whole number of blocks")
    # Few recordings are encrypted, and all would wait for this when they start.
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    padded = decryptor.update(body) + decryptor.finalize()
    unpadder = PKCS7(BLOCK_BITS).unpadder()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        return Failure(GapCause.DAMAGED, "the body is cut, or the key does not fit")

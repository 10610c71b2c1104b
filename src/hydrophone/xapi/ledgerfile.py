"""The ledger on disk: one line for each charge, appended and synced before the next request; shared by processes."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from filelock import FileLock, Timeout

from hydrophone.errors import DiskError
from hydrophone.xapi.ledger import Charge
from hydrophone.xapi.prices import Kind

_LOCK_SECONDS = 5.0
_AMOUNT = re.compile(r"\d{1,9}(?:\.\d{1,6})?")


class LedgerFile:
    """Charges in a file of lines. A torn or foreign line counts nothing and loses nothing else.

    Args:
        path: e.g. ``spend.jsonl`` in the state folder of the user.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._offset = 0
        self._pending: list[Charge] = []  #: of others, read while we wrote
        # Not thread-local: the clients of a process may live in several threads.
        self._lock = FileLock(path.with_name(path.name + ".lock"), thread_local=False)

    def news(self) -> Iterable[Charge]:
        with self._mutex:
            found, self._pending = [*self._pending, *self._news()], []
            return found

    def append(self, charges: Sequence[Charge]) -> None:
        """
        Raises:
            DiskError: the charges could not be kept.
        """
        lines = b"".join(_line(charge) for charge in charges)
        with self._mutex:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._lock.acquire(timeout=_LOCK_SECONDS):
                    self._write(lines)
            except (OSError, Timeout) as error:
                reason = getattr(error, "strerror", None) or type(error).__name__
                raise DiskError(
                    f"{self._path}: {reason}",
                    errno=getattr(error, "errno", None) or 0,
                    advice="Check the disk and the rights of the folder; without a ledger spend cannot be counted.",
                ) from None

    def _write(self, lines: bytes) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            self._pending += self._news()
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                if file.read(1) != b"\n":
                    # A crash has torn the last line; ours must not be glued to it.
                    lines = b"\n" + lines
            file.seek(0, os.SEEK_END)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
            self._offset = end + len(lines)

    def _news(self) -> list[Charge]:
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                if size == self._offset:
                    return []
                if size < self._offset:
                    self._offset = 0
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return []
        whole, newline, _ = data.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        return [charge for line in whole.split(b"\n") if (charge := _charge(line)) is not None]


def _line(charge: Charge) -> bytes:
    facts = {"at": charge.at.isoformat(), "kind": charge.kind, "usd": str(charge.cost), "keys": charge.keys}
    return json.dumps(facts, separators=(",", ":")).encode() + b"\n"


def _charge(line: bytes) -> Charge | None:
    try:
        facts = json.loads(line)
        at = datetime.fromisoformat(facts["at"])
        keys = tuple(str(key) for key in facts["keys"])
        if at.tzinfo is None or not _AMOUNT.fullmatch(facts["usd"]):
            return None
        return Charge(at, Kind(facts["kind"]), keys, Decimal(facts["usd"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None

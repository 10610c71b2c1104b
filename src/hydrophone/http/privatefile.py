"""A JSON file that only its owner may read: where clients keep what opens doors.

Written in one step and durably, because some services replace a secret the moment the new one is handed out.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydrophone.errors import DiskError, SettingsError

_MAX_BYTES = 1024 * 1024
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class PrivateFile:
    """One JSON object on disk, mode 0600. `what` says in messages what it holds, `remedy` what to do without it."""

    path: Path
    what: str = "secrets"
    remedy: str = ""

    def read(self) -> dict[str, Any]:
        """The object; empty where there is no file.

        Raises:
            SettingsError: others may read the file, or it is damaged.
            DiskError: it cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                self._check_private(os.fstat(file.fileno()))
                content = json.loads(file.read(_MAX_BYTES) or b"{}")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._disk_error(error) from None
        except (ValueError, RecursionError):
            raise self._damaged() from None
        if not isinstance(content, dict):
            raise self._damaged()
        return content

    def write(self, content: dict[str, Any]) -> None:
        """Replace the object. Durable when this returns; a crash leaves the old one or the new one."""
        data = json.dumps({**content, "schema": _SCHEMA}, indent=1).encode()
        part = self.path.with_name(f".{self.path.name}.{secrets.token_hex(6)}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Exclusive and private from the first moment: nobody can have opened it before.
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(self.path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            _sync_directory(self.path.parent)
        except OSError as error:
            raise self._disk_error(error) from None

    def delete(self) -> None:
        """Remove the file. Nothing happens if there is none."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._disk_error(error) from None

    def _check_private(self, found: os.stat_result) -> None:
        if os.name == "posix" and found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsError(
                f"{self.path} holds {self.what}, and others on this computer may read it",
                setting="secrets file",
                advice=f"Run: chmod 600 '{self.path}' (and think about whether somebody has read it already).",
            )

    def _damaged(self) -> SettingsError:
        return SettingsError(
            f"{self.path} is damaged", setting="secrets file", advice=f"Remove it. {self.remedy}".strip()
        )

    def _disk_error(self, error: OSError) -> DiskError:
        reason = error.strerror or type(error).__name__
        advice = "Check the disk and the rights of the folder."
        return DiskError(f"{self.path}: {reason}", errno=error.errno or 0, advice=advice)


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

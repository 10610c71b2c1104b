"""An export of somebody's data as it came from X: a directory or a ZIP file, read by name and never unpacked.

The names inside are only ever compared and shown; what they would mean as paths is of no interest here.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self, cast

from hydrophone.errors import ArchiveError, DiskError, TooLargeError

MOST_FILES = 1_000_000
#: Sound and pictures are packed already, and tables of text become a fiftieth at best: beyond this it is a bomb.
MOST_PACKED, BOMB_BYTES = 200, 16 * 1024 * 1024
_ENCRYPTED = 0x1


class ExportFiles(Protocol):
    """The files of an export: sizes by name (with ``/``), and their bytes. `problems` are entries that are none."""

    @property
    def sizes(self) -> Mapping[str, int]: ...

    @property
    def problems(self) -> Sequence[str]: ...

    def open(self, name: str) -> IO[bytes]: ...


def read_bytes(files: ExportFiles, name: str, *, limit_bytes: int) -> bytes:
    """A whole file.

    Raises:
        TooLargeError: it is longer than the limit, whatever the directory of a ZIP file claims.
    """
    with files.open(name) as stream:
        data = stream.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise TooLargeError(f"{name} in the export is larger than anything of its kind", limit_bytes=limit_bytes)
    return data


class FolderExport:
    """An export that was unpacked. Links that lead out of the folder are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.sizes: dict[str, int] = {}
        self.problems: list[str] = []
        try:
            real_root = root.resolve(strict=True)
            for path in sorted(root.rglob("*")):
                if len(self.sizes) >= MOST_FILES:
                    break
                name = path.relative_to(root).as_posix()
                if not path.resolve().is_relative_to(real_root):
                    self.problems.append(f"{name} is a link that leads out of the export; it was left out")
                elif path.is_file():
                    self.sizes[name] = path.stat().st_size
        except OSError as error:
            raise _unreadable(root, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def open(self, name: str) -> IO[bytes]:
        if name not in self.sizes:
            raise ArchiveError(f"there is no {name} in the export")
        try:
            return (self._root / name).open("rb")
        except OSError as error:
            raise _unreadable(self._root / name, error) from error


class ZipExport:
    """An export as it was downloaded."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise _unreadable(path, error) from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            advice = "Download the export again; if it came in several files, give each of them."
            raise ArchiveError(f"{path.name} is no readable ZIP file", advice=advice) from error
        self.problems: list[str] = []
        self._members = self._sound_members(self._zip.infolist()[:MOST_FILES])
        self.sizes: dict[str, int] = {name: member.file_size for name, member in self._members.items()}

    def _sound_members(self, members: Iterable[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        """By name. Nothing is ever unpacked to a path, so a name can do no harm; what is no plain file is left out."""
        found: dict[str, zipfile.ZipInfo] = {}
        for member in members:
            if member.is_dir():
                continue
            if stat.S_ISLNK(member.external_attr >> 16):
                self.problems.append(f"{member.filename} is a link and no file; it was left out")
            elif member.flag_bits & _ENCRYPTED:
                self.problems.append(f"{member.filename} is encrypted; it was left out")
            elif member.file_size > max(BOMB_BYTES, member.compress_size * MOST_PACKED):
                self.problems.append(f"{member.filename} would become far larger than any such file; it was left out")
            elif member.filename in found:
                self.problems.append(f"{member.filename} is there twice; the first one counts")
            else:
                found[member.filename] = member
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def open(self, name: str) -> IO[bytes]:
        if name not in self._members:
            raise ArchiveError(f"there is no {name} in the export")
        try:
            return cast("IO[bytes]", _Checked(self._zip.open(self._members[name]), name))
        except (zipfile.BadZipFile, RuntimeError, ValueError, OSError, EOFError) as error:
            raise _damaged(name) from error


class _Checked:
    """A member of a ZIP file whose damage is told in our words."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream = stream
        self._name = name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, size: int = -1) -> bytes:
        # The library raises errors of the unpackers (zlib, lzma, bz2) as they are.
        try:
            return self._stream.read(size)
        except Exception as error:
            raise _damaged(self._name) from error

    def close(self) -> None:
        self._stream.close()


def open_export(path: Path) -> FolderExport | ZipExport:
    """The export at `path`, a directory or a ZIP file.

    Raises:
        ArchiveError: it is neither, or cannot be read.
    """
    return FolderExport(path) if path.is_dir() else ZipExport(path)


def _unreadable(path: Path, error: OSError) -> DiskError:
    reason = error.strerror or type(error).__name__
    return DiskError(f"the export cannot be read at {path.name!r}: {reason}", errno=error.errno or 0)


def _damaged(name: str) -> ArchiveError:
    return ArchiveError(f"{name} in the export is damaged", advice="Download the export again.")

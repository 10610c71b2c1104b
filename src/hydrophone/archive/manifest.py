"""The manifest: a digest of every file of an item, in the format of coreutils, so that anybody can check without us.

``sha256sum -c manifest-sha256.txt`` reads it. The reader here is stricter than coreutils: it accepts exactly what the
writer writes, so that a flipped bit in the manifest itself does not go unnoticed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hydrophone.archive.durable import DISK, Disk, disk_errors, write_file

MANIFEST_NAME = "manifest-sha256.txt"

_LINE = re.compile(rb"(\\?)([0-9a-f]{64}) \*([^\n]+)")
_ESCAPES = {b"\\": b"\\\\", b"\n": b"\\n", b"\r": b"\\r"}
_UNESCAPES = {value: key for key, value in _ESCAPES.items()}


@dataclass(frozen=True, slots=True)
class Manifest:
    """Digests by name (with ``/`` between folders). `problems` are lines that nobody of ours wrote: (line, what)."""

    digests: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[tuple[int, str], ...] = ()


def build_manifest(digests: Mapping[str, str]) -> bytes:
    """The text of a manifest, in the order of the names' bytes."""
    encoded = sorted((os.fsencode(name), digest) for name, digest in digests.items())
    return b"".join(_build_line(name, digest) for name, digest in encoded)


def _build_line(name: bytes, digest: str) -> bytes:
    escaped = re.sub(rb"[\\\n\r]", lambda match: _ESCAPES[match[0]], name)
    mark = b"\\" if escaped != name else b""
    return b"%s%s *%s\n" % (mark, digest.encode("ascii"), escaped)


def parse_manifest(text: bytes) -> Manifest:
    """What a manifest says. Total: lines that cannot be read, or come twice, become problems."""
    digests: dict[str, str] = {}
    problems: list[tuple[int, str]] = []
    lines = text.split(b"\n")
    if lines.pop():
        problems.append((len(lines) + 1, "the last line is not whole"))
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            problems.append((number, "not a line of a manifest"))
            continue
        mark, digest, name = match.groups()
        if mark:
            name = re.sub(rb"\\[\\nr]", lambda escape: _UNESCAPES[escape[0]], name)
        if os.fsdecode(name) in digests:
            problems.append((number, "names a file for the second time"))
        digests[os.fsdecode(name)] = digest.decode("ascii")
    if not problems and build_manifest(digests) != text:
        problems.append((0, "not written as we write it: another order or another way to escape"))
    return Manifest(digests, tuple(problems))


def read_manifest(path: Path) -> Manifest:
    """The manifest of an item.

    Raises:
        DiskError: there is none, or it cannot be read.
    """
    with disk_errors(path):
        return parse_manifest(path.read_bytes())


def listed_files(directory: Path) -> Iterator[str]:
    """The names of the files that belong into the manifest of an item: all but itself and what begins with a dot."""
    with disk_errors(directory):
        for folder, folders, names in os.walk(directory):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                relative = (Path(folder) / name).relative_to(directory).as_posix()
                if not name.startswith(".") and relative != MANIFEST_NAME:
                    yield relative


def digest_file(path: Path) -> str:
    """The SHA-256 of a file, as hex."""
    with disk_errors(path), path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(
    directory: Path,
    *,
    known: Mapping[str, str] | None = None,
    names: Iterable[str] | None = None,
    disk: Disk = DISK,
) -> Manifest:
    """Digest the files of an item and put the manifest in place.

    Args:
        known: digests that are known already, by name, e.g. of the original that was just written.
        names: the files to list; by default all that belong there (see `listed_files`).
    """
    known = known or {}
    digests = {
        name: known.get(name) or digest_file(directory / name)
        for name in (listed_files(directory) if names is None else names)
    }
    write_file(directory / MANIFEST_NAME, build_manifest(digests), disk=disk)
    return Manifest(digests)

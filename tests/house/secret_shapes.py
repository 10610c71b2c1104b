"""What secrets look like, and the search for them in all files of the repository."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: Shapes with one group, the secret itself.
SHAPES = {
    "private key": r"(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/=\\]{16})",
    "JWT": r"\b(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{6,})",
    "app bearer": r"(A{19,}[A-Za-z0-9%+/=]{40,})",
    "authorization": r"(?i)\b(?:bearer|basic)[ +]([a-z0-9+/=._~%-]{24,})",
    "auth_token": r"(?i)\bauth_token\W{1,6}([0-9a-f]{40})\b",
    "ct0": r"(?i)\b(?:ct0|csrf(?:[_-]token)?)\W{1,6}([0-9a-f]{32}(?:[0-9a-f]{128})?)\b",
    "long ct0": r"(?<![0-9a-fA-F])([0-9a-f]{160})(?![0-9a-fA-F])",
    "credential": (
        r"(?i)(?:access_?token|refresh_?token|client_?secret|consumer_?secret|api_?key|api_?secret|password|passwd)"
        r"[\"']?\s*[:=]\s*[\"']([A-Za-z0-9_.:%+/=~-]{24,})[\"']"
    ),
    "OAuth 2 token": r"\b([A-Za-z0-9_-]{60,}:1:(?:at|rt|ac):1)\b",
    "password in an address": r"\b[a-z][a-z0-9+.-]*://[^/\s:@\"'{}<>]+:([^/\s:@\"'{}<>]{4,})@",
    "key of a cloud": r"\b((?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abprs]-[A-Za-z0-9-]{20,})\b",
}
#: Passwords of examples say that they are some.
_SAID = re.compile(r"(?i)pass|password|word|secret|s3cret|[\w-]*canary[\w-]*")
_COMPILED = {kind: re.compile(shape) for kind, shape in SHAPES.items()}


@dataclass(frozen=True, slots=True)
class Suspect:
    """Something that looks like a secret."""

    kind: str
    value: str
    file: str
    line: int

    @property
    def fingerprint(self) -> str:
        """Tells the value without being it."""
        return hashlib.sha256(self.value.encode()).hexdigest()[:20]


def suspects_in(text: str, file: str = "") -> Iterator[Suspect]:
    """Each secret-like value once per kind and text."""
    for kind, pattern in _COMPILED.items():
        seen: set[str] = set()
        for found in pattern.finditer(text):
            if found[1] not in seen and not _SAID.fullmatch(found[1]):
                seen.add(found[1])
                yield Suspect(kind, found[1], file, text.count("\n", 0, found.start(1)) + 1)


def suspects_under(root: Path, names: Iterable[Path]) -> Iterator[Suspect]:
    """The same for files, of whatever kind."""
    for name in names:
        yield from suspects_in((root / name).read_bytes().decode("utf-8", "replace"), name.as_posix())

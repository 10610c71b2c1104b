"""Where a broadcast may go, and what of an address may be shown.

An address comes from the user, or from the producer API of a service; nothing else may name one. The part of its path
after the first is a stream key: whoever has it can broadcast in the user's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hydrophone.errors import SettingsError, UnsafeAddressError
from hydrophone.http.policy import literal_address
from hydrophone.http.redaction import HIDDEN

PERISCOPE = "periscope"
#: Where the producer API of the service may send us: its own hosts.
INGEST_HOST = re.compile(r"(?:[a-z0-9-]{1,63}\.){1,4}pscp\.tv")
_PORTS = {"rtmp": 1935, "rtmps": 443}
_ADDRESS = re.compile(
    r"(?P<scheme>rtmps?)://"
    r"(?P<user>[A-Za-z0-9._~%!$&'()*+,;=:-]*@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"/(?P<path>[!-\[\]-~]+)"
)


@dataclass(frozen=True, slots=True)
class Target:
    """One address. `label` names it for people and in logs: never the key."""

    url: str = field(repr=False)
    label: str
    is_local: bool  #: on this machine, so that nobody else sees it


def parse_target(text: str) -> Target:
    """The target that a user typed: ``rtmp://HOST[:PORT]/APP/KEY`` or ``rtmps://…``.

    Raises:
        SettingsError: it is no such address. What was typed is not repeated, for the key's sake.
    """
    match = _ADDRESS.fullmatch(text.strip())
    if match is None or int(match["port"] or 1) not in range(1, 65_536):
        raise SettingsError(
            f"{_scheme(text)} is no address to broadcast to",
            setting="--to",
            advice="Name rtmp://HOST/APP/KEY, rtmps://HOST/APP/KEY, or periscope.",
        )
    host = match["host"].lower()
    return Target(text.strip(), _label(match), _is_loopback(host))


def ingest_target(server: str, key: str, *, allow_local: bool = False) -> Target:
    """The target that a producer API named.

    Args:
        allow_local: the API is a sandbox on this machine, and so may be the ingest.

    Raises:
        UnsafeAddressError: not one of the service's own hosts.
    """
    try:
        target = parse_target(f"{server.rstrip('/')}/{key}")
    except SettingsError:
        raise UnsafeAddressError("the service named no address that can be broadcast to") from None
    match = _ADDRESS.fullmatch(target.url)
    host = match["host"].lower() if match else ""
    if match and match["user"]:
        raise UnsafeAddressError("an ingest with a user name in it is not used", host=host)
    if INGEST_HOST.fullmatch(host) or (allow_local and target.is_local):
        return target
    raise UnsafeAddressError(f"{host[:80]} is none of the service's ingest hosts", host=host)


def load_targets(path: Path) -> list[str]:
    """The addresses in a file, one on each line; blank lines and those that begin with ``#`` do not count.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        lines = path.expanduser().read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise SettingsError(f"the file of addresses cannot be read: {reason}", setting="--to-file") from None
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def check_consent(texts: Iterable[str], *, is_agreed: bool) -> None:
    """Nothing leaves this machine unless the user has said so.

    Raises:
        SettingsError: a target is public, and there was no ``--yes``; or there is no target at all.
    """
    named = list(texts)
    if not named:
        raise SettingsError("there is nowhere to broadcast to", setting="--to", advice="Name at least one --to URL.")
    public = [text for text in named if text == PERISCOPE or not parse_target(text).is_local]
    if public and not is_agreed:
        shown = ", ".join(text if text == PERISCOPE else parse_target(text).label for text in public)
        raise SettingsError(
            f"this would broadcast to {shown}, where others can see it",
            setting="--yes",
            advice="Say --yes if that is what you want.",
        )


def unique_labels(targets: Sequence[Target]) -> list[Target]:
    """The same targets, told apart: equal labels get a number."""
    seen: dict[str, int] = {}
    out = []
    for target in targets:
        number = seen[target.label] = seen.get(target.label, 0) + 1
        out.append(target if number == 1 else Target(target.url, f"{target.label} #{number}", target.is_local))
    return out


def _label(match: re.Match[str]) -> str:
    port = f":{match['port']}" if match["port"] and int(match["port"]) != _PORTS[match["scheme"]] else ""
    application, slash, _ = match["path"].partition("/")
    # An application's name may carry a credential as a query; a path of one part is a key and nothing else.
    shown = application.partition("?")[0] if slash else HIDDEN
    return f"{match['scheme']}://{match['host'].lower()}{port}/{shown}{'/' + HIDDEN if slash else ''}"


def _scheme(text: str) -> str:
    scheme, colon, _ = text.strip().partition("://")
    return f"a {scheme[:20]} address" if colon and scheme.isalnum() else "this"


def _is_loopback(host: str) -> bool:
    if host in ("localhost", "localhost."):
        return True
    literal = literal_address(host.strip("[]"))
    return literal is not None and literal.is_loopback

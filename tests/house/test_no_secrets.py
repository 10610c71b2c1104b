"""No secret is in the repository: whatever looks like one is known, with the reason why it is none."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from functools import cache
from pathlib import Path

import pytest

from house.secret_shapes import SHAPES, Suspect, suspects_in, suspects_under

ROOT = Path(__file__).parents[2]
#: Made up or long public; each line of it was looked at by a person when it was added.
KNOWN = Path(__file__).with_name("known_secrets.txt")

_WEB = 21 * "A" + "NRILgAAAAAAnNwIzUejRCOuH5E6I8xnZz4puTs"
#: Constants of the service that every visitor's browser is given; they identify the web client, nobody's account.
PUBLIC = {
    _WEB + "%3D1Zv7ttfk8LF81IUq16cHjhLTvJu4FA33AGWWjCpTnA": "the bearer of x.com's own web client",
    _WEB + "=1Zv7ttfk8LF81IUq16cHjhLTvJu4FA33AGWWjCpTnA": "the same, not escaped",
    "AAAAAAAAAAAAAAAAAAAAAIK1zgAAAAAA2tUWuhGZ2JceoId5GwYWU5GspY4=Uq7gzFoCZs1QfwGoVdvSac3IniczZEYXIcDyumCauIXpcAPorE": (
        "the bearer that Periscope's web pages carried"
    ),
}


@cache
def every_file() -> tuple[Path, ...]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
        names = [Path(name) for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        names = [path for path in names if not any(part.startswith(".") for part in path.parts)]
    return tuple(name for name in names if (ROOT / name).is_file())


def known() -> set[tuple[str, str]]:
    rows = (line.split() for line in KNOWN.read_text("utf-8").splitlines() if line and line[0] != "#")
    return {(fingerprint, file) for fingerprint, file, *_ in rows}


@cache
def suspects() -> tuple[Suspect, ...]:
    return tuple(suspects_under(ROOT, every_file()))


def test_whatever_looks_like_a_secret_is_known() -> None:
    strange = [one for one in suspects() if one.value not in PUBLIC and (one.fingerprint, one.file) not in known()]

    # The place, not the value: this goes into logs of CI.
    assert [f"{one.file}:{one.line}: {one.kind} {one.fingerprint}" for one in strange] == []


def test_the_list_of_known_ones_does_not_outlive_them() -> None:
    assert known() <= {(one.fingerprint, one.file) for one in suspects()}
    assert set(PUBLIC) <= {one.value for one in suspects()}


def test_the_search_looks_at_the_whole_repository() -> None:
    assert {path.parts[0] for path in every_file()} >= {"src", "tests", "docs", "bench", "Makefile", "pyproject.toml"}
    assert len(suspects()) > 20


def _hex(count: int) -> str:
    """As many digits as a token has, made here so that this file holds none, and the same in every process."""
    return (hashlib.sha256(b"a token").hexdigest() * 3)[: 2 * count]


def _part(count: int) -> str:
    return base64.b64encode(bytes.fromhex(_hex(count))).decode().translate({43: "x", 47: "y", 61: None})


def _signed() -> str:
    return f"eyJ{_part(18)}.eyJ{_part(40)}.{_part(32)}"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("private key", "-----BEGIN EC PRIVATE KEY" + "-----\n" + _part(48)),
        ("private key", "key = '-----BEGIN PRIVATE KEY" + "-----\\n" + _part(48) + "'"),
        ("JWT", f'"chat_token": "{_signed()}"'),
        ("app bearer", "A" * 22 + "x" + _hex(40)),
        ("authorization", f"Authorization: Bearer {_part(40)}"),
        ("authorization", f"-H 'authorization: Basic {_part(40)}'"),
        ("auth_token", f"auth_token={_hex(20)}; ct0=x"),
        ("auth_token", f".x.com\tTRUE\t/\tTRUE\t0\tauth_token\t{_hex(20)}"),
        ("ct0", f'"ct0": "{_hex(16)}"'),
        ("ct0", f"x-csrf-token: {_hex(80)}"),
        ("long ct0", _hex(80)),
        ("credential", f'client_secret = "{_part(38)}"'),
        ("credential", f'{{"refresh_token": "{_part(60)}:1:rt:1"}}'),
        ("OAuth 2 token", f"{_part(68)}:1:at:1"),
        ("password in an address", "http://porter:" + _part(12) + "@proxy.example:3128"),
        ("key of a cloud", "AKIA" + "Q7" * 8),
    ],
)
def test_the_search_finds(kind: str, text: str) -> None:
    assert kind in {one.kind for one in suspects_in(f"x {text} y")}


def test_each_shape_has_its_proof() -> None:
    proven = {mark.args[1][row][0] for mark in test_the_search_finds.pytestmark for row in range(len(mark.args[1]))}

    assert proven == set(SHAPES)


@pytest.mark.parametrize(
    "text",
    [
        "auth_token = settings.auth_token",
        "commit 3f1c5a0d9be8244716c0a95d1f7ac3b09e824471",
        "Authorization: Bearer TOKEN",
        "https://example.com:8080/@mara",
        "sha256 " + "0f" * 32,
        "password: str = field(repr=False)",
    ],
)
def test_the_search_leaves_harmless_text_alone(text: str) -> None:
    assert list(suspects_in(text)) == []

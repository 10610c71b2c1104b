"""Tweepy (sync and async) and the official SDK, unmodified, ask the sandbox through its proxy as if it were X."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hydrophone.testing import sandbox
from hydrophone.testing.box import SandboxBox

SCRIPT = Path(__file__).parent / "foreign_api_clients.py"
STAGE = json.loads((Path(__file__).parents[1] / "samples" / "xapi" / "world.json").read_text())
PACKAGES = {"tweepy": "tweepy", "tweepy-async": "async_lru", "xdk": "xdk"}
EXPECTED = {
    "title": "Harbour tapes: the Tuesday listening room 🎧",
    "participants": 37,
    "creator": "mara_lind",
    "known": ["1hydroPhoneXZ"],
    "unknown": ["1goneWithTide"],
    "found": ["Harbour tapes: the Tuesday listening room 🎧", "harbour walk, live mic #audio"],
    "by_creators": ["1breakWaterQZ", "1hydroPhoneXZ", "1memberShopQZ"],
    "buyers": ["ines_varga", "pell_osei", "deck_hand"],
    "posts": [1701000000000000001, 1703000000000000003, 1702000000000000002],
}


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with sandbox(proxy=True) as started:
        # The world of the samples, without the tokens that expired in it.
        tokens = {name: told for name, told in STAGE["tokens"].items() if told["kind"] == "app"}
        started.control.ask("POST", "/api2/stage", {**STAGE, "tokens": tokens})
        started.control.ask("POST", "/api2/switches", {"pace": False})
        yield started


@pytest.mark.parametrize("client", list(PACKAGES))
def test_unmodified_clients_cannot_tell_the_sandbox_from_the_service(client: str, box: SandboxBox) -> None:
    if importlib.util.find_spec(PACKAGES[client]) is None:
        pytest.skip(f"{client} is not installed: pip install -e '.[dev]'")
    app = box.control.ask("GET", "/api2/tokens")["app"]
    user = box.control.ask("POST", "/api2/tokens", {"user": "mara_lind"})["access_token"]
    before = len(box.control.requests(service="x"))

    told = run(client, app, user, box)

    refused = told.pop("refused")
    assert told == EXPECTED
    if client == "tweepy":
        assert refused == ["Forbidden", "BadRequest", "Unauthorized"]
    asked = box.control.requests(service="x")[before:]
    assert {one["host"] for one in asked} <= {"api.x.com", "api.twitter.com"}
    assert all(one["via_proxy"] for one in asked)
    assert len(asked) >= 6


def run(client: str, app: str, user: str, box: SandboxBox) -> dict[str, Any]:
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment = {
        **kept,
        "HTTPS_PROXY": box.proxy_url,
        "https_proxy": box.proxy_url,
        "REQUESTS_CA_BUNDLE": str(box.ca_file),
        "SSL_CERT_FILE": str(box.ca_file),
    }
    done = subprocess.run(
        [sys.executable, str(SCRIPT), client, app, user],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told

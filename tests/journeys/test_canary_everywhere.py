"""Where secrets come out, told from the other end: whatever a recorder writes, says or sends is looked through.

No list of sinks has to be kept: all files of all processes, all their words and all requests are searched, and each
place where a secret is found has to be one of the few that it belongs to. What is a secret is not listed either, where
the service makes it up in the course of the run: whatever was sent to open something is one.
"""

from __future__ import annotations

import json
import os
import re
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from hydrophone.cli.tree import COMMANDS
from hydrophone.sandbox.scene import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.auditing import Audit
from journeys.canaries import CANARIES, Commands, Haul, canaries_in, environment, request_text
from playable_building import adts
from sandbox.periscope_asking import sid

pytestmark = pytest.mark.timeout(300)

OLD, PRIVATE = "1yoKbWqNLdRGX", "1lPKqXeRMbGGm"
TALK = Scene.ended(
    "canary-talk",
    seconds=40,
    stream_key=CANARIES["stream key"] + "_t",
    extra={"status": {"lifecycleToken": CANARIES["lifecycle token"]}},
)
#: The app of the API, with values that are found again.
APP = {
    "client_id": "Y2FuYXJ5Q2xpZW50SWQ6MTpjaQ",
    "client_secret": "canaryClientSecret_4Tq8Zx1Vw6Rm9Kp2Ls5Nd7",
}
STREAM_NAME = "canaryStreamName-8Kq2Vx7Zt4"
#: Commands that touch no login of the user's; they are run with all of it in the environment by no one.
WITHOUT_LOGIN = {
    "sandbox": "serves on loopback",
    "demo": "records the sandbox, with an environment of its own",
    "storm": "the same",
    "import": "reads files",
}
#: What opens something when it is sent, by the name under which it is sent.
OPENING = re.compile(
    r"(?i)^(access_token|refresh_token|token|chat_token|auth_token|ct0|client_secret|code|code_verifier|device_code"
    r"|cookie|session_id|sid|jwt|CloudFront-(Signature|Policy)|x-guest-token|x-csrf-token|twitter-session)$"
)
#: Belong to everybody: the web client's own key.
PUBLIC = ("AAAAAAAAAAAAAAAAAAAAANRILg",)
#: Where each may go, as services of the sandbox. Whoever is not named may be told nothing.
RIGHTFUL = {
    "auth_token": {"x"},
    "ct0": {"x"},
    "chat token": {"x", "proxsee", "guest", "chat", "signer"},
    "stream key": {"cdn"},
    "own account id": {"x"},
    "own handle": {"x"},
    "proxy password": {"proxy"},
    "client secret": {"x"},
    "app bearer": {"x"},
    "producer token": {"producer"},
    "periscope session": {"periscope"},
}
#: Files that may hold secrets, below the folder of the run. They are for the owner's eyes only.
PRIVATE_FILES = re.compile(r"home/(cookies|targets)\.txt|state/(secrets|api|web|periscope)\.json|state/streams\.jsonl")


@dataclass(frozen=True)
class Outing:
    haul: Haul
    secrets: dict[str, str]
    rows: list[Mapping[str, Any]]
    folder: Path
    audit: Audit
    codes: dict[str, int]
    box: SandboxBox


@pytest.fixture(scope="module")
def outing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outing]:
    folder = tmp_path_factory.mktemp("outing")
    audit = Audit(tmp_path_factory.mktemp("audit") / "hooks")
    audit.prepare()
    with sandbox(TALK, "periscope-2016", "periscope-private", isolated=True, proxy=True, speed=20) as box:
        assert box.ca_file is not None
        box.control.ask("POST", "/api2/stage", {"app": APP})
        box.control.ask("POST", "/api2/switches", {"pace": False})
        bearer = box.control.ask("GET", "/api2/tokens")["app"]
        secrets = {
            **CANARIES,
            "client secret": APP["client_secret"],
            "stream name": STREAM_NAME,
            "app bearer": bearer,
            "producer token": producer_token(box),
            "periscope session": sid(box, "teo_varga"),
        }
        haul = Haul()
        around = {**environment(folder, box.proxy_url, box.ca_file), **audit.environment}
        commands = Commands(haul, around, folder)
        with commands.watched():
            codes = do_the_rest(box, commands, folder, secrets)
        rows = box.control.requests()
        yield Outing(haul, secrets | sent_secrets(rows), rows, folder, audit, codes, box)


def producer_token(box: SandboxBox) -> str:
    """Signed in by device code; the sandbox's user agrees at once."""
    box.control.ask("POST", "/periscope/switches", {"device_checks": 0})

    def post(path: str, body: dict[str, str]) -> dict[str, Any]:
        url = box.bases["producer"] + path
        request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return dict(json.loads(answer.read()))

    code = post("/v1/device_code/create", {"client_id": "encoder"})["device_code"]
    return str(post("/v1/device_code/check", {"client_id": "encoder", "device_code": code})["access_token"])


def do_the_rest(box: SandboxBox, commands: Commands, folder: Path, secrets: Mapping[str, str]) -> dict[str, int]:
    talk = box.link(TALK.name)
    old, private = (f"https://www.periscope.tv/w/{one}" for one in (OLD, PRIVATE))
    codes: dict[str, int] = {}

    def run(*words: str, more: Mapping[str, str] | None = None, given: str = "") -> None:
        codes[" ".join(words)[:60]] = commands.run(words[0], *words, "-vv", more=more, given=given)

    run("record", talk, "--json")
    run("transcript", TALK.id)
    run("quote", TALK.id, "--at", "5")
    run("clip", TALK.id, "--from", "2", "--to", "6")
    run("people", TALK.id)
    run("auth", "login", "--api", given=secrets["app bearer"] + "\n")
    consent(box, commands, codes)
    run("auth", "status", "--api")
    run("find", "canary", "--json")
    run("budget")
    run("info", talk, "--ask-order", "api", "--json")
    run("url", talk)
    session = {"HYDROPHONE_PERISCOPE_SID": secrets["periscope session"]}
    run("record", old, "--json", more=session)
    run("record", private, more=session)
    run("periscope", "broadcast", old, more=session)
    on_air = {"HYDROPHONE_PERISCOPE_TOKEN": secrets["producer token"]}
    (folder / "home" / "talk.aac").write_bytes(adts(100))
    run("broadcast", "home/talk.aac", "--to", "periscope", "--yes", more=on_air)
    targets = folder / "home" / "targets.txt"
    targets.write_text(f"rtmp://127.0.0.1:1/live/{STREAM_NAME}\n")
    targets.chmod(0o600)
    run("broadcast", "home/talk.aac", "--to-file", str(targets), "--yes", "--speed", "50")
    everything = {**session, **on_air, "HYDROPHONE_API_BEARER": secrets["app bearer"]}
    run("config", "--json", more=everything)
    run("doctor", "--json", more=everything)
    run("verify", "--json", more=everything)
    run("repair", TALK.id, more=everything)
    run("completion", "zsh", more=everything)
    box.control.inject(kind="api2-answer", service="x", path="/2/spaces", name="403")
    run("find", "refused", "--ask-order", "api", more=everything)
    run("auth", "logout", "--api")
    return codes


def consent(box: SandboxBox, commands: Commands, codes: dict[str, int]) -> None:
    """Sign in to the API; somebody looks at the page that is named, and is led back to loopback."""
    words = ("auth", "login", "--api", "--client-id", APP["client_id"], "--no-browser", "-vv")

    def agree(line: str) -> None:
        found = re.search(r"https://\S+/oauth2/authorize\S*", line)
        if found:
            parts = urlsplit(found[0])
            page = f"{box.bases['x']}{parts.path}?{parts.query}"
            threading.Thread(target=lambda: urllib.request.urlopen(page, timeout=30).read(), daemon=True).start()

    codes["consent"] = commands.run_answering("auth", agree, *words, given=APP["client_secret"] + "\n")


def sent_secrets(rows: list[Mapping[str, Any]]) -> dict[str, str]:
    """Whatever was sent to open something, by service and name."""
    found: dict[str, str] = {}

    def keep(service: str, name: str, value: str) -> None:
        if len(value) >= 16 and not value.startswith(PUBLIC):
            found.setdefault(f"{service} {name} {value[:4]}{len(value)}", value)

    for row in rows:
        pairs = [*parse_qsl(row["query"]), *parse_qsl(row["body"]), *json_pairs(row["body"])]
        for name, value in row["headers"]:
            if name.lower() == "authorization":
                keep(row["service"], name, value.partition(" ")[2])
            elif name.lower() == "cookie":
                pairs += [tuple(pair.strip().split("=", 1)) for pair in value.split(";") if "=" in pair]
            else:
                pairs.append((name, value))
        for name, value in pairs:
            if OPENING.match(name):
                keep(row["service"], name, value)
    return found


def json_pairs(body: str) -> list[tuple[str, str]]:
    try:
        value = json.loads(body)
    except ValueError:
        return []
    return [(str(name), one) for name, one in value.items() if isinstance(one, str)] if isinstance(value, dict) else []


def service_of(name: str) -> set[str]:
    """Where a secret may go: by its name, or else where it was seen first."""
    return RIGHTFUL.get(name) or ({name.split()[0]} if name not in CANARIES else set())


# ---------------------------------------------------------------- the promises


def test_the_run_went_as_it_should(outing: Outing) -> None:
    failed = {words: code for words, code in outing.codes.items() if code not in (0, 3)}

    assert set(failed.values()) <= {5, 7, 8}, failed
    # Nobody listens there; Periscope's ingest is on loopback, which no service of that name may be; refused on purpose.
    assert {words.partition(" -")[0] for words in failed} == {"broadcast home/talk.aac", "find refused"}


def test_every_command_was_run_or_touches_no_login(outing: Outing) -> None:
    run = {sink.split()[0] for sink in outing.haul.sinks}

    assert {name for name, *_ in COMMANDS} - run <= set(WITHOUT_LOGIN) | {"completion"}


def test_no_secret_is_said(outing: Outing) -> None:
    """Not on the terminal, not in a pipe, not among arguments; the address of the audio where it was asked for."""
    allowed = {"url stdout": {"stream key"}, "auth stdout": {"own account id"}}
    found = {
        f"{sink}: {place}": names - allowed.get(sink, set())
        for sink in outing.haul.sinks
        for place, names in outing.haul.finds(sink, outing.secrets).items()
    }
    assert {place: names for place, names in found.items() if names} == {}
    assert len(outing.haul.sinks) >= 30


def test_no_secret_is_in_any_file_but_the_private_ones(outing: Outing) -> None:
    leaks, looked_at, private = {}, 0, set()
    for path in (*outing.folder.rglob("*"), *outing.audit.written()):
        name = os.path.relpath(path, outing.folder)
        names = canaries_in(name.encode(), outing.secrets)
        if path.is_file():
            looked_at += 1
            names |= canaries_in(path.read_bytes(), outing.secrets)
        if not names:
            continue
        if PRIVATE_FILES.fullmatch(name) and not path.stat().st_mode & 0o077:
            private.add(name)
        else:
            leaks[name] = names
    assert leaks == {}
    assert looked_at > 40
    assert private >= {"home/cookies.txt", "home/targets.txt", "state/streams.jsonl"}


def test_all_that_was_written_was_looked_at(outing: Outing) -> None:
    """Files that were removed since were parts of files that are there, or within the folder of temporary files."""
    outside = {str(path) for path in outing.audit.written() if outing.folder not in path.parents}

    assert {path for path in outside if not path.startswith("/dev/") and "__pycache__" not in path} == set()
    assert len(outing.audit.processes()) >= len(outing.codes)
    assert len(outing.audit.written()) > 40
    assert outing.audit.others() == set()


def test_nobody_is_called_but_the_sandbox(outing: Outing) -> None:
    called = [address for address in outing.audit.called() if isinstance(address, list)]

    assert called
    assert {address[0] for address in called} <= {"127.0.0.1", "::1"}


def test_each_secret_goes_only_where_it_belongs(outing: Outing) -> None:
    astray: dict[str, set[str]] = {}
    for row in outing.rows:
        names = canaries_in(request_text(row).encode(), outing.secrets)
        wrong = {name for name in names if row["service"] not in service_of(name)}
        if wrong:
            astray.setdefault(f"{row['service']} {row['host']} {row['path'][:60]}", set()).update(wrong)
    assert astray == {}


def test_the_secrets_were_in_use(outing: Outing) -> None:
    """What was never used cannot leak: a run that finds nothing has to have had something to lose."""
    used = set()
    for row in outing.rows:
        used |= canaries_in(request_text(row).encode(), outing.secrets)
    assert used >= {"auth_token", "ct0", "stream key", "client secret", "app bearer", "producer token"}
    assert used >= {"periscope session"}
    services = {row["service"] for row in outing.rows}
    kinds = {name.split()[1].lower() for name in outing.secrets if name.split()[0] in services}
    assert kinds >= {"authorization", "access_token", "chat_token", "code", "code_verifier", "cloudfront-signature"}
    written = {path.name for path in (outing.folder / "archive").rglob("*")}
    assert written >= {"captions.jsonl", "transcript.json", "transcript.vtt", "transcript.md", "timeline.jsonl"}


def test_a_leak_would_be_found(outing: Outing, tmp_path: Path) -> None:
    """The same search, over the same secrets, with one of each left lying about."""
    for name, value in outing.secrets.items():
        assert name in canaries_in(b"x" * 50 + value.encode() + b"y", outing.secrets)
    row = {"method": "GET", "host": "h", "path": "/", "query": "", "headers": [], "body": outing.secrets["ct0"]}
    assert "ct0" in canaries_in(request_text(row).encode(), outing.secrets)

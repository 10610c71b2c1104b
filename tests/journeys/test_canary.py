"""Where secrets come out: nowhere. A recorder is run through everything it can do with secrets that cannot be mistaken.

It talks to the sandbox through the proxy, so under the real names of all hosts: what goes where is as it would be.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from hydrophone.sandbox.scene import Kind, Scene, SnapshotRule
from hydrophone.sandbox.x.ids import short_code
from hydrophone.sandbox.x.posts import posts_of
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.canaries import (
    CANARIES,
    OWN_ID,
    Commands,
    Haul,
    canaries_in,
    environment,
    request_text,
    tokens_given,
    typed_login,
)

pytestmark = pytest.mark.timeout(300)

TOKENS = {"status": {"chatToken": CANARIES["chat token"], "lifecycleToken": CANARIES["lifecycle token"]}}
REPLAY = Scene.ended("canary-replay", seconds=45, stream_key=CANARIES["stream key"] + "_a", extra=TOKENS)
LIVE = Scene.live(
    "canary-live",
    since=30,
    stream_key=CANARIES["stream key"] + "_b",
    extra=TOKENS,
    snapshot=SnapshotRule(every=3, lag_seconds=1.0),
)
SEALED = Scene.ended(
    "canary-sealed",
    seconds=10,
    kind=Kind.BROADCAST,
    is_encrypted=True,
    stream_key=CANARIES["stream key"] + "_c",
    extra=TOKENS,
)
UNSEEN = Scene.ended("canary-unseen", seconds=10)
#: Each sink, and what may be in it: the address of the audio for whoever serves or asks for it.
ADDRESS = frozenset({"stream key"})
SINKS = {
    "requests to the CDN": ADDRESS,
    "requests to avatar hosts": frozenset(),
    "requests to hosts of scripts": frozenset(),
    "requests to t.co": frozenset(),
    "requests to the syndication host": frozenset(),
    "requests to the proxy": frozenset({"proxy password"}),
    "record --json stdout": frozenset(),
    "record --json stderr": frozenset(),
    "record stdout": frozenset(),
    "record stderr": frozenset(),
    "info stdout": frozenset(),
    "info stderr": frozenset(),
    "info --raw stdout": ADDRESS,  # the service's own words, for who asks for them
    "info --raw stderr": frozenset(),
    "url stdout": ADDRESS,
    "url stderr": frozenset(),
    "doctor stdout": frozenset(),
    "doctor stderr": frozenset(),
    "verify stdout": frozenset(),
    "verify stderr": frozenset(),
    "repair stdout": frozenset(),
    "repair stderr": frozenset(),
    "auth stdout": frozenset({"own account id"}),  # `auth status` says whose login it is
    "auth stderr": frozenset(),
    "config stdout": frozenset(),
    "config stderr": frozenset(),
    "refused stdout": frozenset(),
    "refused stderr": frozenset(),
    "process arguments": frozenset(),
    "file names": frozenset(),
    "files of the archive": frozenset(),
    "temporary files": frozenset(),
    "state that others may read": frozenset(),
}


@dataclass(frozen=True)
class Escapade:
    """What came out, and all secrets there were."""

    haul: Haul
    secrets: dict[str, str]
    box: SandboxBox
    folder: Path
    exit_codes: dict[str, int]


@pytest.fixture(scope="module")
def escapade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Escapade]:
    folder = tmp_path_factory.mktemp("canary")
    with sandbox(REPLAY, LIVE, SEALED, UNSEEN, isolated=True, proxy=True) as box:
        assert box.ca_file is not None
        box.control.switch(csrf="rotate", owner={"handle": CANARIES["own handle"], "user_id": OWN_ID})
        set_traps(box)
        haul = Haul()
        commands = Commands(haul, environment(folder, box.proxy_url, box.ca_file), folder)
        with commands.watched():
            codes = do_everything(box, commands, folder)
        rows = box.control.requests()
        keep_requests(haul, rows)
        keep_files(haul, folder)
        yield Escapade(haul, {**CANARIES, **tokens_given(rows)}, box, folder, codes)


def set_traps(box: SandboxBox) -> None:
    """The CDN and the pictures send us elsewhere: to another CDN host, to the API, to strangers."""
    elsewhere = "https://prod-fastly-us-west-1.video.pscp.tv{path}"
    lures = {3: elsewhere, 5: "https://x.com/i/api/1.1/collect", 7: "https://collector.invalid{path}"}
    for number, to in lures.items():
        box.control.inject(kind="redirect", segments=[number], to=to, count=1, path="chunk_")
    box.control.inject(kind="redirect", service="avatar", to="https://collector.invalid{path}", count=1)
    # Where there is no unsealed list, the key has to be asked for.
    box.control.inject(kind="status", status=404, path="/master_", space=box.scene(SEALED.name).id)
    # Posts are to be had from the host for embedded ones alone.
    box.control.inject(kind="status", status=503, body="{}", service="x", path="TweetResultByRestId")


def do_everything(box: SandboxBox, commands: Commands, folder: Path) -> dict[str, int]:
    replay, live, sealed = (box.link(scene.name) for scene in (REPLAY, LIVE, SEALED))
    post = posts_of(box.scene(REPLAY.name))[0]
    guest = {"HYDROPHONE_COOKIES": "", "HYDROPHONE_STATE_DIR": str(folder / "guest")}
    saved = {"HYDROPHONE_COOKIES": "", "HYDROPHONE_STATE_DIR": str(folder / "saved")}
    with ThreadPoolExecutor(3) as pool:
        first = {
            "replay": pool.submit(commands.run, "record --json", "record", replay, "--json", "-vv"),
            "sealed": pool.submit(commands.run, "record", "record", sealed, "-vv"),
            "live": pool.submit(commands.run_until, "record", "held", "record", live, "-vv"),
            "info": pool.submit(commands.run, "info", "info", live, "-vv"),
            "raw": pool.submit(commands.run, "info --raw", "info", sealed, "--raw", "-vv"),
            "json": pool.submit(commands.run, "info", "info", replay, "--json", "-vv"),
            "post": pool.submit(commands.run, "info", "info", f"https://x.com/a/status/{post.id}", "-vv"),
            "short": pool.submit(commands.run, "info", "info", f"https://t.co/{short_code(post.link)}", "-vv"),
            "guest": pool.submit(commands.run, "info", "info", replay, "-vv", more=guest),
            "url": pool.submit(commands.run, "url", "url", live, "-vv"),
            "url --json": pool.submit(commands.run, "url", "url", sealed, "--json", "-vv"),
            "doctor": pool.submit(commands.run, "doctor", "doctor", "-vv"),
            "login": pool.submit(commands.run, "auth", "auth", "login", "-vv", more=saved, given=typed_login()),
            "config": pool.submit(commands.run, "config", "config", "-vv"),
        }
        codes = {name: done.result() for name, done in first.items()}
        then = {
            "status": pool.submit(commands.run, "auth", "auth", "status", "--json", "-vv"),
            "saved": pool.submit(commands.run, "info", "info", replay, "-vv", more=saved),
            "verify": pool.submit(commands.run, "verify", "verify", "--json", "-vv"),
            "repair": pool.submit(commands.run, "repair", "repair", REPLAY.id, "-vv"),
        }
        codes |= {name: done.result() for name, done in then.items()}
    given = {"HYDROPHONE_AUTH_TOKEN": CANARIES["auth_token"], "HYDROPHONE_CT0": CANARIES["ct0"]}
    codes["environment"] = commands.run("config", "config", "--json", "-vv", more=given)
    dead = {"HYDROPHONE_PROXY": f"http://porter:{CANARIES['proxy password']}@127.0.0.1:1"}
    codes["dead proxy"] = commands.run("refused", "info", box.link(UNSEEN.name), "-vv", more=dead)
    box.control.switch(query_ids="rotated")
    codes["discovery"] = commands.run("info", "info", replay, "-vv")
    collector = {"kind": "redirect", "service": "x", "to": "https://collector.invalid{path}"}
    lure = box.control.inject(collector, path="live_video_stream/status")
    codes["lured"] = commands.run("refused", "url", replay, "-vv")
    box.control.remove_fault(lure)
    box.control.switch(account="revoked")
    codes["refused"] = commands.run("refused", "record", box.link(UNSEEN.name), "-vv")
    codes["refused doctor"] = commands.run("refused", "doctor", "--json", "-vv")
    return codes


def keep_requests(haul: Haul, rows: list[dict[str, object]]) -> None:
    names = {
        "cdn": "requests to the CDN",
        "avatar": "requests to avatar hosts",
        "abs": "requests to hosts of scripts",
        "tco": "requests to t.co",
        "syndication": "requests to the syndication host",
        "proxy": "requests to the proxy",
    }
    for row in rows:
        text = request_text(row)
        if row["service"] != "x":
            haul.put(names.get(str(row["service"]), str(row["service"])), text.splitlines()[0], text)


def keep_files(haul: Haul, folder: Path) -> None:
    haul.put_files("files of the archive", (folder / "archive").rglob("*"))
    haul.put_files("temporary files", (folder / "tmp").rglob("*"))
    haul.put("temporary files", "names", "\n".join(map(str, (folder / "tmp").rglob("*"))))
    for path in folder.rglob("*"):
        haul.put("file names", str(path), str(path.relative_to(folder)))
        if path.is_file() and path.stat().st_mode & 0o077 and folder / "archive" not in path.parents:
            haul.put("state that others may read", str(path), path.read_bytes())


# ---------------------------------------------------------------- the promises


def test_there_are_enough_sinks() -> None:
    assert len(SINKS) >= 15


@pytest.mark.parametrize("sink", SINKS)
def test_no_secret_comes_out_by(sink: str, escapade: Escapade) -> None:
    secrets = {name: value for name, value in escapade.secrets.items() if name not in SINKS[sink]}

    assert escapade.haul.sinks[sink], "nothing was looked at"
    assert escapade.haul.finds(sink, secrets) == {}


def test_strangers_are_not_even_asked(escapade: Escapade) -> None:
    rows = escapade.box.control.requests()
    led_away = [row for row in rows if row["status"] == 302]

    assert len(led_away) >= 5
    assert not [row for row in rows if "collector" in row["host"] or "/collect" in row["path"]]
    assert any(row["host"].startswith("prod-fastly-us-west-1.") for row in rows if row["service"] == "cdn")


def test_every_named_sink_was_looked_at(escapade: Escapade) -> None:
    assert set(SINKS) <= set(escapade.haul.sinks)


def test_nothing_comes_out_where_nobody_expected_anything(escapade: Escapade) -> None:
    """A sink that the table does not name, such as a host that is new, may hold nothing at all."""
    unnamed = set(escapade.haul.sinks) - set(SINKS)

    assert {sink: found for sink in unnamed if (found := escapade.haul.finds(sink, escapade.secrets))} == {}


def test_secrets_that_the_service_made_up_are_searched_for_too(escapade: Escapade) -> None:
    assert any(name.startswith("x-guest-token") for name in escapade.secrets)
    assert any(name.startswith("x-csrf-token") for name in escapade.secrets)


def test_the_secrets_were_in_use(escapade: Escapade) -> None:
    rows = escapade.box.control.requests(service="x")
    keys = [row for row in rows if row["path"].endswith("live_video_stream/key")]

    assert any({"auth_token", "ct0"} <= canaries_in(request_text(row).encode()) for row in rows)
    assert keys
    assert all("auth_token" in canaries_in(request_text(row).encode()) for row in keys)
    assert {row["host"] for row in rows} <= {"x.com", "api.x.com", "twitter.com", "api.twitter.com"}
    assert {name: code for name, code in escapade.exit_codes.items() if code} == {
        "live": 3,
        "verify": 3,  # what was stopped has a gap
        "dead proxy": 8,
        "lured": 7,
        "refused": 5,
        "refused doctor": 3,
    }


def test_state_with_secrets_is_private(escapade: Escapade) -> None:
    state = [path for place in ("state", "saved", "guest") for path in (escapade.folder / place).rglob("*")]
    private = [path for path in state if path.is_file() and canaries_in(path.read_bytes(), escapade.secrets)]

    assert {path.name for path in private} >= {"secrets.json", "streams.jsonl", "web.json"}
    assert {oct(path.stat().st_mode & 0o777) for path in private} == {"0o600"}


@pytest.mark.parametrize("name", CANARIES)
def test_search_would_find_a_planted_canary(name: str, tmp_path: Path) -> None:
    value = CANARIES[name].encode()
    planted = tmp_path / "archive" / "planted.bin"
    planted.parent.mkdir()
    haul = Haul()

    for number, form in enumerate(
        (value, b"\xff" + value.hex().encode(), __import__("base64").b64encode(b"x" + value))
    ):
        planted.write_bytes(b"\x00\x01" * 500 + form + b"\x80" * 40)
        haul.put_files(f"sink {number}", planted.parent.rglob("*"))
        assert haul.finds(f"sink {number}", CANARIES)[str(planted)] >= {name}

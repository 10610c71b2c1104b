"""The chat beside a recording: kept raw, made into a transcript, and never able to harm the audio."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import chat_building
from chat_building import caption, dump, join, reaction
from hydrophone.archive import verify_item
from hydrophone.archive.durable import Disk
from hydrophone.errors import DiskError
from hydrophone.recorder.chatlog import ChatLog
from hydrophone.recorder.chatting import ChatCapture
from hydrophone.recorder.events import Result
from hydrophone.sandbox.scene import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.trials import PATIENCE, Trial, engine, lift_limits, record_links
from socket_server import socket_server


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    scenes = [Scene.ended("ended", seconds=45)]
    with sandbox(scenes=scenes, speed=25.0) as opened:
        lift_limits(opened)
        yield opened


@dataclass
class Chat:
    """A chat service: one history, and sockets that say what they are given."""

    history: list[dict[str, Any]] = field(default_factory=list)
    spoken: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    base: str = ""
    asked: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def bases(self) -> dict[str, str]:
        return {"proxsee": self.base, "chat": self.base}

    async def talk(self, socket: web.WebSocketResponse) -> None:
        for _ in range(2):
            await socket.receive()
        for message in self.spoken:
            await socket.send_str(dump(message))
        await socket.receive()

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/healthz":  # a sandbox with another chat, on the same clock
            return web.json_response(self.facts | {"bases": {**self.facts["bases"], **self.bases}})
        self.asked += 1
        if self.status != 200:
            return web.Response(status=self.status)
        if request.path == "/api/v2/accessChatPublic":
            access = {"endpoint": self.base, "access_token": "chat-secret-1", "room_id": "room", "participant_index": 7}
            return web.json_response(access)
        begin = int((await request.json())["cursor"] or 0)
        found = self.history[begin : begin + 3]
        return web.json_response({"messages": found, "cursor": str(begin + len(found)) if found else str(begin)})


async def record(box: SandboxBox, folder: Path, chat: Chat, scene: str = "ended", **options: Any) -> Trial:
    async with socket_server(chat.talk, answer=chat.answer, path="/chatapi/v1/chatnow") as server:
        chat.base, chat.facts = server.base, box.control.ask("GET", "/healthz")
        async with engine(box, folder, sandbox=server.base) as hydrophone:
            (trial,) = await record_links(hydrophone, [box.link(scene)], **options)
    return trial


async def started_at(box: SandboxBox, folder: Path, scene: str = "ended") -> datetime:
    async with engine(box, folder) as hydrophone:
        found = await hydrophone.info(box.link(scene))
        assert found.started_at is not None
        return found.started_at


@pytest.fixture
def zero(box: SandboxBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The beginning of the scene, as the messages that a test makes count it."""
    begin = asyncio.run(started_at(box, tmp_path))
    monkeypatch.setattr(chat_building, "ZERO_US", round(begin.timestamp() * 1e6))
    return begin


def messages() -> list[dict[str, Any]]:
    said = [caption("otto", text, at) for text, at in (("hello", 3.0), ("hello there", 3.6))]
    said.append(caption("otto", "Hello there.", 4.0, final=True, uuid="one"))
    said.append(caption("lena", "<b>Welcome</b> --> to the tide.", 9.0, final=True, uuid="two"))
    return [*said, reaction("mina", "🎉", 5.0), join("guest")]


def texts(trial: Trial) -> list[str]:
    return [cue["text"] for cue in json.loads((trial.directory / "transcript.json").read_bytes())["cues"]]


def test_a_replay_gets_its_chat_and_its_transcripts(box: SandboxBox, tmp_path: Path, zero: datetime) -> None:
    chat = Chat(messages())
    trial = asyncio.run(record(box, tmp_path, chat))

    assert trial.outcome.result is Result.COMPLETE
    assert trial.notices == []
    assert texts(trial) == ["Hello there.", "<b>Welcome</b> --> to the tide."]
    assert len((trial.directory / "captions.jsonl").read_bytes().splitlines()) == 6
    assert "Hello there." in (trial.directory / "transcript.srt").read_text()
    assert "&lt;b&gt;Welcome" in (trial.directory / "transcript.vtt").read_text()
    assert "🎉" in (trial.directory / "reactions.csv").read_text()
    kinds = [json.loads(line)["kind"] for line in (trial.directory / "timeline.jsonl").read_text().splitlines()]
    assert sorted(kinds) == ["join", "reaction", "speech", "speech"]
    people = json.loads((trial.directory / "people.json").read_bytes())["people"]
    assert any("talk" in person for person in people)
    assert verify_item(trial.directory).is_intact


def test_a_second_run_adds_what_is_new_and_doubles_nothing(box: SandboxBox, tmp_path: Path, zero: datetime) -> None:
    chat = Chat(messages()[:3])
    first = asyncio.run(record(box, tmp_path, chat))
    log = first.directory / "captions.jsonl"
    log.write_bytes(log.read_bytes() + b'{"at":12,"via":"his')  # as a kill leaves it
    chat.history += messages()[3:]
    second = asyncio.run(record(box, tmp_path, chat))

    assert texts(second) == ["Hello there.", "<b>Welcome</b> --> to the tide."]
    lines = log.read_bytes().splitlines()
    assert len(lines) == 6
    assert all(json.loads(line) for line in lines)


def test_what_only_the_socket_told_is_kept_too(box: SandboxBox, tmp_path: Path, zero: datetime) -> None:
    box.control.load(Scene.live("running", seconds=40, since=12))
    lift_limits(box)
    said = messages()
    chat = Chat(said[:3], spoken=said[2:])
    patience = replace(PATIENCE, chat_looks=(8.0,))
    trial = asyncio.run(record(box, tmp_path, chat, "running", patience=patience))

    assert trial.outcome.result is Result.COMPLETE
    via = [json.loads(line)["via"] for line in (trial.directory / "captions.jsonl").read_bytes().splitlines()]
    assert (via.count("history"), via.count("socket")) == (3, 3)


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_a_chat_that_is_broken_costs_a_notice_at_most(box: SandboxBox, tmp_path: Path, status: int) -> None:
    trial = asyncio.run(record(box, tmp_path, Chat(status=status)))

    assert trial.outcome.result is Result.COMPLETE
    assert len(trial.notices) <= 1
    assert not (trial.directory / "captions.jsonl").exists()
    # The tags still tell who is heard.
    facts = json.loads((trial.directory / "transcript.json").read_bytes())
    assert facts["word_source"] == "none"
    assert {turn["source"] for turn in facts["turns"]} == {"levels"}


def test_no_transcript_is_made_where_none_is_wanted(box: SandboxBox, tmp_path: Path) -> None:
    trial = asyncio.run(record(box, tmp_path, Chat(messages()), transcript=False))

    assert (trial.directory / "captions.jsonl").exists()
    assert list(trial.directory.glob("transcript.*")) == []


def test_tokens_of_the_chat_are_nowhere_in_the_item(box: SandboxBox, tmp_path: Path) -> None:
    trial = asyncio.run(record(box, tmp_path, Chat(messages())))

    for path in trial.directory.rglob("*"):
        if path.is_file():
            assert b"chat-secret-1" not in path.read_bytes(), path


def test_trouble_of_the_chat_that_nobody_foresaw_is_a_notice(
    box: SandboxBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def burst(self: ChatCapture) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ChatCapture, "_follower", burst)
    trial = asyncio.run(record(box, tmp_path, Chat(messages())))

    assert trial.outcome.result is Result.COMPLETE
    assert trial.notices == ["no chat: ZeroDivisionError"]


def test_a_full_disk_takes_no_half_line(tmp_path: Path) -> None:
    class Failing(Disk):
        fails = False

        def write_all(self, fd: int, pieces: Any) -> None:
            if self.fails:
                super().write_all(fd, [pieces[0][:3]])
                raise OSError(28, "full")
            super().write_all(fd, pieces)

    disk = Failing()
    log = ChatLog(tmp_path / "captions.jsonl", disk=disk)
    log.append(b'{"a":1}\n')
    disk.fails = True
    with pytest.raises(DiskError):
        log.append(b'{"b":2}\n')
    disk.fails = False
    log.append(b'{"c":3}\n')
    log.sync()
    log.close()

    assert list(log.lines()) == [b'{"a":1}\n', b'{"c":3}\n']


def test_a_first_line_waits_for_no_disk_and_its_file_has_a_lasting_name_once_it_is_synced(tmp_path: Path) -> None:
    """Lines are written in the event loop, where the sync of a busy disk would hold up every recording."""
    synced: list[str] = []

    class Counting(Disk):
        def sync(self, fd: int) -> None:
            synced.append("file")

        def sync_directory(self, path: Path) -> None:
            synced.append("name")

    log = ChatLog(tmp_path / "captions.jsonl", disk=Counting())
    log.append(b'{"a":1}\n')
    before = list(synced)
    log.sync()
    log.append(b'{"b":2}\n')
    log.sync()
    log.close()

    assert before == []
    assert synced == ["file", "name", "file"]

"""Records scenes with the real engine and holds what was kept against what the sandbox offered, frame by frame."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import av
import pytest

import facts
from hydrophone.app import AsyncHydrophone, options_of
from hydrophone.audio import scan_adts, silence_frame
from hydrophone.cli.outcomes import code_of_outcome
from hydrophone.model import Gap
from hydrophone.recorder.events import Event, Notice, Outcome
from hydrophone.recorder.options import Patience, StopSignal
from hydrophone.sandbox.scene import Scene
from hydrophone.settings import Settings
from hydrophone.testing.box import SandboxBox

FRAME_SECONDS = 1024 / 48_000
#: As patient as by default in everything that matters here, but not for an hour.
PATIENCE = Patience(settle_looks=8, late_look=20.0, replay_every=20.0, replay_for=60.0, chat_looks=(10.0, 20.0))


@dataclass(frozen=True)
class Trial:
    """How one recording went."""

    outcome: Outcome
    events: Sequence[Event] = field(repr=False)

    @property
    def exit_code(self) -> int:
        return int(code_of_outcome(self.outcome))

    @property
    def directory(self) -> Path:
        assert self.outcome.directory is not None, self.outcome
        return self.outcome.directory

    @property
    def gaps(self) -> tuple[Gap, ...]:
        assert self.outcome.coverage is not None, self.outcome
        return self.outcome.coverage.gaps

    @property
    def notices(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Notice)]

    @property
    def frames(self) -> list[bytes]:
        """The ADTS frames of the original."""
        return adts_frames((self.directory / "original.aac").read_bytes())


def engine(box: SandboxBox, folder: Path, **more: Any) -> AsyncHydrophone:
    settings = {"archive": folder / "archive", "state_dir": folder / "state", "poll_seconds": 10.0}
    settings |= {"sandbox": box.bases["control"]} | more
    return AsyncHydrophone(Settings(provider="sandbox", **settings))


def lift_limits(box: SandboxBox) -> None:
    """Let a guest ask as often as it likes: many Spaces whose clock runs fast use up a quarter of an hour's budget."""
    endpoints = ("guest", "AudioSpaceById", "live_video_stream/status", "broadcasts/show")
    box.control.switch(limits=dict.fromkeys(endpoints, 1_000_000))


async def record_links(
    hydrophone: AsyncHydrophone,
    links: Iterable[str],
    *,
    on_event: Callable[[Event], None] | None = None,
    stop: StopSignal | None = None,
    **options: Any,
) -> list[Trial]:
    """Record all of them at once."""
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if on_event is not None:
            on_event(event)

    chosen = replace(options_of(hydrophone.settings), **({"patience": PATIENCE} | options))
    outcomes = await hydrophone.record(list(links), options=chosen, on_event=listen, stop=stop)
    return [Trial(outcome, [event for event in events if event.key == outcome.key]) for outcome in outcomes]


def record(box: SandboxBox, folder: Path, *links: str, settings: dict[str, Any] | None = None, **how: Any) -> Trial:
    """Record one Space from start to end with an engine of its own; `links` may name it in several ways."""

    async def run() -> list[Trial]:
        async with engine(box, folder, **(settings or {})) as hydrophone:
            return await record_links(hydrophone, links, **how)

    return asyncio.run(run())[0]


# ---------------------------------------------------------------- frames


def adts_frames(body: bytes) -> list[bytes]:
    """The frames in a row of segments, tags and junk left out."""
    scan = scan_adts(body)
    frames: list[bytes] = []
    for offset, count in scan.runs:
        for size in scan.frame_sizes[len(frames) : len(frames) + count]:
            frames.append(body[offset : offset + size])
            offset += size
    return frames


def packaged_frames(path: Path) -> list[bytes]:
    """The frames of an m4a file, as an independent reader finds them: without headers."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def packaged_seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        return float(stream.duration * stream.time_base)


def assert_kept(trial: Trial, box: SandboxBox, scene: Scene | str, missing: Iterable[range] = ()) -> None:
    """Each frame that was offered is there once and in order, and silence stands for what is `missing` (places).

    In the original, in the packaged file, and in what the outcome says about gaps.
    """
    name = scene if isinstance(scene, str) else scene.name
    rows = box.ledger(name, with_digests=False)["segments"]
    lost = {place for span in missing for place in span} | {row["place"] for row in rows if not row["is_available"]}
    offered = iter(box.true_frames(name))
    kept: list[bytes] = []
    packaged: list[bytes] = []
    for row in rows:
        frames = [next(offered) for _ in range(row["frames"])] if row["is_available"] else []
        if row["place"] in lost:
            packaged += [silence_frame(row["rate"], row["channels"])[7:]] * row["frames"]
        else:
            kept += frames
            packaged += [frame[7:] for frame in frames]
    assert trial.outcome.media is not None
    tell_about(trial, kept)
    assert_same_frames(trial.frames, kept)
    assert_same_frames(packaged_frames(trial.outcome.media), packaged)
    assert abs(packaged_seconds(trial.outcome.media) - len(packaged) * FRAME_SECONDS) <= FRAME_SECONDS
    assert abs(trial.outcome.duration_seconds - len(packaged) * FRAME_SECONDS) <= FRAME_SECONDS
    assert_gaps(trial.gaps, [row for row in rows if row["place"] in lost])


def tell_about(trial: Trial, offered: Sequence[bytes]) -> None:
    """The figures of one recording for the reports: how much of what could be had was kept, and what it said."""
    wanted = set(offered)
    facts.tell("frames offered", len(offered))
    facts.tell("frames kept", len(wanted.intersection(trial.frames)))
    facts.tell("gaps", sum(gap.last - gap.first + 1 for gap in trial.gaps))
    facts.tell("exit code", trial.exit_code)


def assert_gaps(gaps: Sequence[Gap], rows: Sequence[Mapping[str, Any]]) -> None:
    """The gaps are these rows of the ledger of the origin: the same numbers, positions and lengths."""
    named = [(gap.epoch, number) for gap in gaps for number in range(gap.first, gap.last + 1)]
    assert named == [(row["epoch"], row["sequence"]) for row in rows]
    for gap in gaps:
        within = [row for row in rows if row["epoch"] == gap.epoch and gap.first <= row["sequence"] <= gap.last]
        length = sum(row["frames"] for row in within) * FRAME_SECONDS
        assert gap.begin_seconds == pytest.approx(within[0]["position"], abs=FRAME_SECONDS)
        assert gap.end_seconds - gap.begin_seconds == pytest.approx(length, abs=FRAME_SECONDS)


def assert_same_frames(found: Sequence[bytes], wanted: Sequence[bytes]) -> None:
    """Equality that says in a line what differs, instead of printing a megabyte."""
    if list(found) == list(wanted):
        return
    lost, alien = len(set(wanted) - set(found)), len(set(found) - set(wanted))
    twice = len(found) - len(set(found))
    raise AssertionError(
        f"{len(found)} frames instead of {len(wanted)}: {lost} lost, {alien} alien, {twice} twice, "
        f"{'out of order' if sorted(found) == sorted(wanted) else ''}"
    )

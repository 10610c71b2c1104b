"""How often a Space that has not begun is asked for, when the user has said how often."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from hydrophone import AsyncHydrophone, Settings, StopSignal
from hydrophone.app import options_of
from hydrophone.recorder.events import Event, Result, Waiting
from hydrophone.testing import sandbox


async def looks_while_waiting(folder: Path, control: str, link: str, every: float | None) -> list[float]:
    """The pauses between the first looks at a Space that begins in hours, in seconds of its clock."""
    settings = Settings(
        archive=folder, state_dir=folder / "state", provider="sandbox", sandbox=control, wait_poll_seconds=every
    )
    seen: list[Waiting] = []
    stop = StopSignal()

    def listen(event: Event) -> None:
        if isinstance(event, Waiting):
            seen.append(event)
        if len(seen) == 4:
            stop.finish()

    async with AsyncHydrophone(settings) as hydrophone:
        options = replace(options_of(settings), wait=True)
        (outcome,) = await asyncio.wait_for(
            hydrophone.record(link, options=options, on_event=listen, stop=stop), timeout=60
        )
    assert outcome.result is Result.STOPPED
    return [(after.until - before.until).total_seconds() for before, after in pairwise(seen)]


async def test_a_scheduled_space_is_asked_for_as_often_as_the_user_says(tmp_path: Path) -> None:
    with sandbox(speed=100) as box:
        box.control.load("starts-soon", started="5h", scheduled="5h", opened=None)
        link = box.link("starts-soon")

        chosen = await looks_while_waiting(tmp_path / "a", box.bases["control"], link, 20.0)
        usual = await looks_while_waiting(tmp_path / "b", box.bases["control"], link, None)

    assert all(18 <= pause < 100 for pause in chosen)
    assert all(pause >= 280 for pause in usual)

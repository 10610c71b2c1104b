"""Recordings that end together: their files are made by a few at a time, and all are made."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hydrophone.recorder import wrapping
from hydrophone.recorder.finishing import Finished
from hydrophone.recorder.recording import FINISHED_AT_ONCE
from hydrophone.testing import Scene
from hydrophone.testing.box import sandbox
from journeys.trials import Trial, assert_kept, engine, record_links

MANY = 4 * FINISHED_AT_ONCE


async def test_no_more_are_finished_at_once_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish, inside, seen, lock = wrapping.finish_item, 0, [0], threading.Lock()

    def counted(*arguments: Any, **more: Any) -> Finished:
        nonlocal inside
        with lock:
            inside += 1
            seen.append(inside)
        time.sleep(0.2)  # whoever else may come in does so now
        try:
            return finish(*arguments, **more)
        finally:
            with lock:
                inside -= 1

    monkeypatch.setattr(wrapping, "finish_item", counted)
    scenes = [Scene.ended(f"short {number}", seconds=6) for number in range(MANY)]

    with sandbox(*scenes) as box:
        async with engine(box, tmp_path) as hydrophone, asyncio.timeout(100):
            trials: list[Trial] = await record_links(hydrophone, [box.link(scene.name) for scene in scenes])
        for trial, scene in zip(trials, scenes, strict=True):
            assert trial.exit_code == 0, trial.outcome
            assert_kept(trial, box, scene)

    assert max(seen) <= FINISHED_AT_ONCE
    assert len(seen) == MANY + 1

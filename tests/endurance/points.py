"""Chooses among the calls of an undisturbed run, and holds what a disturbed one left against it."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from endurance.recording_forks import Answer
from journeys.victims import assert_same_files, assert_sound, item_of

_OWN_NAME = re.compile(r"\.?([a-z.0-9-]+?)\.(?:\d+-\d+|[a-z0-9_]{8})\.part")


def spread(trace: Sequence[str], count: int, rng: random.Random) -> list[int]:
    """So many places of calls (1 is the first), over all kinds of calls and all files, as evenly as they come.

    Dozens of lines of chat must not crowd out the one rename.
    """
    places: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, call in enumerate(trace, 1):
        places[call.split()[0]][_OWN_NAME.sub(r"\1.part", call)].append(place)
    queues = {kind: _taking_turns(list(files.values()), rng) for kind, files in places.items()}
    chosen: list[int] = []
    while queues and len(chosen) < count:
        for kind in list(queues):
            place = next(queues[kind], None)
            if place is None:
                del queues[kind]
            else:
                chosen.append(place)
    return sorted(chosen[:count])


def _taking_turns(files: list[list[int]], rng: random.Random) -> Iterator[int]:
    rng.shuffle(files)
    for places in files:
        rng.shuffle(places)
    while files:
        for places in list(files):
            yield places.pop()
            if not places:
                files.remove(places)


def acknowledged(folder: Path) -> set[tuple[int, int]]:
    """The segments that the journals below a folder call held, read without the project's own code."""
    held: set[tuple[int, int]] = set()
    for journal in folder.rglob("journal.jsonl"):
        for line in journal.read_bytes().split(b"\n")[:-1]:
            try:
                facts = json.loads(line)
            except ValueError:  # torn by the kill
                break
            if facts["kind"] == "segment":
                held.add((facts["epoch"], facts["seq"]))
            elif facts["kind"] == "dropped":
                held.discard((facts["epoch"], facts["seq"]))
    return held


def assert_healed(
    answer: Answer, folder: Path, model: Path, held: set[tuple[int, int]], was_live: bool = False
) -> None:
    """The run after a disturbed one began with all that was acknowledged, and left the undisturbed files."""
    assert answer.status == 0, answer
    assert answer.resumed >= len(held), f"{len(held)} segments were acknowledged, {answer.resumed} were found again"
    assert_whole(folder, model, was_live)


def assert_whole(folder: Path, model: Path, was_live: bool = False) -> None:
    item = item_of(folder)
    assert_sound(item)
    assert_same_files(item, model, was_live=was_live)
    assert not leftovers(folder), f"left over: {leftovers(folder)}"


def leftovers(folder: Path) -> list[str]:
    """Files that were being written when something happened, and that nobody will ever finish."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.part"))

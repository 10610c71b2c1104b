"""What every parser has to withstand: any bytes, ending in a value or in an error of ours, and nothing else.

A harness is a total function of bytes. `make test` runs each of them on samples that were changed at random and on the
inputs that once broke one (tests/fuzz/finds); `make hunt` lets a fuzzer look for more.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[1] / "samples"
FINDS = Path(__file__).parent / "finds"
#: Beyond this, caps of the transport apply; fuzzing looks for depth, not for size.
LONGEST_INPUT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Harness:
    """One parser, or a family that is chosen from by the first byte.

    Args:
        run: raises nothing but AssertionError and what is wrong with the parser.
        is_json: mutations keep it JSON most of the time (behind the first byte, if `choices`).
        choices: how many parsers the first byte chooses from; 0 where it belongs to the input.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    is_json: bool = False
    choices: int = 0

    def finds(self) -> list[Path]:
        """Inputs that once broke it."""
        return sorted(path for path in (FINDS / self.name).glob("*") if path.is_file())


def files(*patterns: str) -> Callable[[], Iterator[bytes]]:
    """Samples as seeds."""

    def seeds() -> Iterator[bytes]:
        for pattern in patterns:
            for path in sorted(SAMPLES.glob(pattern)):
                yield path.read_bytes()[:LONGEST_INPUT]

    return seeds


JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    10**30,
    1e308,
    float("inf"),
    float("nan"),
    "",
    "junk",
    "\ud800",
    "9" * 5000,
    "../../x",
    "https://[::1",
    "a\r\nb",
    "\x00\x1b[2J‮",
    "2026-99-99T99:99:99Z",
    "0001-01-01T00:00:00Z",
    [],
    {},
    [None],
    [[[[]]]],
    {"": None},
    {"rest_id": []},
]


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where all nodes of a JSON value are."""
    yield place
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*place, key))


def changed_json(data: bytes, chance: random.Random) -> bytes:
    """The same JSON with nodes replaced, dropped, renamed, doubled or moved; other bytes come back as they are."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return data
    for _ in range(chance.randint(1, 4)):
        every = list(places(value))
        place = chance.choice(every)
        if not place:
            if chance.random() < 0.05:
                value = chance.choice(JUNK)
            continue
        holder = value
        for key in place[:-1]:
            holder = holder[key]
        _change(holder, place[-1], value, every, chance)
    return json.dumps(value, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


def _change(holder: Any, key: Any, root: Any, every: list[tuple[Any, ...]], chance: random.Random) -> None:
    how = chance.randrange(5)
    if how == 0:
        holder[key] = chance.choice(JUNK)
    elif how == 1:
        del holder[key]
    elif how == 2 and isinstance(holder, dict):
        holder[chance.choice([f"{key}_v2", "", "id"])] = holder.pop(key)
    elif how == 3 and isinstance(holder, list):
        holder.extend([holder[key]] * chance.randint(1, 5))
    else:
        # Something that stands elsewhere, so that kinds are mixed that the service really sends.
        found = root
        for step in chance.choice(every):
            try:
                found = found[step]
            except (TypeError, LookupError):  # an earlier change has removed the way
                break
        holder[key] = json.loads(json.dumps(found))


def changed_bytes(data: bytes, chance: random.Random) -> bytes:
    """A few cuts, flips, copies and insertions."""
    raw = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randint(0, len(raw))
        size = chance.choice([1, 1, 2, 4, 16, 200])
        how = chance.randrange(5)
        if how == 0:
            del raw[at : at + size]
        elif how == 1:
            raw[at:at] = chance.randbytes(size)
        elif how == 2:
            raw[at:at] = raw[(start := chance.randint(0, len(raw))) : start + size]
        elif how == 3 and at < len(raw):
            raw[at] ^= 1 << chance.randrange(8)
        else:
            raw[at : at + size] = chance.choice(WORDS)
    return bytes(raw[:LONGEST_INPUT])


WORDS = [
    b"\x00",
    b"\xff\xff\xff\xff",
    b"\xed\xa0\x80",
    b"\n",
    b"\r\n",
    b"\t",
    b'"',
    b",",
    b"%",
    b"=",
    b":",
    b"/",
    b"//",
    b"..",
    b"-1",
    b"1e309",
    b"NaN",
    b"9" * 25,
    b"\xef\xbb\xbf",
    "\u2028".encode(),
    "𝟙".encode(),
    "²".encode(),
]


def changed(harness: Harness, data: bytes, chance: random.Random) -> bytes:
    """One mutation that fits the harness."""
    if not harness.is_json or chance.random() < 0.1:
        return changed_bytes(data, chance)
    head, body = (data[:1], data[1:]) if harness.choices else (b"", data)
    return head + changed_json(body, chance)

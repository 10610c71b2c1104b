"""Reads scenes from data: TOML files that are shipped, JSON from the control room, overrides on top of either.

The keys are the fields of `Scene`. Nested tables are the dataclasses of the same name (`people`, `turns`, `quirks` …);
a person with a handle alone is invented. Lengths are seconds or text like ``"2h"``, ``"-90s"``. Without `turns`, or
with ``turns = "chatty"``, a polite conversation is made up, with ``"lively"`` one in which people interrupt each other.
`origin_at` is an instant; without it the scene begins to count when it is loaded.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import tomllib
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from hydrophone.sandbox.conversation import lively_turns
from hydrophone.sandbox.scene import Person, Scene, Span, Turn, invented_id, sample_people, taking_turns

SPAN = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*")
MADE_UP: Mapping[str, Callable[[tuple[Person, ...], float], tuple[Turn, ...]]] = {
    "chatty": taking_turns,
    "lively": lively_turns,
}
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, None: 1.0}


class SceneFileError(ValueError):
    """A scene that cannot be read; says which key."""


def shipped_scenes() -> tuple[str, ...]:
    """The names of the scenes that come with the package."""
    folder = files("hydrophone.sandbox") / "scenes"
    return tuple(sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml")))


def load_shipped(name: str, overrides: Mapping[str, Any] | None = None) -> Scene:
    """A shipped scene by name. Raises SceneFileError when there is none."""
    if name not in shipped_scenes():
        raise SceneFileError(f"no scene called {name!r}; there are {', '.join(shipped_scenes())}")
    text = (files("hydrophone.sandbox") / "scenes" / f"{name}.toml").read_text("utf-8")
    return read_scene({"name": name} | tomllib.loads(text), overrides)


def read_scene(data: Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Scene:
    """A scene from a mapping. With ``base`` the named shipped scene is read first and then changed."""
    merged = _merge(data, overrides or {})
    base = merged.pop("base", None)
    if base is not None:
        text = (files("hydrophone.sandbox") / "scenes" / f"{base}.toml").read_text("utf-8")
        merged = _merge({"name": base} | tomllib.loads(text), merged)
    merged.setdefault("name", "scene")
    merged.setdefault("id", invented_id("space", merged["name"]))
    merged.setdefault("title", f"The {merged['name']} room")
    if "canceled" in merged:
        merged.setdefault("started", None)
    people = _people(merged.pop("people", None))
    turns = merged.pop("turns", "chatty")
    converse = MADE_UP.get(turns) if isinstance(turns, str) else None
    try:
        scene: Scene = _build(Scene, {**merged, "people": people, "turns": () if converse else turns}, "scene")
    except (TypeError, ValueError, KeyError) as problem:
        raise SceneFileError(f"scene {merged['name']!r}: {problem}") from problem
    if converse is not None:
        scene = dataclasses.replace(scene, turns=converse(people, scene.seconds or 86_400.0))
    return scene


def scene_as_json(scene: Scene) -> dict[str, Any]:
    """What `read_scene` turns into an equal scene."""
    is_chatty = scene.turns == taking_turns(scene.people, scene.seconds or 86_400.0)
    slim = dataclasses.replace(scene, turns=()) if is_chatty else scene
    data: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(slim), default=_as_json))
    return data | {"turns": "chatty"} if is_chatty else data


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no JSON form: {value!r}")


def seconds_of(value: Any) -> float:
    """A number of seconds, also from ``"2h"``, ``"-90s"``, ``"1.5 m"``."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = SPAN.fullmatch(str(value))
    if not match:
        raise ValueError(f"not a length of time: {value!r}")
    return float(match[1]) * UNITS[match[2]]


def instant_of(value: Any, now: datetime) -> datetime:
    """An aware instant from ISO text, a datetime, ``"now"``, ``"now-2h"``."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    text = str(value).strip()
    if text.startswith("now"):
        return now + timedelta(seconds=seconds_of(text[3:].replace("+", "")) if text[3:].strip() else 0.0)
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _merge(data: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(data)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _people(value: Any) -> tuple[Person, ...]:
    if value is None:
        return sample_people()
    people = []
    for item in value:
        if isinstance(item, Person):
            people.append(item)
            continue
        rest = dict(item)
        people.append(Person.invent(rest.pop("handle"), rest.pop("name", ""), **rest))
    return tuple(people)


@functools.cache
def _hints(kind: Any) -> Mapping[str, Any]:
    # Their texts are compiled each time, which was nine tenths of loading a scene.
    return typing.get_type_hints(kind)


def _build(kind: Any, data: Mapping[str, Any], where: str) -> Any:
    """A dataclass from a mapping, nested ones too."""
    hints = _hints(kind)
    unknown = set(data) - set(hints)
    if unknown:
        raise ValueError(f"{where} has no {', '.join(sorted(unknown))}")
    return kind(**{key: _value(hints[key], value, f"{where}.{key}") for key, value in data.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    options = [part for part in typing.get_args(hint) if part is not type(None)]
    origin = typing.get_origin(hint)
    if value is None or isinstance(value, typing.get_origin(hint) or hint if isinstance(hint, type) else ()):
        return value
    if origin is tuple:
        return tuple(_value(options[0], item, where) for item in value)
    if origin is not None and isinstance(value, Mapping):
        return {int(k) if options[0] is int else k: v for k, v in value.items()}
    wanted = options[0] if options and origin is not tuple else hint
    if wanted is Span and isinstance(value, Sequence):
        return Span(begin=seconds_of(value[0]), end=seconds_of(value[1]), by=value[2] if len(value) > 2 else 1)
    if dataclasses.is_dataclass(wanted):
        return value if isinstance(value, wanted) else _build(wanted, value, where)  # type: ignore[arg-type]
    if wanted is float:
        return seconds_of(value)
    if wanted is datetime:
        return None if value in ("", "now") else instant_of(value, datetime.now(UTC))
    return wanted(value) if isinstance(wanted, type) and not isinstance(value, wanted) else value

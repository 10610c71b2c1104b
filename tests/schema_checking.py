"""Holds the JSON files of an item against their schemas, by an independent validator."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator


@cache
def validator(name: str) -> Draft202012Validator:
    """For ``transcript``, ``people`` or ``timeline``."""
    schema = json.loads((files("hydrophone.render") / "schemas" / f"{name}.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def wrong(name: str, value: Any) -> list[str]:
    """What is not as described, in words."""
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(name).iter_errors(value)]


def assert_as_described(item: Path) -> None:
    """Every described file of an item is as described; all three are there."""
    assert wrong("transcript", json.loads((item / "transcript.json").read_bytes())) == []
    assert wrong("people", json.loads((item / "people.json").read_bytes())) == []
    lines = (item / "timeline.jsonl").read_text("utf-8").splitlines()
    assert [problem for line in lines for problem in wrong("timeline", json.loads(line))] == []

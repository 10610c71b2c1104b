"""Reads the imports of the package and compares them with the table of rooms. Used by the tests beside it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = "hydrophone"

#: From the ground up. A room may import rooms of lower levels and itself, never a room of its own level.
LEVELS: tuple[tuple[str, ...], ...] = (
    ("late",),
    ("model", "errors"),
    ("links", "hls", "audio", "captions", "analytics", "render"),
    ("http",),
    # chat: a service of its own behind both X and Periscope, so a room beside them and not a part of xweb
    ("periscope", "xweb", "xapi", "chat", "archive", "media"),
    ("recorder", "broadcasting", "watch", "publish", "fleet"),
    ("fields",),
    ("settings",),
    ("logins", "apilogin", "noted"),
    ("wiring",),
    ("reaching",),
    ("checkup", "onair", "lookback", "discovering", "knowing", "apisignin"),
    ("app",),
    ("syncdoor",),
    ("cli", "web", "__main__"),
)
#: Apart from the rest: what these may import beside themselves.
APART = {"sandbox": {"model", "errors"}, "testing": {"model", "errors", "sandbox"}}
#: Who may import the rooms that stand apart: the edges show them to users.
MAY_USE_APART = {"cli", "web", "testing"}
#: Only the standard library, so that the words cost nothing.
STANDARD_LIBRARY_ONLY = {"model", "errors"}
#: The package itself re-exports the public door on first use.
DOOR = {"app", "errors", "model", "recorder", "settings", "syncdoor"}
ONLY_APP_IS_USED_BY = {"syncdoor", "cli", "web", "__main__", ""}
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "misc", "common", "commons", "tools", "stuff", "functions", "base"}

_LEVEL_OF = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}


@dataclass(frozen=True)
class Import:
    """`file` imports `target`, a dotted name, at `line`."""

    file: Path
    line: int
    target: str


def imports_of(file: Path, package: str) -> Iterator[Import]:
    """Every import of a file, also those inside functions, classes and ``if TYPE_CHECKING``.

    Args:
        package: the dotted name of the package that holds the file, to resolve relative imports.
    """
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from (Import(file, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:
                parts = package.split(".")
                start = ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])
            yield from (Import(file, node.lineno, f"{start}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _is_import_call(node) and isinstance(node.args[0], ast.Constant):
            yield Import(file, node.lineno, str(node.args[0].value))


def _is_import_call(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in ("import_module", "__import__") and bool(node.args)


def room_of(dotted: str) -> str | None:
    """The room that a dotted name of ours lies in; ``""`` for the package itself, None for what is not ours."""
    parts = dotted.split(".")
    if parts[0] != ROOT:
        return None
    known = _LEVEL_OF.keys() | APART.keys()
    return parts[1] if len(parts) > 1 and parts[1] in known else ""


def offences(source: Path) -> list[str]:
    """Every breach of the table below `source`, the directory that holds the package."""
    found: list[str] = []
    for file in sorted((source / ROOT).rglob("*.py")):
        relative = file.relative_to(source).with_suffix("")
        room = room_of(".".join(relative.parts)) or ""
        if not room and relative.name != "__init__":
            found.append(f"{relative}: stands in no room of the table")
        if relative.name in VAGUE_NAMES:
            found.append(f"{relative}: a name that says nothing")
        for item in imports_of(file, ".".join(relative.parts[:-1])):
            reason = _objection(room, item.target)
            if reason:
                found.append(f"{relative}.py:{item.line}: imports {item.target}: {reason}")
    return found


def _objection(room: str, target: str) -> str | None:
    other = room_of(target)
    if other is None:
        outside = target.split(".")[0] not in sys.stdlib_module_names
        return "this room needs only the standard library" if room in STANDARD_LIBRARY_ONLY and outside else None
    if other == room or (other == "" and target != ROOT and not _is_submodule(target)):
        return None  # its own room, or a plain name of the package such as __version__
    if room == "":
        return None if other in DOOR else "the package only opens the door to the app"
    if room in APART:
        return None if other in APART[room] else "this room stands apart"
    if other in APART:
        return None if room in MAY_USE_APART else f"{other} stands apart"
    if other == "app" and room not in ONLY_APP_IS_USED_BY:
        return "only the edges use the app"
    if _LEVEL_OF.get(other, 99) >= _LEVEL_OF[room] and not (room == "__main__" and other == "cli"):
        return "sideways" if _LEVEL_OF.get(other) == _LEVEL_OF[room] else "against the arrows"
    return None


def _is_submodule(target: str) -> bool:
    return target.split(".")[1] in _LEVEL_OF

"""Writes the reference pages that follow from the code: commands, settings, errors, exit codes.

``python docs/generate.py`` writes them, ``--check`` only says which are out of date (and ends with 1 if any is).
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from cyclopts import App, Parameter

from hydrophone import errors
from hydrophone.cli.context import COMMON_OPTIONS
from hydrophone.cli.exits import CODES, Exit
from hydrophone.cli.tree import COMMANDS, build_app
from hydrophone.settings import Settings, environment_name, is_secret

PAGES = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py. Change the code, then run `make docs`. -->\n\n"
FLAG = re.compile(r"--?\w[\w-]*")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; say what is out of date")
    check = parser.parse_args().check
    stale = [name for name, page in generated().items() if _differs(PAGES / name, page)]
    for name in stale:
        if check:
            sys.stderr.write(f"docs/reference/{name} is out of date; run `make docs`\n")
        else:
            (PAGES / name).write_text(generated()[name], encoding="utf-8")
    return 1 if check and stale else 0


def generated() -> dict[str, str]:
    """The text of every generated page by file name."""
    makers: dict[str, Callable[[], str]] = {
        "commands.md": commands_page,
        "settings.md": settings_page,
        "errors.md": errors_page,
        "exit-codes.md": exit_codes_page,
        "schemas.md": schemas_page,
    }
    return {name: NOTE + make().rstrip() + "\n" for name, make in makers.items()} | {
        path.name: path.read_text("utf-8") for path in schema_files()
    }


def schema_files() -> list[Path]:
    return sorted(Path(str(files("hydrophone.render") / "schemas")).glob("*.schema.json"))


def schemas_page() -> str:
    """Every field of the files that are described by a JSON Schema."""
    parts = [
        "# Fields of the JSON files\n\nEach form is described by a JSON Schema (2020-12), which is in the package too, "
        "in `hydrophone/render/schemas/`. The test suite holds what is written against them.\n"
    ]
    for path in schema_files():
        schema = json.loads(path.read_text("utf-8"))
        parts.append(f"## {schema['title']}\n\n{schema['description']} [JSON Schema]({path.name})\n")
        parts += [*_table(("field", "type", "meaning"), _fields(schema)), ""]
    return "\n".join(parts)


def _fields(schema: dict[str, Any], above: str = "") -> Iterable[tuple[str, str, str]]:
    for name, field in schema.get("properties", {}).items():
        optional = "" if name in schema.get("required", ()) else ", may be absent"
        yield f"`{above}{name}`", _kind(field) + optional, field["description"]
        inner, mark = (field["items"], "[].") if "items" in field else (field, ".")
        yield from _fields(inner, f"{above}{name}{mark}")


def _kind(field: dict[str, Any]) -> str:
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return "one of " + ", ".join(f"`{value}`" for value in field["enum"])
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    return " or ".join(kinds)


def commands_page() -> str:
    """Every command with its help, examples and flags."""
    app = build_app()
    parts = [
        "# Commands\n\nEvery command knows the [common options](#common-options) unless it says otherwise, and ends "
        "with one of the [exit codes](exit-codes.md).\n"
    ]
    for name, _ in COMMANDS:
        parts += _command(app[name], f"hydrophone {name}", level=2)
    flags = [row for name, row in _flags(app["record"]) if name == COMMON_OPTIONS]
    return "\n".join([*parts, "## Common options\n", *_table(("option", "meaning"), flags)])


def _command(app: App, title: str, *, level: int) -> list[str]:
    text = app.help or inspect.getdoc(app.default_command) or ""
    about, _, rest = inspect.cleandoc(text).partition("For example:\n")
    examples = inspect.cleandoc(re.split(r"\n\s*\nParameters\n", rest)[0])
    parts = [f"{'#' * level} {title}\n", about.strip() + "\n", f"```console\n{_prompted(examples)}\n```\n"]
    if app.default_command is not None:
        flags = [row for group, row in _flags(app) if group != COMMON_OPTIONS]
        parts += [*_table(("argument or option", "meaning"), flags), ""] if flags else []
    for name in app:
        if not name.startswith("-"):
            parts += _command(app[name], f"{title} {name}", level=level + 1)
    return parts


def _prompted(examples: str) -> str:
    return "\n".join(f"$ {line.strip()}" for line in examples.splitlines())


def _flags(app: App) -> Iterable[tuple[str, tuple[str, str]]]:
    for argument in app.assemble_argument_collection(default_parameter=Parameter(negative=()), parse_docstring=True):
        if not argument.show:
            continue
        names = sorted(argument.names, key=lambda name: (not name.startswith("--"), len(name)))
        shown = ", ".join(f"`{name}`" for name in names if FLAG.fullmatch(name)) or f"`{argument.name}`"
        group = argument.parameter.group[0] if argument.parameter.group else ""
        yield getattr(group, "name", str(group)), (shown, str(argument.parameter.help or ""))


def settings_page() -> str:
    """The table of settings from the `Settings` class."""
    rows = []
    for name, info in Settings.model_fields.items():
        text = _default(name, info.default)
        key = "not in the file" if is_secret(name) or name == "config" else f"`{name}`"
        rows.append((key, f"`{environment_name(name)}`", text, info.description or ""))
    return "\n".join(
        [
            "# Settings",
            "",
            "A flag counts more than the environment, that more than the TOML file, and that more than the default. "
            "`hydrophone config` shows each value and where it came from. The file is `config.toml` in the platform's "
            "configuration folder (`~/.config/hydrophone` on Linux), or the one that `--config` names. An unknown key "
            "is an error.",
            "",
            *_table(("key in the TOML file", "environment", "default", "meaning"), rows),
        ]
    )


def _default(name: str, value: object) -> str:
    places = {"archive": "`Hydrophone` in your music folder", "state_dir": "the platform's state folder"}
    if name in places:
        return places[name]
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return f"`{value}`" if isinstance(value, int | float | str) else ""


def errors_page() -> str:
    """The family tree of errors, from `errors.py`."""
    rows = []
    for depth, kind in _tree(errors.HydrophoneError):
        summary = " ".join(inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].split())
        code = "" if kind is errors.HydrophoneError else str(int(_code_of_class(kind)))
        rows.append(("&nbsp;" * 4 * depth + f"`{kind.__name__}`", code, summary))
    return "\n".join(
        [
            "# Errors",
            "",
            "All that Hydrophone raises on purpose is a `HydrophoneError` with a `message` and `advice`. The classes "
            "are in `hydrophone.errors`; the command line turns each into an [exit code](exit-codes.md).",
            "",
            *_table(("error", "exit code", "raised when"), rows),
        ]
    )


def _tree(kind: type[errors.HydrophoneError], depth: int = 0) -> Iterable[tuple[int, type[errors.HydrophoneError]]]:
    yield depth, kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child, depth + 1)


def _code_of_class(kind: type[BaseException]) -> Exit:
    return next(CODES[parent] for parent in kind.__mro__ if parent in CODES)


def exit_codes_page() -> str:
    """The exit codes and what leads to them."""
    rows = []
    for code in Exit:
        kinds = [kind.__name__ for kind in CODES if CODES[kind] is code]
        rows.append((f"**{int(code)}**", code.meaning, ", ".join(f"`{kind}`" for kind in kinds)))
    return "\n".join(
        [
            "# Exit codes",
            "",
            "Of many recordings in one command, the first failure decides; without any, gaps do. A class that is not "
            "named here counts as its nearest ancestor in the [tree of errors](errors.md).",
            "",
            *_table(("code", "meaning", "errors"), rows),
        ]
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _differs(path: Path, text: str) -> bool:
    return not path.is_file() or path.read_text(encoding="utf-8") != text


if __name__ == "__main__":
    sys.exit(main())

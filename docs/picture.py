"""Draws docs/images/demo.svg from a real run of `hydrophone demo`. Run by `make picture`."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

PICTURE = Path(__file__).parent / "images" / "demo.svg"
COLUMNS = 140
SECONDS = 300
#: The usual template loads fonts from another host; a page must not make its reader do that.
SVG_FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def main() -> int:
    command = sys.argv[1:] or ["demo"]
    shown, code = run(command)
    if code:
        sys.stderr.write(f"hydrophone {' '.join(command)} ended with {code}; the picture stays as it is\n{shown}")
        return 1
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(draw(f"$ hydrophone {' '.join(command)}\n{shown}"), encoding="utf-8")
    return 0


def run(command: list[str]) -> tuple[str, int]:
    """What the command prints, with colours, and its exit code."""
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-m", "hydrophone", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        timeout=SECONDS,
        check=False,
    )
    return done.stdout.decode(), done.returncode


def draw(text: str) -> str:
    """A terminal with this text, as SVG that loads nothing. Folders of this machine are shortened."""
    here = text.replace(str(Path.cwd()) + os.sep, "").replace(str(Path.home()), "~")
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(here))
    return console.export_svg(title="hydrophone", theme=MONOKAI, code_format=SVG_FORMAT, unique_id="demo")


if __name__ == "__main__":
    sys.exit(main())

"""The command line: parse, call one thing, show the answer.

Commands live in `cli/commands/`, one file each, and are imported only when they are called.
"""

from __future__ import annotations

from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Run one command line, without the program's name, and return the exit code."""
    from hydrophone.cli.tree import dispatch

    return dispatch(arguments)

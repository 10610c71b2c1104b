"""The command line: parse, call one thing, show the answer.

Commands live in `cli/commands/`, one file each, and are imported only when they are called.
"""

from __future__ import annotations

from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Run one command line, without the program's name, and return the exit code."""
    import gc

    # Hardly anything that is imported is ever let go of; looking for it would be a tenth of the start.
    gc.set_threshold(100_000)
    from hydrophone.cli.tree import dispatch

    return dispatch(arguments)

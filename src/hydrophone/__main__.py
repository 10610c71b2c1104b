"""The command `hydrophone`. What needs no machinery is answered before any is loaded."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line on `sys.argv` and return the exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from hydrophone import __version__

        print(f"hydrophone {__version__}")  # noqa: T201  (the one answer that is given outside cli/)
        return 0
    from hydrophone.cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

"""Measures Hydrophone beside other programs and writes `docs/benchmarks.md`. ``make bench`` runs all of it.

``--quick`` goes through every case in a few minutes, ``--case`` chooses one; see ``--help``.
"""

import sys
from pathlib import Path

# The folder above, in place of this one: what is imported is the package `bench`, and no file here hides a module of
# the standard library.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())

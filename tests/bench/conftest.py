"""Makes the bench's package importable: it is no part of what is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The bench reads /proc and asks the kernel for what a child has cost."""
    for item in items:
        if Path(__file__).parent in item.path.parents and sys.platform != "linux":
            item.add_marker(pytest.mark.skip(reason="the bench measures with what Linux offers"))

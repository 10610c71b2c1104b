"""What a test measured, for the reports: everything told here becomes a property of the test that is running.

A helper deep inside a test tells it, the fixture in `conftest` hands it over, and `--junitxml` writes it down.
"""

from __future__ import annotations

_TOLD: list[tuple[str, object]] = []


def tell(name: str, value: object) -> None:
    """Note a fact about the test that is running."""
    _TOLD.append((name, value))


def take() -> list[tuple[str, object]]:
    """What has been told since the last time."""
    told = _TOLD.copy()
    _TOLD.clear()
    return told

"""What holds for every test: how hard hypothesis searches, and no settings from the machine that runs them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

import facts

#: `make hunt` sets it: search for hours rather than minutes. Tests of kills and storms read it too.
IS_HUNT = bool(os.environ.get("HYDROPHONE_HUNT"))

# No deadline: a busy machine must not fail a test.
settings.register_profile("daily", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "hunt", settings.get_profile("daily"), max_examples=20_000, suppress_health_check=list(HealthCheck)
)
settings.load_profile("hunt" if IS_HUNT else "daily")


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> None:
    for name in list(os.environ):
        if name.startswith("HYDROPHONE_") and name != "HYDROPHONE_HUNT":
            del os.environ[name]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command that runs inside a test sets the level of our logger for its whole process."""
    ours = logging.getLogger("hydrophone")
    before = ours.level
    yield
    ours.setLevel(before)


@pytest.fixture(autouse=True)
def _facts_for_the_report(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test told (see `facts`) stands in its report."""
    facts.take()
    yield
    request.node.user_properties.extend(facts.take())


@pytest.fixture(scope="session")
def is_hunt() -> bool:
    """True under `make hunt`: loop longer."""
    return IS_HUNT

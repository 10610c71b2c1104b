"""The pytest plugin: fixture `hydrophone_sandbox`. Costs nothing in runs that do not use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hydrophone.testing.box import SandboxBox


@pytest.fixture
def hydrophone_sandbox() -> Iterator[Callable[..., SandboxBox]]:
    """A function that starts a sandbox, as `hydrophone.testing.sandbox` does; it stops when the test ends.

    ::

        def test_mine(hydrophone_sandbox):
            box = hydrophone_sandbox("ended-short", speed=10)
    """
    from hydrophone.testing.box import sandbox

    with ExitStack() as stack:

        def start(*scenes: Any, **options: Any) -> SandboxBox:
            return stack.enter_context(sandbox(*scenes, **options))

        yield start

"""Command lines typed inside the test's own process, against a sandbox whose Spaces are to be found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hydrophone.cli import run
from hydrophone.testing import Scene, sandbox
from hydrophone.testing.box import SandboxBox

#: Takes the words of a command; gives exit code, standard output, standard error.
Typed = Callable[..., tuple[int, str, str]]


@contextmanager
def unhurried(*scenes: Scene, speed: float = 1.0) -> Iterator[SandboxBox]:
    """A sandbox whose X API may be asked as fast as a test can."""
    with sandbox(*scenes, speed=speed) as box:
        box.control.ask("POST", "/api2/switches", {"pace": False})
        yield box


def typing_at(
    box: SandboxBox, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    """Type to this sandbox, from an account of one's own whose home is `home`."""
    for name in list(os.environ):
        if name.startswith("HYDROPHONE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HYDROPHONE_SANDBOX", box.bases["control"])
    monkeypatch.setenv("HYDROPHONE_STATE_DIR", str(home / "state"))
    monkeypatch.setenv("HYDROPHONE_ARCHIVE", str(home / "archive"))
    monkeypatch.setenv("HOME", str(home))
    box.control.clear_faults()

    def go(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return go

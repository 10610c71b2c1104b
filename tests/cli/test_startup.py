"""What starting costs, counted in modules rather than in seconds, so that a busy machine does not matter."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("aiohttp", "av", "cryptography", "cyclopts", "pydantic", "rich", "asyncio")


def modules_after(*arguments: str) -> tuple[set[str], str]:
    program = (
        "import sys\n"
        f"sys.argv[1:] = {list(arguments)!r}\n"
        "from hydrophone.__main__ import main\n"
        "code = main()\n"
        "print('\\n' + ' '.join(sys.modules), code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    *text, modules = done.stdout.rstrip().splitlines()
    return set(modules.split()), "\n".join(text)


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version_loads_nothing_heavy(flag: str) -> None:
    modules, text = modules_after(flag)
    assert text.startswith("hydrophone 0.")
    assert not modules & set(HEAVY)


def test_the_engine_of_a_recording_loads_nothing_that_only_others_need() -> None:
    code = (
        "import sys, hydrophone.app, hydrophone.cli.commands.record; "
        "print(sorted({'av', 'pydantic', 'cryptography', 'hydrophone.broadcasting'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [["--help"], ["record", "--help"]])
def test_help_loads_no_engine(arguments: list[str]) -> None:
    modules, text = modules_after(*arguments)
    assert "For example:" in text
    assert not modules & {"aiohttp", "av", "cryptography", "pydantic"}

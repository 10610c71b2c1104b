"""No value of the house tells a secret when it is shown: each field that holds one is left out of the class's repr."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
SECRET = re.compile(
    r"(^|_)(auth_token|ct0|access|refresh|token|secret|password|bearer|verifier|cookies|chat_token|sid|jwt|stream_key"
    r"|proxy|passcode|authorization)$"
)
#: Names like secrets that are none, by class and field, with the reason.
HARMLESS = {
    "Settings.cookies": "the path of a file",
    "Common.cookies": "the path of a file",
    "Common.proxy": "what was typed as a flag; every user of the machine can read it there",
    "CookieFile.cookies": "cookies that leave out their own values",
    "Answer.next_token": "names a page of an answer, opens nothing",
    "Answer.previous_token": "the same",
}


def shown_secrets(source: str) -> Iterator[str]:
    """Annotated fields of classes without a repr of their own, whose names say secret and which are not left out."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef):
            continue
        if any(isinstance(one, ast.FunctionDef) and one.name == "__repr__" for one in node.body):
            continue
        for one in node.body:
            if not (isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)):
                continue
            value = ast.unparse(one.value) if one.value else ""
            if SECRET.search(one.target.id) and "repr=False" not in value:
                yield f"{node.name}.{one.target.id}"


def all_shown() -> set[str]:
    # The sandbox shows whoever asks for it what it has made up.
    files = [path for path in SOURCE.rglob("*.py") if "sandbox" not in path.parts]
    assert len(files) > 200
    return {name for path in files for name in shown_secrets(path.read_text("utf-8"))}


def test_no_secret_is_shown_by_a_repr() -> None:
    assert all_shown() - set(HARMLESS) == set()


def test_what_is_called_harmless_is_still_there() -> None:
    assert set(HARMLESS) <= all_shown()


@pytest.mark.parametrize("field", ["auth_token: str", "proxy: str | None = None", "client_secret: str = field()"])
def test_the_search_finds(field: str) -> None:
    assert list(shown_secrets(f"@dataclass\nclass Login:\n    name: str\n    {field}\n"))


@pytest.mark.parametrize("field", ["auth_token: str = field(repr=False)", "token_count: int", "media_key: str"])
def test_the_search_spares(field: str) -> None:
    assert list(shown_secrets(f"@dataclass\nclass Login:\n    {field}\n")) == []

"""Fields of settings: which values they take, however these are written."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest

from hydrophone.fields import Field, FieldError, SecretStr, Table


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even")
    return value


class Sample(Table):
    """One field of each kind."""

    where: Path | None = Field(None, description="A place.")
    name: str = Field("n", min_length=1, pattern=r"^[a-z\d]+$", description="A text.")
    hidden: SecretStr | None = Field(None, description="A secret.", repr=False)
    is_on: bool = Field(False, description="A switch.")
    count: int = Field(2, ge=0, le=10, check=_even, description="A number.")
    seconds: float = Field(1.0, gt=0, description="A length.")
    money: Decimal | None = Field(None, ge=0, description="A sum.")
    kind: Literal["a", "b", "c"] = Field("a", description="One of three.")
    table: dict[str, str] = Field(default_factory=dict, description="Texts by name.")


@pytest.mark.parametrize(
    ("field", "given", "held"),
    [
        ("where", Path("~/x"), Path("~/x")),
        ("where", None, None),
        ("name", "abc1", "abc1"),
        ("is_on", "Yes", True),
        ("is_on", "off", False),
        ("is_on", 1, True),
        ("count", "4", 4),
        ("count", 4.0, 4),
        ("seconds", "1e3", 1000.0),
        ("seconds", 2, 2.0),
        ("money", "0.1", Decimal("0.1")),
        ("money", 0.1, Decimal("0.1")),
        ("kind", "c", "c"),
        ("table", {"x": "y"}, {"x": "y"}),
    ],
)
def test_a_value_is_read_as_what_the_field_holds(field: str, given: object, held: object) -> None:
    found = getattr(Sample(**{field: given}), field)
    assert found == held
    assert type(found) is type(held)


def test_a_place_may_begin_with_the_home() -> None:
    assert Sample(where="~/x").where == Path.home() / "x"


@pytest.mark.parametrize(
    ("field", "given", "reason"),
    [
        ("where", 5, "Input is not a valid path"),
        ("name", "", "String should match pattern"),
        ("name", "A", "String should match pattern"),
        ("name", "abc\n", "String should match pattern"),
        ("name", None, "Input should be a valid string"),
        ("hidden", 5, "Input should be a valid string"),
        ("is_on", "perhaps", "Input should be a valid boolean"),
        ("count", "many", "Input should be a valid integer, unable to parse"),
        ("count", 1.5, "got a number with a fractional part"),
        ("count", float("nan"), "got a number with a fractional part"),
        ("count", [], "Input should be a valid integer"),
        ("count", 12, "Input should be less than or equal to 10"),
        ("count", -1, "Input should be greater than or equal to 0"),
        ("count", 3, "must be even"),
        ("seconds", 0, "Input should be greater than 0"),
        ("seconds", "nan", "Input should be greater than 0"),
        ("money", "much", "Input should be a valid decimal"),
        ("money", "Infinity", "Input should be a finite number"),
        ("kind", "d", "Input should be 'a', 'b' or 'c'"),
        ("table", [], "Input should be a valid dictionary"),
        ("table", {"x": 1}, "Input should be a valid string"),
        ("colour", "red", "Extra inputs are not permitted"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_could(field: str, given: object, reason: str) -> None:
    with pytest.raises(FieldError) as caught:
        Sample(**{field: given})
    assert caught.value.field == field
    assert caught.value.reason.startswith(reason) or reason in caught.value.reason


def test_a_table_is_frozen_compares_by_value_and_hides_what_it_must() -> None:
    secret = "canary0123"
    one: Any = Sample(hidden=secret, count=4)
    with pytest.raises(AttributeError, match="frozen"):
        one.count = 6
    assert one == Sample(hidden=SecretStr(secret), count=4)
    assert one != Sample(count=4)
    assert secret not in repr(one) + str(one.hidden) + repr(one.hidden)
    assert one.hidden.get_secret_value() == secret
    assert "count=4" in repr(one)


def test_an_empty_secret_is_none() -> None:
    assert not SecretStr("")

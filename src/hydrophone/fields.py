"""A table of settings, checked: what a field is, which values it takes, and what is said about one that it does not.

Values come as they are written in files, environments and flags: text where a number or a switch is meant is read as
one. Nothing is imported that the rest of a start does not need; a general library for this took a tenth of a second.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

_TRUE = ("1", "on", "t", "true", "y", "yes")
_FALSE = ("0", "off", "f", "false", "n", "no")


class SecretStr:
    """A text that shows itself to nobody who does not ask for it by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        return self._text

    def __len__(self) -> int:
        return len(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __str__(self) -> str:
        return "**********" if self._text else ""

    def __repr__(self) -> str:
        return f"SecretStr('{self}')"


class FieldError(ValueError):
    """A field cannot have this value. `field` names it; the message does not repeat the value, which may be secret."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class FieldInfo:
    """What a field is. `annotation` is its type as declared, without the None that it may allow (`is_optional`)."""

    default: Any = None
    default_factory: Callable[[], Any] | None = None
    description: str = ""
    pattern: str | None = None
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    min_length: int | None = None
    check: Callable[[Any], Any] | None = None
    repr: bool = True
    annotation: Any = None
    is_optional: bool = False

    def first_value(self) -> Any:
        """The default."""
        return self.default if self.default_factory is None else self.default_factory()

    def read(self, value: Any) -> Any:
        """The value as the field holds it.

        Raises:
            ValueError: it cannot be one; the message says what could.
        """
        if value is None and self.is_optional:
            return None
        found = _read(self.annotation, value)
        self._check_limits(found)
        return found if self.check is None else self.check(found)

    def _check_limits(self, value: Any) -> None:
        # Python's `$` would let a line feed pass at the end.
        if self.pattern is not None and not re.search(re.sub(r"\$\Z", r"\\Z", self.pattern), value):
            _refuse(f"String should match pattern '{self.pattern}'")
        if self.min_length is not None and len(value) < self.min_length:
            _refuse(f"String should have at least {self.min_length} character{'s' * (self.min_length > 1)}")
        if self.ge is not None and not value >= self.ge:
            _refuse(f"Input should be greater than or equal to {self.ge}")
        if self.gt is not None and not value > self.gt:
            _refuse(f"Input should be greater than {self.gt}")
        if self.le is not None and not value <= self.le:
            _refuse(f"Input should be less than or equal to {self.le}")


def Field(  # noqa: N802  (stands where a class would)
    default: Any = None,
    *,
    default_factory: Callable[[], Any] | None = None,
    description: str,
    pattern: str | None = None,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    min_length: int | None = None,
    check: Callable[[Any], Any] | None = None,
    repr: bool = True,  # noqa: A002  (named as dataclasses name it)
) -> Any:
    """Declare a field: its default, what is said about it, and its limits.

    Args:
        pattern: must be found in the text.
        check: gets the value of the right type; returns the one to hold, or raises ValueError.
        repr: False for what may hold a secret.
    """
    return FieldInfo(
        default=default,
        default_factory=default_factory,
        description=description,
        pattern=pattern,
        ge=ge,
        gt=gt,
        le=le,
        min_length=min_length,
        check=check,
        repr=repr,
    )


class Table:
    """A frozen set of fields: subclass it, and declare each as ``name: type = Field(…)``.

    Making one reads and checks every value that is given, and raises `FieldError` for the first that cannot be.
    """

    model_fields: ClassVar[Mapping[str, FieldInfo]] = {}

    def __init_subclass__(cls) -> None:
        found: dict[str, FieldInfo] = dict(cls.model_fields)
        declared = {name: value for name, value in vars(cls).items() if isinstance(value, FieldInfo)}
        hints = get_type_hints(cls) if declared else {}
        for name, info in declared.items():
            info.annotation, info.is_optional = _without_none(hints[name])
            found[name] = info
            delattr(cls, name)
        cls.model_fields = found

    def __init__(self, **values: Any) -> None:
        fields = type(self).model_fields
        for name in values:
            if name not in fields:
                raise FieldError(name, "Extra inputs are not permitted")
        held = self.__dict__
        for name, info in fields.items():
            if name not in values:
                held[name] = info.first_value()
                continue
            try:
                held[name] = info.read(values[name])
            except ValueError as error:
                raise FieldError(name, str(error)) from None

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen; make another one")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = (f"{name}={self.__dict__[name]!r}" for name, info in type(self).model_fields.items() if info.repr)
        return f"{type(self).__name__}({', '.join(shown)})"

    def _values(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in type(self).model_fields}


# ---------------------------------------------------------------- reading


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """A type, and whether None is allowed beside it."""
    if get_origin(annotation) not in (UnionType, Union):
        return annotation, False
    (only,) = (kind for kind in get_args(annotation) if kind is not type(None))
    return only, True


def _refuse(reason: str) -> NoReturn:
    raise ValueError(reason)


def _read(kind: Any, value: Any) -> Any:
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else _refuse(f"Input should be {_alternatives(get_args(kind))}")
    if get_origin(kind) is dict:
        return _read_table(value)
    return _READERS[kind](value)


def _read_text(value: Any) -> str:
    return value if isinstance(value, str) else _refuse("Input should be a valid string")


def _read_secret(value: Any) -> SecretStr:
    return value if isinstance(value, SecretStr) else SecretStr(_read_text(value))


def _read_path(value: Any) -> Path:
    if isinstance(value, str):
        return Path(value).expanduser()
    return value if isinstance(value, Path) else _refuse("Input is not a valid path")


def _read_switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower() if isinstance(value, str | int) else ""
    if text in _TRUE:
        return True
    return False if text in _FALSE else _refuse("Input should be a valid boolean, unable to interpret input")


def _read_whole(value: Any) -> int:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            _refuse("Input should be a valid integer, unable to parse string as an integer")
    if isinstance(value, float) and not value.is_integer():
        _refuse("Input should be a valid integer, got a number with a fractional part")
    return int(value) if isinstance(value, int | float) else _refuse("Input should be a valid integer")


def _read_number(value: Any) -> float:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            _refuse("Input should be a valid number, unable to parse string as a number")
    return float(value) if isinstance(value, int | float) else _refuse("Input should be a valid number")


def _read_decimal(value: Any) -> Decimal:
    try:
        # By way of its text, 0.1 stays a tenth.
        found = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        _refuse("Input should be a valid decimal")
    return found if math.isfinite(found) else _refuse("Input should be a finite number")


def _read_table(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        _refuse("Input should be a valid dictionary")
    return {_read_text(name): _read_text(item) for name, item in value.items()}


_READERS: dict[Any, Callable[[Any], Any]] = {
    str: _read_text,
    SecretStr: _read_secret,
    Path: _read_path,
    bool: _read_switch,
    int: _read_whole,
    float: _read_number,
    Decimal: _read_decimal,
}


def _alternatives(values: tuple[Any, ...]) -> str:
    *most, last = map(repr, values)
    return f"{', '.join(most)} or {last}" if most else last

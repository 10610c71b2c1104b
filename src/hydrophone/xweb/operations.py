"""The GraphQL operations as we ship them: query ids in the order to try, methods, feature sets.

The facts are in `operations.json` beside this file, so that a new id is a change of data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class QueryForm:
    """One way to ask an operation: a query id and the switches that go with it."""

    query_id: str
    features: Mapping[str, bool] = field(default_factory=dict)
    field_toggles: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """A GraphQL operation. The wrong method is answered like an unknown query id, so it is part of the facts.

    `default_features` go with a query id about which nothing is known: the service ignores those it does not need.
    """

    name: str
    method: str
    allows_guests: bool
    forms: tuple[QueryForm, ...]
    default_features: Mapping[str, bool] = field(default_factory=dict)


@cache
def shipped_operations() -> Mapping[str, Operation]:
    """All operations by name. Read once from the package; a damaged installation is a programming error."""
    text = resources.files("hydrophone.xweb").joinpath("operations.json").read_text("utf-8")
    shipped = json.loads(text)
    sets: dict[str, dict[str, bool]] = shipped["feature_sets"]
    return {name: _read_operation(name, facts, sets) for name, facts in shipped["operations"].items()}


def _read_operation(name: str, facts: Mapping[str, Any], sets: Mapping[str, Mapping[str, bool]]) -> Operation:
    def features(of: str | None) -> Mapping[str, bool]:
        return sets[of] if of is not None else {}

    forms = tuple(
        QueryForm(query["id"], features(query["features"]), query.get("field_toggles", {}))
        for query in facts["queries"]
    )
    return Operation(name, facts["method"], facts["guests"], forms, features(facts["default_features"]))

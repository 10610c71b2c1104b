"""The GraphQL door: operation, query id, method, features and variables are checked here; the answers are in `queries`.

Source: web endpoint reference, "GraphQL".
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping
from typing import Any

from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.answers import NAMED, empty_answer, missing_features
from hydrophone.sandbox.x.discovery import newest_features
from hydrophone.sandbox.x.gate import Asked, answer_api, say
from hydrophone.sandbox.x.operations import BY_NAME, Operation
from hydrophone.sandbox.x.queries import QUERIES
from hydrophone.sandbox.x.switches import read_switches

PATH = r"(?:/i/api)?/graphql/(?P<query_id>[\w-]+)/(?P<operation>\w+)"


def answer_graphql(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """Answer one GraphQL request."""
    operation = BY_NAME.get(exchange.group("operation"))
    query_id = exchange.group("query_id")
    if operation is None or operation.method != exchange.method:
        return say(world, exchange, empty_answer(404))
    needed = _needed_features(operation, query_id, read_switches(world))
    if needed is None:
        return say(world, exchange, empty_answer(404))

    def work(asked: Asked) -> Answer:
        return _work(asked, operation, query_id, needed)

    return answer_api(world, exchange, operation.name, work, for_guests=operation.guests, is_graphql=True)


def _needed_features(operation: Operation, query_id: str, switches: Mapping[str, Any]) -> frozenset[str] | None:
    """The features that this id insists on, None when it does not answer any more."""
    if query_id in switches["retired_query_ids"]:
        return None
    if query_id == operation.newest_query_id:
        return newest_features(operation, switches)
    state = switches["query_ids"]
    if state == "all_rotated" or (state == "rotated" and operation.name == "AudioSpaceById"):
        return None
    needed = operation.query_ids.get(query_id)
    return needed | frozenset(switches["extra_features"]) if needed else needed


def _work(asked: Asked, operation: Operation, query_id: str, needed: frozenset[str]) -> Answer:
    question = _question(asked.exchange)
    if question is None or question.get("queryId", query_id) != query_id:
        return NAMED["422_variables"]
    variables, features = question.get("variables"), question.get("features")
    if not isinstance(variables, dict):
        return NAMED["422_variables"]
    given = features if isinstance(features, dict) else {}
    missing = sorted(name for name in needed if given.get(name) is None)
    if missing:
        return missing_features(missing[: int(asked.switches["features_named"]) or None])
    return QUERIES[operation.name](asked, variables, given)


def _question(exchange: Exchange) -> dict[str, Any] | None:
    """Variables, features and query id, from the query or from the body; None when they do not parse."""
    if exchange.method == "POST":
        body = exchange.json()
        return body if isinstance(body, dict) else None
    question: dict[str, Any] = {}
    for name in ("variables", "features", "fieldToggles"):
        if name in exchange.params:
            try:
                question[name] = json.loads(exchange.params[name])
            except (ValueError, RecursionError):
                return None
    return question

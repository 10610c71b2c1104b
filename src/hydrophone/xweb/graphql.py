"""One GraphQL call that heals itself: other query ids, missing features, discovery, transaction ids.

The service changes ids and features without notice. What worked is remembered in the session, so that the usual call
is one request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydrophone.http.messages import Question, Reply
from hydrophone.xweb.asking import ask_api, raise_for_status, require_login
from hydrophone.xweb.operations import Operation, QueryForm
from hydrophone.xweb.reading import Node, read_json
from hydrophone.xweb.refusals import FEATURE_MISSING, Refusal, drift_error, error_by_code, read_errors, read_refusal
from hydrophone.xweb.session import WebSession

MAX_HEALINGS = 5
_MISSING = re.compile(r"features cannot be null:\s*([\w,\s]{1,20000})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` of a GraphQL answer, and the errors that came beside it."""

    data: Node
    errors: Refusal

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.errors.messages))


@dataclass(slots=True)
class _Healing:
    """What has been tried in one question."""

    signature_tried: bool = False
    sample: str = ""


def ask_graphql(session: WebSession, name: str, variables: Mapping[str, Any]) -> Question[Answer]:
    """The answer of an operation, healed as far as that is possible.

    Raises:
        NotSignedInError, RefusedError, RateLimitedError, FaultyServiceError: as the service says.
        NotFoundError: the id or the variables are malformed.
        WireError: no query id works any more, or the answer is no GraphQL answer.
    """
    operation = session.operation(name)
    if not operation.allows_guests:
        require_login(session, name)
    healing = _Healing()
    answer = yield from _try_forms(session, operation, variables, healing)
    if answer is None and session.may_discover():
        from hydrophone.xweb.discovery import discover_operation  # not before ids have changed

        found = yield from discover_operation(session, name)
        if found:
            answer = yield from _try_forms(session, operation, variables, healing)
    if answer is None:
        raise drift_error(name, "no query id that we know or could find works any more", sample=healing.sample)
    return answer


def _try_forms(
    session: WebSession, operation: Operation, variables: Mapping[str, Any], healing: _Healing
) -> Question[Answer | None]:
    for form in list(session.forms(operation)):
        answer = yield from _ask_form(session, operation, form, variables, healing)
        if answer is not None:
            session.mark_good(operation.name, form.query_id)
            return answer
        session.mark_stale(operation.name, form.query_id)
    return None


def _ask_form(
    session: WebSession, operation: Operation, form: QueryForm, variables: Mapping[str, Any], healing: _Healing
) -> Question[Answer | None]:
    """The answer by one query id, None if that id is of no use any more."""
    healings = 0
    while True:
        features = _features(session, operation, form)
        reply = yield from _send(session, operation, form, features, variables)
        if reply.status == 404:
            if (yield from _renew_signature(session, healing)):
                continue
            return None
        if reply.status == 400:
            missing = read_missing_features(reply) - features.keys()
            if missing and healings < MAX_HEALINGS:
                healings += 1
                session.learn_features(form.query_id, missing)
                continue
            if FEATURE_MISSING in read_refusal(reply).codes:
                healing.sample = reply.text[:300]
                return None
        raise_for_status(session, reply, operation.name)
        return read_answer(session, reply, operation.name)


def _features(session: WebSession, operation: Operation, form: QueryForm) -> dict[str, bool]:
    learned = session.learned_features.get(form.query_id, set())
    return {**dict.fromkeys(sorted(learned), False), **form.features}


def _send(
    session: WebSession,
    operation: Operation,
    form: QueryForm,
    features: Mapping[str, bool],
    variables: Mapping[str, Any],
) -> Question[Reply]:
    # The two hosts answer alike; guests are at home on the second.
    service, prefix = ("x", "/i/api/graphql") if session.signed_in else ("api", "/graphql")
    path = f"{prefix}/{form.query_id}/{operation.name}"
    if operation.method == "POST":
        content = {"variables": variables, "features": features, "queryId": form.query_id}
        return (
            yield from ask_api(
                session,
                operation.name,
                path,
                service=service,
                method="POST",
                body=_compact(content).encode(),
                signs=True,
            )
        )
    params = {"variables": _compact(variables)}
    if features:
        params["features"] = _compact(features)
    if form.field_toggles:
        params["fieldToggles"] = _compact(form.field_toggles)
    return (yield from ask_api(session, operation.name, path, service=service, params=params, signs=True))


def _compact(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _renew_signature(session: WebSession, healing: _Healing) -> Question[bool]:
    """An empty 404 may mean that a transaction id is missing or stale: make new ones, once per question."""
    if healing.signature_tried:
        return False
    healing.signature_tried = True
    if not session.may_learn_transaction_ids():
        return False
    from hydrophone.xweb.discovery import learn_transaction_ids  # as above

    return (yield from learn_transaction_ids(session))


def read_missing_features(reply: Reply) -> set[str]:
    """The features that a 400 asks for; empty if it is about something else."""
    names: set[str] = set()
    # The same message stands twice in each error, and one error may name only some.
    for match in _MISSING.finditer(reply.text[:200_000]):
        names.update(name for name in re.split(r"[,\s]+", match[1]) if 0 < len(name) <= 100)
        if len(names) > 500:
            break
    return names


def read_answer(session: WebSession, reply: Reply, name: str) -> Answer:
    """Data, with errors beside it as warnings; errors alone are raised by their meaning."""
    root = read_json(reply, name)
    errors = read_errors(root.value)
    data = root.at("data")
    is_empty = all(node.is_empty() for _, node in data.members())
    if is_empty and (errors.codes or errors.messages):
        error = error_by_code(errors, status=reply.status, endpoint=name)
        if error is None:
            raise drift_error(name, f"only errors: {errors.summary or errors.codes}", sample=reply.text[:300])
        session.note(error)
        raise error
    return Answer(data.need_object(), errors)

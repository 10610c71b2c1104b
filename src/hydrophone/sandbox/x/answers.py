"""Answers of the X side as plain values, and every refusal that the service is known for, by name.

A scene or a test asks for a refusal by its name (`"403_353"`); the wording is the service's own where it is known.

Source: web endpoint reference, "Errors".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hydrophone.sandbox.serving import Answer

JSON = "application/json;charset=utf-8"
HTML = "text/html; charset=UTF-8"


def json_answer(document: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    # A scene may hold lone surrogates on purpose; they go out as escapes, as a JavaScript server would write them.
    body = text.encode() if _encodes(text) else json.dumps(document).encode()
    return Answer(status, (("content-type", JSON), *headers), body)


def html_answer(text: str, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status, (("content-type", HTML), *headers), text.encode())


def text_answer(text: str, status: int, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status, (("content-type", "text/plain;charset=utf-8"), *headers), text.encode())


def empty_answer(status: int) -> Answer:
    return Answer(status, (), b"")


def with_headers(answer: Answer, *more: tuple[str, str]) -> Answer:
    """The same answer with more headers; those that it has itself win."""
    known = {name for name, _ in answer.headers}
    added = tuple(pair for pair in more if pair[0] not in known)
    return Answer(answer.status, answer.headers + added, answer.body)


def rest_error(status: int, code: int, message: str) -> Answer:
    """The list of errors as REST 1.1 writes it."""
    return json_answer({"errors": [{"code": code, "message": message}]}, status)


def graphql_error(message: str, *, code: int, name: str, kind: str, source: str, **more: Any) -> dict[str, Any]:
    """One error as GraphQL writes it: every fact twice, at the top and in `extensions`."""
    facts = {"name": name, "source": source, "code": code, "kind": kind, "tracing": {"trace_id": "9d1f8a53c02b7e64"}}
    return {"message": message, **more, "extensions": facts, **facts}


def missing_features(names: list[str]) -> Answer:
    """400 with code 336 that names these features."""
    message = "The following features cannot be null: " + ", ".join(names)
    error = graphql_error(message, code=336, name="BadRequestError", kind="Validation", source="Client")
    return json_answer({"errors": [error]}, 400)


def malformed_space_id(space_id: str) -> Answer:
    """200 with code 214, twice, as the service answers an id of a wrong form."""
    errors = [
        graphql_error(
            f"BadRequest: invalid broadcast_ids=[{space_id}]",
            code=214,
            name="BadRequestError",
            kind="Validation",
            source="Client",
            locations=[{"line": 8, "column": 3}],
            path=["audioSpace", part],
        )
        for part in ("metadata", "sharings")
    ]
    return json_answer({"errors": errors, "data": {"audioSpace": {}}})


def dependency_error(path: list[Any]) -> dict[str, Any]:
    """The error that comes beside good data when a part of it could not be loaded."""
    error = graphql_error(
        "Dependency: Unspecified",
        code=0,
        name="DependencyError",
        kind="Operational",
        source="Server",
        locations=[{"line": 14, "column": 5}],
        path=path,
    )
    error["retry_after"] = error["extensions"]["retry_after"] = 0
    return error


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _limits(limit: int, remaining: int, reset: str) -> tuple[tuple[str, str], ...]:
    headers = (("x-rate-limit-limit", str(limit)), ("x-rate-limit-remaining", str(remaining)))
    return (*headers, ("x-rate-limit-reset", reset)) if reset else headers


_LOCKED = (
    "To protect our users from spam and other malicious activity, this account is temporarily locked. "
    "Please log in to https://twitter.com to unlock your account."
)
_CSRF = "This request requires a matching csrf cookie and header."
_CHALLENGE = (
    "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
    "<body>Sorry, you have been blocked</body></html>"
)
_CLOUDFLARE = (("cf-ray", "8f0000000000abcd-FRA"), ("server", "cloudflare"))
_UNSPECIFIED = {"code": 0, "kind": "Unknown", "name": "GenericError", "source": "Server"}
_EXCEEDED: dict[str, Any] = {"code": 88, "message": "Rate limit exceeded."}
_NEVER = "4102444800"

#: Every refusal by name: HTTP status, then the service's code or a word for it.
NAMED: Mapping[str, Answer] = {
    "200_loadshed": json_answer({"errors": [{"code": -1, "message": "LoadShed: Unspecified"}], "data": {}}),
    "200_not_authorized": json_answer(
        {
            "errors": [
                {
                    "code": 37,
                    "message": "Authorization: User (uid: 1705000000000000005) is not authorized to view this Space.",
                }
            ],
            "data": {"audioSpace": {}},
        }
    ),
    "200_timeout": json_answer(
        {
            "errors": [{"code": 29, "message": "Timeout: Unspecified", "name": "TimeoutError", "kind": "Operational"}],
            "data": {"audioSpace": {}},
        }
    ),
    "200_missing": json_answer({"data": {"audioSpace": {}}}),
    "200_html": html_answer("<!DOCTYPE html><html><body>Something went wrong. Try reloading.</body></html>"),
    "200_empty": empty_answer(200),
    "200_list": json_answer([]),
    "400_feature_missing_336": missing_features(["rweb_video_timestamps_enabled", "post_ctas_fetch_enabled"]),
    "400_proxsee": json_answer({"success": False, "msg": "Bad Request"}, 400),
    "400_too_many_user_ids": rest_error(400, 0, "user_ids: too many values"),
    "401_32": rest_error(401, 32, "Could not authenticate you."),
    "401_89": rest_error(401, 89, "Invalid or expired token."),
    "401_empty": empty_answer(401),
    "401_proxsee": json_answer({"success": False, "msg": "Unauthorized"}, 401),
    "403_37": rest_error(403, 37, "Not authorized to use this endpoint."),
    "403_64": rest_error(403, 64, "Your account is suspended and is not permitted to access this feature."),
    "403_179": rest_error(403, 179, "Sorry, you are not authorized to see this status."),
    "403_200": rest_error(403, 200, "Forbidden."),
    "403_220": rest_error(403, 220, "Your credentials do not allow access to this resource."),
    "403_239": rest_error(403, 239, "Bad guest token"),
    "403_326": rest_error(403, 326, _LOCKED),
    "403_353": rest_error(403, 353, _CSRF),
    "403_353_with_new_ct0": rest_error(403, 353, _CSRF),  # the cookie is added where the request is known
    "403_access_control": rest_error(403, 0, "Denied by access control: Missing TwitterUserNotSuspended"),
    "403_cloudflare": html_answer(_CHALLENGE, 403, _CLOUDFLARE),
    "403_empty": empty_answer(403),
    "403_guest_control": json_answer({"success": False, "msg": "invalid secretvalue"}, 403),
    "404_34": rest_error(404, 34, "Sorry, that page does not exist."),
    "404_144": rest_error(404, 144, "No status found with that ID."),
    "404_empty": empty_answer(404),
    "422_variables": json_answer(
        {"errors": [{"message": "Query: Unspecified", "extensions": _UNSPECIFIED, **_UNSPECIFIED}]}, 422
    ),
    "429_88_with_budget_left": rest_error(429, 88, "Rate limit exceeded."),
    "429_absent": json_answer({"errors": [_EXCEEDED]}, 429),
    "429_absurd": json_answer({"errors": [_EXCEEDED]}, 429, _limits(500, 0, _NEVER)),
    "429_errors_is_an_object": json_answer({"errors": _EXCEEDED}, 429),
    "429_graphql": text_answer("Rate limit exceeded\n", 429),
    "429_html": html_answer("<html><body>Too Many Requests</body></html>", 429),
    "429_past": json_answer({"errors": [_EXCEEDED]}, 429, _limits(500, 0, "1262304000")),
    "429_rest_88": rest_error(429, 88, "Rate limit exceeded."),
    "500_html": html_answer("<html><body>Internal Server Error</body></html>", 500),
    "500_publish": json_answer({"success": False, "msg": "Internal Server Error"}, 500),
    "503_cloudflare": html_answer(_CHALLENGE, 503, _CLOUDFLARE),
    "503_history": empty_answer(503),
    "503_overcapacity": rest_error(503, 130, "Over capacity"),
}

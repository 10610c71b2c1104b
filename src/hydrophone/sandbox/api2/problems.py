"""Every refusal as it is sent: problem objects, their older shapes, and the faults that answer in their place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PROBLEM_TYPE = "application/problem+json"
JSON_TYPE = "application/json; charset=utf-8"
ACCOUNT_ID = 1786985443621070592

HTML_503 = (
    "<html><head><title>503 Service Temporarily Unavailable</title></head>"
    "<body><h1>Service Temporarily Unavailable</h1></body></html>\n"
)
_INVALID = "One or more parameters to your request was invalid."
_NOT_ENROLLED = (
    "When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens from a Twitter "
    "developer App that is attached to a Project. You can create a project via the developer portal."
)
#: The two blanks are real.
_UNSUPPORTED = "Authenticating with {used} is forbidden for this endpoint.  Supported authentication types are [{ok}]."
APP_ONLY, USER_CONTEXT = "OAuth 2.0 Application-Only", "OAuth 2.0 User Context"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no. `limited` says whether it carries the rate headers; `body` is JSON, or text where `content_type` is not."""

    status: int
    body: Any
    content_type: str = JSON_TYPE
    limited: bool = True
    spent: bool = False  #: the rate headers say that nothing remains


@dataclass(frozen=True, slots=True)
class Tongue:
    """How this server speaks about problems: the mode decides about the host, the shape of 402, and codes."""

    mode: str
    codes: bool = False

    def type(self, name: str) -> str:
        return f"https://api.{'twitter' if self.mode == 'legacy' else 'x'}.com/2/problems/{name}"

    # ------------------------------------------------------------ refusals

    def unauthorized(self) -> Refusal:
        if self.codes:
            return Refusal(401, {"errors": [{"message": "Invalid or expired token", "code": 89}]}, limited=False)
        return Refusal(401, plain("Unauthorized", 401), PROBLEM_TYPE, limited=False)

    def invalid(self, complaints: Sequence[Mapping[str, Any]]) -> Refusal:
        body = {"errors": list(complaints), "title": "Invalid Request", "detail": _INVALID}
        return Refusal(400, {**body, "type": self.type("invalid-request")})

    def no_credits(self) -> Refusal:
        if self.mode == "legacy":
            detail = f"Your enrolled account [{ACCOUNT_ID}] does not have any credits to fulfill this request."
            title = "CreditsDepleted"
            body = {"account_id": ACCOUNT_ID, "title": title, "detail": detail, "type": self.type("credits")}
            return Refusal(402, body)
        title = "Payment Required"
        body = {"detail": "credits depleted", "status": 402, "title": title, "type": self.type("credits-depleted")}
        return Refusal(402, body, PROBLEM_TYPE)

    def wrong_kind(self, used: str, supported: str) -> Refusal:
        detail = _UNSUPPORTED.format(used=used, ok=supported)
        body = {"title": "Unsupported Authentication", "detail": detail}
        return Refusal(403, {**body, "type": self.type("unsupported-authentication"), "status": 403})

    def forbidden(self, detail: str = "Forbidden") -> Refusal:
        return Refusal(403, plain("Forbidden", 403, detail))

    def not_enrolled(self) -> Refusal:
        body = {
            "client_id": "38211047",
            "detail": _NOT_ENROLLED,
            "registration_url": "https://developer.twitter.com/en/docs/projects/overview",
            "title": "Client Forbidden",
            "required_enrollment": "Appropriate Level of API Access",
            "reason": "client-not-enrolled",
            "type": self.type("client-forbidden"),
        }
        return Refusal(403, body)

    def too_many(self, *, spent: bool = True) -> Refusal:
        if self.codes:
            return Refusal(429, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}, spent=spent)
        return Refusal(429, plain("Too Many Requests", 429), PROBLEM_TYPE, spent=spent)

    def usage_capped(self) -> Refusal:
        body = {
            "account_id": ACCOUNT_ID,
            "product_name": "standard-basic",
            "title": "UsageCapExceeded",
            "period": "Monthly",
            "scope": "Product",
            "detail": "Usage cap exceeded: Monthly product cap",
            "type": self.type("usage-capped"),
        }
        return Refusal(429, body)

    def too_many_streams(self) -> Refusal:
        body = {
            "title": "ConnectionException",
            "detail": "This stream is currently at the maximum allowed connection limit.",
            "connection_issue": "TooManyConnections",
            "type": self.type("streaming-connection"),
        }
        return Refusal(429, body)

    def conflict(self, detail: str) -> Refusal:
        body = {"title": "Conflict", "detail": detail, "type": self.type("conflict"), "status": 409}
        return Refusal(409, body, PROBLEM_TYPE)

    # ------------------------------------------------------------ beside data

    def not_found(self, kind: str, parameter: str, value: str) -> dict[str, Any]:
        ids = "ids" if parameter in ("ids", "user_ids") else parameter
        return {
            "value": value,
            "detail": f"Could not find {kind} with {ids}: [{value}].",
            "title": "Not Found Error",
            "resource_type": kind,
            "parameter": parameter,
            "resource_id": value,
            "type": self.type("resource-not-found"),
        }

    def missing(self, kind: str, parameter: str, value: str) -> Refusal:
        """The same as a status of its own."""
        told = self.not_found(kind, parameter, value)
        body = {name: told[name] for name in ("title", "detail", "type", "resource_type")}
        return Refusal(404, {**body, "status": 404})

    def suspended(self, user_id: str, parameter: str) -> dict[str, Any]:
        return {
            "value": user_id,
            "detail": f"User has been suspended: [{user_id}].",
            "title": "Forbidden",
            "resource_type": "user",
            "parameter": parameter,
            "resource_id": user_id,
            "section": "includes",
            "type": self.type("resource-not-found"),
        }

    def not_loaded(self, field: str) -> dict[str, Any]:
        return {
            "resource_type": "space",
            "field": field,
            "section": "data",
            "title": "Field Hydration Failure",
            "detail": f"The field {field} could not be loaded.",
            "type": self.type("field-hydration-failure"),
        }

    def disconnect(self, why: str) -> dict[str, Any]:
        detail = "This stream has been disconnected for operational reasons."
        kind = self.type("operational-disconnect")
        return {"title": "operational-disconnect", "disconnect_type": why, "detail": detail, "type": kind}


def plain(title: str, status: int, detail: str = "") -> dict[str, Any]:
    """A problem that is named by its status alone."""
    return {"title": title, "type": "about:blank", "status": status, "detail": detail or title}


def named_refusal(name: str, tongue: Tongue) -> Refusal:
    """A refusal for the fault kind ``api2-answer``. Raises KeyError for a name that there is not."""
    older = Tongue(tongue.mode, codes=True)
    made: dict[str, Callable[[], Refusal]] = {
        "401": tongue.unauthorized,
        "401_code_89": older.unauthorized,
        "402": tongue.no_credits,
        "402_legacy": Tongue("legacy").no_credits,
        "402_current": Tongue("current").no_credits,
        "403_not_enrolled": tongue.not_enrolled,
        "403_not_owner": lambda: tongue.forbidden(NOT_OWNER),
        "403_scope": tongue.forbidden,
        "403_app_token": lambda: tongue.wrong_kind(APP_ONLY, USER_CONTEXT),
        "403_user_token": lambda: tongue.wrong_kind(USER_CONTEXT, APP_ONLY),
        "400": lambda: tongue.invalid([{"parameters": {"id": []}, "message": "The `id` query parameter is odd"}]),
        "404": lambda: tongue.missing("space", "id", "1goneWithTide"),
        "404_empty": lambda: Refusal(404, None, "", limited=False),
        "429": tongue.too_many,
        "429_code_88": older.too_many,
        "429_too_fast": lambda: tongue.too_many(spent=False),
        "429_no_headers": lambda: Refusal(429, plain("Too Many Requests", 429), PROBLEM_TYPE, limited=False),
        "429_usage_cap": tongue.usage_capped,
        "429_streams": tongue.too_many_streams,
        "500": lambda: Refusal(500, plain("Internal Server Error", 500), PROBLEM_TYPE),
        "500_problem": lambda: Refusal(
            500,
            {
                "title": "Internal Error",
                "detail": "An internal error occurred.",
                "type": tongue.type("internal-error"),
                "status": 500,
            },
            PROBLEM_TYPE,
        ),
        "503": lambda: Refusal(503, plain("Service Unavailable", 503), PROBLEM_TYPE),
        "503_html": lambda: Refusal(503, HTML_503, "text/html; charset=utf-8", limited=False),
        "200_empty": lambda: Refusal(200, None, "", limited=False),
    }
    return made[name]()


NAMED = (
    "400",
    "401",
    "401_code_89",
    "402",
    "402_legacy",
    "402_current",
    "403_app_token",
    "403_not_enrolled",
    "403_not_owner",
    "403_scope",
    "403_user_token",
    "404",
    "404_empty",
    "429",
    "429_code_88",
    "429_too_fast",
    "429_no_headers",
    "429_usage_cap",
    "429_streams",
    "500",
    "500_problem",
    "503",
    "503_html",
    "200_empty",
)
NOT_OWNER = "You do not have access to this information as you do not own the space."


def body_bytes(refusal: Refusal) -> bytes:
    """What goes on the wire."""
    if refusal.body is None:
        return b""
    if isinstance(refusal.body, str):
        return refusal.body.encode()
    return json.dumps(refusal.body, ensure_ascii=False, separators=(",", ":")).encode()

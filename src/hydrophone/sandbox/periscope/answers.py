"""Answers of the Periscope API as plain values, and every refusal that it is known for, by name.

A scene (``extra.periscope.answer``) or a fault of the kind ``periscope-answer`` asks for one by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydrophone.sandbox.periscope.words import go_json
from hydrophone.sandbox.serving import Answer, Exchange

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"


def said(value: Any, status: int = 200, *headers: tuple[str, str]) -> Answer:
    """JSON."""
    return Answer(status, (("content-type", JSON), *headers), go_json(value))


def failed(status: int, message: str) -> Answer:
    return said({"success": False, "msg": message}, status)


def text(status: int, body: str, kind: str = "text/plain; charset=utf-8") -> Answer:
    return Answer(status, (("content-type", kind),), body.encode())


def moved(location: str, status: int = 301) -> Answer:
    return Answer(status, (("location", location), ("content-type", HTML)), b"")


_ERROR_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

#: Every refusal by name.
NAMED: Mapping[str, Answer] = {
    "400": failed(400, "Bad Request"),
    "401": failed(401, "Unauthorized"),
    "403": failed(403, "Forbidden"),
    "404": failed(404, "Not Found"),
    "404_html": text(404, "<html><body>Not Found</body></html>", HTML),
    "406": said({"errors": [{"error": "You have been blocked from this broadcast."}]}, 406),
    "410": text(410, "gone"),
    "410_json": failed(410, "Gone"),
    "429": failed(429, "Too Many Requests"),
    "429_with_retry": Answer(429, (("content-type", JSON), ("retry-after", "7")), b'{"success":false}'),
    "500_old": said({"error": {"code": 64, "message": "server trouble", "reason": 2}}, 500),
    "502_html": text(502, _ERROR_PAGE, HTML),
    "503": Answer(503, (), b""),
    "success_false": failed(200, "Please try again"),
    "success_false_bare": said({"success": False}),
    "success_false_not_found": failed(200, "Not Found"),
    "html": text(200, "<!doctype html><html><body>Periscope is not available.</body></html>", HTML),
    "text": text(200, "ok"),
    "empty": Answer(200, (("content-type", JSON),), b""),
    "list": said([]),
    "null": said(None),
}


async def say_named(exchange: Exchange, answer: Answer | None, params: Mapping[str, Any]) -> None:
    """The fault kind ``periscope-answer``: `name` says which."""
    name = str(params.get("name", ""))
    if name not in NAMED:
        exchange.send(Answer(500, (("x-sandbox-problem", "1"),), f"no such answer: {name}".encode()))
        return
    exchange.send(NAMED[name])

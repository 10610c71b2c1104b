"""A scripted service: answers requests by rules and remembers them, so that questions run without any socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hydrophone.http.messages import Headers, Question, Reply, Request
from hydrophone.xweb.login import Login
from hydrophone.xweb.session import WebSession

T = TypeVar("T")
SAMPLES = Path(__file__).parent.parent / "samples" / "xweb"
NOW = datetime(2026, 3, 3, 19, 5, tzinfo=UTC)
AUTH_TOKEN = "c0ffee" * 6 + "beef"
CT0 = "5ea" * 53 + "0"
OWN_ID = "1705000000000000005"

Answer = Reply | Exception | Callable[[Request], Reply]


class Clock:
    """A clock that moves only when told to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **lapse: float) -> None:
        self.now += timedelta(**lapse)


class Talk:
    """The first rule whose text stands in service and target answers; several answers are used one after the other."""

    def __init__(self, *rules: tuple[str, Answer | list[Answer]]) -> None:
        self.rules = [(text, list(answers) if isinstance(answers, list) else [answers]) for text, answers in rules]
        self.requests: list[Request] = []

    def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        name = f"{request.method} {request.service}:{request.target}"
        for text, answers in self.rules:
            if text in name:
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                if isinstance(answer, Exception):
                    raise answer
                found = answer(request) if callable(answer) else answer
                return Reply(found.status, found.headers, found.body, url_of(request), request)
        raise AssertionError(f"nothing was scripted for {name}")

    def ask(self, question: Question[T]) -> T:
        try:
            request = next(question)
            while True:
                try:
                    reply = self.reply(request)
                except AssertionError:
                    raise
                except Exception as error:
                    request = question.throw(error)
                else:
                    request = question.send(reply)
        except StopIteration as end:
            answer: T = end.value
            return answer

    def targets(self) -> list[str]:
        return [request.target for request in self.requests]

    def asked(self, text: str) -> list[Request]:
        return [request for request in self.requests if text in request.target]


def url_of(request: Request) -> str:
    if not request.target.startswith("/"):
        return request.target
    hosts = {"x": "x.com", "api": "api.x.com", "twitter": "twitter.com", "abs": "abs.twimg.com", "tco": "t.co"}
    return f"https://{hosts.get(request.service, 'cdn.syndication.twimg.com')}{request.target}"


def sample(name: str) -> Reply:
    """A sample that is the body of a 200."""
    return Reply(200, Headers([("content-type", "application/json")]), (SAMPLES / name).read_bytes())


def sample_json(name: str) -> Any:
    return json.loads((SAMPLES / name).read_bytes())


def error_sample(name: str) -> Reply:
    """A sample with status, headers and body."""
    facts = sample_json(f"errors/{name}.json")
    body = facts["body"]
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Reply(facts["http_status"], Headers(list(facts["headers"].items())), data)


def json_reply(value: Any, status: int = 200, *headers: tuple[str, str]) -> Reply:
    return Reply(status, Headers([("content-type", "application/json"), *headers]), json.dumps(value).encode())


def text_reply(text: str, status: int = 200, *headers: tuple[str, str]) -> Reply:
    return Reply(status, Headers(list(headers)), text.encode())


EMPTY_404 = Reply(404, Headers([("content-length", "0")]), b"")


def signed_in(clock: Clock | None = None, **options: Any) -> WebSession:
    return WebSession(login=Login(AUTH_TOKEN, CT0), now=clock or Clock(), **options)


def guest(clock: Clock | None = None, **options: Any) -> WebSession:
    return WebSession(now=clock or Clock(), **options)


#: Rule for guests: activation works.
ACTIVATION: tuple[str, Answer] = ("guest/activate", sample("guest_activate.json"))

"""The samples as replies, a session with the tokens of their world, and a scripted service for questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from hydrophone.http.messages import Call, Headers, Question, Reply, Request
from hydrophone.model import UserId
from hydrophone.xapi.credentials import AppBearer, UserBearer, UserTokens
from hydrophone.xapi.ledger import SpendLedger
from hydrophone.xapi.oauth import ConsumerKeys, OAuthApp
from hydrophone.xapi.session import ApiSession

T = TypeVar("T")
SAMPLES = Path(__file__).parents[1] / "samples" / "xapi"
NOW = datetime(2026, 3, 3, 19, 2, 30, tzinfo=UTC)

Answer = Reply | Exception | Callable[[Request], Reply]


@cache
def world() -> Any:
    return json.loads((SAMPLES / "world.json").read_bytes())


@cache
def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


def names(*starts: str) -> list[str]:
    """All samples whose names begin like this."""
    return sorted(path.stem for path in SAMPLES.glob("*.json") if path.stem.startswith(starts) and path.stem != "world")


def reply_of(name: str) -> Reply:
    facts = sample(name)["response"]
    body = facts["body_text"].encode() if "body_text" in facts else b""
    if facts.get("body") is not None:
        body = json.dumps(facts["body"], ensure_ascii=False).encode()
    return Reply(facts["status"], Headers(list(facts["headers"].items())), body)


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    pairs = [(name.replace("_", "-"), text) for name, text in headers.items()]
    return Reply(status, Headers([("content-type", "application/json"), *pairs]), json.dumps(value).encode())


class Clock:
    """A clock that moves only when told to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **lapse: float) -> None:
        self.now += timedelta(**lapse)


def tokens_of(name: str = "user", **changes: Any) -> UserTokens:
    facts = world()["tokens"][name]
    issued = datetime.fromisoformat(facts["issued_at"])
    values = {
        "access": facts["token"],
        "refresh": facts.get("refresh_token"),
        "expires_at": issued + timedelta(seconds=facts["expires_in"]),
        "scopes": frozenset(facts["scopes"]),
        "user_id": UserId(facts["user_id"]),
    }
    return UserTokens(**{**values, **changes})


def app_bearer() -> AppBearer:
    return AppBearer(world()["tokens"]["app"]["token"])


def oauth_app(*, is_public: bool = False) -> OAuthApp:
    facts = world()["public_app" if is_public else "app"]
    return OAuthApp(facts["client_id"], facts["redirect_uri"], facts.get("client_secret"))


def consumer_keys() -> ConsumerKeys:
    return ConsumerKeys(world()["app"]["consumer_key"], world()["app"]["consumer_secret"])


def session(
    clock: Clock | None = None, *, auth: str = "both", max_cost: str | None = None, **options: Any
) -> ApiSession:
    """A session with the app's token, the user's, or both."""
    if "ledger" not in options:
        options["ledger"] = SpendLedger(max_cost=Decimal(max_cost) if max_cost else None)
    if auth in ("app", "both"):
        options.setdefault("app", app_bearer())
    if auth in ("user", "both"):
        options.setdefault("user", UserBearer(tokens_of()))
    return ApiSession(now=clock or Clock(), **options)


class Talk:
    """Answers given in order; the last one stays. Requests are remembered."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        found = answer(request) if callable(answer) else answer
        return Reply(found.status, found.headers, found.body, "https://api.x.com" + request.target, request)

    def ask(self, question: Call[T] | Question[T]) -> T:
        steps = question.steps() if isinstance(question, Call) else question
        try:
            request = next(steps)
            while True:
                try:
                    reply = self.reply(request)
                except Exception as error:
                    request = steps.throw(error)
                else:
                    request = steps.send(reply)
        except StopIteration as end:
            return end.value
        finally:
            steps.close()

    @property
    def sent(self) -> dict[str, str]:
        """The parameters of the last request."""
        return dict(self.requests[-1].params)


def query_of(name: str) -> tuple[str, dict[str, str]]:
    """Path and parameters of a sample's request."""
    parts = urlsplit(sample(name)["request"]["target"])
    return parts.path, dict(parse_qsl(parts.query))


def body_of(request: Request) -> Any:
    return json.loads(request.body) if request.body else None

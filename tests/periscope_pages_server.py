"""A small pretend Periscope on loopback for the drop-in: pages and answers from the samples, and a list of requests."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SAMPLES = Path(__file__).parent / "samples" / "periscope"
Answer = tuple[int, bytes]
Rule = Callable[[dict[str, str]], Answer]


def sample(name: str, status: int = 200) -> Answer:
    return status, (SAMPLES / name).read_bytes()


NOT_FOUND = sample("api/getUserPublic.404.json", 404)


@dataclass
class Periscope:
    """Where it listens, what it answers by path, and what it was asked."""

    base: str = ""
    rules: dict[str, Rule] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def answer(self, path: str, answer: Answer | Rule) -> None:
        self.rules[path] = answer if callable(answer) else lambda _: answer


def generation(year: int) -> dict[str, Rule]:
    """The rules of one generation of the service: one user, her broadcasts, and nobody else."""
    page = sample(f"pages/user_{year}.html")

    def user(query: dict[str, str]) -> Answer:
        asked = query.get("user_id", "")
        if not asked.isdigit():
            return sample("api/getUserPublic.400.json", 400)
        return sample("api/getUserPublic.json") if asked == "98104277" else NOT_FOUND

    def history(query: dict[str, str]) -> Answer:
        if query.get("user_id") != "98104277" or query.get("all") != "true" or not query.get("session_id"):
            return 401, b""
        if year == 2016:
            return sample("api/getUserBroadcastsPublic.2016.json")
        return sample(f"api/getUserBroadcastsPublic.2021_page{2 if query.get('cursor') else 1}.json")

    def access(query: dict[str, str]) -> Answer:
        known = {
            "1yoKbWqNLdRGX": "replay_2016_cookies",
            "1rmxPYOdkRvKN": "live_2019",
            "1OyKADwqjpeJb": "replay_2019_media",
        }
        name = known.get(query.get("broadcast_id", ""))
        return sample(f"api/accessVideoPublic.{name}.json") if name else NOT_FOUND

    return {
        "/mara_lind": lambda _: page,
        "/MARA_LIND": lambda _: page,
        "/u/98104277": lambda _: page,
        "/api/v2/getUserPublic": user,
        "/api/v2/getUserBroadcastsPublic": history,
        "/api/v2/accessVideoPublic": access,
    }


@contextlib.contextmanager
def serving_periscope(year: int = 2016) -> Iterator[Periscope]:
    periscope = Periscope(rules=generation(year))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            periscope.asked.append(self.path)
            periscope.headers.append({name.lower(): value for name, value in self.headers.items()})
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            rule = periscope.rules.get(parts.path)
            missing = NOT_FOUND if parts.path.startswith("/api") else sample("pages/not_found_404.html", 404)
            status, body = rule(query) if rule else missing
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests are silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    periscope.base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield periscope
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def load(name: str) -> object:
    return json.loads((SAMPLES / name).read_bytes())

"""The sync door: alone, inside a running loop, from threads, and at its end."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hydrophone.errors import UnreachableError
from hydrophone.http import Call, Client, Endpoints, HttpSettings, Question, Request


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gate = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/wait":
            self.gate.wait(10)
        if self.path == "/drop":
            self.close_connection = True
            return
        body = self.path.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


@pytest.fixture
def base() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    _Echo.gate.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    _Echo.gate.set()
    server.shutdown()
    server.server_close()
    thread.join()


def text(path: str) -> Call[str]:
    return Call(Request("GET", path), lambda reply: reply.text)


def two_paths() -> Question[str]:
    first = yield Request("GET", "/a")
    try:
        yield Request("GET", "/drop", attempts=1)
    except UnreachableError:
        last = yield Request("GET", "/b")
    return first.text + last.text


def test_a_call_and_a_question_are_answered(base: str) -> None:
    with Client(Endpoints.sandbox({"x": base})) as client:
        assert client.ask(text("/hello")) == "/hello"
        assert client.ask(two_paths()) == "/a/b"
        assert client.send(Request("GET", "/x")).status == 200


async def test_it_works_inside_a_running_loop(base: str) -> None:
    with Client(Endpoints.sandbox({"x": base})) as client:
        assert client.ask(text("/notebook")) == "/notebook"


def test_errors_come_through(base: str) -> None:
    def read(reply: object) -> None:
        raise LookupError("as raised by the reader")

    with Client(Endpoints.sandbox({"x": base}), settings=HttpSettings(backoff_seconds=0.001)) as client:
        with pytest.raises(UnreachableError):
            client.send(Request("GET", "/drop", attempts=2))
        with pytest.raises(LookupError, match="as raised by the reader"):
            client.ask(Call(Request("GET", "/"), read))


def test_threads_share_one_client(base: str) -> None:
    answers: list[str] = []
    with Client(Endpoints.sandbox({"x": base})) as client:
        threads = [threading.Thread(target=lambda n=n: answers.append(client.ask(text(f"/{n}")))) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert sorted(answers) == sorted(f"/{n}" for n in range(20))


def test_closing_ends_the_thread_and_whoever_still_waits(base: str) -> None:
    client = Client(Endpoints.sandbox({"x": base}))
    client.ask(text("/"))
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            client.ask(text("/wait"))
        except BaseException as error:
            ended.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not any(thread.name == "hydrophone-http" for thread in threading.enumerate()):
        pass
    client.close()
    client.close()
    waiting.join(10)
    assert not waiting.is_alive()
    assert len(ended) == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "hydrophone-http"]
    with pytest.raises(RuntimeError, match="closed"):
        client.ask(text("/"))


def test_a_question_that_asks_its_own_client_is_told_instead_of_hanging(base: str) -> None:
    with Client(Endpoints.sandbox({"x": base})) as client:

        def nested() -> Question[str]:
            yield Request("GET", "/")
            return client.ask(text("/inner"))

        with pytest.raises(RuntimeError, match="its own event loop"):
            client.ask(nested())


def test_the_words_of_the_port_cost_no_import_of_the_transport() -> None:
    code = "import sys; from hydrophone.http import Call, Request; print('aiohttp' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.strip() == "False"

"""What the original's own tests look at, in words of our own: patched requests, names behind the methods, forms."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import requests

from periscope_pages_server import SAMPLES, load
from pyperi import Peri, PyPeriConnectionError

PAGE = (SAMPLES / "pages/user_2016.html").read_bytes()


class Double:
    """A reply with the three members that test doubles have, and no more."""

    __slots__ = ("_answer", "_status", "content")

    def __init__(self, answer: Any = None, *, status: int = 200, content: bytes = b"") -> None:
        self._answer = answer
        self._status = status
        self.content = content

    def raise_for_status(self) -> None:
        if self._status >= 400:
            response = requests.Response()
            response.status_code = self._status
            raise requests.exceptions.HTTPError(str(self._status), response=response)

    def json(self) -> Any:
        return self._answer


def answering(*replies: Double | Exception) -> mock._patch[mock.MagicMock]:
    return mock.patch("pyperi.pyperi.requests.get", side_effect=list(replies))


# ---------------------------------------------------------------- request_api


def test_a_body_comes_back_decoded() -> None:
    with answering(Double({"a": [1]})) as get:
        assert Peri().request_api("testEndpoint", b=2, a="x y") == {"a": [1]}
    assert get.call_args.args == ("https://api.periscope.tv/api/v2/testEndpoint?a=x+y&b=2",)
    assert get.call_args.kwargs == {"timeout": (10, 30)}


def test_a_404_is_none_whatever_its_body() -> None:
    valid = load("api/accessVideoPublic.live_2019.json")
    with answering(*[Double(valid, status=404)] * 3):
        assert Peri().request_api("x") is None
        assert Peri().get_broadcast_info("1rmxPYOdkRvKN") is None
        assert Peri().get_user_info("98104277") is None


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ConnectionError("gone"),
        requests.exceptions.ConnectTimeout("slow"),
        requests.exceptions.ReadTimeout("slow"),
        requests.exceptions.SSLError("x"),
        requests.exceptions.ProxyError("x"),
    ],
)
@pytest.mark.parametrize(
    "ask",
    [
        lambda peri: peri.request_api("x"),
        lambda peri: peri.get_user_info("1"),
        lambda peri: peri._get_web_data_store("https://www.periscope.tv/okUsername"),
        lambda peri: peri.get_user_broadcast_history("1"),
    ],
)
def test_no_connection_and_no_answer_in_time_are_one_error(error: Exception, ask: Callable[[Peri], Any]) -> None:
    with answering(error), pytest.raises(PyPeriConnectionError):
        ask(Peri())


def test_an_error_given_as_a_class_is_understood_too() -> None:
    with (
        mock.patch("pyperi.pyperi.requests.get", side_effect=requests.exceptions.ConnectionError),
        pytest.raises(PyPeriConnectionError),
    ):
        Peri().request_api("x")


def test_the_function_is_looked_up_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    peri = Peri()
    monkeypatch.setattr(requests, "get", lambda url, **_: Double(url))
    assert peri.request_api("x").endswith("/x?")


# ---------------------------------------------------------------- names behind the methods


def test_the_url_of_a_request_has_its_query_sorted_and_always_its_question_mark() -> None:
    create = Peri()._create_api_request_url
    assert create("testEndpoint") == "https://api.periscope.tv/api/v2/testEndpoint?"
    assert create("testEndpoint", z=1, a=True, m=None) == (
        "https://api.periscope.tv/api/v2/testEndpoint?a=True&m=None&z=1"
    )


def test_the_state_inside_a_page_is_a_dict() -> None:
    with answering(Double(content=PAGE), Double(status=404)):
        store = Peri()._get_web_data_store("https://www.periscope.tv/mara_lind")
        assert store is not None
        assert store["SessionToken"]["public"]["broadcastHistory"]["token"]["session_id"].startswith("1P")
        assert store["Tracking"]["userId"] == "98104277"
        assert Peri()._get_web_data_store("https://www.periscope.tv/nobody") is None


def test_a_history_takes_a_page_and_one_answer() -> None:
    answer = load("api/getUserBroadcastsPublic.2016.json")
    assert isinstance(answer, dict)
    with answering(Double(content=PAGE), Double(answer)) as get:
        history = Peri().get_user_broadcast_history(username="mara_lind")
    assert history is not None
    assert sorted(item["id"] for item in history) == sorted(item["id"] for item in answer["broadcasts"])
    assert [call.args[0].split("?")[0] for call in get.call_args_list] == [
        "https://www.periscope.tv/mara_lind",
        "https://api.periscope.tv/api/v2/getUserBroadcastsPublic",
    ]


def test_a_cursor_that_repeats_itself_ends_the_history() -> None:
    page = {"broadcasts": [{"id": "1yoKbWqNLdRGX", "start": "2016-11-19T07:41:09.627186855-08:00"}], "cursor": "same"}
    with answering(Double(content=PAGE), *[Double(page)] * 5) as get:
        assert len(Peri().get_user_broadcast_history("98104277") or ()) == 1
    assert get.call_count == 3


def test_a_history_without_end_is_read_for_fifty_pages() -> None:
    pages = [Double({"broadcasts": [{"id": str(n)}], "cursor": f"c{n}"}) for n in range(60)]
    with answering(Double(content=PAGE), *pages) as get:
        assert len(Peri().get_user_broadcast_history("98104277") or ()) == 50
    assert get.call_count == 51


def test_newest_is_a_question_of_instants_not_of_text() -> None:
    records = [
        {"id": "a", "start": "2016-12-31T18:00:00.000000001-08:00"},  # 2017-01-01 02:00 UTC
        {"id": "b", "start": "2017-01-01T01:00:00.000000001Z"},
        {"id": "c"},
    ]
    with answering(Double(content=PAGE), Double({"broadcasts": records})):
        assert [item["id"] for item in Peri().get_user_broadcast_history("98104277") or ()] == ["a", "b", "c"]


# ---------------------------------------------------------------- links, one form each

FORMS = {
    "_parse_periscope_w_url": ("https://www.periscope.tv/w/1zqKVWybqeDGB", {"broadcast_id": "1zqKVWybqeDGB"}),
    "_parse_periscope_u_url": ("https://www.periscope.tv/u/376827", {"user_id": "376827"}),
    "_parse_periscope_username_url": ("https://www.periscope.tv/okUsername", {"username": "okUsername"}),
    "_parse_periscope_username_broadcast_id_url": (
        "https://www.periscope.tv/okUsername/1zqKVWybqeDGB",
        {"username": "okUsername", "broadcast_id": "1zqKVWybqeDGB"},
    ),
}
NONE = {"broadcast_id": None, "user_id": None, "username": None}


@pytest.mark.parametrize("name", FORMS)
def test_each_form_is_read_by_its_own_parser_and_by_the_public_one(name: str) -> None:
    url, expected = FORMS[name]
    assert getattr(Peri, name)(url) == Peri.parse_periscope_url(url) == NONE | expected
    for other, (foreign, _) in FORMS.items():
        if other != name:
            assert getattr(Peri, name)(foreign) == NONE


def test_a_name_without_an_id_names_no_broadcast() -> None:
    assert Peri._parse_periscope_username_broadcast_id_url("https://www.periscope.tv/okUsername/") == NONE


# ---------------------------------------------------------------- how it is built


def test_it_stands_on_requests_and_hydrophones_pure_code_only() -> None:
    source = Path(__file__).parents[2] / "src/pyperi"
    imported = set()
    for file in source.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    foreign = {name for name in imported if name.split(".")[0] not in {*sys.stdlib_module_names, "pyperi"}}
    rooms = ("hydrophone.links", "hydrophone.periscope.", "hydrophone.http.reading")
    assert {name for name in foreign if not name.startswith(rooms)} == {"requests"}


def test_importing_it_loads_no_event_loop_and_no_second_http_library() -> None:
    code = "import sys, pyperi; print(sorted({'aiohttp', 'av', 'pydantic', 'rich', 'asyncio'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"

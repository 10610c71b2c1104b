"""Every example of the PyPeri documentation, as its reader types it, against a pretend Periscope on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import pyperi
from periscope_pages_server import Periscope, load, sample, serving_periscope
from pyperi import Peri, PyPeriConnectionError, PyPeriResponseError

KEYS = {"start", "ping", "status", "user_display_name", "user_id", "username", "state", "image_url", "image_url_small"}


@pytest.fixture(params=[2016, 2019])
def service(request: pytest.FixtureRequest) -> Iterator[Periscope]:
    with serving_periscope(request.param) as periscope:
        periscope.year = request.param  # type: ignore[attr-defined]
        yield periscope


@pytest.fixture
def pp(service: Periscope) -> Peri:
    peri = Peri()
    peri.PERISCOPE_API_BASE_URL = service.base + "/api/v2"
    peri.PERISCOPE_WEB_BASE_URL = service.base
    return peri


def test_the_names_that_callers_import_are_in_both_places() -> None:
    from pyperi import pyperi as module

    assert module.Peri is Peri
    assert module.PyPeriConnectionError is PyPeriConnectionError
    assert module.PyPeriResponseError is PyPeriResponseError
    assert issubclass(PyPeriConnectionError, requests.exceptions.ConnectionError)
    assert issubclass(PyPeriResponseError, requests.exceptions.RequestException)
    assert pyperi.__version__.startswith("0.2")


def test_the_default_addresses_are_the_documented_ones() -> None:
    assert Peri.PERISCOPE_API_BASE_URL == "https://api.periscope.tv/api/v2"
    assert Peri.PERISCOPE_WEB_BASE_URL == "https://www.periscope.tv"


def test_user_info_is_the_inner_object_untouched(pp: Peri) -> None:
    answer = load("api/getUserPublic.json")
    assert isinstance(answer, dict)

    assert pp.get_user_info("98104277") == answer["user"]
    assert pp.get_user_info(98104277) == answer["user"]
    assert pp.get_user_info("111") is None


def test_a_user_id_that_is_none_is_a_400(pp: Peri) -> None:
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        pp.get_user_info("mara_lind")
    assert caught.value.response.status_code == 400


def test_broadcast_info_is_the_inner_object_untouched(pp: Peri) -> None:
    answer = load("api/accessVideoPublic.replay_2016_cookies.json")
    assert isinstance(answer, dict)

    info = pp.get_broadcast_info("1yoKbWqNLdRGX")

    assert info == answer["broadcast"]
    assert pp.get_broadcast_info("aAaAAaaaAAAA") is None


def test_the_history_by_name_and_by_id_has_every_page_newest_first(pp: Peri, service: Periscope) -> None:
    by_name = pp.get_user_broadcast_history(username="mara_lind")

    assert by_name is not None
    assert len(by_name) == 3
    assert by_name == pp.get_user_broadcast_history(user_id="98104277")
    assert by_name == pp.get_user_broadcast_history("98104277")
    assert by_name == pp.get_user_broadcast_history(98104277)
    assert by_name == pp.get_user_broadcast_history(None, "MARA_LIND")
    for item in by_name:
        assert item.keys() >= KEYS - ({"ping"} if item["state"] == "TIMED_OUT" else set())
    newest = "1yoKbWqNLdRGX" if service.year == 2016 else "1rmxPYOdkRvKN"  # type: ignore[attr-defined]
    assert by_name[0]["id"] == newest


def test_the_history_of_nobody_is_none_and_needs_one_argument(pp: Peri) -> None:
    assert pp.get_user_broadcast_history(username="nobody") is None
    assert pp.get_user_broadcast_history(user_id="1") is None
    with pytest.raises(ValueError, match="Must specify either user_id or username"):
        pp.get_user_broadcast_history()


def test_an_empty_history_is_an_empty_list(pp: Peri, service: Periscope) -> None:
    service.answer("/api/v2/getUserBroadcastsPublic", sample("api/getUserBroadcastsPublic.empty.json"))
    assert pp.get_user_broadcast_history(username="mara_lind") == []


def test_a_history_that_the_api_does_not_know_is_none(pp: Peri, service: Periscope) -> None:
    service.answer("/api/v2/getUserBroadcastsPublic", (404, b'{"success":false,"msg":"Not Found"}'))
    assert pp.get_user_broadcast_history(username="mara_lind") is None


def test_session_tokens_are_four_strings(pp: Peri, service: Periscope) -> None:
    expected = load(f"facade/get_web_public_user_session_tokens.{service.year}.json")  # type: ignore[attr-defined]

    assert pp.get_web_public_user_session_tokens(username="mara_lind") == expected
    assert pp.get_web_public_user_session_tokens("98104277") == expected
    assert pp.get_web_public_user_session_tokens(username="nobody") is None
    with pytest.raises(ValueError, match="Must specify"):
        pp.get_web_public_user_session_tokens("", None)


def test_any_call_of_the_api_gives_its_whole_answer(pp: Peri, service: Periscope) -> None:
    assert pp.request_api("getUserPublic", user_id="98104277") == load("api/getUserPublic.json")
    assert pp.request_api("noSuchEndpoint") is None
    service.answer("/api/v2/getBroadcastsPublic", sample("api/getBroadcastsPublic.json"))
    assert isinstance(pp.request_api("getBroadcastsPublic", broadcast_ids="a,b"), list)
    assert service.asked[-1] == "/api/v2/getBroadcastsPublic?broadcast_ids=a%2Cb"


@pytest.mark.parametrize("status", [400, 401, 410, 429, 500, 503])
def test_any_other_refusal_is_raised(pp: Peri, service: Periscope, status: int) -> None:
    service.answer("/api/v2/getUserPublic", (status, b'{"success":false}'))
    service.answer("/mara_lind", (status, b""))

    for ask in (lambda: pp.get_user_info("98104277"), lambda: pp.get_user_broadcast_history(username="mara_lind")):
        with pytest.raises(requests.exceptions.HTTPError) as caught:
            ask()
        assert caught.value.response.status_code == status


def test_a_page_that_is_none_of_periscope_says_so(pp: Peri, service: Periscope) -> None:
    service.answer("/mara_lind", sample("pages/redirected_no_data_store.html"))
    with pytest.raises(PyPeriResponseError, match="no Periscope page any more"):
        pp.get_user_broadcast_history(username="mara_lind")


def test_a_failure_inside_a_success(pp: Peri, service: Periscope) -> None:
    service.answer("/api/v2/getUserPublic", sample("api/any.200_success_false.json"))
    assert pp.request_api("getUserPublic") == {"success": False, "msg": "Please try again"}
    with pytest.raises(PyPeriResponseError, match="Please try again"):
        pp.get_user_info("98104277")

    service.answer("/api/v2/getUserPublic", (200, b'{"success":false,"msg":"Not Found"}'))
    assert pp.get_user_info("98104277") is None


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"user":null}', b'{"user":[]}', b'"x"', b"{}"])
def test_an_answer_without_the_inner_object_is_told_as_such(pp: Peri, service: Periscope, body: bytes) -> None:
    service.answer("/api/v2/getUserPublic", (200, body))
    if body == b"null":
        assert pp.get_user_info("98104277") is None
        return
    with pytest.raises(PyPeriResponseError, match="no user"):
        pp.get_user_info("98104277")


def test_an_answer_that_is_no_json_raises_the_error_of_requests(pp: Peri, service: Periscope) -> None:
    service.answer("/api/v2/getUserPublic", (200, b"<html>"))
    with pytest.raises(requests.exceptions.JSONDecodeError):
        pp.get_user_info("98104277")


def test_nothing_but_the_plain_request_is_sent(pp: Peri, service: Periscope) -> None:
    pp.get_user_broadcast_history(username="mara_lind")

    assert all("cookie" not in headers and "authorization" not in headers for headers in service.headers)
    token = json.loads(json.dumps(pp.get_web_public_user_session_tokens(username="mara_lind")))["broadcastHistory"]
    first = next(path for path in service.asked if "getUserBroadcastsPublic" in path)
    assert first == f"/api/v2/getUserBroadcastsPublic?all=true&session_id={token}&user_id=98104277"


def test_nobody_listening_is_a_connection_error() -> None:
    with serving_periscope() as periscope:
        base = periscope.base

    class Elsewhere(Peri):
        PERISCOPE_API_BASE_URL = base
        PERISCOPE_WEB_BASE_URL = base

    with pytest.raises(PyPeriConnectionError):
        Elsewhere().get_user_info("1")
    with pytest.raises(PyPeriConnectionError):
        Elsewhere().get_user_broadcast_history(username="mara_lind")


# ---------------------------------------------------------------- URLs


def test_user_urls_are_made_of_an_id_or_a_name() -> None:
    assert Peri.create_user_url("376827") == "https://www.periscope.tv/u/376827"
    assert Peri.create_user_url(user_id=376827) == "https://www.periscope.tv/u/376827"
    assert Peri.create_user_url(username="george_clinton") == "https://www.periscope.tv/george_clinton"
    assert Peri.create_user_url("1", "george_clinton") == "https://www.periscope.tv/u/1"
    assert Peri.create_user_url(None, "1eaKbRMEMEQKX") == "https://www.periscope.tv/1eaKbRMEMEQKX"
    assert Peri.create_user_url(username="../a b?") == "https://www.periscope.tv/..%2Fa%20b%3F"
    for nothing in ((), (None, None), ("", ""), (0,)):
        with pytest.raises(ValueError, match=r"^Must specify either user_id or username$"):
            Peri.create_user_url(*nothing)  # type: ignore[arg-type]


def test_a_subclass_may_live_elsewhere_and_still_reads_the_real_links() -> None:
    class Mine(Peri):
        PERISCOPE_WEB_BASE_URL = "http://127.0.0.1:9"

    assert Mine.create_user_url("1") == "http://127.0.0.1:9/u/1"
    assert Mine.parse_periscope_url("https://www.periscope.tv/u/376827")["user_id"] == "376827"
    assert Mine.parse_periscope_url("http://127.0.0.1:9/u/376827")["user_id"] is None


TABLE = json.loads((Path(__file__).parent.parent / "samples/periscope/url_table.json").read_bytes())["cases"]


@pytest.mark.parametrize("case", TABLE, ids=[ascii(case["url"])[:60] for case in TABLE])
def test_every_row_of_the_table_is_parsed(case: dict[str, object]) -> None:
    assert Peri.parse_periscope_url(str(case["url"])) == case["peri"]


@pytest.mark.parametrize("url", [None, 5, b"https://www.periscope.tv/u/1", ["x"]])
def test_what_is_no_text_is_a_type_error(url: object) -> None:
    with pytest.raises(TypeError):
        Peri.parse_periscope_url(url)  # type: ignore[arg-type]

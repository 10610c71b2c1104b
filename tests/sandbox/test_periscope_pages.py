"""The pages of both generations, the older layouts, and all the ways in which a page can be of no use."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator

import pytest

from hydrophone.testing import SandboxBox, sandbox
from sandbox.periscope_asking import ask, page, store_of, switch, tokens_of

MARA, LIVE, REPLAY, OLD = "98104277", "1rmxPYOdkRvKN", "1OyKADwqjpeJb", "1yoKbWqNLdRGX"


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox(proxy=True) as box:
        yield box


@pytest.fixture
def box(empty_box: SandboxBox) -> SandboxBox:
    empty_box.control.reset()
    for name in ("2016", "live", "replay", "producer", "timed-out", "private"):
        empty_box.control.load(f"periscope-{name}")
    return empty_box


@pytest.mark.parametrize("path", ["/mara_lind", "/MARA_LIND", "/@mara_lind", f"/u/{MARA}", "/mara_lind/follow"])
def test_user_pages_are_found_by_name_in_any_case_and_by_id(box: SandboxBox, path: str) -> None:
    said = page(box, path)

    assert said.status == 200
    assert store_of(said)["UserBroadcastHistory"]["userId"] == MARA


@pytest.mark.parametrize("path", ["/nobody_here", "/u/1", "/about", "/w/1zzzzzzzzzzzz", f"/harbour-radio/{LIVE}"])
def test_pages_that_do_not_exist_are_404(box: SandboxBox, path: str) -> None:
    assert page(box, path).status == 404


def test_the_store_of_2016_names_the_user_in_tracking_and_has_no_broadcasts(box: SandboxBox) -> None:
    switch(box, layout="2016")
    store = store_of(page(box, "/mara_lind"))

    assert store["Tracking"]["userId"] == MARA
    assert "userId" not in store["UserBroadcastHistory"]
    assert store["BroadcastCache"]["broadcasts"] == {}
    assert store["PeriscopeEnv"]["host"] == "www.periscope.tv"
    assert store["UserCache"]["usernames"] == {"mara_lind": MARA}
    assert store["UserCache"]["users"][MARA]["user"]["created_at"].endswith(("-07:00", "-08:00"))


def test_the_store_of_2019_has_the_last_broadcasts_with_what_the_browser_computed(box: SandboxBox) -> None:
    store = store_of(page(box, "/mara_lind"))

    assert "Tracking" not in store
    assert store["UserBroadcastHistoryCache"]["histories"][MARA]["broadcastIds"][:2] == [LIVE, REPLAY]
    cached = store["BroadcastCache"]["broadcasts"]
    live, ended = cached[LIVE]["broadcast"], cached[REPLAY]["broadcast"]
    assert live["isRunning"]
    assert not live["isEnded"]
    assert ended["data"]["id"] == REPLAY
    assert ended["duration"] == pytest.approx(62.65)
    assert ended["formattedDuration"] == "01:02"
    assert ended["endTime"] < ended["end"]
    assert cached["1YpKkaOEzVdxj"]["broadcast"]["isUnavailable"]
    assert store["Settings"]["hello"]["browser_only_deep_url_paths"][0] == "/.well-known"


@pytest.mark.parametrize("layout", ["2016", "2019"])
def test_both_generations_give_tokens_of_three_kinds_with_their_lengths(box: SandboxBox, layout: str) -> None:
    switch(box, layout=layout)
    said = page(box, "/mara_lind")
    levels = store_of(said)["SessionToken"]

    lengths = {level: {k: len(v["token"]["session_id"]) for k, v in kinds.items()} for level, kinds in levels.items()}
    assert lengths["public"] == {"broadcastHistory": 113, "thumbnailPlaylist": 121, "serviceToken": 109}
    assert lengths["authed"] == {"broadcastHistory": 101, "thumbnailPlaylist": 113, "serviceToken": 101}
    assert all(re.fullmatch(r"1[A-Za-z0-9_-]+", token) for token in tokens_of(said).values())
    expiry = levels["public"]["serviceToken"]["expiry"] / 1000
    assert expiry - box.control.now().timestamp() == pytest.approx(3600, abs=5)


def test_the_store_is_escaped_once(box: SandboxBox) -> None:
    raw = page(box, "/mara_lind").text

    assert "Boats &amp; bread. I talk while I walk, it&#x27;s mostly wind." in raw
    assert "&amp;quot;" not in raw
    switch(box, page="twice")
    assert "&amp;quot;" in page(box, "/mara_lind").text
    switch(box, page="cut")
    with pytest.raises(ValueError):
        store_of(page(box, "/mara_lind"))


def test_the_middle_of_2016_has_no_public_level(box: SandboxBox) -> None:
    switch(box, layout="mid2016")

    store = store_of(page(box, f"/w/{REPLAY}"))

    assert len(store["SessionToken"]["thumbnailPlaylist"]["token"]["session_id"]) == 121
    assert store["UserBroadcast"]["broadcast"]["id"] == REPLAY
    assert store["User"]["user"]["id"] == MARA


def test_a_page_of_2015_consists_of_meta_elements(box: SandboxBox) -> None:
    switch(box, layout="2015")
    raw = page(box, f"/w/{OLD}").text

    metas = dict(re.findall(r'<meta id="([^"]+)" content="([^"]*)">', raw))
    assert metas["token-id"] == OLD
    assert metas["broadcast-in-app"] == f"pscp://broadcast/{OLD}"
    assert metas["api-host"] == box.bases["periscope"]
    data = json.loads(html.unescape(metas["broadcast-data"]))
    assert (data["broadcast"]["id"], data["user"]["id"], data["n_watched"]) == (OLD, MARA, 613)


@pytest.mark.parametrize("path", ["/w/1BRJjzLkWVaJw", "/harbour-radio/1BRJjzLkWVaJw", "/w/1BRJjzLkWVaJw/card"])
def test_a_broadcast_page_holds_exactly_one_broadcast(box: SandboxBox, path: str) -> None:
    switch(box, layout="2020")
    said = page(box, path)

    assert list(store_of(said)["BroadcastCache"]["broadcasts"]) == ["1BRJjzLkWVaJw"]
    assert 'name="twitter:text:broadcaster_id" content="1wXEgLpMdoAQe"' in said.text


@pytest.mark.parametrize("link", ["tracking", "usernames", "users"])
def test_the_users_id_can_be_hidden_in_one_place_only(box: SandboxBox, link: str) -> None:
    switch(box, layout="2016", user_link=link)
    store = store_of(page(box, "/mara_lind"))

    places = {
        "tracking": store["Tracking"].get("userId"),
        "usernames": store["UserCache"]["usernames"].get("mara_lind"),
        "users": next(iter(store["UserCache"]["users"]), None),
    }
    assert {name: value for name, value in places.items() if value} == {link: MARA}


def test_pages_can_lack_their_data_and_lead_to_x(box: SandboxBox) -> None:
    switch(box, page="no_store")
    assert "data-store" not in page(box, "/mara_lind").text
    switch(box, page="redirect")
    moved = page(box, "/mara_lind")
    assert (moved.status, moved.headers["location"]) == (302, f"{box.bases['x']}/mara_lind")
    switch(box, page="normal", closed="all")
    assert page(box, "/mara_lind").status == 302


def test_private_broadcasts_have_no_page(box: SandboxBox) -> None:
    assert page(box, "/w/1lPKqXeRMbGGm").status == 404


def test_real_host_names_lead_here_through_the_proxy(box: SandboxBox) -> None:
    """Plain HTTP in absolute form, as a client says it to a proxy."""
    proxy = box.proxy_url
    for host, path in (
        ("api.periscope.tv", f"/api/v2/getUserPublic?user_id={MARA}"),
        ("proxsee.pscp.tv", f"/api/v2/getUserPublic?user_id={MARA}"),
        ("www.pscp.tv", "/mara_lind"),
        ("periscope.tv", "/mara_lind"),
    ):
        said = absolute(proxy, f"http://{host}{path}")
        assert said.startswith(b"HTTP/1.1 200"), host
    access = absolute(proxy, f"http://api.periscope.tv/api/v2/accessVideoPublic?broadcast_id={OLD}")
    assert b"https://replay.periscope.tv/" in access
    assert b'"Domain":".periscope.tv"' in access


def absolute(proxy: str, url: str) -> bytes:
    import http.client
    from urllib.parse import urlsplit

    parts = urlsplit(proxy)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
    connection.request("GET", url)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return f"HTTP/1.1 {answer.status}".encode() + b"\r\n\r\n" + body


def test_a_device_page_asks_for_six_digits(box: SandboxBox) -> None:
    assert "user_code" in ask(f"{box.bases['pscp']}/device").text
    assert ask(f"{box.bases['pscp']}/device", "POST", {"user_code": "000000"}).status == 404

"""Each example of the PyPeri documentation, with the names and ids that stand there, typed against the sandbox."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import requests

from hydrophone.testing import SandboxBox, sandbox
from pyperi import Peri, PyPeriConnectionError
from sandbox.periscope_asking import switch

PAGE = Path(__file__).parents[2] / "docs/howto/coming-from-pyperi.md"
USER_ID, USERNAME = "376827", "george_clinton"
IDS = ("1zqKVWybqeDGB", "1YqGoOkLbLAGv", "1nAKEnBDXXnGL", "1eaKbRMEMEQKX")
CREATOR = {
    "handle": USERNAME,
    "name": "Somebody",
    "role": "creator",
    "voice": 3,
    "periscope_id": USER_ID,
    "user_id": "9128446399",
}
#: What the documentation shows of a user, of a broadcast, and of each entry of a history.
USER_KEYS = {
    *("class_name", "created_at", "description", "display_name", "id", "initials", "is_beta_user", "is_employee"),
    *("is_twitter_verified", "n_followers", "n_following", "n_hearts", "profile_image_urls", "twitter_screen_name"),
    "username",
}
BROADCAST_KEYS = {
    *("available_for_replay", "camera_rotation", "city", "class_name", "country", "created_at", "end", "friend_chat"),
    *("has_location", "height", "id", "image_url", "image_url_small", "is_locked", "language", "ping", "start"),
    *("state", "status", "updated_at", "user_display_name", "user_id", "username", "width"),
}


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox(speed=20) as box:
        yield box


@pytest.fixture(params=["2016", "2019"])
def box(empty_box: SandboxBox, request: pytest.FixtureRequest) -> SandboxBox:
    empty_box.control.reset()
    for number, broadcast_id in enumerate(IDS):
        facts = {"name": f"example-{number}", "id": broadcast_id, "people": [CREATOR], "seconds": 20}
        empty_box.control.load("periscope-2016", origin_at=f"2016-11-{19 - number}T15:41:09Z", **facts)
    switch(empty_box, layout=request.param, integer_user_ids=True)
    return empty_box


@pytest.fixture
def pp(box: SandboxBox, monkeypatch: pytest.MonkeyPatch) -> Peri:
    monkeypatch.setattr(Peri, "PERISCOPE_API_BASE_URL", box.bases["periscope"] + "/api/v2")
    monkeypatch.setattr(Peri, "PERISCOPE_WEB_BASE_URL", box.bases["pscp"])
    return Peri()


def test_user_info(pp: Peri) -> None:
    user: Any = pp.get_user_info(USER_ID)

    assert user["id"] == USER_ID
    assert user["username"] == USERNAME
    assert user.keys() >= USER_KEYS
    assert [sorted(image) for image in user["profile_image_urls"]] == [["height", "ssl_url", "url", "width"]] * 3


def test_user_info_takes_an_integer_and_refuses_a_name(pp: Peri) -> None:
    assert pp.get_user_info(int(USER_ID)) == pp.get_user_info(user_id=USER_ID)
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        pp.get_user_info(USERNAME)
    assert caught.value.response.status_code == 400


def test_nobody_and_nothing_are_none(pp: Peri) -> None:
    assert pp.get_user_info("1") is None
    assert pp.get_broadcast_info("aAaAAaaaAAAA") is None
    assert pp.get_user_broadcast_history(username="nobody_at_all") is None
    assert pp.get_web_public_user_session_tokens(username="nobody_at_all") is None
    assert pp.request_api("noSuchEndpoint") is None


@pytest.mark.parametrize("broadcast_id", IDS)
def test_broadcast_info(pp: Peri, broadcast_id: str) -> None:
    broadcast: Any = pp.get_broadcast_info(broadcast_id)

    assert (broadcast["id"], broadcast["user_id"], broadcast["username"]) == (broadcast_id, USER_ID, USERNAME)
    assert broadcast.keys() >= BROADCAST_KEYS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}-0[78]:00", broadcast["start"]), "as it came: nine digits"


def test_broadcast_history_by_name_and_by_id(pp: Peri) -> None:
    history: Any = pp.get_user_broadcast_history(username=USERNAME)

    assert [item["id"] for item in history] == list(IDS)
    assert all(item.keys() >= BROADCAST_KEYS - {"end"} for item in history)
    assert history == pp.get_user_broadcast_history(user_id=USER_ID) == pp.get_user_broadcast_history(USER_ID)
    with pytest.raises(ValueError, match="Must specify either user_id or username"):
        pp.get_user_broadcast_history()


def test_session_tokens(pp: Peri) -> None:
    tokens: Any = pp.get_web_public_user_session_tokens(user_id=USER_ID)

    assert sorted(tokens) == ["broadcastHistory", "serviceToken", "thumbnailPlaylist", "user_id"]
    assert tokens["user_id"] == USER_ID
    assert all(isinstance(token, str) and token for token in tokens.values())


def test_a_token_is_for_further_requests(pp: Peri) -> None:
    tokens: Any = pp.get_web_public_user_session_tokens(username=USERNAME)

    answer: Any = pp.request_api(
        "getUserBroadcastsPublic", user_id=USER_ID, all="true", session_id=tokens["broadcastHistory"]
    )
    thumbnails: Any = pp.request_api(
        "publicReplayThumbnailPlaylist", broadcast_id=IDS[0], session_id=tokens["thumbnailPlaylist"]
    )

    assert [item["id"] for item in answer["broadcasts"]] == list(IDS)
    assert {"chunk", "tn", "rotation"} <= thumbnails["chunks"][0].keys()


def test_any_call_gives_its_whole_answer(pp: Peri) -> None:
    answer: Any = pp.request_api("getUserPublic", user_id=USER_ID)
    assert answer == {"user": pp.get_user_info(USER_ID)}


def test_user_urls(pp: Peri, box: SandboxBox) -> None:
    assert pp.create_user_url(user_id=USER_ID) == f"{box.bases['pscp']}/u/{USER_ID}"
    # The documentation shows a link to a broadcast here, by mistake.
    assert pp.create_user_url(username=USERNAME) == f"{box.bases['pscp']}/{USERNAME}"


def test_links(pp: Peri) -> None:
    nothing = dict.fromkeys(("broadcast_id", "user_id", "username"))
    parse = pp.parse_periscope_url
    assert parse("https://www.periscope.tv/w/1eaKbRMEMEQKX") == nothing | {"broadcast_id": "1eaKbRMEMEQKX"}
    assert parse("https://www.periscope.tv/u/376827") == nothing | {"user_id": USER_ID}
    assert parse("https://www.periscope.tv/george_clinton") == nothing | {"username": USERNAME}
    assert parse("https://www.periscope.tv/george_clinton/1eaKbRMEMEQKX") == nothing | {
        "username": USERNAME,
        "broadcast_id": "1eaKbRMEMEQKX",
    }


def test_no_connection_is_an_error_of_its_own(pp: Peri) -> None:
    gone = requests.exceptions.ConnectionError("gone")
    with mock.patch("pyperi.pyperi.requests.get", side_effect=gone), pytest.raises(PyPeriConnectionError):
        pp.get_user_info(USER_ID)


def test_a_patched_function_sees_each_request_of_the_drop_in(pp: Peri) -> None:
    with mock.patch("pyperi.pyperi.requests.get", wraps=requests.get) as get:
        pp.get_user_broadcast_history(username=USERNAME)
    asked = [call.args[0] for call in get.call_args_list]
    assert [url.rpartition("/")[2].partition("?")[0] for url in asked] == [USERNAME, "getUserBroadcastsPublic"]


def test_the_examples_on_our_own_page_run_as_they_stand(pp: Peri) -> None:
    block = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    names: dict[str, Any] = {}
    shown: list[Any] = []
    for statement in ast.parse(block[1]).body:
        source = ast.get_source_segment(block[1], statement) or ""
        if isinstance(statement, ast.Expr):
            shown.append(eval(source, names))
        else:
            exec(source, names)

    assert len(shown) == 7
    assert all(value for value in shown)

"""Whatever Periscope answers, the client gives a typed value or a typed error, and in bounded time."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydrophone.errors import HydrophoneError
from hydrophone.http.messages import Headers, Question, Reply
from hydrophone.model import BroadcastId, PeriscopeUserId, PeriscopeUserRef
from hydrophone.periscope import (
    broadcasts,
    channels,
    chat,
    logins,
    producer,
    producer_login,
    publishing,
    thumbnails,
    users,
    videos,
)
from hydrophone.periscope.pages import read_page
from hydrophone.periscope.producer_login import ProducerLogin
from hydrophone.periscope.resolving import find_video
from hydrophone.periscope.session import PeriscopeSession
from periscope.conversing import SAMPLES, Clock, Talk, json_reply, sample, signed_in

ID = BroadcastId("1yoKbWqNLdRGX")
LOGIN = ProducerLogin("token")
Asking = Callable[[PeriscopeSession], Question[Any]]


def whole_chat(session: PeriscopeSession) -> Question[Any]:
    access = yield from chat.chat_access(session, "t")
    return (yield from chat.chat_history(session, access))


def one_page_of_chat(session: PeriscopeSession) -> Question[Any]:
    door = chat.ChatDoor(endpoint="https://chatman-replay-eu-central-1.pscp.tv", access_token="t")
    return (yield from chat.chat_page(session, door))


def device_login(session: PeriscopeSession) -> Question[Any]:
    code = yield from producer_login.start_device_login(session, "client")
    return (yield from producer_login.check_device_login(session, "client", code))


QUESTIONS: dict[str, Asking] = {
    "api/accessVideoPublic": lambda session: find_video(session, ID),
    "api/accessVideo": lambda session: videos.access_private_video(session, ID),
    "api/accessChannel": lambda session: videos.access_channel(session, ID),
    "api/getBroadcastPublic": lambda session: broadcasts.broadcast_by_id(session, ID),
    "api/getBroadcastsPublic": lambda session: broadcasts.broadcasts_by_ids(session, [ID]),
    "api/_getBroadcastsCardsPublic": lambda session: broadcasts.broadcast_cards(session, [ID]),
    "api/getUserPublic": lambda session: users.user_by_id(session, PeriscopeUserId("1")),
    "api/getBroadcastViewers": lambda session: broadcasts.viewers(session, ID),
    "api/getBroadcastShareURL": lambda session: broadcasts.share_url(session, ID),
    "api/getBroadcastIdForShareToken": lambda session: broadcasts.broadcast_id_of_token(session, "t"),
    "api/publicReplayThumbnailPlaylist": lambda session: thumbnails.replay_thumbnails(session, ID, token="t"),
    "api/authorizeTokenPublic": lambda session: channels.channels_token(session, "t"),
    "api/createBroadcast": lambda session: publishing.create_app_broadcast(session, "r"),
    "api/endBroadcast": lambda session: publishing.end_app_broadcast(session, ID),
    "api/loginTwitter": lambda session: logins.login_with_jwt(session, "t"),
    "channels/top_channels_broadcasts": lambda session: channels.top_channels(session, "t"),
    "channels/channel_broadcasts": lambda session: channels.channel_broadcasts(session, "t", "1"),
    "chat/accessChatPublic": whole_chat,
    "chat/history_page": one_page_of_chat,
    "producer/broadcast_create": lambda session: producer.create_broadcast(session, LOGIN, "r"),
    "producer/broadcast_get": lambda session: producer.look_up_broadcast(session, LOGIN, ID),
    "producer/broadcast_publish": lambda session: producer.publish_broadcast(session, LOGIN, ID, "t"),
    "producer/device_code_c": device_login,
    "producer/me": lambda session: producer.own_user(session, LOGIN),
    "producer/region": lambda session: producer.nearest_region(session, LOGIN),
}
CASES = [
    (name, question)
    for path in sorted(SAMPLES.glob("*/*.json"))
    for prefix, question in QUESTIONS.items()
    if (name := f"{path.parent.name}/{path.name}").startswith((prefix + ".", prefix + "1", prefix + "2", prefix + "h"))
    and ".request" not in name
]

JUNK: list[Any] = [None, True, 0, -1, 10**30, 1.5, float("inf"), float("nan"), "", "junk", "\ud800", "9" * 400, [], {}]
JUNK += [
    [None],
    {"": None},
    [[[[]]]],
    "../../x",
    "2026-99-99T99:99:99Z",
    "0001-01-01T00:00:00Z",
    "https://[::1",
    "a\r\nb",
]


def ask(question: Asking, value: Any) -> None:
    talk = Talk(("", json_reply(value)))
    try:
        talk.ask(question(signed_in(Clock())))
    except HydrophoneError as error:
        error.message.encode()
    assert len(talk.requests) <= 12


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in inner for place in places(child, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = new
    return changed


def test_every_question_has_its_samples() -> None:
    assert {id(question) for _, question in CASES} == {id(question) for question in QUESTIONS.values()}


@pytest.mark.parametrize(("name", "question"), CASES, ids=[name for name, _ in CASES])
def test_each_field_missing_or_null(name: str, question: Asking) -> None:
    value = sample(name)
    for place in places(value)[:400]:
        ask(question, replaced(value, place, None))


@pytest.mark.parametrize(("name", "question"), CASES, ids=[name for name, _ in CASES])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_fields_of_any_other_kind(name: str, question: Asking, data: st.DataObject) -> None:
    value = sample(name)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.sampled_from(places(value)))
        value = replaced(value, place, data.draw(st.sampled_from(JUNK)))
    ask(question, value)


@pytest.mark.parametrize(("name", "question"), CASES[::4], ids=[name for name, _ in CASES[::4]])
@given(
    body=st.binary(max_size=60), status=st.sampled_from([200, 200, 204, 301, 400, 401, 403, 404, 410, 418, 429, 500])
)
@settings(max_examples=30, deadline=None)
def test_any_bytes_under_any_status(name: str, question: Asking, body: bytes, status: int) -> None:
    talk = Talk(("", Reply(status, Headers(), body)))
    try:
        talk.ask(question(signed_in(Clock())))
    except HydrophoneError:
        return


PAGES = sorted((SAMPLES / "pages").glob("*.html"))


@given(st.sampled_from(PAGES), st.data())
@settings(max_examples=150, deadline=None)
def test_any_change_to_a_page_gives_a_page_or_an_error(path: Any, data: st.DataObject) -> None:
    text = path.read_text()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 2000)))
        patch = data.draw(
            st.sampled_from(["", "null", "[]", '"', "&quot;", "{", "}", "\\u0000", "\\ud800", "data-store="])
        )
        text = text[:start] + patch + text[end:]
    try:
        read_page(text, username="mara_lind")
    except HydrophoneError as error:
        error.message.encode()


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_any_change_to_the_state_in_a_page_gives_a_page_or_an_error(data: st.DataObject) -> None:
    store = json.loads(json.dumps(dict(read_page((SAMPLES / "pages/user_2019.html").read_bytes()).store)))
    for _ in range(data.draw(st.integers(1, 4))):
        store = replaced(store, data.draw(st.sampled_from(places(store))), data.draw(st.sampled_from(JUNK)))
    text = json.dumps(store).replace("&", "&amp;").replace('"', "&quot;")
    try:
        page = read_page(f'<div data-store="{text}">', username="mara_lind")
    except HydrophoneError:
        return
    repr(page).encode("utf-8")


def test_a_history_of_any_shape_is_read() -> None:
    for junk in (*JUNK, {"broadcasts": JUNK}, {"broadcasts": [{"id": "1"}], "cursor": 5}):
        talk = Talk(("pscp:", Reply(200, Headers(), PAGES[-1].read_bytes())), ("", json_reply(junk)))
        try:
            talk.ask(users.user_broadcasts(signed_in(Clock()), PeriscopeUserRef("mara_lind")))
        except HydrophoneError:
            continue

"""The real client, and the drop-in, against the sandbox's Periscope over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from hydrophone.errors import (
    HydrophoneError,
    NoReplayError,
    NotFoundError,
    NotSignedInError,
    UnsafeAddressError,
    WireError,
)
from hydrophone.http import Client, Endpoints, HttpSettings, Request
from hydrophone.links import IdKind, guess_kind, parse_link
from hydrophone.model import BroadcastId, PeriscopeBroadcastRef, PeriscopeUserId, PeriscopeUserRef, SpaceState
from hydrophone.periscope import (
    broadcasts,
    channels,
    chat,
    producer,
    producer_login,
    thumbnails,
    users,
    videos,
    viewing,
)
from hydrophone.periscope.resolving import find_video, look_at_video
from hydrophone.periscope.session import PeriscopeLogin, PeriscopeSession
from hydrophone.testing import SandboxBox, sandbox
from pyperi import Peri, PyPeriConnectionError, PyPeriResponseError
from sandbox.periscope_asking import sid, switch

MARA = PeriscopeUserRef(username="mara_lind")
MARA_ID = PeriscopeUserId("98104277")
OLD, LIVE, REPLAY = BroadcastId("1yoKbWqNLdRGX"), BroadcastId("1rmxPYOdkRvKN"), BroadcastId("1OyKADwqjpeJb")
PRODUCER, PRIVATE = BroadcastId("1BRJjzLkWVaJw"), BroadcastId("1lPKqXeRMbGGm")
TIMED_OUT, GONE = BroadcastId("1YpKkaOEzVdxj"), BroadcastId("1zqJVLdYpbaxB")
SCENES = ("2016", "came-back", "live", "replay", "producer", "private", "timed-out", "gone")
KEYS = {"start", "status", "user_display_name", "user_id", "username", "state", "image_url", "image_url_small"}


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox(speed=20) as box:
        yield box


@pytest.fixture
def box(empty_box: SandboxBox) -> SandboxBox:
    empty_box.control.reset()
    for name in SCENES:
        empty_box.control.load(f"periscope-{name}")
    return empty_box


@pytest.fixture
def client(box: SandboxBox) -> Iterator[Client]:
    settings = HttpSettings(backoff_seconds=0.01, proxy="")
    with Client(Endpoints.sandbox(box.bases), settings=settings) as made:
        yield made


@pytest.fixture
def session() -> PeriscopeSession:
    return PeriscopeSession()


def signed_in(box: SandboxBox, user: str) -> PeriscopeSession:
    def is_api(url: str) -> bool:
        return url.startswith((box.bases["periscope"] + "/", box.bases["proxsee"] + "/"))

    return PeriscopeSession(login=PeriscopeLogin(sid(box, user), is_api=is_api))


# ---------------------------------------------------------------- typed calls


def test_users_and_their_pages(client: Client, session: PeriscopeSession) -> None:
    by_id = client.ask(users.user_by_id(session, MARA_ID))
    assert by_id == client.ask(users.user_by_name(session, "MARA_LIND"))
    assert (by_id.id, by_id.username, by_id.x_id) == (MARA_ID, "mara_lind", "9128446301")
    with pytest.raises(NotFoundError):
        client.ask(users.user_by_name(session, "nobody_at_all"))
    with pytest.raises(NotFoundError):
        client.ask(users.user_page(session, PeriscopeUserRef("nobody_at_all")))


@pytest.mark.parametrize("layout", ["2016", "2019", "mid2016"])
def test_a_history_by_name_and_by_id_in_each_generation(
    box: SandboxBox, client: Client, session: PeriscopeSession, layout: str
) -> None:
    switch(box, layout=layout, history_page_size=2)
    found = client.ask(users.user_broadcasts(session, MARA))
    assert [one.id for one in found] == [
        one.id for one in client.ask(users.user_broadcasts(session, PeriscopeUserRef(user_id=MARA_ID)))
    ]
    assert {OLD, LIVE, REPLAY, TIMED_OUT} <= {one.id for one in found}
    starts = [one.started_at for one in found if one.started_at]
    assert starts == sorted(starts, reverse=True)
    assert all(guess_kind(one.id) is IdKind.BROADCAST for one in found)


@pytest.mark.parametrize("link", ["tracking", "history", "usernames", "users"])
def test_the_user_of_a_page_is_found_by_any_link(
    box: SandboxBox, client: Client, session: PeriscopeSession, link: str
) -> None:
    switch(box, user_link=link, layout="2016" if link == "tracking" else "2019")
    assert client.ask(users.user_page(session, MARA)).user_id == MARA_ID


@pytest.mark.parametrize("cursor", ["same", "circle"])
def test_a_cursor_that_leads_nowhere_ends(
    box: SandboxBox, client: Client, session: PeriscopeSession, cursor: str
) -> None:
    switch(box, history_page_size=1, history_cursor=cursor)
    ids = [one.id for one in client.ask(users.user_broadcasts(session, MARA))]
    assert len(ids) == len(set(ids)) >= 1


@pytest.mark.parametrize("page", ["no_store", "cut", "twice", "redirect"])
def test_a_page_that_says_nothing_is_an_error_of_ours(
    box: SandboxBox, client: Client, session: PeriscopeSession, page: str
) -> None:
    switch(box, page=page)
    with pytest.raises(HydrophoneError):
        client.ask(users.user_broadcasts(session, MARA))


@pytest.mark.parametrize(
    ("broadcast_id", "name"),
    [(OLD, "replay_url"), (REPLAY, "replay_url"), (PRODUCER, "replay_url"), (LIVE, "https_hls_url")],
)
def test_video_is_found_and_its_playlist_is_one(
    client: Client, session: PeriscopeSession, broadcast_id: BroadcastId, name: str
) -> None:
    access = client.ask(find_video(session, broadcast_id))
    assert next(iter(access.urls)) == name
    assert access.broadcast is not None
    assert access.broadcast.id == broadcast_id
    assert access.chat_token


def test_a_replay_of_2016_is_fetched_with_its_cookies(client: Client, session: PeriscopeSession) -> None:
    access = client.ask(find_video(session, OLD))
    assert [cookie.name.partition("-")[0] for cookie in access.cookies] == ["CloudFront"] * 3
    header = access.cookie_header(access.playlist_url or "")
    assert header is not None
    assert requests.get(access.playlist_url or "", timeout=5).status_code == 403
    reply = requests.get(access.playlist_url or "", headers={"cookie": header}, timeout=5)
    assert reply.text.startswith("#EXTM3U")
    assert access.broadcast is not None
    assert access.broadcast.rotation_degrees == 271


def test_what_is_not_to_be_had_is_told_by_its_reason(client: Client, session: PeriscopeSession) -> None:
    for broadcast_id, kind in ((PRIVATE, NotSignedInError), (TIMED_OUT, NoReplayError), (GONE, NotFoundError)):
        with pytest.raises(kind):
            client.ask(find_video(session, broadcast_id))


def test_a_private_replay_with_its_key_for_those_who_may(box: SandboxBox, client: Client) -> None:
    teo = signed_in(box, "teo_varga")
    access = client.ask(find_video(teo, PRIVATE))
    assert access.is_encrypted
    redirected = client.ask(videos.private_replay_url(teo, PRIVATE))
    assert redirected is not None
    name = videos.read_stream_name(redirected)
    assert name is not None
    assert len(client.ask(videos.hls_key(teo, name))) == 16

    stranger = signed_in(box, "ines_okafor")
    with pytest.raises(HydrophoneError):
        client.ask(videos.hls_key(stranger, name))


def test_what_a_signed_in_user_sees(box: SandboxBox, client: Client) -> None:
    mara = signed_in(box, "mara_lind")
    assert client.ask(users.own_view_of_user(mara, MARA)).id == MARA_ID
    assert PRIVATE in {one.id for one in client.ask(users.own_view_of_broadcasts(mara, MARA))}
    found = client.ask(broadcasts.own_view_of_broadcasts(mara, [REPLAY, GONE]))
    assert {key: value is not None for key, value in found.items()} == {REPLAY: True, GONE: False}
    ref = parse_link(client.ask(broadcasts.share_url(mara, REPLAY)))
    assert isinstance(ref, PeriscopeBroadcastRef)
    assert (ref.id, ref.shared_by) == (REPLAY, MARA_ID)
    assert client.ask(broadcasts.viewers(mara, REPLAY)).hearts is not None
    switch(box, sessions="dead")
    with pytest.raises(NotSignedInError):
        client.ask(users.own_view_of_user(mara, MARA))


def test_broadcasts_cards_and_search(client: Client, session: PeriscopeSession) -> None:
    broadcast, user = client.ask(broadcasts.broadcast_by_id(session, REPLAY))
    assert user is not None
    assert (broadcast.state, user.id) == (SpaceState.ENDED, MARA_ID)
    found = client.ask(broadcasts.broadcasts_by_ids(session, [REPLAY, LIVE, GONE]))
    assert {key: value is not None for key, value in found.items()} == {REPLAY: True, LIVE: True, GONE: False}
    cards = client.ask(broadcasts.broadcast_cards(session, [REPLAY]))
    assert [card.broadcast.id for card in cards] == [REPLAY]
    assert LIVE in {one.id for one in client.ask(broadcasts.search_broadcasts(session, "tide"))}


def test_thumbnails_have_a_cover_and_rising_times(client: Client, session: PeriscopeSession) -> None:
    found = client.ask(thumbnails.replay_thumbnails(session, OLD))
    assert found.cover is not None
    times = [picture.at_seconds or 0.0 for picture in found.pictures]
    assert len(times) > 1
    assert times == sorted(times)
    assert requests.get(found.cover.url, timeout=5).content[:2] == b"\xff\xd8"


def test_a_chat_is_read_whole_and_once(box: SandboxBox, client: Client, session: PeriscopeSession) -> None:
    access = client.ask(chat.chat_access(session, client.ask(find_video(session, OLD)).chat_token or ""))
    whole = client.ask(chat.chat_history(session, access))
    assert len(whole) > 10
    switch(box, chat_page_size=3, chat_repeats=True)
    access = client.ask(chat.chat_access(session, client.ask(find_video(session, OLD)).chat_token or ""))
    assert len(client.ask(chat.chat_history(session, access))) == len(whole)


def test_channels(client: Client, session: PeriscopeSession) -> None:
    page = client.ask(users.user_page(session, MARA))
    token = client.ask(channels.channels_token(session, page.tokens.service or ""))
    top = client.ask(channels.top_channels(session, token))
    assert "harbour-walks" in {one.channel.slug for one in top if one.channel}
    channel = next(one.channel for one in top if one.channel and one.channel.slug == "harbour-walks")
    assert LIVE in client.ask(channels.channel_broadcasts(session, token, channel.id)).broadcast_ids
    with pytest.raises(HydrophoneError):
        client.ask(channels.top_channels(session, "junk"))


def test_a_view_is_counted_when_somebody_wants_it(client: Client, session: PeriscopeSession) -> None:
    access = client.ask(find_video(session, LIVE))
    view = client.ask(viewing.start_viewing(session, access.lifecycle_token or "", is_live=True))
    client.ask(viewing.keep_viewing(session, view))
    client.ask(viewing.stop_viewing(session, view))


def test_a_closed_service_says_so(box: SandboxBox, client: Client, session: PeriscopeSession) -> None:
    switch(box, closed="all")
    with pytest.raises(NotFoundError, match="2021"):
        client.ask(look_at_video(session, REPLAY))
    with pytest.raises((WireError, NotFoundError)):
        client.ask(users.user_page(session, MARA))


def test_a_produced_broadcast_from_device_code_to_delete(box: SandboxBox, client: Client) -> None:
    switch(box, device_checks=2, device_interval_seconds=1, device_owner="mara_lind")
    session = PeriscopeSession()
    code = client.ask(producer_login.start_device_login(session, "sandbox-encoder"))
    login = client.ask(producer_login.wait_for_device_login(session, "sandbox-encoder", code))
    login.is_api = lambda url: url.startswith(box.bases["producer"] + "/")
    assert client.ask(producer.own_user(session, login)).username == "mara_lind"
    created = client.ask(producer.create_broadcast(session, login, client.ask(producer.nearest_region(session, login))))
    assert created.ingest is not None
    assert created.ingest.address().endswith("/" + created.ingest.stream_key)
    assert created.state is SpaceState.SCHEDULED
    client.ask(producer.delete_broadcast(session, login, created.id))
    with pytest.raises(HydrophoneError):
        client.ask(producer.look_up_broadcast(session, login, created.id))


def test_no_session_cookie_reaches_another_service(box: SandboxBox, client: Client) -> None:
    session = signed_in(box, "teo_varga")
    access = client.ask(find_video(session, PRIVATE))
    assert session.login is not None
    for service in ("chat", "pscp", "producer", "x"):
        client.send(Request("GET", f"{box.bases[service]}/", credential=session.login, attempts=1))
    with pytest.raises(UnsafeAddressError):
        client.send(Request("GET", f"{box.bases['cdn']}/", credential=session.login, attempts=1))
    canary = session.login.secret_value()
    heard = [entry for entry in box.control.requests() if canary in str(entry)]
    assert {str(entry["service"]) for entry in heard} <= {"periscope", "proxsee"}
    assert canary not in (access.playlist_url or "")


# ---------------------------------------------------------------- the drop-in


@pytest.fixture
def pp(box: SandboxBox) -> Peri:
    class Sandboxed(Peri):
        PERISCOPE_API_BASE_URL = box.bases["periscope"] + "/api/v2"
        PERISCOPE_WEB_BASE_URL = box.bases["pscp"]

    return Sandboxed()


@pytest.mark.parametrize("layout", ["2016", "2019"])
def test_every_documented_call_of_the_drop_in(box: SandboxBox, pp: Peri, layout: str) -> None:
    switch(box, layout=layout, integer_user_ids=layout == "2016")

    user: Any = pp.get_user_info("98104277")
    assert (user["id"], user["username"]) == ("98104277", "mara_lind")
    assert pp.request_api("getUserPublic", user_id=98104277)["user"].keys() == user.keys()
    assert pp.get_user_info("424242") is None
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        pp.get_user_info("george clinton")
    assert caught.value.response.status_code == 400

    broadcast: Any = pp.get_broadcast_info(REPLAY)
    assert (broadcast["id"], broadcast["user_id"], broadcast["username"]) == (REPLAY, "98104277", "mara_lind")
    assert pp.get_broadcast_info("aAaAAaaaAAAA") is None

    tokens: Any = pp.get_web_public_user_session_tokens(username="mara_lind")
    assert tokens.keys() == {"user_id", "broadcastHistory", "serviceToken", "thumbnailPlaylist"}
    assert [len(tokens[kind]) for kind in ("broadcastHistory", "serviceToken", "thumbnailPlaylist")] == [113, 109, 121]
    assert pp.get_web_public_user_session_tokens(username="nobody_at_all") is None

    history: Any = pp.get_user_broadcast_history(username="mara_lind")
    again: Any = pp.get_user_broadcast_history("98104277")  # the numbers of a live broadcast move on meanwhile
    assert [item["id"] for item in history] == [item["id"] for item in again]
    assert history[0]["id"] == LIVE
    assert all(item.keys() >= KEYS for item in history)
    assert pp.get_user_broadcast_history(user_id="424242") is None
    assert pp.create_user_url(username="mara_lind") == box.bases["pscp"] + "/mara_lind"


def test_the_drop_in_after_the_closing(box: SandboxBox, pp: Peri) -> None:
    switch(box, closed="api")
    assert pp.get_user_info("98104277") is None
    assert pp.get_broadcast_info(REPLAY) is None
    assert pp.get_user_broadcast_history(username="mara_lind") is None
    switch(box, closed="all")
    with pytest.raises((PyPeriResponseError, PyPeriConnectionError)):
        pp.get_user_broadcast_history(username="mara_lind")


@pytest.mark.parametrize("page", ["no_store", "cut", "twice"])
def test_the_drop_in_with_pages_that_say_nothing(box: SandboxBox, pp: Peri, page: str) -> None:
    switch(box, page=page)
    with pytest.raises(PyPeriResponseError):
        pp.get_web_public_user_session_tokens(username="mara_lind")

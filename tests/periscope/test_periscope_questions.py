"""Questions to a scripted Periscope: what is asked, in which order, how often, with which secrets; what a no means."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from hydrophone.errors import (
    BlockedError,
    FaultyServiceError,
    HydrophoneError,
    NoReplayError,
    NotFoundError,
    NotSignedInError,
    NotStartedError,
    RateLimitedError,
    RefusedError,
    SettingsError,
    UnreachableError,
    WireError,
)
from hydrophone.http.messages import Headers, Question, Reply, Request
from hydrophone.http.reading import Node
from hydrophone.model import BroadcastId, PeriscopeUserId, PeriscopeUserRef
from hydrophone.periscope import broadcasts, channels, chat, logins, publishing, thumbnails, users, videos, viewing
from hydrophone.periscope.asking import ask_private, ask_public
from hydrophone.periscope.closing import closed_error, may_be_on_x
from hydrophone.periscope.refusals import NotPeriscopeError, pause_seconds, read_message
from hydrophone.periscope.resolving import PATIENCE_SECONDS, find_video, look_at_video
from hydrophone.periscope.session import PeriscopeLogin, PeriscopeSession
from periscope.conversing import Clock, Talk, anonymous, answer, json_reply, node, sample, signed_in, text_reply

ENDED, LIVE, GONE = BroadcastId("1yoKbWqNLdRGX"), BroadcastId("1rmxPYOdkRvKN"), BroadcastId("1zqJVLdYpbaxB")
MARA = PeriscopeUserRef(username="mara_lind")
REPLAY = answer("api/accessVideoPublic.replay_2016_cookies.json")
NOT_YET = json_reply({"broadcast": {**sample("api/accessVideoPublic.live_2019.json")["broadcast"]}})


# ---------------------------------------------------------------- what a no means

REFUSALS: list[tuple[Reply, type[HydrophoneError]]] = [
    (answer("api/getUserPublic.400.json", 400), RefusedError),
    (json_reply({}, 401), NotSignedInError),
    (json_reply({"msg": "x"}, 403), RefusedError),
    (text_reply("<html>", 403), BlockedError),
    (answer("api/accessVideoPublic.404.json", 404), NotFoundError),
    (text_reply("", 404), NotFoundError),
    (json_reply({"errors": [{"error": "text for people"}]}, 406), RefusedError),
    (answer("api/accessVideoPublic.410.txt", 410), NotFoundError),
    (text_reply("", 429), RateLimitedError),
    (text_reply("<html>oops", 503), FaultyServiceError),
    (text_reply("", 302), WireError),
    (text_reply("<html>welcome to X", 200), NotPeriscopeError),
    (text_reply("", 200), WireError),
    (text_reply("gone", 200), WireError),
    (text_reply("[" * 5000, 200), WireError),
]


@pytest.mark.parametrize(("reply", "kind"), REFUSALS, ids=[f"{r.status} {r.body[:20]!r}" for r, _ in REFUSALS])
def test_every_refusal_is_an_error_of_its_kind(reply: Reply, kind: type[HydrophoneError]) -> None:
    with pytest.raises(kind) as caught:
        Talk(("", reply)).ask(ask_public(anonymous(), "getUserPublic", {"user_id": "1"}))
    assert type(caught.value) is kind
    if reply.status in (400, 406, 410, 404):
        assert getattr(caught.value, "status", None) == reply.status


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"success": False, "msg": "Not Found"}, "Not Found"),
        ({"error": {"code": 1, "message": "old style", "reason": 3}}, "old style"),
        ({"error": "plain"}, "plain"),
        ({"errors": [{"error": "text for people"}]}, "text for people"),
        ({"errors": ["a", "b"]}, "a"),
        ({"errors": [], "error": {}, "msg": 5}, ""),
        ([1], ""),
    ],
)
def test_error_bodies_of_all_kinds_are_read(body: Any, text: str) -> None:
    assert read_message(json_reply(body, 400)) == text


def test_messages_show_no_tokens_and_no_control_characters() -> None:
    token = "1PuxrO87g7DYYfdKuUwmoH8E9gmU9_4wNapMSqP-ifetoAaoJUc6tRs9lNPgjI3ejYZnAZThoQ6lb6"
    assert read_message(text_reply(f"bad token {token}\x1b[31m\n now", 400)) == "bad token … [31m now"
    assert read_message(text_reply("<html>secret", 400)) == ""


def test_a_failure_in_disguise_is_repeated_with_growing_pauses() -> None:
    talk = Talk(("", [answer("api/any.200_success_false.json")] * 4 + [answer("api/getUserPublic.json")]))
    assert talk.ask(users.user_by_id(anonymous(), PeriscopeUserId("98104277"))).username == "mara_lind"
    assert [request.wait_seconds for request in talk.requests] == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_a_failure_in_disguise_that_stays_is_given_up_after_five_tries() -> None:
    talk = Talk(("", answer("api/any.200_success_false.json")))
    with pytest.raises(FaultyServiceError, match="Please try again"):
        talk.ask(users.user_by_id(anonymous(), PeriscopeUserId("98104277")))
    assert len(talk.requests) == 5


def test_not_found_in_disguise_is_not_repeated() -> None:
    talk = Talk(("", json_reply({"success": False, "msg": "Not Found"})))
    with pytest.raises(NotFoundError):
        talk.ask(users.user_by_id(anonymous(), PeriscopeUserId("98104277")))
    assert len(talk.requests) == 1


def test_a_429_names_when_to_come_back() -> None:
    clock = Clock()
    with pytest.raises(RateLimitedError) as caught:
        Talk(("", text_reply("", 429, ("retry-after", "120")))).ask(ask_public(anonymous(clock), "x"))
    assert caught.value.retry_at == clock.now + timedelta(seconds=120)
    assert [pause_seconds(text_reply("", 429), n) for n in (1, 2, 3, 7, 99)] == [60, 120, 240, 3600, 3600]
    assert pause_seconds(text_reply("", 429, ("retry-after", "999999"))) == 3600


# ---------------------------------------------------------------- users and histories


def test_a_history_takes_the_page_and_every_page_of_it() -> None:
    talk = Talk(
        ("pscp:/mara_lind", answer("pages/user_2019.html")),
        (
            "getUserBroadcastsPublic",
            [answer(f"api/getUserBroadcastsPublic.2021_page{number}.json") for number in (1, 2)],
        ),
    )
    found = talk.ask(users.user_broadcasts(anonymous(), MARA))

    assert [one.id for one in found] == ["1rmxPYOdkRvKN", "1OyKADwqjpeJb", "1YpKkaOEzVdxj"]
    first, second = (dict(request.params) for request in talk.asked("getUserBroadcastsPublic"))
    assert first == {"all": "true", "session_id": first["session_id"], "user_id": "98104277"}
    assert first["session_id"].startswith("1fWZ5")
    assert second == {**first, "cursor": "HRpYn2kBRcAOXMQKofW1Z_gtneiwKYQE"}


@pytest.mark.parametrize("refusal", [json_reply({}, 401), json_reply({}, 403), json_reply({}, 400)])
def test_a_token_that_is_not_taken_is_fetched_anew_once(refusal: Reply) -> None:
    talk = Talk(
        ("pscp:/u/98104277", answer("pages/user_2016.html")),
        ("getUserBroadcastsPublic", [refusal, answer("api/getUserBroadcastsPublic.2016.json")]),
    )
    ref = PeriscopeUserRef(user_id=PeriscopeUserId("98104277"))
    assert len(talk.ask(users.user_broadcasts(anonymous(), ref))) == 3
    assert len(talk.asked("/u/98104277")) == 2

    stubborn = Talk(("pscp:", answer("pages/user_2016.html")), ("getUserBroadcastsPublic", refusal))
    with pytest.raises(HydrophoneError):
        stubborn.ask(users.user_broadcasts(anonymous(), ref))
    assert len(stubborn.requests) == 4


def test_a_page_that_leads_to_x_by_now_says_that_periscope_closed() -> None:
    talk = Talk(("pscp:", answer("pages/redirected_no_data_store.html")))
    with pytest.raises(WireError, match="closed on 31 March 2021"):
        talk.ask(users.user_broadcasts(anonymous(), MARA))


def test_a_user_who_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        Talk(("pscp:", answer("pages/not_found_404.html", 404))).ask(users.user_page(anonymous(), MARA))


def test_a_name_is_quoted_into_the_path() -> None:
    talk = Talk(("", answer("pages/user_2016.html")))
    talk.ask(users.user_page(anonymous(), PeriscopeUserRef(username="../a b?")))
    assert talk.targets() == ["/..%2Fa%20b%3F"]


def test_a_history_of_junk_ends() -> None:
    steps = users.history_pages("1", "t")
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send([1, 2])
    assert end.value.value == []


# ---------------------------------------------------------------- broadcasts


def test_a_broadcast_comes_with_its_user_and_its_numbers() -> None:
    broadcast, user = Talk(("", answer("api/getBroadcastPublic.json"))).ask(
        broadcasts.broadcast_by_id(anonymous(), ENDED)
    )
    raw = sample("api/getBroadcastPublic.json")
    assert user is not None
    assert (broadcast.id, user.username) == (raw["broadcast"]["id"], raw["user"]["username"])
    assert (broadcast.viewers, broadcast.viewers_total) == (raw["n_watching"], raw["n_watched"])


def test_unknown_ids_are_none_and_bad_ones_are_not_asked() -> None:
    talk = Talk(("", answer("api/getBroadcastsPublic.json")))
    found = talk.ask(broadcasts.broadcasts_by_ids(anonymous(), [LIVE, GONE, BroadcastId("../x")]))
    assert {key: value is not None for key, value in found.items()} == {LIVE: True, GONE: False, "../x": False}
    assert talk.requests[0].params == {"broadcast_ids": f"{LIVE},{GONE}"}


def test_long_lists_are_asked_in_batches() -> None:
    talk = Talk(("", json_reply([])))
    talk.ask(broadcasts.broadcasts_by_ids(anonymous(), [BroadcastId(str(10_000 + n)) for n in range(250)]))
    assert [len(request.params["broadcast_ids"].split(",")) for request in talk.requests] == [100, 100, 50]


def test_a_search_posts_its_words() -> None:
    talk = Talk(("", answer("api/getBroadcastsPublic.json")))
    assert len(talk.ask(broadcasts.search_broadcasts(anonymous(), "fog"))) == 2
    assert json.loads(talk.requests[0].body or b"") == {"search": "fog", "include_replay": True}


def test_the_front_page_is_a_list_of_ids() -> None:
    talk = Talk(("_getRankedFeedPublic", json_reply([LIVE, "x/y", None, 5])))
    assert talk.ask(broadcasts.ranked_ids(anonymous())) == (LIVE, "5")


# ---------------------------------------------------------------- private calls

PRIVATE: dict[str, tuple[Callable[[PeriscopeSession], Question[Any]], Reply]] = {
    "accessVideo": (
        lambda session: videos.access_private_video(session, BroadcastId("1lPKqXeRMbGGm")),
        answer("api/accessVideo.private_live_authenticated.json"),
    ),
    "accessChannel": (
        lambda session: videos.access_channel(session, BroadcastId("99310452")),
        answer("api/accessChannel.2015.json"),
    ),
    "user": (lambda session: users.own_view_of_user(session, MARA), answer("api/getUserPublic.json")),
    "userBroadcasts": (
        lambda session: users.own_view_of_broadcasts(session, MARA),
        answer("api/getBroadcastsPublic.json"),
    ),
    "getBroadcasts": (
        lambda session: broadcasts.own_view_of_broadcasts(session, [LIVE]),
        answer("api/getBroadcastsPublic.json"),
    ),
    "userSearch": (lambda session: users.search_users(session, "mara"), json_reply([])),
    "followers": (lambda session: users.followers(session, PeriscopeUserId("1")), json_reply([])),
    "following": (lambda session: users.following(session, PeriscopeUserId("1")), json_reply([])),
    "suggestedPeople": (users.suggested_people, json_reply({"featured": [], "popular": [{"id": "5"}]})),
    "rankedBroadcastFeed": (
        lambda session: broadcasts.feed(session, "rankedBroadcastFeed", {"languages": ["en"]}),
        answer("api/getBroadcastsPublic.json"),
    ),
    "getBroadcastViewers": (
        lambda session: broadcasts.viewers(session, ENDED),
        answer("api/getBroadcastViewers.json"),
    ),
    "getBroadcastShareURL": (
        lambda session: broadcasts.share_url(session, ENDED),
        answer("api/getBroadcastShareURL.json"),
    ),
    "getBroadcastIdForShareToken": (
        lambda session: broadcasts.broadcast_id_of_token(session, "t"),
        answer("api/getBroadcastIdForShareToken.json"),
    ),
    "replayThumbnailPlaylist": (
        lambda session: thumbnails.own_thumbnails(session, ENDED),
        answer("api/publicReplayThumbnailPlaylist.json"),
    ),
    "accessChat": (lambda session: chat.own_chat_access(session, "t"), answer("chat/accessChatPublic.live.json")),
    "authorizeToken": (channels.own_authorization, answer("api/authorizeTokenPublic.json")),
    "createBroadcast": (
        lambda session: publishing.create_app_broadcast(session, "eu-central-1"),
        answer("api/createBroadcast.json"),
    ),
    "publishBroadcast": (
        lambda session: publishing.publish_app_broadcast(session, LIVE, "x"),
        answer("api/publishBroadcast.json"),
    ),
    "pingBroadcast": (lambda session: publishing.ping_app_broadcast(session, LIVE), json_reply({"success": True})),
    "endBroadcast": (lambda session: publishing.end_app_broadcast(session, LIVE), answer("api/endBroadcast.json")),
    "deleteBroadcast": (lambda session: publishing.delete_app_broadcast(session, LIVE), json_reply({"success": True})),
    "deleteReplay": (
        lambda session: publishing.delete_app_broadcast(session, LIVE, replay_only=True),
        json_reply({"success": True}),
    ),
    "setSettings": (lambda session: ask_private(session, "setSettings", {"a": 1, "b": None}), json_reply({})),
}


@pytest.mark.parametrize("endpoint", PRIVATE)
def test_private_calls_carry_the_session_as_a_credential_only(endpoint: str) -> None:
    question, reply = PRIVATE[endpoint]
    session = signed_in()
    talk = Talk(("", reply))
    talk.ask(question(session))

    (request,) = talk.requests
    assert (request.method, request.target) == ("POST", "/api/v2/" + endpoint)
    assert request.credential is session.login
    assert request.max_redirects == 0
    secret = session.login.secret_value() if session.login else ""
    assert secret not in (request.body or b"").decode() + str(request) + str(dict(request.headers))
    assert b"null" not in (request.body or b"")


@pytest.mark.parametrize("endpoint", PRIVATE)
def test_private_calls_without_a_session_ask_nothing(endpoint: str) -> None:
    talk = Talk()
    with pytest.raises(NotSignedInError, match="no longer exists"):
        talk.ask(PRIVATE[endpoint][0](anonymous()))
    assert talk.requests == []


def test_the_session_cookie_goes_to_the_hosts_of_the_api_only() -> None:
    login = signed_in().login
    assert login is not None
    assert login.user_id == "1kVQdRzGwaEXb"
    for host in ("api.periscope.tv", "proxsee.pscp.tv", "proxsee-cf.pscp.tv", "www.pscp.tv"):
        assert login.allows(f"https://{host}/api/v2/hlsEncryptionKey?stream_name=x")
    for url in (
        "http://api.periscope.tv/",
        "https://api.periscope.tv:8443/",
        "https://x@api.periscope.tv/",
        "https://prod-fastly-eu-central-1.video.pscp.tv/",
        "https://replay.periscope.tv/",
        "https://prod-chatman-ancillary-eu-central-1.pscp.tv/",
        "https://api.periscope.tv.evil.example/",
        "https://x.com/",
        "https://[::1",
    ):
        assert not login.allows(url)
    headers = login.headers("POST", "https://api.periscope.tv/")
    assert headers["cookie"] == f"sid={login.secret_value()}; uid=1kVQdRzGwaEXb"
    assert login.secret_value() not in repr(login)
    with pytest.raises(SettingsError):
        PeriscopeLogin("a\r\nb: c")


def test_signing_in_gives_a_session_and_its_user() -> None:
    talk = Talk(("", answer("api/loginTwitter.json")))
    login, user = talk.ask(logins.login_with_oauth(anonymous(), "key", "secret"))
    assert user is not None
    assert (login.user_id, user.username) == ("1kVQdRzGwaEXb", "teo_varga")
    assert json.loads(talk.requests[0].body or b"") == {"session_key": "key", "session_secret": "secret"}
    with pytest.raises(NotSignedInError):
        Talk(("", json_reply({}, 401))).ask(logins.login_with_jwt(anonymous(), "jwt"))
    for cookie in ("a\r\nb", "", 'x"', None):
        with pytest.raises(WireError):
            Talk(("", json_reply({"cookie": cookie}))).ask(logins.login_with_jwt(anonymous(), "jwt"))


def test_where_a_phone_sends_to() -> None:
    ingest = publishing.read_app_ingest(node("api/createBroadcast.json"))
    raw = sample("api/createBroadcast.json")
    tail = f"/liveorigin?t={raw['credential']}/{raw['stream_name']}"
    assert ingest.rtmp_url == f"rtmp://{raw['host']}:80{tail}"
    assert ingest.rtmps_url == f"rtmps://{raw['host']}:443{tail}"
    assert raw["credential"] not in repr(ingest)


# ---------------------------------------------------------------- keys and private replays


def test_the_key_of_an_encrypted_broadcast_is_sixteen_bytes() -> None:
    talk = Talk(
        ("hlsEncryptionKey", [Reply(200, body=bytes(range(16))), Reply(200, body=b"short"), json_reply({}, 404)])
    )
    session = signed_in()
    assert talk.ask(videos.hls_key(session, "name")) == bytes(range(16))
    assert talk.requests[0].params == {"stream_name": "name"}
    with pytest.raises(WireError, match="16 bytes"):
        talk.ask(videos.hls_key(session, "name"))
    with pytest.raises(NotFoundError):
        talk.ask(videos.hls_key(session, "name"))


def test_the_redirect_to_a_private_replay_is_read_and_not_followed() -> None:
    there = "https://prod-fastly-eu-central-1.video.pscp.tv/Transcoding/v1/hls/x/playlist_1.m3u8?type=replay"
    session = signed_in()
    replies = [
        text_reply("", 301, ("location", there)),
        text_reply("", 302, ("location", "file:///x")),
        text_reply("", 200),
    ]
    talk = Talk(("replayPlaylist.m3u8", replies))
    assert talk.ask(videos.private_replay_url(session, ENDED)) == there
    assert talk.ask(videos.private_replay_url(session, ENDED)) is None
    assert talk.ask(videos.private_replay_url(session, ENDED)) is None
    assert all(request.max_redirects == 0 for request in talk.requests)
    assert session.login is not None
    assert session.login.secret_value() not in repr(talk.requests[0])


# ---------------------------------------------------------------- from an id to video


def test_a_replay_is_found_at_once() -> None:
    talk = Talk(("accessVideoPublic", REPLAY))
    assert talk.ask(find_video(anonymous(), ENDED)).broadcast.id == ENDED  # type: ignore[union-attr]
    (request,) = talk.requests
    assert request.params == {"broadcast_id": ENDED, "replay_redirect": "false"}
    assert request.deadline_seconds == 10


def test_what_has_just_begun_is_waited_for() -> None:
    talk = Talk(("accessVideoPublic", [NOT_YET, NOT_YET, answer("api/accessVideoPublic.live_2019.json")]))
    assert talk.ask(find_video(anonymous(), LIVE)).playlist_url
    assert [request.wait_seconds for request in talk.requests] == [0.0, 5.0, 5.0]


def test_what_never_comes_is_waited_for_half_a_minute() -> None:
    talk = Talk(("accessVideoPublic", NOT_YET))
    with pytest.raises(UnreachableError, match="runs"):
        talk.ask(find_video(anonymous(), LIVE))
    assert sum(request.wait_seconds for request in talk.requests) == PATIENCE_SECONDS


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("private_no_urls", NotSignedInError, "no longer exists"),
        ("timed_out_no_replay", NoReplayError, "no replay"),
        ("not_started", NotStartedError, "not begun"),
    ],
)
def test_nothing_to_see_is_told_by_its_reason(name: str, kind: type[HydrophoneError], words: str) -> None:
    talk = Talk(("accessVideoPublic", answer(f"api/accessVideoPublic.{name}.json")))
    with pytest.raises(kind, match=words):
        talk.ask(find_video(anonymous(), LIVE))
    assert len(talk.requests) == 1


def test_a_private_broadcast_is_asked_for_with_the_session_there_is() -> None:
    talk = Talk(
        ("accessVideoPublic", answer("api/accessVideoPublic.private_no_urls.json")),
        ("accessVideo", answer("api/accessVideo.private_live_authenticated.json")),
    )
    found = talk.ask(find_video(signed_in(), BroadcastId("1lPKqXeRMbGGm")))
    assert found.is_encrypted
    assert found.playlist_url


def test_what_is_gone_is_not_found_and_may_be_on_x() -> None:
    with pytest.raises(NotFoundError, match="2021"):
        Talk(("", answer("api/accessVideoPublic.404.json", 404))).ask(find_video(anonymous(), GONE))
    assert may_be_on_x(GONE)
    assert not may_be_on_x("99310452")
    assert "X does not have it either" in closed_error(GONE, asked_x=True).message
    assert "X" not in closed_error(GONE, asked_x=False).message.replace(GONE, "")
    assert "never moved to X" in closed_error("99310452", asked_x=False).message
    assert "import" in closed_error(GONE, asked_x=True).advice


@pytest.mark.parametrize(
    "dead", [UnreachableError("the name could not be resolved", host="api.periscope.tv"), text_reply("<html>X", 200)]
)
def test_a_dead_service_costs_one_time_out_for_a_thousand_ids(dead: Any) -> None:
    session = anonymous()
    talk = Talk(("", dead))
    for number in range(1000):
        with pytest.raises((UnreachableError, NotPeriscopeError)):
            talk.ask(find_video(session, BroadcastId(str(100_000 + number))))
    assert len(talk.requests) == 1


def test_a_thing_that_is_gone_does_not_make_the_service_dead() -> None:
    session = anonymous()
    talk = Talk(
        ("", [answer("api/accessVideoPublic.404.json", 404), json_reply({"broadcast": {}, "cookies": 5}), REPLAY])
    )
    with pytest.raises(NotFoundError):
        talk.ask(look_at_video(session, GONE))
    talk.ask(look_at_video(session, GONE))
    assert talk.ask(look_at_video(session, ENDED)).playlist_url


def test_junk_is_not_asked_for() -> None:
    talk = Talk()
    with pytest.raises(NotFoundError):
        talk.ask(find_video(anonymous(), BroadcastId("../x")))
    assert talk.requests == []


def test_what_already_ran_of_a_live_broadcast_can_be_asked_for() -> None:
    talk = Talk(("", answer("api/accessVideoPublic.partial_replay_running.json")))
    assert talk.ask(videos.access_video(anonymous(), LIVE, partial_replay=True)).playlist_url
    assert talk.requests[0].params["latest_replay_playlist"] == "true"


# ---------------------------------------------------------------- chat


def history(request: Request) -> Reply:
    body = json.loads(request.body or b"{}")
    return answer(f"chat/history_page{2 if body['cursor'] else 1}.json")


def test_a_whole_chat_is_read_page_by_page_and_each_message_once() -> None:
    talk = Talk(("accessChatPublic", answer("chat/accessChatPublic.replay.json")), ("chatapi/v1/history", history))
    session = anonymous()
    access = talk.ask(chat.chat_access(session, "token"))
    messages = talk.ask(chat.chat_history(session, access))

    pages = [sample(f"chat/history_page{number}.json")["messages"] for number in (1, 2)]
    distinct = list({json.dumps(message, sort_keys=True): message for page in pages for message in page}.values())
    assert list(messages) == distinct
    first, second = (json.loads(request.body or b"") for request in talk.asked("history"))
    expected = sample("chat/history_page1.request.json")
    assert {name: first[name] for name in ("access_token", "cursor", "limit")} == {
        name: expected[name] for name in ("access_token", "cursor", "limit")
    }
    assert second["cursor"] == sample("chat/history_page2.request.json")["cursor"]
    assert urlsplit(talk.asked("history")[0].target).hostname == "chatman-replay-eu-central-1.pscp.tv"
    assert access.doors[0].access_token not in repr(access)


def test_chat_access_is_asked_at_the_host_that_still_lives() -> None:
    talk = Talk(("", answer("chat/accessChatPublic.live.json")))
    access = talk.ask(chat.chat_access(anonymous(), "token"))
    (request,) = talk.requests
    assert (request.service, request.method) == ("proxsee", "POST")
    assert json.loads(request.body or b"") == {"chat_token": "token"}
    assert request.headers["x-periscope-user-agent"] == "Twitter/m5"
    assert (access.room_id, access.is_read_only, access.can_read, access.can_write) == (LIVE, True, True, True)
    assert len(access.doors) == 2


def test_the_other_door_is_tried_when_the_first_stays_shut() -> None:
    talk = Talk(
        ("prod-chatman-ancillary", text_reply("", 503)),
        ("chatman-replay", json_reply({"messages": [{"kind": 1}], "cursor": ""})),
    )
    access = chat.read_chat_access(node("chat/accessChatPublic.live.json"))
    assert talk.ask(chat.chat_history(anonymous(), access)) == ({"kind": 1},)

    shut = Talk(("", text_reply("", 403)))
    with pytest.raises(RefusedError):
        shut.ask(chat.chat_history(anonymous(), access))
    assert len(shut.requests) == 2


@pytest.mark.parametrize("pages", [[{"messages": [], "cursor": "a"}], [{"messages": [{"n": 1}], "cursor": "a"}]])
def test_a_cursor_that_never_ends_ends(pages: list[dict[str, Any]]) -> None:
    talk = Talk(("", [json_reply(page) for page in pages]))
    access = chat.read_chat_access(node("chat/accessChatPublic.replay.json"))
    talk.ask(chat.chat_history(anonymous(), access))
    assert len(talk.requests) <= 3


@pytest.mark.parametrize("junk", [{}, {"access_token": "x"}, {"endpoint": "file:///x", "access_token": "y"}])
def test_an_access_without_a_door_is_an_error(junk: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        chat.read_chat_access(Node(junk))


# ---------------------------------------------------------------- thumbnails, channels, views


def test_thumbnails_fetch_their_own_token_from_the_page() -> None:
    talk = Talk(
        ("pscp:/w/", answer("pages/broadcast_mid2016.html")),
        ("publicReplayThumbnailPlaylist", answer("api/publicReplayThumbnailPlaylist.json")),
    )
    assert talk.ask(thumbnails.replay_thumbnails(anonymous(), ENDED)).cover
    assert talk.requests[1].params["session_id"].startswith("1EDsY")
    assert len(talk.ask(thumbnails.replay_thumbnails(anonymous(), ENDED, token="1x")).pictures) > 3
    assert talk.requests[2].params == {"broadcast_id": ENDED, "session_id": "1x"}


def test_channels_have_a_token_of_their_own() -> None:
    channel = sample("channels/top_channels_broadcasts.json")["ChannelBroadcasts"][0]["Channel"]
    talk = Talk(
        ("authorizeTokenPublic", answer("api/authorizeTokenPublic.json")),
        ("/v1/top/channels/broadcasts", answer("channels/top_channels_broadcasts.json")),
        ("/broadcasts", answer("channels/channel_broadcasts.json")),
        ("/v1/channels", json_reply({"Channels": [channel]})),
        ("/v1/users/", json_reply({"Channels": None})),
    )
    session = anonymous()
    token = talk.ask(channels.channels_token(session, "1service"))
    assert talk.requests[0].params == {"service": "channels", "session_id": "1service"}

    (top,) = talk.ask(channels.top_channels(session, token))
    assert top.channel is not None
    assert (top.channel.id, top.channel.slug, top.channel.created_at) == ("11529215046068469761", "harbour-walks", None)
    assert top.broadcast_ids == (LIVE, "1OyKADwqjpeJb")
    assert (top.live, top.replays) == (1, 2)
    assert talk.requests[1].headers["authorization"] == token
    found = talk.ask(channels.channel_broadcasts(session, token, top.channel.id))
    assert (found.channel, found.live, found.replays) == (None, 1, 2)
    assert [one.name for one in talk.ask(channels.channels(session, token))] == ["Harbour walks"]
    assert talk.ask(channels.channels_of_user(session, token, "1/2")) == []
    assert talk.targets()[-1] == "/v1/users/1%2F2/channels"


@pytest.mark.parametrize("is_live", [True, False])
def test_a_view_is_started_kept_and_stopped(is_live: bool) -> None:
    talk = Talk(
        ("startPublic", answer("api/startPublic.json")),
        ("replayViewedPublic", answer("api/replayViewedPublic.json")),
        ("", answer("api/pingPublic.json")),
    )
    session = anonymous()
    view = talk.ask(viewing.start_viewing(session, "token", is_live=is_live))
    talk.ask(viewing.keep_viewing(session, view))
    talk.ask(viewing.stop_viewing(session, view))
    names = [target.rpartition("/")[2] for target in talk.targets()]
    live = ["startPublic", "pingPublic", "stopPublic"]
    assert names == (live if is_live else ["replayViewedPublic", "pingReplayViewedPublic", "endReplayViewedPublic"])
    assert view.session_id not in repr(view)


def test_headers_of_public_calls_are_harmless() -> None:
    talk = Talk(("", REPLAY))
    talk.ask(videos.access_video(anonymous(), ENDED))
    assert talk.requests[0].credential is None
    assert set(talk.requests[0].headers) == {"accept", "referer"}
    assert Headers([("A", "b")])["a"] == "b"

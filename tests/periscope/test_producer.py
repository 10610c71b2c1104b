"""The Producer API: signing in by device code, and a broadcast from region to delete."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hydrophone.errors import HydrophoneError, NotFoundError, NotSignedInError, RefusedError, SettingsError, WireError
from hydrophone.http.messages import Reply
from hydrophone.http.reading import Node
from hydrophone.model import BroadcastId, SpaceState
from hydrophone.periscope import producer, producer_login
from hydrophone.periscope.producer_login import DeviceCode, DeviceState, ProducerLogin
from periscope.conversing import Clock, Talk, anonymous, answer, json_reply, node, sample, text_reply

OURS = BroadcastId("1DXxyAgqkNeGM")
CLIENT = "sandbox-encoder"


def login() -> ProducerLogin:
    return producer_login.read_login(node("producer/oauth_token.json"), datetime(2019, 10, 3, tzinfo=UTC))


def body(talk: Talk, index: int = -1) -> Any:
    return json.loads(talk.requests[index].body or b"null")


def device_code(clock: Clock) -> DeviceCode:
    return producer_login.read_device_code(node("producer/device_code_create.json"), clock.now)


def state(name: str) -> Reply:
    return answer(f"producer/device_code_check.{name}.json")


# ---------------------------------------------------------------- signing in


def test_a_device_code_is_asked_for_and_shown() -> None:
    clock = Clock()
    talk = Talk(("/v1/device_code/create", answer("producer/device_code_create.json")))
    code = talk.ask(producer_login.start_device_login(anonymous(clock), CLIENT))

    assert body(talk) == sample("producer/device_code_create.request.json")
    assert (code.user_code, code.page_url, code.interval_seconds) == ("482915", "https://www.periscope.tv/device", 10.0)
    assert code.expires_at == clock.now + timedelta(seconds=900)
    assert code.device_code not in repr(code)
    assert talk.requests[0].service == "producer"
    assert talk.requests[0].credential is None
    assert talk.requests[0].attempts == 1


@pytest.mark.parametrize("name", ["authorization_pending", "expired", "network_changed", "associated"])
def test_each_state_of_a_code_is_known(name: str) -> None:
    talk = Talk(("/v1/device_code/check", state(name)))
    clock = Clock()
    found, tokens = talk.ask(producer_login.check_device_login(anonymous(clock), CLIENT, device_code(clock)))

    assert body(talk) == sample("producer/device_code_check.request.json")
    assert found is DeviceState(name)
    assert (tokens is not None) == (name == "associated")
    if tokens is not None and tokens.user is not None:
        assert tokens.user.username == "harbour-radio"
        assert tokens.expires_at == clock.now + timedelta(seconds=5_184_000)


def test_a_state_that_nobody_knows_is_an_error() -> None:
    clock = Clock()
    with pytest.raises(WireError, match="state of a device code"):
        Talk(("", json_reply({"state": "new"}))).ask(
            producer_login.check_device_login(anonymous(clock), CLIENT, device_code(clock))
        )


def test_waiting_for_the_user_keeps_the_interval() -> None:
    clock = Clock()
    talk = Talk(("", [state("authorization_pending"), state("authorization_pending"), state("associated")]))
    tokens = talk.ask(producer_login.wait_for_device_login(anonymous(clock), CLIENT, device_code(clock)))
    assert tokens.user is not None
    assert [request.wait_seconds for request in talk.requests] == [10.0] * 3


@pytest.mark.parametrize("name", ["expired", "network_changed"])
def test_a_code_that_failed_is_not_waited_for(name: str) -> None:
    clock = Clock()
    talk = Talk(("", state(name)))
    with pytest.raises(NotSignedInError, match="not confirmed"):
        talk.ask(producer_login.wait_for_device_login(anonymous(clock), CLIENT, device_code(clock)))
    assert len(talk.requests) == 1


def test_waiting_ends_when_the_code_expires() -> None:
    clock = Clock()
    code = device_code(clock)

    def pending(_: object) -> Reply:
        clock.advance(seconds=10)
        return state("authorization_pending")

    talk = Talk(("", pending))
    with pytest.raises(NotSignedInError):
        talk.ask(producer_login.wait_for_device_login(anonymous(clock), CLIENT, code))
    assert len(talk.requests) == 90


def test_a_code_or_a_refresh_token_is_exchanged_for_tokens() -> None:
    talk = Talk(("/v1/oauth/token", answer("producer/oauth_token.json")))
    facts = sample("producer/oauth_token.request_code.json")
    tokens = talk.ask(
        producer_login.exchange_code(
            anonymous(),
            facts["code"],
            client_id=facts["client_id"],
            client_secret=facts["client_secret"],
            redirect_uri=facts["redirect_uri"],
        )
    )
    assert body(talk) == facts
    again = producer_login.refresh_login(anonymous(), tokens, client_id=CLIENT, client_secret="sandbox-secret")
    talk.ask(again)
    assert body(talk) == sample("producer/oauth_token.request_refresh.json")


def test_tokens_go_to_their_hosts_only_and_are_shown_to_nobody() -> None:
    tokens = login()
    secret = sample("producer/oauth_token.json")["access_token"]
    assert tokens.allows("https://api.pscp.tv/v1/me")
    assert tokens.allows("https://api-ws.pscp.tv/v1/chat/connect?broadcast_id=1")
    for url in (
        "http://api.pscp.tv/",
        "https://api.periscope.tv/",
        "https://a@api.pscp.tv/",
        "https://[::1",
        "https://api.pscp.tv:1/",
    ):
        assert not tokens.allows(url)
    assert tokens.headers("GET", "https://api.pscp.tv/")["authorization"] == f"Bearer {secret}"
    assert secret not in repr(tokens) + tokens.fingerprint
    for junk in ("", "a b", "a\r\nb"):
        with pytest.raises(SettingsError):
            ProducerLogin(junk)
        with pytest.raises(WireError):
            producer_login.read_login(Node({"access_token": junk}), datetime.now(UTC))


# ---------------------------------------------------------------- a broadcast


def test_a_broadcast_from_region_to_delete() -> None:
    talk = Talk(
        ("GET producer:/v1/me", answer("producer/me.json")),
        ("/v1/region", answer("producer/region.json")),
        ("/v1/broadcast/create", answer("producer/broadcast_create.json")),
        ("/v1/broadcast/publish", answer("producer/broadcast_publish.json")),
        ("/v1/broadcast/stop", text_reply("", 200)),
        ("/v1/broadcast/delete", text_reply("{}", 200)),
        ("GET producer:/v1/broadcast", [answer("producer/broadcast_get.json"), text_reply("no such broadcast", 404)]),
    )
    session, tokens = anonymous(), login()
    assert talk.ask(producer.own_user(session, tokens)).username == "harbour-radio"
    region = talk.ask(producer.nearest_region(session, tokens))
    assert talk.requests[-1].max_redirects == 5

    created = talk.ask(producer.create_broadcast(session, tokens, region))
    assert body(talk) == sample("producer/broadcast_create.request.json")
    assert (created.id, created.state, created.state_text) == (OURS, SpaceState.SCHEDULED, "not_started")
    assert created.ingest is not None
    assert created.ingest.address() == "rtmps://eu-central-1.pscp.tv:443/x/c8_p7602mzdaatwg"
    assert created.ingest.address(secure=False) == "rtmp://eu-central-1.pscp.tv:80/x/c8_p7602mzdaatwg"
    advice = created.ingest.recommended
    assert (advice.width, advice.height, advice.frame_rate, advice.keyframe_interval_seconds) == (1280, 720, 30.0, 3.0)
    assert (advice.video_bitrate_bps, advice.audio_bitrate_bps, advice.audio_rate) == (2_500_000, 128_000, 44_100)
    assert "c8_p7602mzdaatwg" not in repr(created)
    assert (created.playlist_url or "").endswith("dynamic_highlatency.m3u8?type=live")

    published = talk.ask(producer.publish_broadcast(session, tokens, created.id, "Morning show from the quay"))
    assert body(talk) == sample("producer/broadcast_publish.request.json")
    assert (published.state, published.title) == (SpaceState.LIVE, "Morning show from the quay")

    talk.ask(producer.stop_broadcast(session, tokens, created.id))
    assert body(talk) == sample("producer/broadcast_stop.request.json")
    assert talk.ask(producer.look_up_broadcast(session, tokens, created.id)).state is SpaceState.ENDED
    assert talk.requests[-1].params == {"id": OURS}
    talk.ask(producer.delete_broadcast(session, tokens, created.id))
    with pytest.raises(NotFoundError, match="no such broadcast"):
        talk.ask(producer.look_up_broadcast(session, tokens, created.id))
    assert all(request.credential is tokens for request in talk.requests)
    assert all(request.max_redirects == 0 for request in talk.requests if request.body)


def test_nothing_is_posted_to_x_unless_somebody_says_so() -> None:
    talk = Talk(("", answer("producer/broadcast_publish.json")))
    talk.ask(producer.publish_broadcast(anonymous(), login(), OURS, "x"))
    assert body(talk)["should_not_tweet"] is True
    talk.ask(producer.publish_broadcast(anonymous(), login(), OURS, "x", posts_to_x=True))
    assert body(talk)["should_not_tweet"] is False


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (text_reply("You shall not", 403), RefusedError),
        (text_reply("expired", 401), NotSignedInError),
        (json_reply({"success": False, "msg": "no"}), HydrophoneError),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_service(reply: Reply, kind: type[HydrophoneError]) -> None:
    with pytest.raises(kind, match=r"You shall not|expired|no"):
        Talk(("", reply)).ask(producer.stop_broadcast(anonymous(), login(), OURS))


@pytest.mark.parametrize(
    "junk",
    [
        {},
        {"broadcast": {"id": OURS}},
        {"broadcast": {"id": OURS}, "encoder": {"stream_key": "k"}},
        {"broadcast": {"id": OURS}, "encoder": {"stream_key": "k", "rtmp_url": "http://x/"}},
        {"broadcast": {"id": "x/y"}, "encoder": {"stream_key": "k", "rtmp_url": "rtmp://x/"}},
    ],
)
def test_a_creation_without_a_place_to_send_to_is_an_error(junk: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        producer.read_created(Node(junk))


@pytest.mark.parametrize("region", ["", "moon", "eu-central-1\r\nx", None])
def test_what_is_no_region_is_an_error(region: str | None) -> None:
    with pytest.raises(WireError):
        Talk(("", json_reply({"region": region}))).ask(producer.nearest_region(anonymous(), login()))

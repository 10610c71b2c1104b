"""Tokens: where they go, how a sign-in proceeds, and how they are renewed by one of many."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from hydrophone.errors import NotSignedInError, RefusedError, SettingsError, UnreachableError, WireError
from hydrophone.http.messages import Reply, Request
from hydrophone.model import SpaceId
from hydrophone.xapi.credentials import UserBearer
from hydrophone.xapi.loopback import listen
from hydrophone.xapi.oauth import (
    Consent,
    OAuthApp,
    app_token,
    authorize_url,
    exchange_code,
    invalidate_app_token,
    new_consent,
    read_callback,
    refresh_tokens,
    revoke_token,
)
from hydrophone.xapi.session import ApiSession
from hydrophone.xapi.spaces import space_by_id
from hydrophone.xapi.tokenfile import ApiSecrets, TokenFile
from hydrophone.xapi.webhooks import SIGNATURE_HEADER, challenge_answer, read_delivery
from xapi.xapi_talk import (
    NOW,
    Clock,
    Talk,
    app_bearer,
    consumer_keys,
    json_reply,
    oauth_app,
    reply_of,
    sample,
    session,
    tokens_of,
    world,
)

LIVE = SpaceId("1hydroPhoneXZ")
PKCE = world()["pkce"]
CONSENT = Consent(PKCE["state"], PKCE["code_verifier"])


# ---------------------------------------------------------------- where tokens may go


@pytest.mark.parametrize("url", ["https://api.x.com/2/spaces", "https://api.twitter.com/2/spaces"])
def test_tokens_go_to_the_api(url: str) -> None:
    assert app_bearer().allows(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.x.com/2/spaces",
        "https://x.com/",
        "https://api.x.com.example/",
        "https://api.x.com@example.com/",
        "https://api.x.com:8443/",
        "https://[api.x.com/",
        "https://video.pscp.tv/",
    ],
)
def test_tokens_go_nowhere_else(url: str) -> None:
    assert not app_bearer().allows(url)
    assert not UserBearer(tokens_of()).allows(url)


def test_a_bearer_is_used_as_it_was_given() -> None:
    token = world()["tokens"]["app"]["token"]
    assert "%2B" in token
    assert app_bearer().headers("GET", "")["authorization"] == f"Bearer {token}"
    with pytest.raises(SettingsError):
        type(app_bearer())("two words\r\nx: y")


# ---------------------------------------------------------------- signing in


def test_the_consent_page_is_asked_as_the_service_wants_it() -> None:
    ours = urlsplit(authorize_url(oauth_app(), CONSENT))
    theirs = urlsplit(sample("oauth.authorize")["request"]["target"])
    assert (ours.netloc, ours.path) == ("x.com", theirs.path)
    assert parse_qsl(ours.query) == parse_qsl(theirs.query)
    assert "%20" in ours.query
    assert CONSENT.challenge == PKCE["code_challenge"]


def test_every_attempt_has_its_own_secrets() -> None:
    one, other = new_consent(), new_consent()
    assert one.state != other.state
    assert 43 <= len(one.verifier) <= 128
    assert one.verifier not in repr(one)


def test_the_callback_brings_a_code_a_no_or_nothing_of_ours() -> None:
    said = sample("oauth.authorize")["response"]["headers"]["location"]
    assert read_callback(said, CONSENT) == PKCE["code"]
    with pytest.raises(RefusedError, match="user refused"):
        read_callback(sample("oauth.authorize.denied")["response"]["headers"]["location"], CONSENT)
    for foreign in (said.replace(PKCE["state"], "other"), "http://127.0.0.1/", "http://[", ""):
        with pytest.raises(RefusedError, match="another sign-in"):
            read_callback(foreign, CONSENT)


@pytest.mark.parametrize("name", ["oauth.token.code", "oauth.token.code.public", "oauth.token.code.no-offline"])
def test_a_code_becomes_tokens(name: str) -> None:
    facts = sample(name)["request"]
    app = OAuthApp(facts["form"]["client_id"], facts["form"]["redirect_uri"], _secret(name))
    talk = Talk(reply_of(name))

    tokens = talk.ask(exchange_code(app, CONSENT, facts["form"]["code"], now=Clock()))

    assert _form(talk) == facts["form"]
    assert _authorization(talk) == facts["headers"].get("authorization")
    assert tokens.expires_at == NOW + timedelta(hours=2)
    assert (tokens.refresh is None) == name.endswith("no-offline")
    assert "space.read" in tokens.scopes


def _secret(name: str) -> str | None:
    return world()["app"]["client_secret"] if "authorization" in sample(name)["request"]["headers"] else None


def _form(talk: Talk) -> dict[str, str]:
    return dict(parse_qsl((talk.requests[-1].body or b"").decode()))


def _authorization(talk: Talk) -> str | None:
    request = talk.requests[-1]
    return dict(request.credential.headers("POST", "")).get("authorization") if request.credential else None


def test_a_refresh_gives_both_tokens_anew() -> None:
    talk = Talk(reply_of("oauth.token.refresh"))
    tokens = talk.ask(refresh_tokens(oauth_app(), tokens_of(), now=Clock()))
    assert _form(talk) == sample("oauth.token.refresh")["request"]["form"]
    assert tokens.refresh not in (None, tokens_of().refresh)
    assert tokens.user_id == tokens_of().user_id
    assert talk.requests[-1].attempts == 1
    assert tokens.access not in repr(tokens)


def test_tokens_are_revoked() -> None:
    talk = Talk(reply_of("oauth.revoke"))
    assert talk.ask(revoke_token(oauth_app(), tokens_of().access, hint="access_token"))
    assert _form(talk) == sample("oauth.revoke")["request"]["form"]


def test_the_app_gets_and_gives_back_its_token() -> None:
    talk = Talk(reply_of("oauth.app-token"), reply_of("oauth.invalidate"))
    token = talk.ask(app_token(consumer_keys()))
    assert token == world()["tokens"]["app"]["token"]
    assert _authorization(talk) == sample("oauth.app-token")["request"]["headers"]["authorization"]
    assert talk.ask(invalidate_app_token(consumer_keys(), token)) == token
    assert _form(talk) == sample("oauth.invalidate")["request"]["form"]


def test_a_token_of_another_type_is_refused() -> None:
    with pytest.raises(WireError, match="bearer"):
        Talk(json_reply({"token_type": "mac", "access_token": "x" * 30})).ask(app_token(consumer_keys()))


async def test_nobody_waits_for_ever_for_the_browser() -> None:
    async with listen("http://127.0.0.1:0/callback") as callback:
        with pytest.raises(UnreachableError):
            await callback.wait(0.01)


async def test_only_the_registered_path_ends_the_wait(unused_port: int) -> None:
    redirect = f"http://127.0.0.1:{unused_port}/callback"
    async with listen(redirect) as callback:
        for target, status in (("/favicon.ico", b"404"), ("/callback?state=a&code=b", b"200")):
            reader, writer = await asyncio.open_connection("127.0.0.1", unused_port)
            writer.write(f"GET {target} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            assert status in (await reader.read())[:20]
            writer.close()
        assert parse_qs(urlsplit(await callback.wait(5.0)).query) == {"state": ["a"], "code": ["b"]}


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize(
    "redirect", ["https://127.0.0.1:1/x", "http://localhost:1/x", "http://127.0.0.1/x", "http://["]
)
async def test_nothing_listens_beyond_loopback(redirect: str) -> None:
    with pytest.raises(SettingsError):
        async with listen(redirect):
            pass


# ---------------------------------------------------------------- keeping and renewing


def test_tokens_are_kept_privately(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "state" / "api.json")
    assert file.load() == ApiSecrets()
    kept = ApiSecrets(app_bearer="a" * 20, client_id="id", client_secret="s" * 20, user=tokens_of())
    file.save(kept)

    assert file.load() == kept
    assert "s" * 20 not in repr(kept)
    assert (tmp_path / "state" / "api.json").stat().st_mode & 0o077 == 0
    assert not file.forget_user(tokens_of("user:deck_hand").user_id)
    assert file.forget_user(tokens_of().user_id)
    assert file.load().user is None
    assert file.load().app_bearer == "a" * 20


@pytest.mark.skipif(os.name != "posix", reason="modes of files mean nothing here")
def test_tokens_that_others_may_read_are_not_used(tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    TokenFile(path).save(ApiSecrets(user=tokens_of()))
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="others"):
        TokenFile(path).load()


def test_the_right_to_renew_is_one_for_all(tmp_path: Path) -> None:
    one, other = TokenFile(tmp_path / "api.json"), TokenFile(tmp_path / "api.json")
    release = one.try_lock()
    assert release is not None
    assert (one.try_lock(), other.try_lock()) == (None, None)
    release()
    again = other.try_lock()
    assert again is not None
    again()


def user_session(tmp_path: Path, clock: Clock | None = None) -> tuple[ApiSession, TokenFile]:
    file = TokenFile(tmp_path / "api.json")
    if file.load_user() is None:
        file.save_user(tokens_of())
    user = UserBearer(tokens_of())
    return session(clock, auth="none", user=user, oauth=oauth_app(), tokens=file), file


def service(valid: set[str]) -> object:
    """A service that knows these access tokens, and hands out one more for every fresh refresh token."""
    spent: set[str] = set()

    def answer(request: Request) -> Reply:
        if request.target == "/2/oauth2/token":
            old = dict(parse_qsl((request.body or b"").decode()))["refresh_token"]
            if old in spent:
                return reply_of("oauth.error.refresh")
            spent.add(old)
            name = hashlib.sha256(old.encode()).hexdigest()
            valid.add("access-" + name)
            return json_reply(
                {"token_type": "bearer", "expires_in": 7200, "access_token": "access-" + name, "refresh_token": name}
            )
        assert request.credential is not None
        bearer = request.credential.headers("GET", "")["authorization"].removeprefix("Bearer ")
        return reply_of("space.default" if bearer in valid else "error.401")

    return answer


def test_a_dead_token_is_renewed_once_and_kept_before_it_is_used(tmp_path: Path) -> None:
    ours, file = user_session(tmp_path)
    talk = Talk(service(set()))  # type: ignore[arg-type]

    assert talk.ask(space_by_id(ours, LIVE)).id == LIVE

    assert [request.target for request in talk.requests] == [
        "/2/spaces/1hydroPhoneXZ",
        "/2/oauth2/token",
        "/2/spaces/1hydroPhoneXZ",
    ]
    assert ours.user is not None
    assert file.load_user() == ours.user.tokens
    assert ours.user.tokens.scopes == tokens_of().scopes


def test_a_token_that_is_about_to_expire_is_renewed_before(tmp_path: Path) -> None:
    clock = Clock()
    ours, _ = user_session(tmp_path, clock)
    clock.now = tokens_of().expires_at - timedelta(seconds=30)
    talk = Talk(service({tokens_of().access}))  # type: ignore[arg-type]
    talk.ask(space_by_id(ours, LIVE))
    assert [request.target for request in talk.requests] == ["/2/oauth2/token", "/2/spaces/1hydroPhoneXZ"]


def test_the_loser_of_a_race_takes_what_the_winner_stored(tmp_path: Path) -> None:
    answer = service(set())
    (winner, _), (loser, _) = user_session(tmp_path), user_session(tmp_path)
    talk = Talk(answer)  # type: ignore[arg-type]

    talk.ask(space_by_id(winner, LIVE))
    talk.ask(space_by_id(loser, LIVE))

    assert [request.target for request in talk.requests].count("/2/oauth2/token") == 1
    assert winner.user is not None
    assert loser.user is not None
    assert winner.user.tokens == loser.user.tokens


def test_who_finds_the_lock_taken_waits_and_looks_again(tmp_path: Path) -> None:
    ours, file = user_session(tmp_path)
    release = file.try_lock()
    assert release is not None
    valid: set[str] = set()
    fresh = tokens_of(access="fresh-token-of-another")

    def answer(request: Request) -> Reply:
        if len(talk.requests) == 2:
            assert request.wait_seconds > 0
            file.save_user(fresh)
            valid.add(fresh.access)
            release()
        return service(valid)(request)  # type: ignore[operator]

    talk = Talk(answer)
    assert talk.ask(space_by_id(ours, LIVE)).id == LIVE
    assert "/2/oauth2/token" not in [request.target for request in talk.requests]


def test_a_spent_refresh_token_asks_for_consent_and_changes_nothing(tmp_path: Path) -> None:
    ours, file = user_session(tmp_path)
    before = (tmp_path / "api.json").read_bytes()
    talk = Talk(reply_of("error.401"), reply_of("oauth.error.refresh"))
    with pytest.raises(NotSignedInError, match="no longer valid"):
        talk.ask(space_by_id(ours, LIVE))
    assert (tmp_path / "api.json").read_bytes() == before
    lock = file.try_lock()
    assert lock is not None
    lock()


def test_wrong_app_credentials_keep_the_users_tokens(tmp_path: Path) -> None:
    ours, file = user_session(tmp_path)
    with pytest.raises(SettingsError):
        Talk(reply_of("error.401"), reply_of("oauth.error.basic")).ask(space_by_id(ours, LIVE))
    assert file.load_user() == tokens_of()


def test_an_app_token_that_is_refused_is_not_renewed() -> None:
    talk = Talk(reply_of("error.401"))
    with pytest.raises(NotSignedInError):
        talk.ask(space_by_id(session(auth="app"), LIVE))
    assert len(talk.requests) == 1


# ---------------------------------------------------------------- the webhook's own part


def test_a_challenge_is_answered_as_the_service_computes_it() -> None:
    facts = sample("webhook.crc")
    token = parse_qs(urlsplit(facts["request"]["url"]).query)["crc_token"][0]
    assert challenge_answer(world()["app"]["consumer_secret"], token) == facts["response"]["body"]


def test_a_delivery_is_read_if_its_signature_is_the_services() -> None:
    facts = sample("webhook.delivery")["request"]
    secret, body = world()["app"]["consumer_secret"], facts["body_text"].encode()
    signature = facts["headers"][SIGNATURE_HEADER]

    (event,) = read_delivery(secret, signature, body).events
    assert event.space_id == LIVE
    listed = json.dumps({"data": [json.loads(body)["data"]] * 2}).encode()
    for bad in (None, "", signature[:-2], "sha256=ü", signature.lower()):
        with pytest.raises(RefusedError):
            read_delivery(secret, bad, body)
    with pytest.raises(RefusedError):
        read_delivery(secret, signature, listed)

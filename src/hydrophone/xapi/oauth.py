"""The token endpoints as pure calls: the app's own token, and a user's consent by authorization code with PKCE.

A refresh token works once: its answer holds the next one, which must be on disk before anything else is done.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from hydrophone.errors import FaultyServiceError, HydrophoneError, NotSignedInError, RefusedError, SettingsError
from hydrophone.http.messages import Call, Reply, Request
from hydrophone.http.reading import Node, read_document, read_json
from hydrophone.model import UserId
from hydrophone.xapi.constants import MAX_BYTES, own_headers
from hydrophone.xapi.credentials import DEFAULT_SCOPES, BasicCredential, IsApi, UserTokens
from hydrophone.xapi.limits import TOKENS
from hydrophone.xapi.problems import read_problem, refusal_error

AUTHORIZE_URL = "https://x.com/i/oauth2/authorize"
CODE_SECONDS = 30.0  #: how long a code lives
_DEFAULT_LIFETIME_SECONDS = 7200
_LONGEST_LIFETIME_SECONDS = 366 * 86400

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """An app that users consent to. `client_secret` is None for a public client."""

    client_id: str
    redirect_uri: str
    client_secret: str | None = field(default=None, repr=False)
    is_api: IsApi | None = field(default=None, repr=False, compare=False)

    @property
    def credential(self) -> BasicCredential | None:
        if self.client_secret is None:
            return None
        return BasicCredential(self.client_id, self.client_secret, is_api=self.is_api)


@dataclass(frozen=True, slots=True)
class Consent:
    """One attempt to get a user's consent: what must be remembered until the answer comes."""

    state: str = field(repr=False)
    verifier: str = field(repr=False)
    scopes: tuple[str, ...] = DEFAULT_SCOPES

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def new_consent(scopes: Iterable[str] = DEFAULT_SCOPES) -> Consent:
    return Consent(secrets.token_urlsafe(24), secrets.token_urlsafe(48), tuple(scopes))


def authorize_url(app: OAuthApp, consent: Consent, *, page: str = AUTHORIZE_URL) -> str:
    """Where the user's browser must go."""
    asked = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "scope": " ".join(consent.scopes),
        "state": consent.state,
        "code_challenge": consent.challenge,
        "code_challenge_method": "S256",
    }
    return f"{page}?{urlencode(asked, quote_via=quote, safe='')}"


def read_callback(url: str, consent: Consent) -> str:
    """The code that the browser brought back.

    Raises:
        RefusedError: the user said no, or the answer belongs to another attempt.
    """
    try:
        said = parse_qs(urlsplit(url).query, max_num_fields=50)
    except ValueError:
        said = {}
    state, code, error = (said.get(name, [""])[0] for name in ("state", "code", "error"))
    if not hmac.compare_digest(state.encode("utf-8", "replace"), consent.state.encode()):
        raise RefusedError("the answer belongs to another sign-in", endpoint="authorize", advice=_AGAIN)
    if error or not code:
        what = "the user refused" if error == "access_denied" else "the service refused the sign-in"
        raise RefusedError(what, endpoint="authorize", advice=_AGAIN)
    return code


_AGAIN = "Run `hydrophone auth login --api` again and agree in the browser."


# ---------------------------------------------------------------- a user's tokens


def exchange_code(
    app: OAuthApp, consent: Consent, code: str, *, now: Now = lambda: datetime.now(UTC)
) -> Call[UserTokens]:
    """The tokens for a code. Ask at once: a code lives half a minute and works once.

    Raises:
        NotSignedInError: the code is spent, too old or of another attempt.
        SettingsError: the app's own id or secret is wrong.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": app.redirect_uri,
        "code_verifier": consent.verifier,
        "client_id": app.client_id,
    }
    return Call(_token_request(app, "/2/oauth2/token", form), lambda reply: _read_tokens(reply, now(), None))


def refresh_tokens(app: OAuthApp, tokens: UserTokens, *, now: Now = lambda: datetime.now(UTC)) -> Call[UserTokens]:
    """New tokens for old. The old ones are dead as soon as the service has answered.

    Raises:
        NotSignedInError: there is no refresh token, or it is spent: the user has to consent again.
        SettingsError: the app's own id or secret is wrong; the user's tokens are as good as before.
    """
    if tokens.refresh is None:
        raise NotSignedInError("the sign-in has expired and cannot be renewed", endpoint=TOKENS, advice=_AGAIN)
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh, "client_id": app.client_id}
    return Call(_token_request(app, "/2/oauth2/token", form), lambda reply: _read_tokens(reply, now(), tokens))


def revoke_token(app: OAuthApp, token: str, *, hint: str | None = None) -> Call[bool]:
    """Give a token back; True when the service says that it is dead."""
    form = {"token": token, "client_id": app.client_id, **({"token_type_hint": hint} if hint else {})}
    request = _token_request(app, "/2/oauth2/revoke", form)
    return Call(request, lambda reply: bool(_read_success(reply).at("revoked").flag()))


def _token_request(app: OAuthApp, path: str, form: Mapping[str, str]) -> Request:
    return _form_request(path, form, app.credential)


def _form_request(path: str, form: Mapping[str, str], credential: BasicCredential | None) -> Request:
    return Request(
        "POST",
        path,
        headers={**own_headers(), "content-type": "application/x-www-form-urlencoded;charset=UTF-8"},
        body=urlencode(form).encode(),
        service="api",
        credential=credential,
        endpoint=TOKENS,
        # What was sent may have been taken: a second try would present a spent code.
        attempts=1,
        max_bytes=MAX_BYTES,
        max_redirects=0,
    )


def _read_tokens(reply: Reply, now: datetime, old: UserTokens | None) -> UserTokens:
    node = _read_success(reply)
    _need_bearer(node)
    lifetime = node.at("expires_in").count()
    seconds = _DEFAULT_LIFETIME_SECONDS if lifetime is None else min(lifetime, _LONGEST_LIFETIME_SECONDS)
    scopes = node.at("scope").some_text()
    return UserTokens(
        access=node.at("access_token").need_text(),
        refresh=node.at("refresh_token").some_text(),
        expires_at=now + timedelta(seconds=seconds),
        scopes=frozenset(scopes.split()) if scopes else old.scopes if old else frozenset(),
        user_id=old.user_id if old else None,
    )


def _need_bearer(node: Node) -> None:
    if (node.at("token_type").text() or "").lower() != "bearer":
        raise node.at("token_type").wrong("bearer")


def _read_success(reply: Reply) -> Node:
    if 200 <= reply.status < 300:
        return read_json(reply, TOKENS)
    raise token_error(reply)


def token_error(reply: Reply) -> HydrophoneError:
    """What a refusal of the token endpoints means."""
    try:
        problem = read_problem(read_document(reply, TOKENS))
    except HydrophoneError:
        problem = read_problem(Node({}))
    said = problem.text
    if reply.status == 401 or (reply.status == 403 and problem.code == 99):
        return SettingsError(
            f"the service does not know the app ({said})",
            setting="client id and secret",
            advice="Check the app's id and secret in the developer console; a blank or newline at the end counts.",
        )
    if reply.status == 400 and "was invalid" in said and "grant type" not in said:
        return NotSignedInError(f"the sign-in is no longer valid ({said})", status=400, endpoint=TOKENS, advice=_AGAIN)
    error = refusal_error(reply, endpoint=TOKENS, now=datetime.now(UTC))
    return error or FaultyServiceError(f"no token came ({said})", status=reply.status, endpoint=TOKENS)


# ---------------------------------------------------------------- the app's own token


@dataclass(frozen=True, slots=True)
class ConsumerKeys:
    """Key and secret of an app; the secret also signs what the service sends to webhooks."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    is_api: IsApi | None = field(default=None, repr=False, compare=False)

    @property
    def credential(self) -> BasicCredential:
        return BasicCredential(self.key, self.secret, encode=True, is_api=self.is_api)


def app_token(keys: ConsumerKeys) -> Call[str]:
    """The app's bearer; the same one each time until it is invalidated.

    Raises:
        SettingsError: key or secret is wrong.
    """
    request = _form_request("/oauth2/token", {"grant_type": "client_credentials"}, keys.credential)
    return Call(request, _read_app_token)


def _read_app_token(reply: Reply) -> str:
    node = _read_success(reply)
    _need_bearer(node)
    return node.at("access_token").need_text()


def invalidate_app_token(keys: ConsumerKeys, token: str) -> Call[str]:
    """Make the app's bearer worthless; the dead token, as the service names it."""
    # The token is percent-encoded already, and is sent as it is.
    request = _form_request("/oauth2/invalidate_token", {"access_token": token}, keys.credential)
    return Call(request, lambda reply: _read_success(reply).at("access_token").need_text())


def with_user(tokens: UserTokens, user_id: UserId) -> UserTokens:
    """The tokens with the name of the account they belong to."""
    return UserTokens(tokens.access, tokens.refresh, tokens.expires_at, tokens.scopes, user_id)

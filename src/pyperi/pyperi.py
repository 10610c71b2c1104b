"""`Peri` and its errors. Callers patch ``pyperi.pyperi.requests.get``, so that is looked up at each call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import requests

from hydrophone.http.reading import Node
from hydrophone.links import PeriscopeForm, read_periscope_names
from hydrophone.periscope.closing import NO_PERISCOPE_PAGE
from hydrophone.periscope.pages import TokenKind, find_session_token, find_user_id, read_data_store
from hydrophone.periscope.refusals import NOT_FOUND, message_in
from hydrophone.periscope.users import HISTORY, history_pages

TIMEOUT_SECONDS = (10, 30)  #: to connect; between two pieces of the answer

_BEGINNING = datetime.min.replace(tzinfo=UTC)


class PyPeriConnectionError(requests.exceptions.ConnectionError):
    """No connection, or no answer in time."""


class PyPeriResponseError(requests.exceptions.RequestException):
    """An answer that is not what was asked for: a page without data, or a failure inside a success."""


class Peri:
    """The public API of Periscope, synchronous, without a login.

    Methods return what the service says, untouched: dicts and lists, None for what does not exist. To reach another
    host, assign the two base URLs, on the class or an instance, or in a subclass.
    """

    PERISCOPE_API_BASE_URL = "https://api.periscope.tv/api/v2"
    PERISCOPE_WEB_BASE_URL = "https://www.periscope.tv"

    # ------------------------------------------------------------ the API

    def request_api(self, endpoint: str, **params: Any) -> Any:
        """The JSON of any call of the API; None for a 404.

        Raises:
            requests.exceptions.HTTPError: any other status of 400 and above.
            PyPeriConnectionError: no connection, or no answer in time.
            requests.exceptions.JSONDecodeError: the answer is no JSON.
        """
        reply = self._get(self._create_api_request_url(endpoint, **params))
        return None if reply is None else reply.json()

    def get_broadcast_info(self, broadcast_id: str) -> dict[str, Any] | None:
        """What the service knows about a broadcast, None if there is none with this id."""
        return self._inner("broadcast", self.request_api("accessVideoPublic", broadcast_id=broadcast_id))

    def get_user_info(self, user_id: str | int) -> dict[str, Any] | None:
        """What the service knows about a user, None if there is none with this id.

        Raises:
            requests.exceptions.HTTPError: a 400 for an id that is none.
        """
        return self._inner("user", self.request_api("getUserPublic", user_id=user_id))

    def get_user_broadcast_history(
        self, user_id: str | int | None = None, username: str | None = None
    ) -> list[Any] | None:
        """Every public broadcast of a user, newest first; None for a user that does not exist.

        Raises:
            ValueError: neither argument was given.
            PyPeriResponseError: the page is no page of Periscope any more.
        """
        tokens = self.get_web_public_user_session_tokens(user_id, username)
        if tokens is None:
            return None
        steps = history_pages(tokens["user_id"], tokens[TokenKind.HISTORY])
        params = next(steps)
        while True:
            answer = self.request_api(HISTORY, **params)
            if answer is None:
                return None
            self._refuse_disguised(answer)
            try:
                params = steps.send(answer)
            except StopIteration as end:
                found: list[Any] = end.value
                return sorted(found, key=_start_of, reverse=True)

    def get_web_public_user_session_tokens(
        self, user_id: str | int | None = None, username: str | None = None
    ) -> dict[str, str] | None:
        """The tokens that a user's page gives to everybody, and the user's id; None for a user that does not exist.

        The keys are `user_id`, `broadcastHistory`, `serviceToken` and `thumbnailPlaylist`. Tokens last an hour.

        Raises:
            ValueError: neither argument was given.
            PyPeriResponseError: the page is no page of Periscope any more.
        """
        # Not `create_user_url`, which as a class method does not see what was assigned to this instance.
        store = self._get_web_data_store(_user_url(self.PERISCOPE_WEB_BASE_URL, user_id, username))
        if store is None:
            return None
        found = {"user_id": find_user_id(store, None if user_id else username)}
        found |= {kind.value: find_session_token(store, kind) for kind in TokenKind}
        tokens = {name: value for name, value in found.items() if value is not None}
        if len(tokens) < len(found):
            raise PyPeriResponseError(f"the page has no {', '.join(sorted(found.keys() - tokens.keys()))}")
        return tokens

    # ------------------------------------------------------------ URLs

    @classmethod
    def create_user_url(cls, user_id: str | int | None = None, username: str | None = None) -> str:
        """The address of a user's page. The id wins over the name.

        Raises:
            ValueError: neither was given.
        """
        return _user_url(cls.PERISCOPE_WEB_BASE_URL, user_id, username)

    @classmethod
    def parse_periscope_url(cls, url: str) -> dict[str, str | None]:
        """What a link names: `broadcast_id`, `user_id` and `username`, each None where the link does not say.

        Raises:
            TypeError: the link is no text.
        """
        return cls._parse(url)

    @classmethod
    def _parse_periscope_w_url(cls, url: str) -> dict[str, str | None]:
        return cls._parse(url, PeriscopeForm.SHARED)

    @classmethod
    def _parse_periscope_u_url(cls, url: str) -> dict[str, str | None]:
        return cls._parse(url, PeriscopeForm.USER_ID)

    @classmethod
    def _parse_periscope_username_url(cls, url: str) -> dict[str, str | None]:
        return cls._parse(url, PeriscopeForm.USERNAME)

    @classmethod
    def _parse_periscope_username_broadcast_id_url(cls, url: str) -> dict[str, str | None]:
        return cls._parse(url, PeriscopeForm.USERNAME_AND_BROADCAST)

    @classmethod
    def _parse(cls, url: str, form: PeriscopeForm | None = None) -> dict[str, str | None]:
        if not isinstance(url, str):
            raise TypeError(f"expected a str, got {type(url).__name__}")
        names = read_periscope_names(url)
        if form is not None and names.form is not form:
            return {"broadcast_id": None, "user_id": None, "username": None}
        return {"broadcast_id": names.broadcast_id, "user_id": names.user_id, "username": names.username}

    # ------------------------------------------------------------ the wire

    def _create_api_request_url(self, endpoint: str, **params: Any) -> str:
        return f"{self.PERISCOPE_API_BASE_URL}/{endpoint}?{urlencode(sorted(params.items()))}"

    def _get_web_data_store(self, url: str) -> dict[str, Any] | None:
        """The state inside a page; None for a 404."""
        reply = self._get(url)
        if reply is None:
            return None
        store = read_data_store(reply.content)
        if store is None:
            raise PyPeriResponseError(NO_PERISCOPE_PAGE)
        return store

    @staticmethod
    def _get(url: str) -> requests.Response | None:
        try:
            reply = requests.get(url, timeout=TIMEOUT_SECONDS)
            reply.raise_for_status()
        except requests.exceptions.HTTPError as error:
            if error.response is not None and error.response.status_code == 404:
                return None
            raise
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
            raise PyPeriConnectionError(*error.args, request=error.request, response=error.response) from error
        return reply

    @classmethod
    def _inner(cls, name: str, answer: Any) -> dict[str, Any] | None:
        """The object inside an answer."""
        if answer is None or cls._refuse_disguised(answer):
            return None
        inner = answer.get(name) if isinstance(answer, Mapping) else None
        if not isinstance(inner, dict):
            raise PyPeriResponseError(f"the answer has no {name}")
        return inner

    @staticmethod
    def _refuse_disguised(answer: Any) -> bool:
        """Whether a success says that there is no such thing; any other failure that it speaks of is raised."""
        if not isinstance(answer, Mapping) or answer.get("success") is not False:
            return False
        said = message_in(answer)
        if said.lower() == NOT_FOUND:
            return True
        raise PyPeriResponseError(said or "the service failed without saying why")


def _user_url(base: str, user_id: str | int | None, username: str | None) -> str:
    if user_id:
        return f"{base}/u/{quote(str(user_id), safe='')}"
    if username:
        return f"{base}/{quote(str(username), safe='')}"
    raise ValueError("Must specify either user_id or username")


def _start_of(record: Any) -> datetime:
    # As instants: the text is in Pacific time until 2017, later in UTC.
    return Node(record).at("start").instant() or _BEGINNING

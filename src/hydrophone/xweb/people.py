"""Accounts: both shapes of a user, and the questions that lead from a name or an id to one."""

from __future__ import annotations

from hydrophone.errors import NotFoundError, RefusedError, WireError
from hydrophone.http.messages import Question
from hydrophone.model import PeriscopeUserId, User, UserId
from hydrophone.xweb.graphql import ask_graphql
from hydrophone.xweb.reading import Node
from hydrophone.xweb.session import WebSession


def user_by_handle(session: WebSession, handle: str) -> Question[User]:
    """The account with this handle (without ``@``).

    Raises:
        NotFoundError: there is no such account.
        RefusedError: it is suspended or otherwise unavailable; the message says how.
    """
    variables = {"screen_name": handle, "withSafetyModeUserFields": True}
    try:
        answer = yield from ask_graphql(session, "UserByScreenName", variables)
        return read_user_answer(answer.data.at("user", "result"), handle)
    except WireError:
        # A smaller query with the id and the names only; its query id has outlived many of the other.
        answer = yield from ask_graphql(session, "ProfileSpotlightsQuery", {"screen_name": handle})
        return read_user_answer(answer.data.at("user_result_by_screen_name", "result"), handle)


def user_by_id(session: WebSession, user_id: UserId) -> Question[User]:
    """The account with this id; errors as in `user_by_handle`."""
    variables = {"userId": user_id, "withSafetyModeUserFields": True}
    answer = yield from ask_graphql(session, "UserByRestId", variables)
    return read_user_answer(answer.data.at("user", "result"), user_id)


def read_user_answer(result: Node, asked: str) -> User:
    """The user of an answer that is about one user."""
    if result.value is None or result.value == {}:
        raise NotFoundError(
            f"there is no account {asked}", endpoint=result.endpoint, advice="Check the spelling of the name."
        )
    result.need_object()
    if result.at("__typename").text() == "UserUnavailable":
        reason = result.first("message", "reason").some_text() or "it is unavailable"
        raise RefusedError(
            f"account {asked}: {reason[:200]}",
            endpoint=result.endpoint,
            advice="Nothing can be asked about this account as long as that lasts.",
        )
    result.at("rest_id").need_text()
    user = read_user(result)
    if user is None:
        raise result.wrong("a user")
    return user


def read_user(result: Node) -> User | None:
    """A user of either shape, None where nothing tells who it is. `id` is "" where only names are given."""
    user_id = result.at("rest_id").some_text()
    handle = result.first("core.screen_name", "legacy.screen_name").some_text()
    if user_id is None and handle is None:
        return None
    verified = [
        flag
        for path in ("is_blue_verified", "verification.verified", "legacy.verified")
        if (flag := result.at(*path.split(".")).flag()) is not None
    ]
    legacy = result.at("legacy")
    return User(
        id=UserId(user_id or ""),
        handle=handle,
        name=result.first("core.name", "legacy.name").some_text(),
        avatar_url=result.first("avatar.image_url", "legacy.profile_image_url_https").some_text(),
        created_at=result.first("core.created_at", "legacy.created_at").instant(),
        is_protected=result.first("privacy.protected", "legacy.protected").flag(),
        is_verified=any(verified) if verified else None,
        followers=legacy.at("followers_count").count(),
        following=legacy.at("friends_count").count(),
        posts=legacy.at("statuses_count").count(),
        periscope_id=_periscope_id(result),
    )


def _periscope_id(result: Node) -> PeriscopeUserId | None:
    text = result.at("periscope_user_id").some_text()
    return PeriscopeUserId(text) if text else None

"""Accounts by id or name, and the one that has signed in. Each costs as much as two Spaces, so names are remembered."""

from __future__ import annotations

from collections.abc import Iterable

from hydrophone.errors import HydrophoneError, NotFoundError
from hydrophone.http.messages import Question
from hydrophone.model import User, UserId
from hydrophone.xapi import limits
from hydrophone.xapi.answers import nothing_error, read_answer, read_user
from hydrophone.xapi.asking import Asked, ask_in_either
from hydrophone.xapi.checks import check_handle, check_user_id
from hydrophone.xapi.credentials import Scope
from hydrophone.xapi.names import Dialect
from hydrophone.xapi.prices import Kind, Resource, estimate
from hydrophone.xapi.session import ApiSession, Auth
from hydrophone.xapi.wanted import UserWish

USER_SCOPES = (Scope.TWEET_READ, Scope.USERS_READ)
_PLAIN = UserWish()


def user_by_id(session: ApiSession, user_id: UserId, *, wish: UserWish = _PLAIN) -> Question[User]:
    """One account.

    Raises:
        NotFoundError: there is none, or it is suspended.
    """
    check_user_id(user_id)
    user = yield from _ask_user(session, limits.USER, f"/2/users/{user_id}", wish, known=user_id)
    return user


def user_by_name(session: ApiSession, name: str, *, wish: UserWish = _PLAIN) -> Question[User]:
    """The account behind a name, with or without its @.

    Raises:
        NotFoundError: nobody has this name.
    """
    handle = check_handle(name)
    user = yield from _ask_user(session, limits.USER_NAME, f"/2/users/by/username/{handle}", wish)
    session.remember_user(handle, user.id)
    return user


def own_user(session: ApiSession, *, wish: UserWish = _PLAIN) -> Question[User]:
    """The account that has signed in: the cheapest way to test a sign-in.

    Raises:
        NotSignedInError: nobody has, or not any more.
    """
    user = yield from _ask_user(session, limits.ME, "/2/users/me", wish, auth=Auth.USER)
    return user


def user_ids(session: ApiSession, creators: Iterable[str]) -> Question[tuple[list[UserId], list[HydrophoneError]]]:
    """Ids for a mixture of ids and ``@names``, and for what names there is none. Known names cost nothing."""
    found: dict[UserId, None] = {}
    missing: list[HydrophoneError] = []
    for creator in creators:
        text = creator.strip()
        # A name may consist of digits; then it needs its @ to be told from an id.
        if text.isascii() and text.isdigit():
            found[check_user_id(text)] = None
            continue
        known = session.user_id_of(check_handle(text))
        if known is None:
            try:
                known = (yield from user_by_name(session, text)).id
            except NotFoundError as error:
                missing.append(error)
                continue
        found[known] = None
    return list(found), missing


def _ask_user(
    session: ApiSession,
    endpoint: str,
    path: str,
    wish: UserWish,
    *,
    auth: Auth = Auth.EITHER,
    known: UserId | None = None,
) -> Question[User]:
    now = session.now()
    price = session.ledger.price_of_new([Resource(Kind.USER, known)], now) if known else estimate(users=1)
    needs = price + estimate(posts=wish.posts_of_each)

    def asked(dialect: Dialect) -> Asked:
        return Asked(
            endpoint=endpoint, path=path, params=wish.params(dialect), auth=auth, scopes=USER_SCOPES, needs=needs
        )

    root = yield from ask_in_either(session, asked, Kind.USER)
    answer = read_answer(root, lambda node, _: read_user(node))
    if not answer.items:
        raise nothing_error(answer, endpoint)
    return answer.items[0]

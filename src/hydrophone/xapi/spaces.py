"""Spaces by id, by ids, by creator and by words of their title."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum

from hydrophone.errors import HydrophoneError
from hydrophone.http.messages import Question
from hydrophone.model import Space, SpaceId, SpaceState, User, UserId
from hydrophone.xapi import limits
from hydrophone.xapi.answers import Answer, count_resources, join_answers, nothing_error, read_answer
from hydrophone.xapi.asking import Asked, ask
from hydrophone.xapi.checks import BATCH, batches, check_query, check_range, check_space_id, check_user_id
from hydrophone.xapi.prices import Kind, Resource, estimate
from hydrophone.xapi.session import ApiSession
from hydrophone.xapi.spacereading import read_space
from hydrophone.xapi.wanted import SpaceWish

#: How many unpaid Spaces one creator is taken to have at most: one that is live and one that is scheduled.
SPACES_OF_CREATOR = 2
_EVERYTHING = SpaceWish()


class SearchState(StrEnum):
    LIVE = "live"
    SCHEDULED = "scheduled"
    ALL = "all"


def space_by_id(session: ApiSession, space_id: SpaceId, *, wish: SpaceWish = _EVERYTHING) -> Question[Space]:
    """One Space.

    Raises:
        NotFoundError: there is none, or not any more: what has ended disappears after a while.
        WireError: a field that we rely on is missing or of another shape.
        SettingsError: the id or a name in `wish` is wrong; nothing was sent.
    """
    check_space_id(space_id)
    answer = yield from _ask_spaces(session, limits.SPACE, f"/2/spaces/{space_id}", {}, wish, known=(space_id,))
    if not answer.items:
        raise nothing_error(answer, limits.SPACE)
    return answer.items[0]


def spaces_by_ids(
    session: ApiSession, ids: Iterable[SpaceId], *, wish: SpaceWish = _EVERYTHING
) -> Question[Answer[Space]]:
    """The Spaces that exist, in the caller's order; what does not is among the `problems`. Any number of ids."""
    wanted = [check_space_id(space_id) for space_id in ids]
    wish.params(session.dialect)
    answers: list[Answer[Space]] = []
    for batch in batches(wanted):
        params = {"ids": ",".join(batch)}
        if not (yield from _add(answers, _ask_spaces(session, limits.SPACES, "/2/spaces", params, wish, known=batch))):
            break
    return join_answers(answers, key=lambda space: space.id, order=wanted)


def spaces_by_creator_ids(
    session: ApiSession, user_ids: Iterable[UserId], *, wish: SpaceWish = _EVERYTHING
) -> Question[Answer[Space]]:
    """The live and scheduled Spaces that these accounts have created; hosting somebody else's does not count.

    With a cap on spend, fewer creators are asked for at once as the rest grows small, so that it is never exceeded.
    """
    waiting = list(dict.fromkeys(check_user_id(user_id) for user_id in user_ids))
    wish.params(session.dialect)
    answers: list[Answer[Space]] = []
    while waiting:
        size = affordable_creators(session.ledger.remaining(session.now()), wish)
        batch, waiting = waiting[:size], waiting[size:]
        if not (yield from _add(answers, sweep(session, batch, wish=wish))):
            break
    return join_answers(answers, key=lambda space: space.id)


def affordable_creators(remaining: Decimal | None, wish: SpaceWish = _EVERYTHING) -> int:
    """How many creators may be asked for at once so that the rest suffices; at least one, which may then be refused."""
    if remaining is None:
        return BATCH
    each = estimate(spaces=SPACES_OF_CREATOR, users=SPACES_OF_CREATOR * wish.users_of_each)
    return max(1, min(BATCH, int(remaining / each)))


def sweep(session: ApiSession, user_ids: Sequence[UserId], *, wish: SpaceWish = _EVERYTHING) -> Question[Answer[Space]]:
    """The same for at most a hundred creators, in one request.

    Raises:
        SpendCapError: they might have more Spaces than may be paid for.
    """
    params = {"user_ids": ",".join(check_user_id(user_id) for user_id in user_ids)}
    check_range("number of creators", len(user_ids), 1, BATCH)
    most = SPACES_OF_CREATOR * len(user_ids)
    path = "/2/spaces/by/creator_ids"
    answer = yield from _ask_spaces(session, limits.CREATORS, path, params, wish, most=most)
    if len(user_ids) == 1:
        # Only this creator was asked for, so what lacks the field can only be theirs.
        creator = User(id=UserId(user_ids[0]))
        return _with_items(answer, tuple(_by(space, creator) for space in answer.items))
    return answer


def search_spaces(
    session: ApiSession,
    query: str,
    *,
    state: SearchState = SearchState.ALL,
    max_results: int = 100,
    wish: SpaceWish = _EVERYTHING,
) -> Question[Answer[Space]]:
    """Live and scheduled Spaces with these words in their title, live ones first; never ended ones.

    There are no operators, and no more than 100 results: `is_cut_off` says that there may be more.
    """
    check_range("max_results", max_results, 1, 100)
    params = {"query": check_query(query), "state": SearchState(state).value, "max_results": str(max_results)}
    answer = yield from _ask_spaces(session, limits.SEARCH, "/2/spaces/search", params, wish, most=max_results)
    return _with_items(answer, answer.items, is_cut_off=len(answer.items) >= max_results)


def _ask_spaces(
    session: ApiSession,
    endpoint: str,
    path: str,
    params: dict[str, str],
    wish: SpaceWish,
    *,
    known: Sequence[SpaceId] = (),
    most: int = 0,
) -> Question[Answer[Space]]:
    """One request for Spaces. `known` are their ids where they are known, `most` is how many may come where not."""
    spaces = session.ledger.price_of_new([Resource(Kind.SPACE, one) for one in known], session.now())
    needs = spaces + estimate(spaces=most, users=(most + len(known)) * wish.users_of_each)
    asked = Asked(endpoint=endpoint, path=path, params={**params, **wish.params(session.dialect)}, needs=needs)
    root, reply = yield from ask(session, asked)
    session.charge(count_resources(root, Kind.SPACE), reply)
    answer = read_answer(root, read_space)
    asked_for_ids = "creator_id" in wish.fields and "creator_id" not in wish.expansions
    if asked_for_ids and any(one.state is SpaceState.LIVE and one.creator is None for one in answer.items):
        session.ids_by_expansion_only = True
    return answer


def _add(answers: list[Answer[Space]], question: Question[Answer[Space]]) -> Question[bool]:
    """Ask one of several; False when the others must wait because this one was refused after some had come."""
    try:
        answers.append((yield from question))
    except HydrophoneError as error:
        if not answers:
            raise
        answers.append(Answer(items=(), stopped_by=error))
        return False
    return True


def _with_items(answer: Answer[Space], items: tuple[Space, ...], *, is_cut_off: bool = False) -> Answer[Space]:
    return replace(answer, items=items, is_cut_off=is_cut_off)


def _by(space: Space, creator: User) -> Space:
    if space.creator is not None:
        return space
    return replace(space, creator=creator)

"""The door for people who look for Spaces: by words, or by who creates them; as one answer or as they are found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace

from hydrophone.errors import HydrophoneError, NotFoundError
from hydrophone.http.messages import Question
from hydrophone.model import Space
from hydrophone.xapi.answers import Answer, join_answers
from hydrophone.xapi.checks import check_query
from hydrophone.xapi.paging import Asker
from hydrophone.xapi.problems import Problem
from hydrophone.xapi.session import ApiSession
from hydrophone.xapi.spaces import SearchState, search_spaces, spaces_by_creator_ids
from hydrophone.xapi.users import user_ids
from hydrophone.xapi.wanted import SpaceWish

_EVERYTHING = SpaceWish()


def find_spaces(
    session: ApiSession,
    *phrases: str,
    state: SearchState = SearchState.ALL,
    language: str | None = None,
    min_participants: int = 0,
    max_results: int = 100,
    wish: SpaceWish = _EVERYTHING,
) -> Question[Answer[Space]]:
    """Live and scheduled Spaces that have one of the phrases in their title, each once.

    Where a search is cut off at a hundred results, live and scheduled ones are asked for apart: what was found already
    costs nothing a second time on the same day. `is_cut_off` says that there may be even more; other words find them.

    Args:
        language: e.g. ``"en"``; young Spaces often have none yet and are then left out.
        min_participants: how many must be in it now; a scheduled one has none.
    """
    queries = [check_query(phrase) for phrase in phrases]
    answers: list[Answer[Space]] = []
    for query in dict.fromkeys(queries):
        try:
            answer = yield from _search(session, query, SearchState(state), max_results, wish)
        except HydrophoneError as error:
            if not answers:
                raise
            answers.append(Answer(items=(), stopped_by=error))
            break
        answers.append(answer)
        if answer.stopped_by is not None:
            break
    joined = join_answers(answers, key=lambda space: space.id)
    fits = _filter(language, min_participants)
    return replace(joined, items=tuple(space for space in joined.items if fits(space)))


def _search(
    session: ApiSession, query: str, state: SearchState, max_results: int, wish: SpaceWish
) -> Question[Answer[Space]]:
    first = yield from search_spaces(session, query, state=state, max_results=max_results, wish=wish)
    if not first.is_cut_off or state is not SearchState.ALL or max_results < 100:
        return first
    parts = [first]
    for half in (SearchState.LIVE, SearchState.SCHEDULED):
        try:
            parts.append((yield from search_spaces(session, query, state=half, wish=wish)))
        except HydrophoneError as error:
            parts.append(Answer(items=(), stopped_by=error))
            break
    is_cut_off = any(part.is_cut_off for part in parts[1:])
    return replace(join_answers(parts, key=lambda space: space.id), is_cut_off=is_cut_off)


async def each_space(
    client: Asker,
    session: ApiSession,
    *phrases: str,
    states: Iterable[SearchState] = (SearchState.LIVE, SearchState.SCHEDULED),
    language: str | None = None,
    min_participants: int = 0,
    wish: SpaceWish = _EVERYTHING,
) -> AsyncIterator[Space]:
    """The same as they are found, live ones first; breaking off spares the requests that were not needed."""
    fits = _filter(language, min_participants)
    seen: set[str] = set()
    for state in states:
        for phrase in phrases:
            for space in await client.ask(search_spaces(session, phrase, state=state, wish=wish)):
                if space.id not in seen and fits(space):
                    seen.add(space.id)
                    yield space


def spaces_by_creators(
    session: ApiSession, creators: Iterable[str], *, wish: SpaceWish = _EVERYTHING
) -> Question[Answer[Space]]:
    """The live and scheduled Spaces of these accounts, given as ids or ``@names`` in any mixture and number.

    A name costs money the first time it is turned into an id. Names that nobody has are among the `problems`.

    Raises:
        NotFoundError: none of the names exists.
    """
    found, missing = yield from user_ids(session, creators)
    if missing and not found:
        raise missing[0]
    answer = yield from spaces_by_creator_ids(session, found, wish=wish)
    unknown = tuple(_problem(error) for error in missing)
    return replace(answer, problems=(*unknown, *answer.problems))


def _problem(error: HydrophoneError) -> Problem:
    kind = "resource-not-found" if isinstance(error, NotFoundError) else ""
    return Problem(kind=kind, title="Not Found Error", detail=error.message, resource_type="user")


def _filter(language: str | None, min_participants: int) -> Callable[[Space], bool]:
    wanted = language.lower() if language else None

    def fits(space: Space) -> bool:
        said = (space.language or "").lower()
        if wanted is not None and said != wanted and not said.startswith(wanted + "-"):
            return False
        return (space.participant_count or 0) >= min_participants

    return fits

"""Walking over pages: to the end, but not in circles, and once more from the start when a token has expired."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from hydrophone.errors import HydrophoneError, InvalidRequestError
from hydrophone.http.messages import Call, Question
from hydrophone.xapi.answers import Answer, join_answers

T = TypeVar("T")
T_in = TypeVar("T_in")

MOST_PAGES = 100
_MOST_STALE = 2  #: pages in a row that bring nothing new; some lists hand out tokens for ever

#: Asks for one page; None asks for the first.
AskPage = Callable[[str | None], Question[Answer[T]]]


class Asker(Protocol):
    """What asks: `AsyncClient` is one."""

    def ask(self, question: Call[T_in] | Question[T_in]) -> Awaitable[T_in]: ...


class Walk(Generic[T]):
    """Decides which page comes next. Ask `question()` until it is None, and show each answer to `see`."""

    def __init__(self, ask_page: AskPage[T], *, key: Callable[[T], str], most_pages: int = MOST_PAGES) -> None:
        self._ask_page = ask_page
        self._key = key
        self._most_pages = most_pages
        self._seen: set[str] = set()
        self._token: str | None = None
        self._pages = 0
        self._stale = 0
        self._has_restarted = False
        self._is_over = False
        self.is_cut_off = False  #: there was more than `most_pages`

    def question(self) -> Question[Answer[T]] | None:
        """The question for the next page, None at the end."""
        if self._is_over:
            return None
        if self._pages >= self._most_pages:
            self._is_over = self.is_cut_off = True
            return None
        return self._ask_page(self._token)

    def see(self, page: Answer[T]) -> tuple[T, ...]:
        """What is new on a page."""
        self._pages += 1
        new = tuple({self._key(item): item for item in page.items if self._key(item) not in self._seen}.values())
        self._seen.update(map(self._key, new))
        self._stale = 0 if new else self._stale + 1
        self._is_over = page.next_token is None or page.next_token == self._token or self._stale >= _MOST_STALE
        self._token = page.next_token
        return new

    def fail(self, error: HydrophoneError) -> bool:
        """A page was refused: True when the walk goes on from the first page, because only its token had expired."""
        expired = isinstance(error, InvalidRequestError) and any("pagination_token" in m for m in error.messages)
        if not expired or self._token is None or self._has_restarted:
            self._is_over = True
            return False
        self._has_restarted = True
        self._token = None
        self._stale = 0
        return True


def walk_all(walk: Walk[T], key: Callable[[T], str]) -> Question[Answer[T]]:
    """All pages as one answer. A refusal after the first page stops the walk and is kept as `stopped_by`."""
    pages: list[Answer[T]] = []
    while (question := walk.question()) is not None:
        try:
            page = yield from question
        except HydrophoneError as error:
            if walk.fail(error):
                continue
            if not pages:
                raise
            pages.append(Answer(items=(), stopped_by=error))
            break
        walk.see(page)
        pages.append(page)
    if walk.is_cut_off:
        pages.append(Answer(items=(), is_cut_off=True))
    return join_answers(pages, key=key)


async def each(client: Asker, walk: Walk[T]) -> AsyncIterator[T]:
    """The items as their pages come; the next page is only asked for, and paid, when it is needed.

    Raises:
        HydrophoneError: what asking for a page raises.
    """
    while (question := walk.question()) is not None:
        try:
            page = await client.ask(question)
        except HydrophoneError as error:
            if walk.fail(error):
                continue
            raise
        for item in walk.see(page):
            yield item

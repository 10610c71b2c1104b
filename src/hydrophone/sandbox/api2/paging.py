"""Pages of a list: opaque tokens that belong to one list, lead both ways, and may expire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hydrophone.sandbox.api2.gate import Visit
from hydrophone.sandbox.scene import invented_number
from hydrophone.sandbox.world import World

T = TypeVar("T")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class PageTokens:
    """Which token stands for which place of which list, and when it was given out."""

    def __init__(self) -> None:
        self.given: dict[str, tuple[str, int, int]] = {}


@dataclass(frozen=True, slots=True)
class Page:
    """Where to begin, how many, and which list this is."""

    key: str
    kind: str
    offset: int
    size: int


def read_page(
    visit: Visit, kind: str, subject: str, *, most: int = 100, least_size: int = 1, default: int | None = None
) -> Page:
    """The page that a request asks for; complaints are left with the visit."""
    size = visit.asking.number("max_results", least_size, most, most if default is None else default)
    key, token = f"{kind}/{subject}", visit.asking.given.get("pagination_token")
    if token is None:
        return Page(key, kind, 0, size)
    place = _place_of(visit, key, kind, token)
    if place is None:
        text = f"The `pagination_token` query parameter value [{token}] is not a valid token"
        visit.asking.complain("pagination_token", text, token)
    return Page(key, kind, place or 0, size)


def _place_of(visit: Visit, key: str, kind: str, token: str) -> int | None:
    staged = visit.stage.pages.get(kind, {})
    if token in (staged.get("next_token"), staged.get("previous_token")):
        return 2 if token == staged.get("next_token") else 0
    found = visit.world.room(PageTokens).given.get(token)
    if found is None or found[0] != key:
        return None
    lifetime = float(visit.switches["page_token_seconds"])
    is_old = lifetime and visit.world.clock.now_us() - found[2] > lifetime * 1_000_000
    return None if is_old else found[1]


def cut(visit: Visit, page: Page, items: Sequence[T]) -> tuple[list[T], dict[str, Any]]:
    """The items of a page and its `meta`. An endless list repeats its first page for ever."""
    shown = list(items[page.offset : page.offset + page.size])
    meta: dict[str, Any] = {"result_count": len(shown)}
    if page.kind in visit.switches["endless"] and items:
        shown = list(items[: page.size])
        meta = {"result_count": len(shown), "next_token": _token(visit, page, page.offset + page.size)}
        return shown, meta
    if page.offset + page.size < len(items):
        meta["next_token"] = _token(visit, page, page.offset + page.size)
    if page.offset:
        meta["previous_token"] = _token(visit, page, max(0, page.offset - page.size), back=True)
    return shown, meta


def _token(visit: Visit, page: Page, offset: int, *, back: bool = False) -> str:
    staged = visit.stage.pages.get(page.kind, {}).get("previous_token" if back else "next_token")
    if staged and offset == (0 if back else 2):
        return staged
    world: World = visit.world
    number = invented_number("page", page.key, offset, world.clock.now_us()) << 60
    number |= invented_number("page tail", page.key, offset)
    letters = []
    for _ in range(22):
        number, rest = divmod(number, 36)
        letters.append(_DIGITS[rest])
    token = ("77" if back else "71") + "".join(letters)
    world.room(PageTokens).given[token] = (page.key, offset, world.clock.now_us())
    return token

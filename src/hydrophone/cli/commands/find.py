"""`hydrophone find`: Spaces by words or by creator, as a table, CSV or JSON, once or as they go live."""

from __future__ import annotations

from contextlib import aclosing
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from hydrophone.cli import screen
from hydrophone.cli.context import Common
from hydrophone.errors import SettingsError
from hydrophone.render.terminal import terminal_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hydrophone.app import AsyncHydrophone, Found
    from hydrophone.model import Sighting, Space

_COLUMNS = (
    "id",
    "state",
    "title",
    "creator",
    "participants",
    "subscribers",
    "language",
    "scheduled",
    "started",
    "url",
    "creator_id",
    "creator_name",
    "ended",
)
_STATES = {"live": ("live", "changed"), "scheduled": ("scheduled", "changed"), "ended": ("ended", "canceled")}


def find(
    words: Annotated[tuple[str, ...], Parameter(name="WORDS", negative=())],
    /,
    *,
    state: Annotated[Literal["live", "scheduled", "ended", "all"], Parameter(name="--state")] = "all",
    language: Annotated[str | None, Parameter(name="--lang")] = None,
    min_listeners: Annotated[int, Parameter(name="--min-listeners")] = 0,
    max_cost: Annotated[Decimal | None, Parameter(name="--max-cost")] = None,
    with_names: Annotated[bool, Parameter(name="--names")] = False,
    ask_order: Annotated[str | None, Parameter(name="--ask-order")] = None,
    follow: Annotated[bool, Parameter(name="--follow")] = False,
    count: Annotated[int | None, Parameter(name="--count")] = None,
    as_csv: Annotated[bool, Parameter(name="--csv")] = False,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Find Spaces that are live or scheduled: by words of their title, or by who creates them.

    Words are looked for as one phrase. Names begin with @, and cannot be mixed with words. x.com is asked if you are
    signed in, else the X API (which costs credits; `--max-cost` caps them).

    Nobody can search what has ended: `--state ended` shows what you have recorded, and looks up what an earlier search
    or --follow has seen, which the services remember for a while.

    For example:
      hydrophone find harbour --state live
      hydrophone find @mara_lind @tobi_quist --json
      hydrophone find @mara_lind --follow

    Parameters
    ----------
    words
        Words of a title, or @names.
    state
        Which ones; with --follow, which news.
    language
        The language of the Space, e.g. en. Young Spaces often have none yet.
    min_listeners
        How many people must be in it.
    max_cost
        The most US dollars that this run may spend at the X API.
    with_names
        Have the X API name the creators, at $0.010 for each per day; without it, those are named that some answer has
        named before.
    ask_order
        Which sources may be asked, the first to ask first: web, api and local in any order (setting `ask_order`).
    follow
        Print what happens to the Spaces of these creators, as it happens, until Ctrl-C.
    count
        With --follow: end after so many news.
    as_csv
        Print CSV.
    """
    from hydrophone.cli.running import run

    settings = common.settings(max_cost=max_cost, ask_order=ask_order)
    creators = [word for word in words if word.startswith("@")]
    if creators and len(creators) != len(words):
        raise SettingsError("words and @names cannot be mixed", setting="WORDS", advice="Ask for them one by one.")
    if follow and not creators:
        raise SettingsError("--follow needs @names", setting="--follow", advice="For example: find @mara_lind --follow")
    if as_csv and common.as_json:
        raise SettingsError("--csv and --json exclude each other", setting="--csv")

    def tell(line: str) -> None:
        if not common.quiet:
            screen.warn(screen.safe(line))

    async def search(engine: AsyncHydrophone) -> Found:
        if creators:
            ask, phrases = engine.spaces_by_creators, creators
        else:
            ask, phrases = engine.find_spaces, [" ".join(words)]
        return await ask(
            *phrases,
            state=state,
            language=language,
            min_listeners=min_listeners,
            with_names=with_names,
            on_notice=tell,
        )

    async def watch(engine: AsyncHydrophone) -> None:
        if as_csv:
            _print_csv(())
        left = count
        async with aclosing(engine.follow(*creators, on_notice=tell)) as news:
            async for sighting in news:
                if state == "all" or sighting.kind.value in _STATES[state]:
                    _print_sighting(sighting, common, as_csv=as_csv)
                    left = None if left is None else left - 1
                if left == 0:
                    return

    if follow:
        run(settings, watch)
        return 0
    found = run(settings, search)
    for problem in found.problems:
        tell(problem)
    if found.is_cut_off:
        tell("there may be more; other words would find them")
    _print(found, common, as_csv=as_csv)
    return 0


def _print(found: Found, common: Common, *, as_csv: bool) -> None:
    if as_csv:
        _print_csv(found.spaces)
    elif common.as_json:
        screen.say_json(
            {
                "source": found.source,
                "cost": str(found.cost),
                "is_cut_off": found.is_cut_off,
                "problems": list(found.problems),
                "spaces": [_facts(space) for space in found.spaces],
            }
        )
    elif not found.spaces:
        common.say("nothing found")
    else:
        common.say(*screen.table(_row(space) for space in found.spaces))
        if found.cost:
            common.say(f"${found.cost} at the X API")


def _row(space: Space) -> Sequence[str]:
    from hydrophone.render.times import instant_text

    facts = _facts(space)
    at = space.started_at or space.scheduled_at
    people = f"{space.participant_count:,} in it" if space.participant_count else ""
    who = f"@{facts['creator']}" if facts["creator"] and not str(facts["creator"]).isdigit() else str(facts["creator"])
    when = instant_text(at) if at else ""
    return (space.id, str(space.state), when, people, screen.safe(who, 40), screen.safe(space.display_title, 100))


def _facts(space: Space) -> dict[str, str | int | None]:
    creator = space.creator
    return {
        "id": space.id,
        "state": str(space.state),
        "title": space.title,
        "creator": (creator.handle or creator.id) if creator else "",
        "participants": space.participant_count,
        "subscribers": space.subscriber_count,
        "language": space.language,
        "scheduled": space.scheduled_at.isoformat() if space.scheduled_at else None,
        "started": space.started_at.isoformat() if space.started_at else None,
        "url": f"https://x.com/i/spaces/{space.id}",
        "creator_id": creator.id if creator else "",
        "creator_name": creator.name if creator else None,
        "ended": space.ended_at.isoformat() if space.ended_at else None,
    }


def _print_csv(found: Iterable[Space]) -> None:
    from hydrophone.render.csvtext import csv_text

    screen.say(csv_text(_COLUMNS, [_line(_facts(space)) for space in found]).rstrip("\r\n"))


def _line(facts: Mapping[str, str | int | None]) -> list[str | int]:
    """One line of the table; it may be read on a terminal, which must obey nothing that a title says."""
    cells = ("" if (cell := facts.get(name)) is None else cell for name in _COLUMNS)
    return [terminal_text(cell) if isinstance(cell, str) else cell for cell in cells]


def _print_sighting(sighting: Sighting, common: Common, *, as_csv: bool) -> None:
    from hydrophone.render.times import instant_text

    space = sighting.space
    if common.as_json:
        screen.say_json(
            {
                "kind": str(sighting.kind),
                "id": sighting.space_id,
                "at": sighting.at.isoformat(),
                "source": sighting.source,
                "creator_id": sighting.creator_id,
                "space": _facts(space) if space else None,
            }
        )
    elif as_csv:
        from hydrophone.render.csvtext import csv_text

        facts = (
            _facts(space) if space else {"id": sighting.space_id, "url": f"https://x.com/i/spaces/{sighting.space_id}"}
        )
        facts["state"] = str(sighting.kind)
        screen.say(csv_text(_COLUMNS, [_line(facts)]).split("\n")[1])
    else:
        title = screen.safe(space.display_title, 100) if space else f"by {sighting.creator_id or 'somebody'}"
        screen.say(f"{instant_text(sighting.at)}  {sighting.kind}  https://x.com/i/spaces/{sighting.space_id}  {title}")


__all__ = ["find"]

"""`hydrophone info`: what is known of a Space or a broadcast, and who said so."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from hydrophone.cli import screen
from hydrophone.cli.context import Common
from hydrophone.model import MergedSpace, Source, Space

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from hydrophone.app import AsyncHydrophone
    from hydrophone.model import Broadcast, Origin, Participant, User

_TELLERS = {
    Source.WEB: "x.com",
    Source.API: "the X API",
    Source.RECORDING: "your recording",
    Source.EVENT: "an event",
}


def info(
    link: str,
    /,
    *,
    raw: Annotated[bool, Parameter(name="--raw")] = False,
    all_sources: Annotated[bool, Parameter(name="--all-sources")] = False,
    ask_order: Annotated[str | None, Parameter(name="--ask-order")] = None,
    with_names: Annotated[bool, Parameter(name="--names")] = False,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Show what is known of a Space or a broadcast.

    Nothing is recorded. The first source that answers counts: x.com (free), else the X API (a Space costs $0.005), else
    your own recording; where there is a recording, what it knows is added. With --json, `origins` says who told what.

    For example:
      hydrophone info https://x.com/i/spaces/1vOxwdyYrlqKB
      hydrophone info 1vOxwdyYrlqKB --json
      hydrophone info @creator --raw
      hydrophone info 1vOxwdyYrlqKB --all-sources --json

    Parameters
    ----------
    link
        A link, an id, a post or an @name.
    raw
        Print the service's own record, as JSON; one for each source where several were asked.
    all_sources
        Ask every source that may be asked, and merge what they say.
    ask_order
        Which sources may be asked, the first to ask first: web, api and local in any order (setting `ask_order`).
    with_names
        Have the X API name hosts and speakers too, at $0.010 for each.
    """
    from hydrophone.cli.jsonlines import jsonable
    from hydrophone.cli.running import run

    def tell(line: str) -> None:
        if not common.quiet:
            screen.warn(screen.safe(line))

    async def work(engine: AsyncHydrophone) -> MergedSpace | Broadcast:
        return await engine.info_with_origins(link, all_sources=all_sources, with_names=with_names, on_notice=tell)

    answer = run(common.settings(ask_order=ask_order), work)
    found, origins = (answer.space, answer.origins) if isinstance(answer, MergedSpace) else (answer, None)
    if raw:
        screen.say_json(_records(found, origins), pretty=True)
    elif common.as_json:
        facts = {"type": type(found).__name__.lower(), **jsonable(found)}
        screen.say_json(facts if origins is None else {**facts, "origins": jsonable(origins)})
    else:
        common.say(*screen.table([*rows(found), *_told_by(origins)]))
    return 0


def _records(found: Space | Broadcast, origins: Mapping[str, Origin] | None) -> Mapping[str, Any]:
    """The record as it came; by the names of their sources where several services were asked."""
    if origins is None:
        return found.raw
    services = {name: record for name, record in found.raw.items() if name != Source.RECORDING} or found.raw
    return next(iter(services.values())) if len(services) == 1 else services


def _told_by(origins: Mapping[str, Origin] | None) -> list[tuple[str, str]]:
    """Who said it, the teller of most first."""
    tellers = Counter(origin.source for origin in (origins or {}).values())
    return [("told by", ", ".join(_TELLERS[source] for source, _ in tellers.most_common()))] if tellers else []


def rows(found: Space | Broadcast) -> list[tuple[str, str]]:
    """Names and values for people; what is not known is left out."""
    from hydrophone.render.times import instant_text

    creator = found.creator if isinstance(found, Space) else found.broadcaster
    title = found.display_title if isinstance(found, Space) else found.title
    pairs = [
        ("title", screen.safe(title)),
        ("id", found.id),
        ("creator", _name(creator)),
        ("state", str(found.state)),
        *((label, instant_text(at)) for label, at in _instants(found) if at),
        ("replay", {True: "yes", False: "no", None: ""}[found.has_replay]),
        ("language", found.language or ""),
    ]
    if isinstance(found, Space):
        pairs += [
            ("listeners", _number(found.listeners)),
            ("replay views", _number(found.replay_viewers)),
            ("topics", ", ".join(found.topics)),
            ("on stage", _people(found.participants)),
        ]
    else:
        pairs += [("viewers", _number(found.viewers)), ("viewers in all", _number(found.viewers_total))]
    return [(label, screen.safe(value)) for label, value in pairs if value]


def _instants(found: Space | Broadcast) -> list[tuple[str, datetime | None]]:
    return [
        ("scheduled", found.scheduled_at),
        ("started", found.started_at),
        ("ended", found.ended_at),
    ]


def _name(user: User | None) -> str:
    if user is None:
        return ""
    handle = f"@{user.handle}" if user.handle else ""
    return f"{user.name} ({handle})" if user.name and handle else user.name or handle or user.id


def _people(participants: Sequence[Participant]) -> str:
    on_stage = [p for p in participants if p.role != "listener"]
    return ", ".join(f"@{p.handle} ({p.role})" if p.handle else str(p.role) for p in on_stage)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"

"""`hydrophone info`: what the service says about a Space or a broadcast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from hydrophone.cli import screen
from hydrophone.cli.context import Common

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hydrophone.app import AsyncHydrophone
    from hydrophone.model import Broadcast, Participant, Space, User


def info(
    link: str,
    /,
    *,
    raw: Annotated[bool, Parameter(name="--raw")] = False,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Show what the service says about a Space or a broadcast.

    Nothing is recorded and nothing is written.

    For example:
      hydrophone info https://x.com/i/spaces/1vOxwdyYrlqKB
      hydrophone info 1vOxwdyYrlqKB --json
      hydrophone info @creator --raw

    Parameters
    ----------
    link
        A link, an id, a post or an @name.
    raw
        Print the service's own record, as JSON.
    """
    from hydrophone.cli.jsonlines import jsonable
    from hydrophone.cli.running import run

    def tell(line: str) -> None:
        if not common.quiet:
            screen.warn(screen.safe(line))

    async def work(engine: AsyncHydrophone) -> Space | Broadcast:
        return await engine.info(link, on_notice=tell)

    found = run(common.settings(), work)
    if raw:
        screen.say_json(found.raw, pretty=True)
    elif common.as_json:
        screen.say_json({"type": type(found).__name__.lower(), **jsonable(found)})
    else:
        common.say(*screen.table(rows(found)))
    return 0


def rows(found: Space | Broadcast) -> list[tuple[str, str]]:
    """Names and values for people; what is not known is left out."""
    from hydrophone.model import Space
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

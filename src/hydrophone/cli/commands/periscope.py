"""`hydrophone periscope`: what Periscope still tells, and what its links mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from hydrophone.cli import screen
from hydrophone.cli.context import Common
from hydrophone.errors import LinkError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydrophone.app import AsyncHydrophone
    from hydrophone.model import Broadcast
    from hydrophone.periscope.pages import Page
    from hydrophone.periscope.records import PeriscopeUser

periscope = App(
    name="periscope",
    help="""Ask what is left of Periscope, and read its links.

    Periscope closed on 31 March 2021. Its addresses answer in the sandbox,
    from saved copies, and where somebody runs them again; for everything
    else, X is asked, and what cannot be had is said. To record, use
    `hydrophone record` with a link of Periscope.

    For example:
      hydrophone periscope parse-url https://www.periscope.tv/w/1yoKbWqNLdRGX
      hydrophone periscope user mara_lind --provider sandbox
      hydrophone periscope history mara_lind --json
    """,
)


@periscope.command
def user(name: str, /, *, common: Common = Common()) -> int:  # noqa: B008  (frozen)
    """Show a user.

    For example:
      hydrophone periscope user mara_lind
      hydrophone periscope user 98104277 --json
      hydrophone periscope user https://www.periscope.tv/u/98104277

    Parameters
    ----------
    name
        A user name, an id, or a link.
    """
    from hydrophone.cli.running import run

    async def work(engine: AsyncHydrophone) -> PeriscopeUser:
        return await (await engine.periscope()).user(name)

    found = run(common.settings(), work)
    if common.as_json:
        screen.say_json({"type": "user", **_public(found)})
    common.say(*screen.table((label, screen.safe(value)) for label, value in _user_rows(found) if value))
    return 0


@periscope.command
def broadcast(link: str, /, *, common: Common = Common()) -> int:  # noqa: B008  (frozen)
    """Show a broadcast; where Periscope knows nothing any more, as X has it.

    For example:
      hydrophone periscope broadcast 1yoKbWqNLdRGX
      hydrophone periscope broadcast https://www.periscope.tv/w/1yoKbWqNLdRGX --json

    Parameters
    ----------
    link
        A link or an id.
    """
    from hydrophone.cli.commands.info import rows
    from hydrophone.cli.running import run

    async def work(engine: AsyncHydrophone) -> Broadcast:
        return await (await engine.periscope()).broadcast(link)

    found = run(common.settings(), work)
    if common.as_json:
        screen.say_json({"type": "broadcast", **_public(found)})
    common.say(*screen.table(rows(found)))
    return 0


@periscope.command
def history(name: str, /, *, common: Common = Common()) -> int:  # noqa: B008  (frozen)
    """List every public broadcast of a user, newest first.

    With --json, one line for each.

    For example:
      hydrophone periscope history mara_lind
      hydrophone periscope history mara_lind --json | jq -r .id

    Parameters
    ----------
    name
        A user name, an id, or a link.
    """
    from hydrophone.cli.running import run

    async def work(engine: AsyncHydrophone) -> Sequence[Broadcast]:
        return await (await engine.periscope()).history(name)

    found = run(common.settings(), work)
    if common.as_json:
        for one in found:
            screen.say_json({"type": "broadcast", **_public(one)})
    common.say(*screen.table(_history_row(one) for one in found))
    return 0


@periscope.command
def tokens(name: str, /, *, common: Common = Common()) -> int:  # noqa: B008  (frozen)
    """Print the session tokens that a user's page gives to everybody.

    They last an hour and open the calls about this user, e.g. with `hydrophone
    periscope request`.

    For example:
      hydrophone periscope tokens mara_lind
      hydrophone periscope tokens mara_lind --json

    Parameters
    ----------
    name
        A user name, an id, or a link.
    """
    from hydrophone.cli.running import run

    async def work(engine: AsyncHydrophone) -> Page:
        return await (await engine.periscope()).page(name)

    page = run(common.settings(), work)
    shown = {
        "user_id": page.user_id,
        "broadcastHistory": page.tokens.history,
        "serviceToken": page.tokens.service,
        "thumbnailPlaylist": page.tokens.thumbnails,
    }
    if common.as_json:
        screen.say_json(shown)
    common.say(*screen.table((label, screen.safe(value or "-", 2000)) for label, value in shown.items()))
    return 0


@periscope.command(name="parse-url")
def parse_url(link: str, /, *, common: Common = Common()) -> int:  # noqa: B008  (frozen)
    """Say what a link of Periscope points at. Asks nobody.

    A link that was shared tells who shared it and when.

    For example:
      hydrophone periscope parse-url https://www.periscope.tv/mara_lind/1yoKbWqNLdRGX
      hydrophone periscope parse-url pscp://user/mara_lind --json

    Parameters
    ----------
    link
        A link, in any form that Periscope or its apps had.
    """
    common.settings()
    facts = link_facts(link)
    if common.as_json:
        screen.say_json(facts)
    common.say(*screen.table((label, screen.safe(str(value))) for label, value in facts.items() if value is not None))
    return 0


@periscope.command
def request(
    endpoint: str,
    /,
    *params: Annotated[str, Parameter()],
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Make any public call of Periscope's API and print its answer as JSON.

    For example:
      hydrophone periscope request getUserPublic user_id=98104277
      hydrophone periscope request accessVideoPublic broadcast_id=1yoKbWqNLdRGX

    Parameters
    ----------
    endpoint
        The name of the call.
    params
        Parameters, each as NAME=VALUE.
    """
    from hydrophone.cli.running import run

    named = params_of(params)

    async def work(engine: AsyncHydrophone) -> Any:
        return await (await engine.periscope()).request(endpoint, named)

    answer = run(common.settings(), work)
    if not common.quiet:
        screen.say_json(answer, pretty=not common.as_json)
    return 0


# ---------------------------------------------------------------- what is shown


def link_facts(link: str) -> dict[str, Any]:
    """What a link says, by name; None where it does not say.

    Raises:
        LinkError: it is no link of Periscope.
    """
    from hydrophone.links import parse_link
    from hydrophone.model import PeriscopeBroadcastRef, PeriscopeChannelRef, PeriscopeUserRef

    facts: dict[str, Any] = {"kind": None, "broadcast_id": None, "user_id": None, "username": None}
    match parse_link(link):
        case PeriscopeBroadcastRef() as ref:
            facts |= {
                "kind": "broadcast",
                "broadcast_id": ref.id,
                "username": ref.username,
                "channel": ref.channel,
                "shared_by": ref.shared_by,
                "share_expires_at": ref.share_expires_at,
            }
        case PeriscopeUserRef() as ref:
            facts |= {"kind": "user", "user_id": ref.user_id, "username": ref.username}
        case PeriscopeChannelRef() as ref:
            facts |= {"kind": "channel", "channel": ref.slug}
        case _:
            raise LinkError(f"{link[:200]!r} is no link of Periscope", text=link)
    return facts


def params_of(pairs: Sequence[str]) -> dict[str, str]:
    """Parameters from ``NAME=VALUE`` texts.

    Raises:
        SettingsError: one of them has another form.
    """
    named: dict[str, str] = {}
    for pair in pairs:
        name, mark, value = pair.partition("=")
        if not mark or not name:
            raise SettingsError(f"{pair[:80]!r} is not of the form NAME=VALUE", setting="params")
        named[name] = value
    return named


def _public(value: Any) -> dict[str, Any]:
    from hydrophone.cli.jsonlines import jsonable

    shown: dict[str, Any] = jsonable(value)
    return shown


def _user_rows(found: PeriscopeUser) -> list[tuple[str, str]]:
    from hydrophone.render.times import instant_text

    counts = (("followers", found.followers), ("following", found.following), ("hearts", found.hearts))
    return [
        ("id", found.id),
        ("username", found.username or ""),
        ("name", found.display_name or ""),
        ("description", found.description or ""),
        ("on X", f"@{found.x_handle}" if found.x_handle else ""),
        ("joined", instant_text(found.created_at) if found.created_at else ""),
        *((label, f"{count:,}" if count is not None else "") for label, count in counts),
    ]


def _history_row(one: Broadcast) -> tuple[str, ...]:
    from hydrophone.render.times import instant_text

    started = instant_text(one.started_at)[:16].replace("T", " ") if one.started_at else ""
    replay = {True: "replay", False: "no replay", None: ""}[one.has_replay]
    return (one.id, started, str(one.state), replay, screen.safe(one.title, 80))

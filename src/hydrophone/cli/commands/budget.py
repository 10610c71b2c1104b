"""`hydrophone budget`: what the X API has cost, and what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydrophone.cli import screen
from hydrophone.cli.context import Common

if TYPE_CHECKING:
    from hydrophone.app import ApiBudget, AsyncHydrophone

_SHOWN_DAYS = 31


def budget(*, common: Common = Common()) -> int:  # noqa: B008  (frozen)
    """Show what the X API has cost on each day (UTC), what may still be spent, and the balance of the account.

    It counts everything that an answer held, so it is an upper bound. Asking costs nothing.

    For example:
      hydrophone budget
      hydrophone budget --json
    """
    from hydrophone.cli.running import run

    def tell(line: str) -> None:
        if not common.quiet:
            screen.warn(screen.safe(line))

    async def work(engine: AsyncHydrophone) -> ApiBudget:
        return await engine.budget(on_notice=tell)

    found = run(common.settings(), work)
    left = found.credits.total if found.credits else None
    if common.as_json:
        screen.say_json(
            {
                "today": str(found.today.cost),
                "remaining": None if found.remaining is None else str(found.remaining),
                "balance": None if left is None else str(left),
                "days": [
                    {"day": str(one.day), "cost": str(one.cost), "resources": one.resources} for one in found.days
                ],
            }
        )
    cap = "no cap is set" if found.remaining is None else f"${found.remaining} may still be spent"
    common.say(f"today: ${found.today.cost} for {found.today.resources:,} things; {cap}")
    if left is not None:
        common.say(f"balance of the account: ${left}")
    for one in found.days[:_SHOWN_DAYS]:
        common.say(f"{one.day}  ${one.cost}  {one.resources:,} things")
    return 0

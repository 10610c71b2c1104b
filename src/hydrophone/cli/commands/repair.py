"""`hydrophone repair`: fetch again what is missing or damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydrophone.cli.context import Common

if TYPE_CHECKING:
    from hydrophone.app import AsyncHydrophone
    from hydrophone.recorder.events import Outcome


def repair(*items: str, common: Common = Common()) -> int:  # noqa: B008  (frozen)
    """Fetch what is missing or damaged, as far as it is still offered.

    What is good stays as it is. A gap that cannot be filled stays named, and
    the exit code is 3.

    For example:
      hydrophone repair ~/Music/Hydrophone/@creator
      hydrophone repair 1vOxwdyYrlqKB
      hydrophone repair --cookies cookies.txt

    Parameters
    ----------
    items
        Folders of items, folders above them, or ids; the whole archive if none is named.
    """
    from hydrophone.cli.items import items_named
    from hydrophone.cli.outcomes import code_of_outcomes
    from hydrophone.cli.progress import listener_for
    from hydrophone.cli.running import run, signals_to
    from hydrophone.recorder.options import StopSignal

    settings = common.settings()
    paths = items_named(items, settings.archive)
    listener = listener_for(as_json=common.as_json, quiet=common.quiet)

    async def work(engine: AsyncHydrophone) -> list[Outcome]:
        stop = StopSignal()
        with signals_to(stop, say=listener.note):
            outcomes = []
            for path in paths:
                outcomes.append(await engine.repair(path, on_event=listener, stop=stop))
                if stop.is_finishing:
                    break
            return outcomes

    try:
        return code_of_outcomes(run(settings, work))
    finally:
        listener.close()

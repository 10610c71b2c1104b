"""The chat of Spaces: what the voices say, as captions; who comes and goes, mutes, reacts; and the truth of it all.

Everything follows from the scene alone, so that a test can compute who said what when. The rooms themselves (access,
history, socket) are those of the Periscope side. A scene says what is special about its chat in ``extra.chat``; every
key is named in `facts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydrophone.sandbox.serving import Route
    from hydrophone.sandbox.world import World

__all__ = ["routes"]


def routes(world: World) -> list[Route]:
    """The ledger of the chat in the control room."""
    from hydrophone.sandbox.space_chat.ledger import routes as all_routes

    return all_routes(world)

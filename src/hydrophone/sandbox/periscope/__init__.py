"""The Periscope side of the sandbox: API, pages, channels, chat, CDN files, Producer API with a real RTMP sink.

One file per topic; `site` is the table of addresses. It is written from the Periscope reference alone and shares no
code with the client, so that a misreading shows on the wire.

A scene says what is special about it in ``extra.periscope``; every key is named in `facts`. Switches for the whole
side are in `switches`, refusals by name in `answers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydrophone.sandbox.serving import Route
    from hydrophone.sandbox.world import World

__all__ = ["routes"]


def routes(world: World) -> list[Route]:
    """All routes of this side."""
    # Imported late: the RTMP process runs a module of this package and needs none of the rest.
    from hydrophone.sandbox.periscope.site import routes as all_routes

    return all_routes(world)

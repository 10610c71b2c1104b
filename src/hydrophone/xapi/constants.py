"""What every request to the API has in common."""

from __future__ import annotations

from collections.abc import Mapping

from hydrophone import __version__

MAX_BYTES = 16 * 1024 * 1024
DEADLINE_SECONDS = 30.0
READ_ATTEMPTS = 5  #: one try and four more; a failed one costs nothing


def own_headers() -> Mapping[str, str]:
    """An honest name: this is the official interface, and it is paid for."""
    return {"User-Agent": f"hydrophone/{__version__}", "Accept": "application/json"}

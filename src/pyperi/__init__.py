"""The drop-in for PyPeri, the client of Periscope's public API: ``from pyperi import Peri`` works as it did.

Shapes, names and errors are those of the last public source; what differs, and why, is on the page "Coming from
PyPeri". Everything but the requests themselves is Hydrophone's.
"""

from pyperi.pyperi import Peri, PyPeriConnectionError, PyPeriResponseError

__version__ = "0.2.0+hydrophone"

__all__ = ["Peri", "PyPeriConnectionError", "PyPeriResponseError"]

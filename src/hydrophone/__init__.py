"""Hydrophone finds, records, verifies and archives X Spaces and Periscope broadcasts.

The names of the public Python door (`Hydrophone`, `AsyncHydrophone`, the errors and the models) are loaded on first
use, so that `import hydrophone` and `hydrophone --version` cost next to nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"

_LATE = {
    "AsyncHydrophone": "app",
    "Hydrophone": "syncdoor",
    "StreamUrls": "app",
    "RecordOptions": "recorder.options",
    "StopSignal": "recorder.options",
    "Settings": "settings",
}

__all__ = ["AsyncHydrophone", "Hydrophone", "RecordOptions", "Settings", "StopSignal", "StreamUrls", "__version__"]


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
    globals()[name] = value
    return value

"""Hydrophone finds, records, verifies and archives X Spaces and Periscope broadcasts.

The names of the public Python door (`Hydrophone`, `AsyncHydrophone`, the errors and the models) are loaded on first
use, so that `import hydrophone` and `hydrophone --version` cost next to nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"

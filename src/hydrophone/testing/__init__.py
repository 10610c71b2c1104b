"""A pretend X and CDN for tests: `sandbox()` starts one, its `control` turns it.

::

    from hydrophone.testing import Scene, sandbox

    with sandbox("host-drops", Scene.ended(seconds=20), speed=20) as box:
        client = Client(Endpoints.sandbox(box.bases))
        box.control.inject(kind="status", status=503, path="chunk_", count=3)
        ...
        truth = box.ledger("host-drops")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydrophone.sandbox.scene import Scene
    from hydrophone.testing.box import SandboxBox, sandbox
    from hydrophone.testing.control import ControlRoom

__all__ = ["ControlRoom", "SandboxBox", "Scene", "sandbox"]

_HOMES = {
    "ControlRoom": "hydrophone.testing.control",
    "SandboxBox": "hydrophone.testing.box",
    "Scene": "hydrophone.sandbox.scene",
    "sandbox": "hydrophone.testing.box",
}


def __getattr__(name: str) -> Any:
    # Lazy, because pytest imports the plugin beside this in every run, whether or not it is used.
    if name not in _HOMES:
        raise AttributeError(name)
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)

"""The port: the one room that knows outbound sockets.

`AsyncClient` and `Client` drive the same calls and questions. The names are loaded on first use, because the transport
behind them takes long to import and the words (`Request`, `Call`) do not need it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydrophone.http.budgets import Budgets as Budgets
    from hydrophone.http.client import Client as Client
    from hydrophone.http.driver import AsyncClient as AsyncClient
    from hydrophone.http.endpoints import Endpoints as Endpoints
    from hydrophone.http.settings import HttpSettings as HttpSettings

from hydrophone.http.messages import Call, Credential, Headers, HostKind, Question, Reply, Request

_LATE = {
    "AsyncClient": "driver",
    "Budgets": "budgets",
    "Client": "client",
    "Endpoints": "endpoints",
    "HttpSettings": "settings",
}

__all__ = [
    "AsyncClient",
    "Budgets",
    "Call",
    "Client",
    "Credential",
    "Endpoints",
    "Headers",
    "HostKind",
    "HttpSettings",
    "Question",
    "Reply",
    "Request",
]


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
    globals()[name] = value
    return value

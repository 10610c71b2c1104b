"""The port: the one room that knows outbound sockets.

`AsyncClient` and `Client` drive the same calls and questions. The names are loaded on first use, because the transport
behind them takes long to import and the words (`Request`, `Call`) do not need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydrophone.http.budgets import Budgets as Budgets
    from hydrophone.http.client import Client as Client
    from hydrophone.http.driver import AsyncClient as AsyncClient
    from hydrophone.http.endpoints import Endpoints as Endpoints
    from hydrophone.http.lines import Lines as Lines
    from hydrophone.http.lines import open_lines as open_lines
    from hydrophone.http.rules import BudgetRule as BudgetRule
    from hydrophone.http.settings import HttpSettings as HttpSettings

from hydrophone.http.messages import Call, Credential, Headers, HostKind, Question, Reply, Request
from hydrophone.late import late_names

__all__ = [
    "AsyncClient",
    "BudgetRule",
    "Budgets",
    "Call",
    "Client",
    "Credential",
    "Endpoints",
    "Headers",
    "HostKind",
    "HttpSettings",
    "Lines",
    "Question",
    "Reply",
    "Request",
    "open_lines",
]

__getattr__ = late_names(
    __name__,
    {
        "budgets": ("Budgets",),
        "client": ("Client",),
        "driver": ("AsyncClient",),
        "endpoints": ("Endpoints",),
        "lines": ("Lines", "open_lines"),
        "rules": ("BudgetRule",),
        "settings": ("HttpSettings",),
    },
)

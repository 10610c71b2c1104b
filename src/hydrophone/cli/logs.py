"""Log lines on stderr, for people or as JSON."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

from hydrophone.cli.jsonlines import dumps
from hydrophone.cli.screen import safe


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = f"{record.levelname.lower()}: {safe(record.getMessage(), 2000)}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class _Objects(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        body = {
            "log": record.levelname.lower(),
            "at": datetime.fromtimestamp(record.created, UTC),
            "from": record.name,
            "text": record.getMessage(),
        }
        return dumps(body | ({"trace": self.formatException(record.exc_info)} if record.exc_info else {}))


def start_logging(level: str, *, as_json: bool) -> None:
    """Show what Hydrophone logs from `level` on. The libraries below it stay silent unless something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Objects() if as_json else _Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("hydrophone").setLevel(level.upper())

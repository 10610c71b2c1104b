"""Notes which files a process opens for writing and whom it connects to, so that no sink can be forgotten.

Python imports a module of the name `sitecustomize` at each start; its audit hooks cannot be removed by what runs later.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HOOK = """
import json, os, sys

_log = os.open(os.environ["CANARY_AUDIT"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _note(*facts):
    os.write(_log, (json.dumps([os.getpid(), *map(str, facts)]) + "\\n").encode("utf-8", "replace"))


_note("start", " ".join(sys.orig_argv[:4]))


def _hook(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if isinstance(flags, int) else 0
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if (writes or set(str(mode or "")) & set("wax+")) and isinstance(path, (str, os.PathLike)):
            _note("file", os.path.abspath(path))
    elif event in ("os.rename", "os.link", "os.symlink"):
        _note("file", os.path.abspath(os.fsdecode(arguments[1])))
    elif event in ("socket.connect", "socket.sendto"):
        _note("socket", json.dumps(arguments[1], default=repr))
    elif event == "subprocess.Popen":
        _note("process", arguments[0])
    elif event in ("syslog.syslog", "smtplib.send", "os.system", "ftplib.connect"):
        _note("other", event)


sys.addaudithook(_hook)
"""


@dataclass(frozen=True, slots=True)
class Audit:
    """Where the notes of all processes are gathered."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process has to be started with."""
        return {"PYTHONPATH": str(self.folder), "CANARY_AUDIT": str(self.folder / "audit.jsonl")}

    def prepare(self) -> None:
        self.folder.mkdir(parents=True)
        (self.folder / "sitecustomize.py").write_text(_HOOK)

    def _rows(self) -> Iterator[list[str]]:
        for line in (self.folder / "audit.jsonl").read_text("utf-8", "replace").splitlines():
            yield json.loads(line)

    def processes(self) -> set[str]:
        """The ids of all processes that were watched."""
        return {str(row[0]) for row in self._rows()}

    def written(self) -> set[Path]:
        """All files that were opened for writing or given a new name."""
        return {Path(row[2]) for row in self._rows() if row[1] == "file"}

    def called(self) -> list[Any]:
        """All addresses that a socket was connected to."""
        return [json.loads(row[2]) for row in self._rows() if row[1] == "socket"]

    def others(self) -> set[str]:
        return {row[2] for row in self._rows() if row[1] == "other"}

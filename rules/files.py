"""What the rules of files.yml find and leave alone; only read, never run."""

import os
import shutil
import tempfile
from pathlib import Path


def keep(path: Path, mode: str) -> None:
    # ruleid: files-written-only-durably
    path.write_text("x")
    # ruleid: files-written-only-durably
    path.write_bytes(b"x")
    # ruleid: files-written-only-durably
    open(path, "w")
    # ruleid: files-written-only-durably
    open(path, encoding="utf-8", mode="a")
    # ruleid: files-written-only-durably
    path.open("r+b")
    # ruleid: files-written-only-durably
    os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    # ruleid: files-written-only-durably
    os.replace(path, "y")
    # ruleid: files-written-only-durably
    path.rename("y")
    # ruleid: files-written-only-durably
    shutil.move(path, "y")
    # ruleid: files-written-only-durably
    tempfile.NamedTemporaryFile()
    # ok: files-written-only-durably
    os.open(os.devnull, os.O_WRONLY)
    # ok: files-written-only-durably
    path.open("rb")
    # ok: files-written-only-durably
    open(path)
    # ok: files-written-only-durably
    "a-b".replace("a", "b")


def forget(path: Path) -> None:
    # ruleid: files-deleted-only-by-their-writers
    path.unlink(missing_ok=True)
    # ruleid: files-deleted-only-by-their-writers
    os.remove(path)
    # ruleid: files-deleted-only-by-their-writers
    shutil.rmtree(path)
    # ok: files-deleted-only-by-their-writers
    path.exists()

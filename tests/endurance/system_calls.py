"""Stands between a process and the kernel: sees its system calls on files, and may fail, shorten or forbid any of them.

The kernel's own notifications for seccomp filters (`seccomp_unotify(2)`, Linux 5.5 and later; no root needed): the
calls of all threads of the process wait, one after the other, until they are told what becomes of them. So a kill or an
error sits at the system call itself, whatever code made it, and a point is a number in one order of all calls.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import signal
import socket
import struct
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

#: Numbers on x86-64, with the class of the call and where its path or its descriptor is: (argument, is a path).
CALLS: dict[int, tuple[str, int, bool]] = {
    0: ("read", 0, False),
    17: ("read", 0, False),
    1: ("write", 0, False),
    18: ("write", 0, False),
    20: ("write", 0, False),
    296: ("write", 0, False),
    74: ("sync", 0, False),
    75: ("sync", 0, False),
    306: ("sync", 0, False),
    77: ("truncate", 0, False),
    2: ("open", 0, True),
    257: ("open", 1, True),
    82: ("rename", 0, True),
    264: ("rename", 1, True),
    316: ("rename", 1, True),
    87: ("unlink", 0, True),
    263: ("unlink", 1, True),
    83: ("mkdir", 0, True),
    258: ("mkdir", 1, True),
    40: ("copy", 0, False),
    326: ("copy", 2, False),
    41: ("socket", -1, False),
}
#: Where a call's directory descriptor is, for those that have one: a relative path belongs to it.
_AT = {257: 0, 264: 0, 316: 0, 263: 0, 258: 0}
#: What changes the disk, or makes a change durable; the others only look, or ask for a descriptor.
CHANGING = frozenset({"write", "sync", "truncate", "rename", "unlink", "mkdir", "copy", "open for writing"})
KINDS = CHANGING | {"open", "read", "socket"}

_PWRITE64, _PWRITEV, _WRITEV = 18, 296, 20
_O_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC if sys.platform != "win32" else 0

_SECCOMP, _SET_FILTER, _NEW_LISTENER = 317, 1, 1 << 3
_PIDFD_OPEN, _PIDFD_GETFD = 434, 438
_AUDIT_X86_64 = 0xC000003E
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_CONTINUE = 1
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NOTICE = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")


def why_not() -> str:
    """Why system calls cannot be watched here, empty where they can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "the numbers of the system calls are those of Linux on x86-64"
    version = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
    if version < (5, 6):
        return f"the kernel {os.uname().release} is older than 5.6"
    status = Path("/proc/self/status").read_text()
    if "Seccomp:\t1" in status:
        return "this process may make no system calls but a few"
    return "" if _can_watch() else "the kernel or the container refuses a seccomp filter with a listener"


@dataclass(frozen=True, slots=True)
class Call:
    """One system call that waits for its answer."""

    kind: str
    path: str  #: empty for a socket
    process: int
    number: int
    arguments: tuple[int, ...]

    def shorten(self) -> int:
        """Do the first half of a write in place of the process; how much that was. 0 if there is no half."""
        if self.kind != "write":
            return 0
        pieces = self._vector() if self.number in (_WRITEV, _PWRITEV) else [(self.arguments[1], self.arguments[2])]
        left = sum(size for _, size in pieces) // 2
        data = b""
        for address, size in pieces:
            data += _memory(self.process, address, min(size, left - len(data)))
        if not data:
            return 0
        fd = _descriptor(self.process, self.arguments[0])
        try:
            offset = self.arguments[3] if self.number in (_PWRITE64, _PWRITEV) else None
            return os.write(fd, data) if offset is None else os.pwrite(fd, data, offset)
        finally:
            os.close(fd)

    def _vector(self) -> list[tuple[int, int]]:
        raw = _memory(self.process, self.arguments[1], 16 * self.arguments[2])
        return [struct.unpack_from("=QQ", raw, at) for at in range(0, len(raw), 16)]  # type: ignore[misc]


#: What becomes of a call: None lets it happen; a negative number is its error; another one its result; KILL ends all.
Verdict = int | None
KILL = -10_000


def install(channel: socket.socket, kinds: Collection[str] = KINDS) -> None:
    """In the process to be watched, while it has one thread: its calls go through whoever reads `channel`."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)  # no new privileges: what allows a filter without root
    program = _program(kinds)
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    fd = libc.syscall(_SECCOMP, _SET_FILTER, _NEW_LISTENER, head)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    socket.send_fds(channel, [b"listener"], [fd])
    os.close(fd)


def _program(kinds: Collection[str]) -> bytes:
    """Allow all but the calls of these kinds. What need not be asked for costs nothing."""
    load, equal, has_bits, give = 0x20, 0x15, 0x45, 0x06
    steps = [(load, 0, 0, 4), (equal, 1, 0, _AUDIT_X86_64), (give, 0, 0, _ALLOW), (load, 0, 0, 0)]
    for number, (kind, place, _) in sorted(CALLS.items()):
        if kind in kinds:
            steps += [(equal, 0, 1, number), (give, 0, 0, _NOTIFY)]
        elif kind == "open" and "open for writing" in kinds:
            flags = 16 + 8 * (place + 1)
            steps += [(equal, 0, 4, number), (load, 0, 0, flags), (has_bits, 0, 1, _O_CHANGES)]
            steps += [(give, 0, 0, _NOTIFY), (give, 0, 0, _ALLOW)]
    steps += [(give, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


class Watcher:
    """Answers the calls of one process, those of its threads and children included."""

    def __init__(self, channel: socket.socket, process: int, below: Path, decide: Callable[[Call], Verdict]) -> None:
        _, (self.fd,), _, _ = socket.recv_fds(channel, 16, 1)
        self._process = process
        self._below = f"{below}/"
        self._decide = decide

    def close(self) -> None:
        os.close(self.fd)

    def answer_one(self) -> None:
        """Take the next call that waits and answer it."""
        raw = bytearray(80)
        try:
            fcntl.ioctl(self.fd, _RECEIVE, raw)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):  # the process is gone
                return
            raise
        id_, thread, _, number, _, _, *arguments = _NOTICE.unpack(raw)
        verdict: Verdict = None
        try:
            call = self._read(thread, number, tuple(arguments))
            if call is not None:
                verdict = self._decide(call)
        except (OSError, ProcessLookupError):
            pass  # it died meanwhile
        if verdict == KILL:
            os.kill(self._process, signal.SIGKILL)
            return
        if verdict is None:
            answer = _ANSWER.pack(id_, 0, 0, _CONTINUE)
        else:
            answer = _ANSWER.pack(id_, max(verdict, 0), min(verdict, 0), 0)
        try:
            fcntl.ioctl(self.fd, _SEND, answer)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise

    def _read(self, thread: int, number: int, arguments: tuple[int, ...]) -> Call | None:
        kind, place, is_path = CALLS[number]
        if kind == "socket":
            return Call(kind, "", self._process, number, arguments)
        path = _path(thread, number, arguments, place) if is_path else _readlink(thread, arguments[place])
        if not path.startswith(self._below):
            return None
        if kind == "open" and arguments[place + 1] & _O_CHANGES:
            kind = "open for writing"
        return Call(kind, path, self._process, number, arguments)


def _path(thread: int, number: int, arguments: tuple[int, ...], place: int) -> str:
    raw = _memory(thread, arguments[place], 4096 - arguments[place] % 4096)  # a page may be the last
    if b"\0" not in raw:
        raw += _memory(thread, arguments[place] + len(raw), 4096)
    path = os.fsdecode(raw.split(b"\0", 1)[0])
    if path.startswith("/") or number not in _AT:
        return path
    at = ctypes.c_int(arguments[_AT[number]] & 0xFFFFFFFF).value
    return path if at < 0 else f"{_readlink(thread, at)}/{path}"


def _readlink(thread: int, fd: int) -> str:
    return os.readlink(f"/proc/{thread}/fd/{fd & 0xFFFFFFFF}")


def _memory(process: int, address: int, size: int) -> bytes:
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
        return os.pread(memory.fileno(), size, address)


def _descriptor(process: int, fd: int) -> int:
    """A descriptor of ours for the open file that the process has as `fd`: they share its position."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.syscall(_PIDFD_OPEN, process, 0)
    try:
        found: int = libc.syscall(_PIDFD_GETFD, handle, fd, 0)
    finally:
        if handle >= 0:
            os.close(handle)
    if found < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return found


def _can_watch() -> bool:
    """Let a child make one call through a watcher."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            install(theirs)
            os.mkdir("/hydrophone-never/x")  # fails as told
        except OSError as error:
            os._exit(0 if error.errno == errno.EDOM else 1)
        os._exit(2)
    theirs.close()
    try:
        watcher = Watcher(ours, child, Path("/hydrophone-never"), lambda call: -errno.EDOM)
    except ValueError:  # there came no descriptor
        os.waitpid(child, 0)
        return False
    finally:
        ours.close()
    try:
        watcher.answer_one()
    finally:
        watcher.close()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

"""Grouped syncs for any number of takes: one timer and a few threads, instead of a timer and a thread for each take.

A take that has something to write is flushed about once a second, or at once when a few MiB have come together. Takes
are flushed side by side, because file systems commit concurrent syncs as one; many of them as a group (see `group`).
"""

from __future__ import annotations

import contextlib
import functools
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from typing import Protocol

from hydrophone.archive.group import GROUP_MINIMUM, GroupMember, flush_together


class Flushable(Protocol):
    """Something that can bring all it has to the disk; raises DiskError when it cannot."""

    def flush(self) -> None: ...


class Syncer:
    """Flush what is dirty, grouped.

    Args:
        interval_seconds: the longest that something waits, as long as the disk keeps up.
        limit_bytes: so much waiting in all takes together starts a flush at once.
        workers: how many takes are flushed side by side.
    """

    def __init__(self, *, interval_seconds: float = 1.0, limit_bytes: int = 4 << 20, workers: int = 8) -> None:
        self._interval = interval_seconds
        self._limit = limit_bytes
        self._workers = workers
        self._wake = threading.Condition()
        self._dirty: dict[Flushable, list[Future[None]]] = {}
        self._busy: set[Flushable] = set()
        self._dirty_bytes = 0
        self._is_due = False
        self._is_closed = False
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def mark(self, take: Flushable, size_bytes: int) -> None:
        """Say that `take` has `size_bytes` more to write. Cheap; from any thread."""
        with self._wake:
            if take not in self._dirty:
                self._dirty[take] = []
                if len(self._dirty) == 1:
                    self._start()
                    self._wake.notify()
            self._dirty_bytes += size_bytes
            if self._dirty_bytes >= self._limit and not self._is_due:
                self._is_due = True
                self._wake.notify()

    def request(self, take: Flushable) -> Future[None]:
        """Flush `take` now. The future is done when everything handed over so far is on the disk, or has failed."""
        future: Future[None] = Future()
        with self._wake:
            if self._is_closed:
                future.set_exception(RuntimeError("the syncer is closed"))
                return future
            self._dirty.setdefault(take, []).append(future)
            self._is_due = True
            self._start()
            self._wake.notify()
        return future

    def close(self) -> None:
        """Stop the threads. Takes can still be flushed by hand."""
        with self._wake:
            if self._is_closed:
                return
            self._is_closed = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()
        for futures in self._dirty.values():
            for future in futures:
                _resolve(future, RuntimeError("the syncer is closed"))

    # ------------------------------------------------------------ threads

    def _start(self) -> None:
        if self._threads or self._is_closed:
            return
        self._threads = [threading.Thread(target=self._keep_time, name="hydrophone-sync", daemon=True)]
        for number in range(self._workers):
            name = f"hydrophone-sync-{number}"
            self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
        for thread in self._threads:
            thread.start()

    def _keep_time(self) -> None:
        while not self._is_closed:
            with self._wake:
                while not self._dirty and not self._is_closed:
                    self._wake.wait()
                deadline = time.monotonic() + self._interval
                while not self._is_due and not self._is_closed:
                    left = deadline - time.monotonic()
                    if left <= 0 or not self._wake.wait(left):
                        break
                self._is_due = False
                self._dirty_bytes = 0
                # A take that is being flushed right now waits for the next round; its worker wakes us.
                ready = [take for take in self._dirty if take not in self._busy]
                self._busy.update(ready)
                jobs = [[(take, self._dirty.pop(take)) for take in group] for group in _groups(ready)]
                if not jobs and self._dirty:
                    self._wake.wait(self._interval)
            for job in jobs:
                self._jobs.put(job)
        for _ in range(self._workers):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            errors = _flush([take for take, _ in job])
            with self._wake:
                for take, _ in job:
                    self._busy.discard(take)
                    if take in self._dirty:
                        self._is_due = self._is_due or bool(self._dirty[take])
                        self._wake.notify()
            for take, futures in job:
                for future in futures:
                    _resolve(future, errors[take])


_Job = list[tuple[Flushable, list[Future[None]]]]


def _groups(takes: Sequence[Flushable]) -> Iterator[list[Flushable]]:
    """Takes to be flushed in one go: one by one, or all of a file system if they are many."""
    together: dict[tuple[int, int], list[Flushable]] = {}
    for take in takes:
        if isinstance(take, GroupMember) and take.device is not None:
            together.setdefault((take.device, id(take.disk)), []).append(take)
        else:
            yield [take]
    for group in together.values():
        if len(group) >= GROUP_MINIMUM:
            yield group
        else:
            yield from ([take] for take in group)


def _flush(takes: Sequence[Flushable]) -> Mapping[Flushable, BaseException | None]:
    errors: dict[Flushable, BaseException | None] = dict.fromkeys(takes)
    try:
        if len(takes) == 1:
            takes[0].flush()
        else:
            for member, error in flush_together([take for take in takes if isinstance(take, GroupMember)]).items():
                errors[member] = error
    except BaseException as error:
        return dict.fromkeys(takes, error)
    return errors


def _resolve(future: Future[None], error: BaseException | None) -> None:
    # The one who waited may have been canceled in the meantime.
    with contextlib.suppress(InvalidStateError):
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


@functools.cache
def shared_syncer() -> Syncer:
    """The syncer of this process, which all takes share unless told otherwise."""
    return Syncer()

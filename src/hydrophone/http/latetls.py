"""TLS contexts that load the system's authorities with the first handshake, not when they are made.

Loading takes some 30 ms. aiohttp makes a context of its own as soon as it is imported, which nothing of ours ever uses;
so it is imported under `late_defaults`, which give it one of these.
"""

from __future__ import annotations

import os
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class LateContext(ssl.SSLContext):
    """As strict as `ssl.create_default_context`, which names and certificates are checked by."""

    _is_loaded = False
    _loading = threading.Lock()

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        self.load_now()
        return super().wrap_bio(*args, **kwargs)

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        self.load_now()
        return super().wrap_socket(*args, **kwargs)

    def load_now(self) -> None:
        """Load the authorities, unless that was done before."""
        with self._loading:
            if not self._is_loaded:
                self.load_default_certs(ssl.Purpose.SERVER_AUTH)
                self._is_loaded = True


def late_context() -> LateContext:
    """A context for clients that trusts the system's authorities and nobody else."""
    context = LateContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name, and cannot be without
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    keylog = os.environ.get("SSLKEYLOGFILE")
    if keylog and not sys.flags.ignore_environment:
        context.keylog_filename = keylog
    return context


@contextmanager
def late_defaults() -> Iterator[None]:
    """Whoever makes a default context in this block, without arguments, gets a late one."""
    usual: Callable[..., ssl.SSLContext] = ssl.create_default_context

    def create(*args: Any, **kwargs: Any) -> ssl.SSLContext:
        # Whoever else asks in this moment gets what was asked for.
        return usual(*args, **kwargs) if args or kwargs else late_context()

    ssl.create_default_context = create
    try:
        yield
    finally:
        ssl.create_default_context = usual

"""Where the tokens of the API are kept: one private file, with a lock that other processes see while tokens change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hydrophone.errors import DiskError
from hydrophone.http.privatefile import PrivateFile
from hydrophone.http.reading import Node
from hydrophone.model import UserId
from hydrophone.xapi.credentials import UserTokens

_REMEDY = "Then run `hydrophone auth login --api` again."
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXTS = ("app_bearer", "consumer_key", "consumer_secret", "client_id", "client_secret", "redirect_uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSecrets:
    """All that can be kept for the API; None for what is not there."""

    app_bearer: str | None = field(default=None, repr=False)
    consumer_key: str | None = field(default=None, repr=False)
    consumer_secret: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    redirect_uri: str | None = None
    user: UserTokens | None = None


class TokenFile:
    """The tokens on disk. Every change is durable when the method returns."""

    def __init__(self, path: Path) -> None:
        self._file = PrivateFile(path, what="tokens of the X API", remedy=_REMEDY)

    def load(self) -> ApiSecrets:
        """
        Raises:
            SettingsError: others may read the file, or it is damaged.
        """
        kept = Node(self._file.read(), "tokens")
        app_bearer, key, secret, client_id, client_secret, redirect = (kept.at(name).some_text() for name in _TEXTS)
        return ApiSecrets(
            app_bearer=app_bearer,
            consumer_key=key,
            consumer_secret=secret,
            client_id=client_id,
            client_secret=client_secret,
            redirect_uri=redirect,
            user=_read_user(kept.at("user")),
        )

    def save(self, secrets: ApiSecrets) -> None:
        """Keep these in place of what was there."""
        content: dict[str, Any] = {name: value for name in _TEXTS if (value := getattr(secrets, name)) is not None}
        if secrets.user is not None:
            content["user"] = _written(secrets.user)
        self._file.write(content)

    def load_user(self) -> UserTokens | None:
        return self.load().user

    def save_user(self, tokens: UserTokens) -> None:
        self.save(replace(self.load(), user=tokens))

    def forget_user(self, user_id: UserId | None = None) -> bool:
        """Drop the tokens of this account (None: of any); True when there were some."""
        secrets = self.load()
        if secrets.user is None or (user_id is not None and secrets.user.user_id not in (None, user_id)):
            return False
        self.save(replace(secrets, user=None))
        return True

    def delete(self) -> None:
        self._file.delete()

    def try_lock(self) -> Callable[[], None] | None:
        """The right to renew tokens and how to give it back; None while another task or process has it."""
        path = self._file.path
        # A lock of its own each time: one instance would let a second task of this process in.
        lock = FileLock(path.with_name(path.name + ".lock"), thread_local=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire(timeout=0)
        except Timeout:
            return None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise DiskError(f"{path}: {reason}", errno=error.errno or 0, advice="Check the folder's rights.") from None
        return lock.release


def _read_user(node: Node) -> UserTokens | None:
    access = node.at("access").some_text()
    if access is None:
        return None
    user_id = node.at("user_id").some_text()
    return UserTokens(
        access=access,
        refresh=node.at("refresh").some_text(),
        # A damaged instant means that the token must be renewed before it is used.
        expires_at=node.at("expires_at").instant() or _EPOCH,
        scopes=frozenset(text for item in node.at("scopes").items() if (text := item.some_text())),
        user_id=UserId(user_id) if user_id else None,
    )


def _written(tokens: UserTokens) -> dict[str, Any]:
    return {
        "access": tokens.access,
        "refresh": tokens.refresh,
        "expires_at": tokens.expires_at.astimezone(UTC).isoformat(),
        "scopes": sorted(tokens.scopes),
        "user_id": tokens.user_id,
    }

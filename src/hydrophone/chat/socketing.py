"""How to behave on a chat socket: what to say first, when to ask for a sign of life, when to come back. Pure rules.

Source: chat reference, "Socket".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from random import Random

from hydrophone.chat.access import ChatPass
from hydrophone.chat.codes import AUTH, CONTROL
from hydrophone.http.messages import Request

PATH = "/chatapi/v1/chatnow"
_JOIN = 1
ENDED_CODE = 1000
MAX_BACKOFF_SECONDS = 60.0


def socket_request(chat: ChatPass) -> Request:
    """The handshake. The token goes into the first frame, never into the address."""
    return Request(
        "GET",
        chat.endpoint + PATH,
        headers={"origin": "https://x.com"},
        service="chat",
        deadline_seconds=20.0,
        attempts=1,
    )


def opening_frames(chat: ChatPass) -> tuple[str, str]:
    """What the client says first, at once and in this order: who it is, and which room."""
    auth = {"payload": _dump({"access_token": chat.access_token}), "kind": AUTH}
    join = {"payload": _dump({"body": _dump({"room": chat.room_id}), "kind": _JOIN}), "kind": CONTROL}
    return _dump(auth), _dump(join)


def _dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


class Act(Enum):
    """What to do now."""

    WAIT = "wait"
    PING = "ping"
    GIVE_UP = "give up"  #: the other end is silent: close, and come back


@dataclass(frozen=True, slots=True)
class Beat:
    act: Act
    wait_seconds: float = 0.0  #: how long to listen before asking again


class Pulse:
    """Whether the other end is alive. All times are seconds of one clock that never goes back.

    Nothing heard for `quiet_seconds`: ask for a sign of life. None for `answer_seconds` after that: give up. A socket
    that opens and says nothing for an hour is alive as long as it answers.
    """

    def __init__(self, opened: float, *, quiet_seconds: float = 45.0, answer_seconds: float = 15.0) -> None:
        self._quiet = quiet_seconds
        self._answer = answer_seconds
        self._heard = opened
        self._asked: float | None = None

    def heard(self, now: float) -> None:
        """Something came: a message, a ping, a pong."""
        self._heard, self._asked = now, None

    def beat(self, now: float) -> Beat:
        """What to do now. Asking for `PING` counts as having asked."""
        if self._asked is not None:
            left = self._asked + self._answer - now
            return Beat(Act.WAIT, left) if left > 0 else Beat(Act.GIVE_UP)
        left = self._heard + self._quiet - now
        if left > 0:
            return Beat(Act.WAIT, left)
        self._asked = now
        return Beat(Act.PING, self._answer)


class Comeback:
    """How long to stay away after a socket was lost: 1 s, 2 s, 4 s … 60 s, with jitter.

    A connection that lasted for a while starts the count anew; one that breaks at once does not, so that a server in
    trouble is not stormed.
    """

    def __init__(self, rng: Random, *, steady_seconds: float = 30.0) -> None:
        self._rng = rng
        self._steady = steady_seconds
        self.failures = 0

    def lost(self, lasted_seconds: float) -> float:
        """A socket is gone, or did not open (0 seconds): how long to wait before the next."""
        if lasted_seconds >= self._steady:
            self.failures = 0
        self.failures += 1
        ceiling = min(MAX_BACKOFF_SECONDS, 2.0 ** min(self.failures - 1, 10))
        # Never less than half: a thousand recordings that lose one host come back spread, but not at once.
        return self._rng.uniform(ceiling / 2, ceiling)


def is_end(code: int | None) -> bool:
    """Did the service close the socket because the chat is over? Every other code means: come back."""
    return code == ENDED_CODE

"""The ids of Periscope: what is accepted, and which kind an id most likely is of.

Broadcasts of Periscope, X broadcasts and Spaces share one namespace; users have another, with ids of the same look.
"""

from __future__ import annotations

import re
from enum import StrEnum

_HASH_ID = re.compile(r"1[0-9A-Za-z]{12}")
_DECIMAL_ID = re.compile(r"[0-9]{1,12}")
#: The 38 letters that ids were seen to be made of, in hundreds of them. A hint only: others are accepted.
_ALPHABET = frozenset("ABDEGJKLMNOPQRVWXYZabdegjklmnopqrvwxyz")


class IdKind(StrEnum):
    """What a bare id may name."""

    BROADCAST = "broadcast"  #: or a Space
    USER = "user"
    UNKNOWN = "unknown"


def is_broadcast_id(text: str) -> bool:
    """A ``1`` and twelve letters or digits, or up to twelve digits (before mid-2015). Case matters."""
    return bool(_HASH_ID.fullmatch(text) or _DECIMAL_ID.fullmatch(text))


def is_user_id(text: str) -> bool:
    """The same forms: up to twelve digits for accounts of 2015, a ``1`` and twelve letters or digits later."""
    return is_broadcast_id(text)


def guess_kind(text: str) -> IdKind:
    """Whether a 13-character id looks like a broadcast or like a user; for messages, never a reason to refuse.

    The fourth character was G, J, K or x in each of 304 broadcasts and E, K, Q or j in each of 80 users; where it is K,
    the twelfth tells them apart.
    """
    if not _HASH_ID.fullmatch(text) or not _ALPHABET.issuperset(text[1:]):
        return IdKind.UNKNOWN
    fourth, twelfth = text[3], text[11]
    if fourth in "GJx" or (fourth == "K" and twelfth in "GJKx"):
        return IdKind.BROADCAST
    return IdKind.USER if fourth in "KEQj" else IdKind.UNKNOWN

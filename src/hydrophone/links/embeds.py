"""Periscope inside other sites' pages: embedded players and the on-air button."""

from __future__ import annotations

import re
from html import unescape

from hydrophone.errors import LinkError
from hydrophone.links.parsing import parse_link
from hydrophone.links.periscope import PeriscopeRef
from hydrophone.model import PeriscopeBroadcastRef, PeriscopeChannelRef, PeriscopeUserRef

_MOST = 10_000
#: The address in an attribute of a tag. Addresses have no angle brackets, so one attribute ends where the tag does.
_ADDRESS = re.compile(
    r"(?:src|href)\s{0,8}=\s{0,8}([\"'])((?:https?:)?//(?:www\.)?(?:periscope|pscp)\.tv[^\"'<>]{0,2000})\1",
    re.IGNORECASE,
)


def find_periscope_links(html: str) -> list[PeriscopeRef]:
    """What the players, buttons and plain links in a page point at, each once, in order."""
    found: dict[PeriscopeRef, None] = {}
    for match in _ADDRESS.finditer(html):
        if len(found) >= _MOST:
            break
        try:
            ref = parse_link(unescape(match[2]))
        except LinkError:
            continue
        if isinstance(ref, PeriscopeBroadcastRef | PeriscopeUserRef | PeriscopeChannelRef):
            found.setdefault(ref)
    return list(found)

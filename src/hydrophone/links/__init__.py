"""Every form of link, id and name that people paste, to what it points at, and back.

`parse_link` is total: whatever the text, the answer is a `Ref` or a `LinkError`. Nothing is asked on the network; a
short link stays a `ShortLinkRef` until somebody asks where it leads.
"""

from hydrophone.links.embeds import find_periscope_links
from hydrophone.links.parsing import ACCEPTED, MAX_LENGTH, RESERVED_NAMES, build_link, parse_link
from hydrophone.links.periscope import PeriscopeForm, PeriscopeNames, read_periscope_names
from hydrophone.links.periscope_ids import IdKind, guess_kind, is_broadcast_id, is_user_id
from hydrophone.links.sharing import ShareToken, read_share_token, read_token_owner

__all__ = [
    "ACCEPTED",
    "MAX_LENGTH",
    "RESERVED_NAMES",
    "IdKind",
    "PeriscopeForm",
    "PeriscopeNames",
    "ShareToken",
    "build_link",
    "find_periscope_links",
    "guess_kind",
    "is_broadcast_id",
    "is_user_id",
    "parse_link",
    "read_periscope_names",
    "read_share_token",
    "read_token_owner",
]

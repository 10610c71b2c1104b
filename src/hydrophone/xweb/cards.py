"""What a post leads to: through its card, else through a link in its text. Posts come in three shapes."""

from __future__ import annotations

from collections.abc import Iterator

from hydrophone.errors import LinkError
from hydrophone.links import parse_link
from hydrophone.model import BroadcastId, BroadcastRef, EventId, EventRef, Ref, ShortLinkRef, SpaceId, SpaceRef
from hydrophone.xweb.reading import Node

_MAX_NESTING = 3
_TARGETS = (SpaceRef, BroadcastRef, EventRef)


def unwrap_post(result: Node) -> Node:
    """The post itself, out of the wrapper that carries limited actions."""
    if result.at("__typename").text() == "TweetWithVisibilityResults" or (
        result.has("tweet") and not result.has("rest_id")
    ):
        return result.at("tweet")
    return result


def read_post_target(post: Node, depth: int = 0) -> Ref | None:
    """The Space, broadcast or event that a post carries, also in what it repeats or quotes; None if there is none.

    A card that only names a short link gives a `ShortLinkRef`, as the last resort.
    """
    post = unwrap_post(post)
    for target in (*_card_targets(post), *_link_targets(post)):
        return target
    if depth < _MAX_NESTING:
        for inner in _inner_posts(post):
            found = read_post_target(inner, depth + 1)
            if found is not None:
                return found
    short = _parsed(_card_value(_card(post), "card_url"))
    return short if isinstance(short, ShortLinkRef) and _card_kind(_card(post)) in _CARD_IDS else None


#: Name of the card after its varying number, and where its id is.
_CARD_IDS = {
    "audiospace": "id",
    "broadcast": "broadcast_id",
    "periscope_broadcast": "id",
    "live_event": "event_id",
}


def _card_targets(post: Node) -> Iterator[Ref]:
    card = _card(post)
    kind = _card_kind(card)
    found = _card_value(card, _CARD_IDS[kind]) if kind in _CARD_IDS else None
    if not found:
        return
    if kind == "live_event":
        if found.isascii() and found.isdigit() and len(found) <= 20:
            yield EventRef(EventId(found))
    elif len(found) == 13 and found.isascii() and found.replace("_", "").isalnum():
        yield SpaceRef(SpaceId(found)) if kind == "audiospace" else BroadcastRef(BroadcastId(found))


def _card(post: Node) -> Node:
    """GraphQL keeps the card one level deeper than REST."""
    card = post.at("card", "legacy")
    return card if card.is_object() else post.at("card")


def _card_kind(card: Node) -> str:
    return (card.at("name").text() or "").rpartition(":")[2]


def _card_value(card: Node, key: str) -> str | None:
    """A binding of a card: a list of pairs in GraphQL, a map in REST."""
    values = card.at("binding_values")
    if values.is_object():
        return values.at(key, "string_value").some_text()
    for pair in values.items():
        if pair.at("key").text() == key:
            return pair.at("value", "string_value").some_text()
    return None


def _link_targets(post: Node) -> Iterator[Ref]:
    for entities in (post.at("legacy", "entities"), post.at("entities")):
        for link in entities.at("urls").items():
            target = _parsed(link.at("expanded_url").some_text())
            if isinstance(target, _TARGETS):
                yield target


def _parsed(text: str | None) -> Ref | None:
    if text is None or "/" not in text:
        return None
    try:
        return parse_link(text)
    except LinkError:
        return None


def _inner_posts(post: Node) -> Iterator[Node]:
    for node in (
        post.at("legacy", "retweeted_status_result", "result"),
        post.at("retweeted_status_result", "result"),
        post.at("quoted_status_result", "result"),
        post.at("legacy", "quoted_status_result", "result"),
        post.at("retweeted_status"),
        post.at("quoted_status"),
        post.at("quoted_tweet"),
    ):
        if node.is_object():
            yield node

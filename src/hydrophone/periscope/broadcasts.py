"""Broadcasts by id, in lists, in feeds, by search; who watched; links that share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydrophone.http.messages import Question, Request
from hydrophone.http.reading import Node
from hydrophone.links import is_broadcast_id
from hydrophone.model import Broadcast, BroadcastId
from hydrophone.periscope.asking import API, HEADERS, PREFIX, ask_again, ask_private, ask_public
from hydrophone.periscope.records import PeriscopeUser, read_broadcast, read_broadcasts, read_user, read_users
from hydrophone.periscope.session import PeriscopeSession

BATCH = 100  #: ids in one request

#: Feeds of the apps, by their names on the wire.
FEEDS = (
    "followingBroadcastFeed",
    "featuredBroadcastFeed",
    "rankedBroadcastFeed",
    "globalBroadcastFeed",
    "liveBroadcastFeed",
    "mapGeoBroadcastFeed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastCard:
    """A broadcast as the player card of other sites shows it. Of the addresses one may lead back into the API."""

    broadcast: Broadcast
    hls_url: str | None = field(default=None, repr=False)
    replay_url: str | None = field(default=None, repr=False)
    participant_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewers:
    """Who watched a broadcast, and how many."""

    live: tuple[PeriscopeUser, ...] = ()
    replay: tuple[PeriscopeUser, ...] = ()
    watched: int | None = None
    web_watched: int | None = None
    replay_watched: int | None = None
    hearts: int | None = None
    replay_hearts: int | None = None


def broadcast_by_id(
    session: PeriscopeSession, broadcast_id: BroadcastId
) -> Question[tuple[Broadcast, PeriscopeUser | None]]:
    """A broadcast with its broadcaster.

    Raises:
        NotFoundError: there is no such broadcast, or it has expired (410).
    """
    root = yield from ask_public(session, "getBroadcastPublic", {"broadcast_id": broadcast_id})
    user = root.at("user")
    return _with_counts(root), read_user(user) if user.first("id", "user_id").some_text() else None


def _with_counts(root: Node) -> Broadcast:
    # Here the numbers of viewers stand beside the record, in lists inside it.
    counts = {name: root.at(name).value for name in ("n_watching", "n_watched") if root.has(name)}
    return read_broadcast(Node({**counts, **root.at("broadcast").need_object().value}, "broadcast", root.endpoint))


def broadcasts_by_ids(
    session: PeriscopeSession, broadcast_ids: Sequence[BroadcastId]
) -> Question[dict[BroadcastId, Broadcast | None]]:
    """Broadcasts by id, None for those that the service leaves out. Every id asked for is a key of the answer."""
    found: dict[BroadcastId, Broadcast | None] = dict.fromkeys(broadcast_ids)
    for batch in _batches([one for one in found if is_broadcast_id(one)]):
        root = yield from ask_public(session, "getBroadcastsPublic", {"broadcast_ids": ",".join(batch)})
        _fill_in(found, root)
    return found


def own_view_of_broadcasts(
    session: PeriscopeSession, broadcast_ids: Sequence[BroadcastId]
) -> Question[dict[BroadcastId, Broadcast | None]]:
    """The same for a signed-in user."""
    found: dict[BroadcastId, Broadcast | None] = dict.fromkeys(broadcast_ids)
    for batch in _batches([one for one in found if is_broadcast_id(one)]):
        fields = {"broadcast_ids": list(batch), "only_public_publish": False}
        _fill_in(found, (yield from ask_private(session, "getBroadcasts", fields)))
    return found


def broadcast_cards(
    session: PeriscopeSession, broadcast_ids: Sequence[BroadcastId]
) -> Question[tuple[BroadcastCard, ...]]:
    """What the player cards of other sites asked for, every 20 seconds."""
    cards: list[BroadcastCard] = []
    for batch in _batches(list(dict.fromkeys(one for one in broadcast_ids if is_broadcast_id(one)))):
        root = yield from ask_public(session, "_getBroadcastsCardsPublic", {"broadcast_ids": ",".join(batch)})
        cards += read_cards(root)
    return tuple(cards)


def read_cards(root: Node) -> list[BroadcastCard]:
    cards = []
    for card in root.at("Broadcasts").items():
        if not is_broadcast_id(card.at("broadcast", "id").text() or ""):
            continue
        replay_url = card.at("video", "replay_url").some_text()
        cards.append(
            BroadcastCard(
                broadcast=read_broadcast(card.at("broadcast")),
                hls_url=card.at("video", "hls_url").some_text(),
                # Asked as it stands, an address of the API would redirect; so it answers with the address in JSON.
                replay_url=replay_url.replace("replay_redirect=true", "replay_redirect=false") if replay_url else None,
                participant_count=card.at("participants_count").count(),
            )
        )
    return cards


def search_broadcasts(
    session: PeriscopeSession, words: str, *, with_replays: bool = True
) -> Question[tuple[Broadcast, ...]]:
    """Public broadcasts by words of their titles, best first."""
    body = {"search": words, "include_replay": with_replays}
    request = Request(
        "POST",
        PREFIX + "broadcastSearchPublic",
        headers={**HEADERS, "content-type": "application/json"},
        body=json.dumps(body).encode(),
        service=API,
        endpoint="broadcastSearchPublic",
    )
    return read_broadcasts((yield from ask_again(session, request)))


def ranked_ids(session: PeriscopeSession, *, language: str = "en") -> Question[tuple[BroadcastId, ...]]:
    """What the front page showed, by id."""
    root = yield from ask_public(session, "_getRankedFeedPublic", {"languages": language})
    return tuple(BroadcastId(text) for item in root.items() if is_broadcast_id(text := item.text() or ""))


def feed(
    session: PeriscopeSession, name: str, fields: Mapping[str, Any] | None = None
) -> Question[tuple[Broadcast, ...]]:
    """One of the feeds of the apps. A live broadcast may vanish from a feed while it still runs.

    Args:
        name: one of `FEEDS`.
        fields: e.g. ``languages`` for the ranked feed, a box of ``p1_lat … p2_lng`` for the map.
    """
    return read_broadcasts((yield from ask_private(session, name, fields)))


def viewers(session: PeriscopeSession, broadcast_id: BroadcastId) -> Question[Viewers]:
    """Who watched a broadcast of the signed-in user."""
    root = yield from ask_private(session, "getBroadcastViewers", {"broadcast_id": broadcast_id})
    return read_viewers(root)


def read_viewers(root: Node) -> Viewers:
    root.need_object()
    return Viewers(
        live=read_users(root.at("live")),
        replay=read_users(root.at("replay")),
        watched=root.at("n_watched").count(),
        web_watched=root.at("n_web_watched").count(),
        replay_watched=root.at("n_replay_watched").count(),
        hearts=root.at("n_hearts").count(),
        replay_hearts=root.at("n_replay_hearts").count(),
    )


def share_url(session: PeriscopeSession, broadcast_id: BroadcastId) -> Question[str]:
    """A link with a share token in the name of the signed-in user."""
    root = yield from ask_private(session, "getBroadcastShareURL", {"broadcast_id": broadcast_id})
    return root.at("url").need_text()


def broadcast_id_of_token(session: PeriscopeSession, token: str) -> Question[BroadcastId]:
    """What the service reads in a share token. `hydrophone.links` reads the same without asking."""
    root = yield from ask_private(session, "getBroadcastIdForShareToken", {"token": token})
    return BroadcastId(root.at("broadcast_id").need_text())


def _fill_in(found: dict[BroadcastId, Broadcast | None], root: Node) -> None:
    for broadcast in read_broadcasts(root):
        if broadcast.id in found:
            found[broadcast.id] = broadcast


def _batches(ids: Sequence[BroadcastId]) -> Iterator[Sequence[BroadcastId]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]

"""Finding Spaces by words and by topic. Needs a login."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hydrophone.errors import NotFoundError, RefusedError
from hydrophone.http.messages import Question
from hydrophone.model import Space, SpaceId
from hydrophone.xweb.graphql import ask_graphql
from hydrophone.xweb.reading import Node
from hydrophone.xweb.session import WebSession
from hydrophone.xweb.spaces import space_by_id


class SearchFilter(StrEnum):
    """Which Spaces to look among, in the service's own words."""

    TOP = "Top"
    LIVE = "Live"
    UPCOMING = "Upcoming"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that Spaces can have. `parts` are its subtopics."""

    id: str
    name: str
    parts: tuple[Topic, ...] = ()


def search_spaces(
    session: WebSession, query: str, *, among: SearchFilter = SearchFilter.LIVE
) -> Question[tuple[SpaceId, ...]]:
    """Ids of the Spaces that match, each once, in the order of the service. It tells nothing more; see `hydrate`."""
    answer = yield from ask_graphql(session, "AudioSpaceSearch", {"filter": among.value, "query": query})
    return read_search(answer.data)


def read_search(data: Node) -> tuple[SpaceId, ...]:
    found: dict[SpaceId, None] = {}
    result = data.at("search_by_raw_query")
    if result.value is None and data.has("search_by_raw_query"):
        return ()
    sections = result.need_object().at("audio_spaces_grouped_by_section", "sections")
    if sections.value is not None and not isinstance(sections.value, list):
        raise sections.wrong("a list")
    for section in sections.items():
        for item in section.at("items").items():
            space_id = item.at("space", "rest_id").some_text()
            if space_id:
                found[SpaceId(space_id)] = None
    return tuple(found)


def hydrate(session: WebSession, space_ids: Iterable[SpaceId], *, thorough: bool = False) -> Question[list[Space]]:
    """The records behind ids, without those that have vanished or may not be seen; one request for each.

    `thorough` asks a second time for each, for the language.
    """
    spaces = []
    for space_id in space_ids:
        try:
            spaces.append((yield from space_by_id(session, space_id, thorough=thorough)))
        except NotFoundError:
            continue
        except RefusedError:
            # This Space alone may be refused; trouble with the account itself ends the round.
            session.check()
    return spaces


def space_topics(session: WebSession) -> Question[tuple[Topic, ...]]:
    """The topics that the service offers for browsing, with their subtopics."""
    answer = yield from ask_graphql(session, "BrowseSpaceTopics", {})
    return read_topic_tree(answer.data)


def read_topic_tree(data: Node) -> tuple[Topic, ...]:
    categories = data.at("browse_space_topics", "categories")
    if not isinstance(categories.value, list):
        raise categories.wrong("a list")
    tree = []
    for category in categories.items():
        parts = tuple(
            Topic(part.at("topic_id").text() or "", name)
            for part in category.at("subtopics").items()
            if (name := part.at("name").some_text())
        )
        name = category.at("name").some_text()
        if name:
            tree.append(Topic(category.at("semantic_core_entity_id").text() or "", name, parts))
    return tuple(tree)

"""The envelope of every answer: data, what came beside it, problems, paging; and what the meter counts in it."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from hydrophone.errors import HydrophoneError, NotFoundError, WireError
from hydrophone.http.reading import Node
from hydrophone.model import Post, PostId, User, UserId
from hydrophone.xapi.prices import Kind, Resource
from hydrophone.xapi.problems import Problem, problem_error, read_problems

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Topic:
    """What a Space is about."""

    id: str
    name: str = ""
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """What came beside the data by expansion, by id. The rest is as it came."""

    users: Mapping[UserId, User] = field(default_factory=dict)
    topics: Mapping[str, Topic] = field(default_factory=dict)
    posts: Mapping[PostId, Post] = field(default_factory=dict)
    media: tuple[Mapping[str, Any], ...] = ()
    places: tuple[Mapping[str, Any], ...] = ()
    polls: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[T]):
    """What a question has found, over all its requests.

    Attributes:
        items: in the caller's order where ids were asked for, else as the service sent them.
        problems: what stood beside the data; values, not exceptions.
        next_token: leads to the next page, None at the end.
        stopped_by: why not everything was asked; what had arrived is here.
        is_cut_off: the service has more and offers no way to it.
        raw: the answers as they came, one for each request.
    """

    items: tuple[T, ...]
    problems: tuple[Problem, ...] = ()
    included: Included = field(default_factory=Included, repr=False)
    next_token: str | None = None
    previous_token: str | None = None
    stopped_by: HydrophoneError | None = None
    is_cut_off: bool = False
    raw: tuple[Mapping[str, Any], ...] = field(default=(), repr=False, compare=False)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def not_found(self) -> tuple[str, ...]:
        """The ids that the service says do not exist."""
        return tuple(one.resource_id or one.value for one in self.problems if one.is_not_found)


def read_answer(root: Node, read_item: Callable[[Node, Included], T]) -> Answer[T]:
    """The whole envelope. An item that cannot be read becomes a problem; the others are kept."""
    included = read_included(root.at("includes"))
    problems = list(read_problems(root.at("errors")))
    items: list[T] = []
    for node in data_items(root):
        try:
            items.append(read_item(node, included))
        except WireError as error:
            problems.append(Problem(kind="unreadable", title="Unreadable", detail=error.message, raw=node.mapping()))
    meta = root.at("meta")
    return Answer(
        items=tuple(items),
        problems=tuple(problems),
        included=included,
        next_token=meta.at("next_token").some_text(),
        previous_token=meta.at("previous_token").some_text(),
        raw=(root.mapping(),),
    )


def data_items(root: Node) -> Iterator[Node]:
    """What stands in `data`, be it an object or a list; nothing where it is absent."""
    data = root.at("data")
    if data.is_object():
        yield data
    else:
        yield from (item for item in data.items() if item.is_object())


def join_answers(answers: Sequence[Answer[T]], *, key: Callable[[T], str], order: Iterable[str] = ()) -> Answer[T]:
    """One answer out of several, each item once: the first that came.

    Args:
        order: ids in the order in which the items shall stand; the others follow.
    """
    found: dict[str, T] = {}
    for answer in answers:
        for item in answer.items:
            found.setdefault(key(item), item)
    ordered = {name: found[name] for name in order if name in found}
    ordered.update(found)
    last = answers[-1] if answers else None
    return Answer(
        items=tuple(ordered.values()),
        problems=tuple(problem for answer in answers for problem in answer.problems),
        included=_joined([answer.included for answer in answers]),
        next_token=last.next_token if last else None,
        previous_token=answers[0].previous_token if answers else None,
        stopped_by=next((answer.stopped_by for answer in answers if answer.stopped_by is not None), None),
        is_cut_off=any(answer.is_cut_off for answer in answers),
        raw=tuple(raw for answer in answers for raw in answer.raw),
    )


def _joined(parts: Sequence[Included]) -> Included:
    return Included(
        users={user_id: user for part in parts for user_id, user in part.users.items()},
        topics={topic_id: topic for part in parts for topic_id, topic in part.topics.items()},
        posts={post_id: post for part in parts for post_id, post in part.posts.items()},
        media=tuple(one for part in parts for one in part.media),
        places=tuple(one for part in parts for one in part.places),
        polls=tuple(one for part in parts for one in part.polls),
    )


def count_resources(root: Node, kind: Kind) -> list[Resource]:
    """Everything that the meter counts: the data as `kind`, and what was included."""
    found = [Resource(kind, text) for item in data_items(root) if (text := item.at("id").some_text())]
    includes = root.at("includes")
    for key, included_kind in (("users", Kind.USER), ("tweets", Kind.POST), ("posts", Kind.POST)):
        nodes = includes.at(key).items()
        found += [Resource(included_kind, text) for node in nodes if (text := node.at("id").some_text())]
    return found


def nothing_error(answer: Answer[T], endpoint: str) -> HydrophoneError:
    """Why an answer about one thing is empty, in the service's words where it has any."""
    if answer.problems:
        return problem_error(answer.problems[0], status=200, endpoint=endpoint)
    return NotFoundError("the service says nothing about it", endpoint=endpoint, advice="Check the id.")


# ---------------------------------------------------------------- what is included, in both dialects


def read_included(node: Node) -> Included:
    users = {user.id: user for item in node.at("users").items() if (user := _try_user(item)) is not None}
    posts = {post.id: post for key in ("tweets", "posts") for item in node.at(key).items() if (post := _try_post(item))}
    topics = {}
    for item in node.at("topics").items():
        topic_id = item.at("id").some_text()
        if topic_id:
            name, about = item.at("name").text() or "", item.at("description").some_text()
            topics[topic_id] = Topic(topic_id, name, about)
    media, places, polls = (
        tuple(item.mapping() for item in node.at(key).items() if item.is_object())
        for key in ("media", "places", "polls")
    )
    return Included(users=users, topics=topics, posts=posts, media=media, places=places, polls=polls)


def _try_user(node: Node) -> User | None:
    return read_user(node) if node.at("id").some_text() else None


def _try_post(node: Node) -> Post | None:
    return read_post(node) if node.at("id").some_text() else None


def read_user(node: Node) -> User:
    """An account.

    Raises:
        WireError: it has no id.
    """
    metrics = node.at("public_metrics")
    return User(
        id=UserId(node.at("id").need_text()),
        handle=node.at("username").some_text(),
        name=node.at("name").some_text(),
        avatar_url=node.at("profile_image_url").some_text(),
        created_at=node.at("created_at").instant(),
        is_protected=node.at("protected").flag(),
        is_verified=node.at("verified").flag(),
        followers=metrics.at("followers_count").count(),
        following=metrics.at("following_count").count(),
        posts=metrics.first("tweet_count", "post_count").count(),
    )


def read_post(node: Node) -> Post:
    """A post; its text without the service's escapes, and whole where it is a long one.

    Raises:
        WireError: it has no id.
    """
    metrics = node.at("public_metrics")
    author = node.at("author_id").some_text()
    return Post(
        id=PostId(node.at("id").need_text()),
        text=html.unescape(node.first("note_tweet.text", "note_post.text", "text").text() or ""),
        author_id=UserId(author) if author else None,
        created_at=node.at("created_at").instant(),
        language=node.at("lang").some_text(),
        reposts=metrics.first("retweet_count", "repost_count").count(),
        replies=metrics.at("reply_count").count(),
        likes=metrics.at("like_count").count(),
        quotes=metrics.at("quote_count").count(),
        views=metrics.at("impression_count").count(),
        raw=node.mapping(),
    )

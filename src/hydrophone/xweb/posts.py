"""From posts and short links to what they lead to."""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass
from typing import NoReturn

from hydrophone.errors import (
    FaultyServiceError,
    HydrophoneError,
    NotFoundError,
    NotSignedInError,
    RateLimitedError,
    RefusedError,
    WireError,
)
from hydrophone.http.messages import HostKind, Question, Request
from hydrophone.model import PostId, Ref, UserId
from hydrophone.xweb.cards import read_post_target, unwrap_post
from hydrophone.xweb.graphql import ask_graphql
from hydrophone.xweb.reading import Node, read_json
from hydrophone.xweb.refusals import SIGN_IN, drift_error
from hydrophone.xweb.session import WebSession

SYNDICATION = "syndication/tweet-result"
SHORT_LINK = "t.co"
MAX_PAGES = 20

#: Reasons for which a post is hidden that go away with a login.
_LOGIN_REASONS = frozenset({"nsfwloggedout", "nsfwviewerhasnostatedage", "nsfwviewerisunderage"})
_META_REFRESH = re.compile(r"<meta[^<>]{0,200}url\s{0,4}=\s{0,4}[\"']?([^\"'<>\s]{8,4000})", re.IGNORECASE)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class PostTarget:
    """A post of somebody, and the Space, broadcast or event that it carries."""

    post_id: PostId
    target: Ref


def post_target(session: WebSession, post_id: PostId) -> Question[Ref]:
    """The Space, broadcast or event that a post carries.

    Where the web query has no answer for us, the keyless one for embedded posts is asked.

    Raises:
        NotFoundError: there is no such post, or it carries nothing of the kind.
        RefusedError, NotSignedInError: the post is hidden; the message says why.
    """
    variables = {"tweetId": post_id, "withCommunity": False, "includePromotedContent": False, "withVoice": False}
    try:
        answer = yield from ask_graphql(session, "TweetResultByRestId", variables)
        result = answer.data.at("tweetResult", "result")
        if not answer.data.has("tweetResult"):
            raise answer.data.at("tweetResult").wrong("an object")
    except (WireError, RateLimitedError, FaultyServiceError) as error:
        result = yield from _ask_syndication(session, post_id, error)
    return read_target_of(result)


def read_target_of(result: Node) -> Ref:
    """The target of one post, or the reason why there is none."""
    if result.is_empty():
        raise NotFoundError("there is no such post", endpoint=result.endpoint, advice="Check the link.")
    result.need_object()
    _raise_if_hidden(unwrap_post(result))
    target = read_post_target(result)
    if target is None:
        raise NotFoundError(
            "this post carries neither a Space nor a broadcast",
            endpoint=result.endpoint,
            advice="Give the link of the Space itself.",
        )
    return target


def _raise_if_hidden(post: Node) -> None:
    kind = post.at("__typename").text()
    if kind == "TweetTombstone":
        text = post.at("tombstone", "text", "text").some_text() or "it is no longer there"
        raise RefusedError(f"the post is hidden: {text[:200]}", endpoint=post.endpoint, advice=SIGN_IN)
    if kind == "TweetUnavailable":
        _raise_unavailable(post.at("reason").text() or "for an unknown reason", post.endpoint)


def _raise_unavailable(reason: str, endpoint: str) -> NoReturn:
    message = f"the post is unavailable: {reason[:100]}"
    if reason.lower() in _LOGIN_REASONS:
        raise NotSignedInError(message, endpoint=endpoint, advice=SIGN_IN)
    raise RefusedError(message, endpoint=endpoint, advice="Use an account that may see it, if there is one.")


# ---------------------------------------------------------------- without a key


def _ask_syndication(session: WebSession, post_id: PostId, cause: HydrophoneError) -> Question[Node]:
    """The flat post of the embedding service; the first error stands if this one does not know more."""
    reply = yield Request(
        "GET",
        "/tweet-result",
        params={"id": post_id, "token": syndication_token(post_id)},
        headers={"user-agent": "Googlebot"},
        service="syndication",
        kind=HostKind.AVATAR,
        endpoint=SYNDICATION,
    )
    if reply.status != 200 or not reply.body.strip():
        raise cause
    root = read_json(reply, SYNDICATION)
    if root.is_empty():
        raise cause
    return root


def syndication_token(post_id: str) -> str:
    """The token that the embedding script computes from the id: base 36 of id / 10^15 times pi, without 0 and dot."""
    number = int(post_id) / 1e15 * math.pi if post_id.isascii() and post_id.isdigit() else 0.0
    return _base36(number).replace("0", "").replace(".", "")


def _base36(value: float) -> str:
    """The shortest text in base 36 that JavaScript would give for this number."""
    whole = math.floor(value)
    fraction = value - whole
    step = max(0.5 * (math.nextafter(value, math.inf) - value), math.nextafter(0.0, 1.0))
    digits: list[int] = []
    while fraction >= step:
        fraction *= 36
        step *= 36
        digits.append(int(fraction))
        fraction -= digits[-1]
        if (fraction > 0.5 or (fraction == 0.5 and digits[-1] % 2)) and fraction + step > 1:
            # Round up, with carry.
            while digits and digits[-1] == 35:
                digits.pop()
            if digits:
                digits[-1] += 1
            else:
                whole += 1
            break
    text = ""
    while whole or not text:
        whole, digit = divmod(whole, 36)
        text = _DIGITS[digit] + text
    return text + ("." + "".join(_DIGITS[digit] for digit in digits) if digits else "")


# ---------------------------------------------------------------- the posts of somebody


def posts_with_targets(session: WebSession, user_id: UserId, *, pages: int = 3) -> Question[tuple[PostTarget, ...]]:
    """The Spaces, broadcasts and events in somebody's latest posts, newest first as a rule.

    Guests are shown few or no posts of some accounts.
    """
    found: dict[PostId, PostTarget] = {}
    cursors: set[str] = set()
    cursor: str | None = None
    for _ in range(min(pages, MAX_PAGES)):
        variables: dict[str, object] = {
            "userId": user_id,
            "count": 20,
            "includePromotedContent": False,
            "withQuickPromoteEligibilityTweetFields": True,
            "withVoice": True,
            "withV2Timeline": True,
        }
        if cursor is not None:
            variables["cursor"] = cursor
        answer = yield from ask_graphql(session, "UserTweets", variables)
        page = read_timeline(answer.data)
        for post in page.posts:
            _keep_target(post, found)
        cursor = page.next_cursor
        # The service has been seen to hand out the same cursor, or pages without posts, for ever.
        if not page.posts or cursor is None or cursor in cursors:
            break
        cursors.add(cursor)
    return tuple(found.values())


def _keep_target(post: Node, found: dict[PostId, PostTarget]) -> None:
    inner = unwrap_post(post)
    post_id = inner.first("rest_id", "legacy.id_str").some_text()
    target = read_post_target(inner)
    if post_id and target is not None:
        found.setdefault(PostId(post_id), PostTarget(PostId(post_id), target))


@dataclass(frozen=True, slots=True)
class TimelinePage:
    posts: tuple[Node, ...]
    next_cursor: str | None


def read_timeline(data: Node) -> TimelinePage:
    """The posts of one page and the cursor to the next, None at the end."""
    user = data.at("user", "result")
    timelines = [user.at(key, "timeline", "instructions") for key in ("timeline", "timeline_v2")]
    instructions = next((node for node in timelines if isinstance(node.value, list)), None)
    if instructions is None:
        if user.is_empty() or user.at("__typename").text() == "UserUnavailable":
            return TimelinePage((), None)
        raise timelines[0].wrong("a list")
    posts: list[Node] = []
    cursor: str | None = None
    for instruction in instructions.items():
        entries = [*instruction.at("entries").items(), instruction.at("entry"), *instruction.at("moduleItems").items()]
        for entry in entries:
            content = entry.at("content")
            if content.at("cursorType").text() == "Bottom":
                cursor = content.at("value").some_text() or cursor
            contents = [content, *(item.at("item") for item in content.at("items").items()), entry.at("item")]
            results = (one.at("itemContent", "tweet_results", "result") for one in contents)
            posts.extend(result for result in results if result.is_object())
    return TimelinePage(tuple(posts), cursor)


# ---------------------------------------------------------------- short links


def short_link_target(code: str) -> Question[str]:
    """The URL behind a ``t.co`` link; nothing but the shortener is asked.

    Raises:
        NotFoundError: there is no such short link.
    """
    reply = yield Request(
        "GET",
        "/" + code,
        # A browser would get a page with a meta refresh in place of a plain redirect.
        headers={"user-agent": "curl/8"},
        service="tco",
        kind=HostKind.AVATAR,
        endpoint=SHORT_LINK,
        max_redirects=0,
        max_bytes=1024 * 1024,
    )
    target = reply.headers.get("location", "") if 300 <= reply.status < 400 else ""
    if not target and reply.status == 200:
        refresh = _META_REFRESH.search(reply.text)
        target = html.unescape(refresh[1]) if refresh else ""
    if target.startswith(("http://", "https://")) and target.isprintable():
        return target
    if reply.status in (400, 404, 410):
        raise NotFoundError(f"there is no short link {code}", status=reply.status, endpoint=SHORT_LINK)
    if reply.status >= 500 or reply.status == 429:
        raise FaultyServiceError(
            "the link shortener is out of order",
            status=reply.status,
            endpoint=SHORT_LINK,
            advice="Try again later, or open the link in a browser and give the address it leads to.",
        )
    raise drift_error(SHORT_LINK, f"the shortener names no target (HTTP {reply.status})")

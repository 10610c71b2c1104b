"""What a Space has in pages: ticket buyers, and the posts that were shared in it."""

from __future__ import annotations

from typing import TypeVar

from hydrophone.http.messages import Question
from hydrophone.model import Post, SpaceId, User
from hydrophone.xapi import limits
from hydrophone.xapi.answers import Answer, nothing_error, read_answer, read_post, read_user
from hydrophone.xapi.asking import Asked, ask_in_either
from hydrophone.xapi.checks import check_range, check_space_id
from hydrophone.xapi.names import Dialect
from hydrophone.xapi.paging import MOST_PAGES, Walk, walk_all
from hydrophone.xapi.prices import Kind, estimate
from hydrophone.xapi.session import ApiSession, Auth
from hydrophone.xapi.wanted import PostWish, UserWish

T = TypeVar("T")


def buyers(session: ApiSession, space_id: SpaceId, *, wish: UserWish | None = None) -> Question[Answer[User]]:
    """Who has bought a ticket. Needs a sign-in as the creator of the Space; each account is paid for.

    Raises:
        RefusedError: the sign-in is somebody else's; a co-host's is not enough.
    """
    return walk_all(walk_buyers(session, space_id, wish=wish), _user_key)


def walk_buyers(
    session: ApiSession,
    space_id: SpaceId,
    *,
    wish: UserWish | None = None,
    max_results: int = 100,
    most_pages: int = MOST_PAGES,
) -> Walk[User]:
    """The same page by page, for `hydrophone.xapi.paging.each`."""
    wanted = wish or UserWish()
    check_space_id(space_id)
    check_range("max_results", max_results, 1, 100)
    wanted.params(session.dialect)

    def page(token: str | None) -> Question[Answer[User]]:
        def params(dialect: Dialect) -> dict[str, str]:
            return {**_page_params(max_results, token), **wanted.params(dialect)}

        needs = estimate(users=max_results, posts=max_results * wanted.posts_of_each)
        root = yield from ask_in_either(
            session,
            lambda dialect: Asked(
                endpoint=limits.BUYERS,
                path=f"/2/spaces/{space_id}/buyers",
                params=params(dialect),
                auth=Auth.USER,
                needs=needs,
            ),
            Kind.USER,
        )
        return _or_not_found(read_answer(root, lambda node, _: read_user(node)), limits.BUYERS)

    return Walk(page, key=_user_key, most_pages=most_pages)


def posts_of_space(session: ApiSession, space_id: SpaceId, *, wish: PostWish | None = None) -> Question[Answer[Post]]:
    """The posts that were shared in a Space while it is live.

    Raises:
        NotFoundError: there is no such Space, or it has ended: then the service forgets what was shared.
    """
    return walk_all(walk_posts(session, space_id, wish=wish), _post_key)


def walk_posts(
    session: ApiSession,
    space_id: SpaceId,
    *,
    wish: PostWish | None = None,
    max_results: int = 100,
    most_pages: int = MOST_PAGES,
) -> Walk[Post]:
    """The same page by page, for `hydrophone.xapi.paging.each`."""
    wanted = wish or PostWish()
    check_space_id(space_id)
    check_range("max_results", max_results, 1, 100)
    wanted.params(session.dialect)

    def page(token: str | None) -> Question[Answer[Post]]:
        def asked(dialect: Dialect) -> Asked:
            users = max_results * wanted.users_of_each(dialect)
            return Asked(
                endpoint=limits.SPACE_POSTS,
                path=f"/2/spaces/{space_id}/tweets",
                params={**_page_params(max_results, token), **wanted.params(dialect)},
                needs=estimate(posts=max_results, users=users),
            )

        root = yield from ask_in_either(session, asked, Kind.POST)
        return _or_not_found(read_answer(root, lambda node, _: read_post(node)), limits.SPACE_POSTS)

    return Walk(page, key=_post_key, most_pages=most_pages)


def _page_params(max_results: int, token: str | None) -> dict[str, str]:
    return {"max_results": str(max_results), **({"pagination_token": token} if token else {})}


def _or_not_found(answer: Answer[T], endpoint: str) -> Answer[T]:
    if not answer.items and any(problem.is_not_found for problem in answer.problems):
        raise nothing_error(answer, endpoint)
    return answer


def _user_key(user: User) -> str:
    return user.id


def _post_key(post: Post) -> str:
    return post.id

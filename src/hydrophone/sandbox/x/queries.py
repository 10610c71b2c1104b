"""What each GraphQL operation answers, once the door has let it in.

Source: web endpoint reference, "Operations".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from hydrophone.sandbox.scene import Kind, Person, Scene, State
from hydrophone.sandbox.serving import Answer
from hydrophone.sandbox.x.accounts import Accounts
from hydrophone.sandbox.x.answers import NAMED, dependency_error, json_answer, malformed_space_id
from hydrophone.sandbox.x.gate import Asked
from hydrophone.sandbox.x.posts import find_post, post_result
from hydrophone.sandbox.x.records import View, audio_space, audio_space_by_rest_id
from hydrophone.sandbox.x.seed import SPACE_ID as SEED_SPACE_ID
from hydrophone.sandbox.x.seed import seed_record
from hydrophone.sandbox.x.sharings import sharing_id
from hydrophone.sandbox.x.timelines import conversation, user_timeline
from hydrophone.sandbox.x.users import graph_id, unavailable_user, user_record

Variables = Mapping[str, Any]
Features = Mapping[str, Any]
Query = Callable[[Asked, Variables, Features], Answer]

_MISSING: Mapping[str, Any] = {"data": {"audioSpace": {}}}
_TOPICS = (
    ("Music", "852262932607926273", "Field recording", "1001000000000000001"),
    ("Science", "1042000000000000042", "Oceanography", "1001000000000000002"),
)


def _audio_space_by_id(asked: Asked, variables: Variables, features: Features) -> Answer:
    space_id = variables.get("id")
    if not isinstance(space_id, str):
        return NAMED["422_variables"]
    if not re.fullmatch("[0-9a-zA-Z]{13}", space_id):
        return malformed_space_id(space_id)
    scene = _visible_space(asked, space_id)
    if scene.is_seed if scene else space_id == SEED_SPACE_ID:
        return seed_record()
    if scene is None:
        return json_answer(_MISSING)
    view = _view(asked, scene, variables)
    record = audio_space(scene, view)
    if features.get("spaces_2022_h2_clipping") is False and isinstance(record["metadata"], dict):
        # A feature that is switched off trims the answer without a word.
        record["metadata"].pop("is_space_available_for_clipping", None)
    document: dict[str, Any] = {"data": {"audioSpace": record}}
    if scene.extra.get("has_dependency_error"):
        path = ["audioSpace", "sharings", "items", 0, "shared_item", "tweet_results"]
        document = {"errors": [dependency_error(path)], **document}
    return json_answer(document)


def _audio_space_by_rest_id(asked: Asked, variables: Variables, features: Features) -> Answer:
    space_id = variables.get("audio_space_id")
    if not isinstance(space_id, str):
        return NAMED["422_variables"]
    scene = _visible_space(asked, space_id)
    if scene is None or scene.is_seed:
        return json_answer({"data": {"audio_space_by_rest_id": {}}})
    record = audio_space_by_rest_id(scene, _view(asked, scene, {"withReplays": True, "withListeners": True}))
    return json_answer({"data": {"audio_space_by_rest_id": record}})


def _visible_space(asked: Asked, space_id: str) -> Scene | None:
    scene = asked.world.scene(space_id)
    if scene is None or scene.kind is Kind.BROADCAST or scene.extra.get("is_deleted"):
        return None
    is_denied = asked.switches["guest"] == "denied" or not scene.guest_allowed
    return None if asked.caller.is_guest and is_denied else scene


def _view(asked: Asked, scene: Scene, variables: Variables) -> View:
    accounts = asked.world.room(Accounts)
    return View(
        now=asked.world.now(),
        addresses=asked.addresses,
        viewer=asked.caller.person,
        shape=_shape(asked, scene),
        with_replays=variables.get("withReplays", True) is not False,
        with_listeners=variables.get("withListeners") is True,
        is_own_listed=bool(asked.switches["own_listener"]),
        is_subscribed=(asked.caller.key, scene.id) in accounts.reminders,
        subscribers=12 + sum(space_id == scene.id for _, space_id in accounts.reminders),
        added_sharings=tuple(accounts.sharings.get(scene.id, ())),
    )


def _shape(asked: Asked, scene: Scene | None = None) -> str:
    wanted = asked.switches["user_shape"]
    return str(wanted or (scene.user_shape if scene else "core"))


def _search(asked: Asked, variables: Variables, features: Features) -> Answer:
    if asked.switches["search_is_null"]:
        return json_answer({"data": {"search_by_raw_query": None}})
    wanted, section = str(variables.get("query", "")).lower(), str(variables.get("filter", "Top"))
    now = asked.world.now()
    states = {
        "Live": (State.RUNNING,),
        "Upcoming": (State.NOT_STARTED, State.PRE_PUBLISHED),
    }.get(section, (State.RUNNING, State.NOT_STARTED, State.PRE_PUBLISHED))

    def fits(scene: Scene) -> bool:
        words = [scene.title or "", *(name for p in scene.people for name in (p.handle, p.name))]
        return any(wanted in word.lower() for word in words) and scene.state_at(now) in states

    items = [
        {"kind": "Audiospace", "followed_participants_results": [], "space": {"rest_id": scene.id}}
        for scene in asked.world.spaces
        if fits(scene)
    ]
    sections = [{"name": section, "items": items, "destination": section}] if items else []
    grouped = {"audio_spaces_grouped_by_section": {"sections": sections}}
    return json_answer({"data": {"search_by_raw_query": grouped}})


def _topics(asked: Asked, variables: Variables, features: Features) -> Answer:
    categories = []
    for name, entity, topic, topic_id in _TOPICS:
        icon = f"{asked.addresses.base('abs')}/icons/{name.lower()}.png"
        categories.append(
            {
                "icon": icon,
                "name": name,
                "semantic_core_entity_id": entity,
                "subtopics": [{"icon_url": icon, "name": topic, "topic_id": topic_id}],
            }
        )
    return json_answer({"data": {"browse_space_topics": {"categories": categories}}})


def _person(asked: Asked, *, handle: str = "", user_id: str = "") -> tuple[Person | None, Scene | None]:
    person = asked.world.person(handle=handle, user_id=user_id)
    if person is None:
        return None, None
    return person, next(iter(asked.world.scenes_of(person.user_id)), None)


def _user_answer(asked: Asked, person: Person | None, scene: Scene | None) -> Answer:
    if person is None:
        return json_answer({"data": {}})
    if scene is not None and person.handle in scene.extra.get("suspended", ()):
        return json_answer({"data": {"user": {"result": unavailable_user("Suspended")}}})
    record = user_record(person, _shape(asked, scene), asked.addresses)
    return json_answer({"data": {"user": {"result": record}}})


def _user_by_screen_name(asked: Asked, variables: Variables, features: Features) -> Answer:
    return _user_answer(asked, *_person(asked, handle=str(variables.get("screen_name") or "")))


def _user_by_rest_id(asked: Asked, variables: Variables, features: Features) -> Answer:
    return _user_answer(asked, *_person(asked, user_id=str(variables.get("userId") or "")))


def _spotlights(asked: Asked, variables: Variables, features: Features) -> Answer:
    person, _ = _person(asked, handle=str(variables.get("screen_name") or ""))
    if person is None:
        return json_answer({"data": {}})
    flags = dict.fromkeys(("blocking", "blocked_by", "protected", "following", "followed_by"), False)
    result = {
        "__typename": "User",
        "id": graph_id(person.user_id),
        "rest_id": person.user_id,
        "profilemodules": {"v1": []},
        "legacy": flags | {"name": person.name, "screen_name": person.handle},
    }
    return json_answer({"data": {"user_result_by_screen_name": {"id": graph_id(person.user_id), "result": result}}})


def _user_tweets(asked: Asked, variables: Variables, features: Features) -> Answer:
    person, scene = _person(asked, user_id=str(variables.get("userId") or ""))
    if person is None:
        return json_answer({"data": {}})
    limit = int(asked.switches["guest_posts"]) if asked.caller.is_guest else None
    timeline = user_timeline(
        asked.world, person, variables, shape=_shape(asked, scene), addresses=asked.addresses, limit=limit
    )
    return json_answer({"data": {"user": {"result": {"__typename": "User", "timeline": {"timeline": timeline}}}}})


def _tweet_result(asked: Asked, variables: Variables, features: Features) -> Answer:
    post = find_post(asked.world, str(variables.get("tweetId")))
    if post is None:
        return json_answer({"data": {"tweetResult": {}}})
    result = post_result(post, _shape(asked, post.scene), asked.addresses, asked.world.now())
    return json_answer({"data": {"tweetResult": {"result": result}}})


def _tweet_detail(asked: Asked, variables: Variables, features: Features) -> Answer:
    post = find_post(asked.world, str(variables.get("focalTweetId")))
    if post is None:
        return json_answer({"errors": [{"code": 144, "message": "_Missing: No status found with that ID."}]})
    instructions = conversation(post, shape=_shape(asked, post.scene), addresses=asked.addresses, now=asked.world.now())
    return json_answer({"data": {"threaded_conversation_with_injections_v2": {"instructions": instructions}}})


def _names(asked: Asked, variables: Variables, features: Features) -> Answer:
    wanted = variables.get("userIds")
    if not isinstance(wanted, list) or len(wanted) > 50:
        return NAMED["422_variables"]
    people = (asked.world.person(user_id=str(user_id)) for user_id in wanted)
    users = [
        {
            "result": {
                "__typename": "User",
                "rest_id": person.user_id,
                "core": {"name": person.name, "screen_name": person.handle},
            }
        }
        for person in people
        if person is not None
    ]
    return json_answer({"data": {"users": users}})


def _remind(asked: Asked, variables: Variables, features: Features) -> Answer:
    asked.world.room(Accounts).reminders.add((asked.caller.key, str(variables.get("id"))))
    return json_answer({"data": {"subscribe_to_scheduled_space": "Done"}})


def _forget(asked: Asked, variables: Variables, features: Features) -> Answer:
    asked.world.room(Accounts).reminders.discard((asked.caller.key, str(variables.get("id"))))
    return json_answer({"data": {"unsubscribe_from_scheduled_space": "Done"}})


def _add_sharing(asked: Asked, variables: Variables, features: Features) -> Answer:
    scene = asked.world.scene(str(variables.get("audio_space_id")))
    sharing = variables.get("sharing")
    post_id = sharing.get("shared_tweet", {}).get("tweet_id") if isinstance(sharing, dict) else None
    if scene is None or post_id is None:
        message = "GRAPHQL_VALIDATION_FAILED"
        return json_answer({"errors": [{"message": message, "code": 0, "kind": "Validation"}]}, 422)
    origin_at = scene.started_at or scene.created_at
    post = find_post(asked.world, str(post_id))
    facts = {
        "at": (asked.world.now() - origin_at).total_seconds(),
        "post_id": str(post_id),
        "text": post.text if post else "",
    }
    asked.world.room(Accounts).sharings.setdefault(scene.id, []).append(facts)
    return json_answer({"data": {"audiospace_add_sharing": {"sharing_id": sharing_id(scene, facts)}}})


def _delete_sharing(asked: Asked, variables: Variables, features: Features) -> Answer:
    scene = asked.world.scene(str(variables.get("audio_space_id")))
    if scene is None:
        return NAMED["422_variables"]
    origin_at = scene.started_at or scene.created_at
    for facts in asked.world.room(Accounts).sharings.get(scene.id, []):
        if sharing_id(scene, facts) == str(variables.get("sharing_id")):
            facts["until"] = (asked.world.now() - origin_at).total_seconds()
    return json_answer({"data": {"audiospace_delete_sharing": "Done"}})


QUERIES: Mapping[str, Query] = {
    "AudioSpaceById": _audio_space_by_id,
    "AudiospaceByRestId": _audio_space_by_rest_id,
    "AudioSpaceSearch": _search,
    "BrowseSpaceTopics": _topics,
    "UserByScreenName": _user_by_screen_name,
    "UserByRestId": _user_by_rest_id,
    "ProfileSpotlightsQuery": _spotlights,
    "UserTweets": _user_tweets,
    "TweetResultByRestId": _tweet_result,
    "TweetDetail": _tweet_detail,
    "liveAtomsUserQuery": _names,
    "SubscribeToScheduledSpace": _remind,
    "UnsubscribeFromScheduledSpace": _forget,
    "AudioSpaceAddSharing": _add_sharing,
    "AudioSpaceDeleteSharing": _delete_sharing,
}

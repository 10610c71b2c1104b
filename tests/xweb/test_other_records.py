"""Streams, broadcasts, people, fleets, search and posts from their samples."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hydrophone.errors import (
    FaultyServiceError,
    NotFoundError,
    NotSignedInError,
    RefusedError,
    UnreachableError,
    WireError,
)
from hydrophone.model import (
    BroadcastId,
    BroadcastRef,
    EventId,
    MediaKey,
    MediaKind,
    PostId,
    Ref,
    Role,
    SpaceId,
    SpaceRef,
    SpaceState,
    Stream,
    UserId,
)
from hydrophone.xweb.broadcasts import broadcasts_by_ids, event_broadcast
from hydrophone.xweb.cards import read_post_target
from hydrophone.xweb.fleets import spaces_of_followed, spaces_of_users
from hydrophone.xweb.people import user_by_handle, user_by_id
from hydrophone.xweb.posts import post_target, posts_with_targets, short_link_target, syndication_token
from hydrophone.xweb.reading import Node
from hydrophone.xweb.searching import SearchFilter, hydrate, search_spaces, space_topics
from hydrophone.xweb.streams import stream_by_media_key
from xweb.talk import (
    ACTIVATION,
    EMPTY_404,
    OWN_ID,
    Talk,
    error_sample,
    guest,
    json_reply,
    sample,
    sample_json,
    signed_in,
    text_reply,
)

KEY = MediaKey("28_2028900765724049408")
SPACE = SpaceRef(SpaceId("1hydroPhoneXZ"))
VIDEO = BroadcastRef(BroadcastId("1harbourVideo"))

# ---------------------------------------------------------------- streams


def stream_from(name: str) -> Stream:
    return Talk(("live_video_stream", sample(f"stream_status.{name}.json"))).ask(stream_by_media_key(signed_in(), KEY))


@pytest.mark.parametrize(
    ("name", "kind", "ending"),
    [
        ("live", MediaKind.AUDIO, "dynamic_playlist.m3u8?type=live"),
        ("replay", MediaKind.AUDIO, "playlist_16674179364745433413.m3u8?type=replay"),
        ("video_live", MediaKind.VIDEO, "master_dynamic_highlatency.m3u8?type=live"),
        ("seed", MediaKind.AUDIO, "playlist_xxx.m3u8?type=replay"),
    ],
)
def test_a_stream_has_its_url_and_kind(name: str, kind: MediaKind, ending: str) -> None:
    stream = stream_from(name)

    assert stream.kind is kind
    assert stream.url.endswith(ending)
    assert stream.media_key == KEY
    assert not stream.is_geoblocked


def test_a_geoblocked_stream_is_marked() -> None:
    assert stream_from("geoblocked").is_geoblocked


def test_no_stream_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="not started"):
        Talk(("live_video_stream", EMPTY_404)).ask(stream_by_media_key(signed_in(), KEY))


def test_tokens_and_urls_of_a_stream_are_not_shown() -> None:
    stream = stream_from("live")

    assert stream.chat_token is not None
    assert stream.chat_token not in repr(stream)
    assert "pscp.tv" not in repr(stream)


def test_a_chat_token_tells_the_session_which_account_to_leave_out() -> None:
    session = signed_in()

    Talk(("live_video_stream", sample("stream_status.live.json"))).ask(stream_by_media_key(session, KEY))

    assert session.own_user_ids == {UserId(OWN_ID)}


def test_guests_ask_the_plain_path_without_parameters() -> None:
    talk = Talk(ACTIVATION, ("live_video_stream", sample("stream_status.live.json")))
    talk.ask(stream_by_media_key(guest(), KEY))

    assert talk.requests[1].target == f"/1.1/live_video_stream/status/{KEY}"
    assert talk.requests[1].service == "api"
    assert not talk.requests[1].params


@pytest.mark.parametrize("source", [None, {}, {"location": "file:///etc/passwd"}, {"location": "http://[::1"}])
def test_a_stream_without_a_web_url_is_a_wire_error(source: object) -> None:
    with pytest.raises(WireError, match="source"):
        Talk(("live_video_stream", json_reply({"source": source}))).ask(stream_by_media_key(signed_in(), KEY))


# ---------------------------------------------------------------- broadcasts


def test_a_running_broadcast_is_read_whole() -> None:
    talk = Talk(("broadcasts/show", sample("broadcasts_show.running.json")))
    broadcast = talk.ask(broadcasts_by_ids(signed_in(), [BroadcastId("1harbourVideo")]))[BroadcastId("1harbourVideo")]

    assert broadcast is not None
    assert broadcast.state is SpaceState.LIVE
    assert broadcast.title == "Harbour camera, ebb"
    assert broadcast.broadcaster is not None
    assert broadcast.broadcaster.id == "1701000000000000001"
    assert broadcast.broadcaster.periscope_id == "1maraLindPscp"
    assert (broadcast.width, broadcast.height) == (1920, 1080)
    assert broadcast.viewers == 118
    assert broadcast.started_at == datetime(2026, 3, 3, 21, 12, tzinfo=UTC)
    assert talk.requests[0].params["ids"] == "1harbourVideo"


@pytest.mark.parametrize(("name", "state"), [("ended", SpaceState.ENDED), ("not_started", SpaceState.SCHEDULED)])
def test_broadcast_states_become_ours(name: str, state: SpaceState) -> None:
    talk = Talk(("broadcasts/show", sample(f"broadcasts_show.{name}.json")))
    broadcast = talk.ask(broadcasts_by_ids(signed_in(), [BroadcastId("1harbourVideo")]))[BroadcastId("1harbourVideo")]

    assert broadcast is not None
    assert broadcast.state is state


def test_broadcasts_that_are_gone_are_none() -> None:
    ids = [BroadcastId("1harbourVideo"), BroadcastId("1vOxwdyYrlqKB"), BroadcastId("not/an/id")]

    found = Talk(("broadcasts/show", sample("broadcasts_show.two.json"))).ask(broadcasts_by_ids(signed_in(), ids))

    assert list(found) == ids
    assert [broadcast is not None for broadcast in found.values()] == [True, False, False]


def test_many_broadcasts_are_asked_in_batches() -> None:
    talk = Talk(("broadcasts/show", json_reply({"broadcasts": {}})))

    talk.ask(broadcasts_by_ids(signed_in(), [BroadcastId(f"1{number:012}") for number in range(205)]))

    assert [len(request.params["ids"].split(",")) for request in talk.requests] == [100, 100, 5]


def test_an_event_page_leads_to_its_broadcast() -> None:
    talk = Talk(ACTIVATION, ("live_event", sample("live_event_timeline.json")))

    assert talk.ask(event_broadcast(guest(), EventId("2028900000000000001"))) == VIDEO


def test_an_event_with_posts_leads_to_what_they_carry() -> None:
    body = sample_json("live_event_timeline.json")
    body["twitter_objects"]["tweets"] = {
        "1": {"card": {"name": "1:poll"}},
        "2": {"card": {"name": "9:audiospace", "binding_values": {"id": {"string_value": "1hydroPhoneXZ"}}}},
    }

    assert Talk(("live_event", json_reply(body))).ask(event_broadcast(signed_in(), EventId("1"))) == SPACE


def test_an_event_without_anything_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        Talk(("live_event", json_reply({"twitter_objects": {}}))).ask(event_broadcast(signed_in(), EventId("1")))


# ---------------------------------------------------------------- people


@pytest.mark.parametrize("shape", ["core", "legacy"])
def test_users_of_both_shapes_are_read(shape: str) -> None:
    talk = Talk(("UserByScreenName", sample(f"user_by_screen_name.{shape}.json")))
    user = talk.ask(user_by_handle(signed_in(), "mara_lind"))

    assert (user.id, user.handle, user.name) == ("1701000000000000001", "mara_lind", "Mara Lind")


def test_a_user_who_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        Talk(("UserByScreenName", sample("user_by_screen_name.missing.json"))).ask(
            user_by_handle(signed_in(), "nobody")
        )


def test_a_suspended_user_is_refused_with_the_reason() -> None:
    with pytest.raises(RefusedError, match="suspended"):
        Talk(("UserByScreenName", sample("user_by_screen_name.suspended.json"))).ask(
            user_by_handle(signed_in(), "gone")
        )


def test_the_small_query_stands_in_when_the_large_one_is_gone() -> None:
    talk = Talk(
        ("UserByScreenName", EMPTY_404),
        ("ProfileSpotlightsQuery", sample("profile_spotlights.json")),
        ("", text_reply("", 404)),
    )
    user = talk.ask(user_by_handle(signed_in(), "mara_lind"))

    assert (user.id, user.handle) == ("1701000000000000001", "mara_lind")


def test_users_are_found_by_id() -> None:
    talk = Talk(("UserByRestId", sample("user_by_screen_name.core.json")))

    assert talk.ask(user_by_id(signed_in(), UserId("1701000000000000001"))).handle == "mara_lind"


# ---------------------------------------------------------------- fleets


def test_watched_users_in_one_space_show_it_once() -> None:
    users = [UserId("1701000000000000001"), UserId("1702000000000000002")]
    found = Talk(("avatar_content", sample("avatar_content.live.json"))).ask(spaces_of_users(signed_in(), users))

    assert list(found.spaces) == ["1hydroPhoneXZ"]
    assert found.people[SpaceId("1hydroPhoneXZ")] == tuple(users)
    assert found.refresh_seconds == 30
    space = found.spaces[SpaceId("1hydroPhoneXZ")]
    assert space.state is SpaceState.LIVE
    assert space.started_at == datetime(2026, 3, 3, 19, 0, 2, 250000, UTC)
    assert space.language == "en"
    assert [person.role for person in space.participants] == [Role.CREATOR]


def test_watched_users_are_asked_in_batches_of_a_hundred() -> None:
    talk = Talk(("avatar_content", sample("avatar_content.none.json")))

    found = talk.ask(spaces_of_users(signed_in(), [UserId(str(number)) for number in (*range(250), 3, 4)]))

    assert [len(request.params["user_ids"].split(",")) for request in talk.requests] == [100, 100, 50]
    assert not found.spaces


def test_the_fleetline_shows_who_takes_part() -> None:
    found = Talk(("fleetline", sample("fleetline.json"))).ask(spaces_of_followed(signed_in()))

    assert found.people[SpaceId("1hydroPhoneXZ")] == ("1701000000000000001", "1702000000000000002")


@pytest.mark.parametrize("question", [lambda s: spaces_of_followed(s), lambda s: spaces_of_users(s, [UserId("1")])])
def test_guests_are_told_to_sign_in_before_anything_is_asked(question: object) -> None:
    talk = Talk()
    with pytest.raises(NotSignedInError):
        talk.ask(question(guest()))  # type: ignore[operator]
    assert not talk.requests


def test_a_batch_that_is_too_large_for_the_service_is_a_wire_error() -> None:
    with pytest.raises(WireError, match="too many"):
        Talk(("avatar_content", error_sample("400_too_many_user_ids"))).ask(spaces_of_users(signed_in(), [UserId("1")]))


# ---------------------------------------------------------------- search


def test_search_is_posted_and_gives_ids() -> None:
    talk = Talk(("AudioSpaceSearch", sample("audio_space_search.live.json")))

    assert talk.ask(search_spaces(signed_in(), "tapes", among=SearchFilter.LIVE)) == ("1hydroPhoneXZ", "1breakWaterQZ")
    assert talk.requests[0].method == "POST"
    assert b'"variables":{"filter":"Live","query":"tapes"}' in (talk.requests[0].body or b"")


@pytest.mark.parametrize(
    "body", [sample_json("audio_space_search.nothing.json"), {"data": {"search_by_raw_query": None}}]
)
def test_a_search_may_find_nothing(body: object) -> None:
    assert Talk(("AudioSpaceSearch", json_reply(body))).ask(search_spaces(signed_in(), "x")) == ()


def test_hydration_skips_spaces_that_have_vanished() -> None:
    talk = Talk(
        ("AudioSpaceById", [sample("audiospace_by_id.missing.json"), sample("audiospace_by_id.running.json")]),
    )
    found = talk.ask(hydrate(signed_in(), [SpaceId("1breakWaterQZ"), SpaceId("1hydroPhoneXZ")]))

    assert [space.id for space in found] == ["1hydroPhoneXZ"]


def test_topics_form_a_tree() -> None:
    topics = Talk(("BrowseSpaceTopics", sample("browse_space_topics.json"))).ask(space_topics(signed_in()))

    assert [(topic.name, [part.name for part in topic.parts]) for topic in topics] == [
        ("Music", ["Field recording"]),
        ("Science", ["Oceanography"]),
    ]


# ---------------------------------------------------------------- posts


@pytest.mark.parametrize("name", ["space_card", "visibility_wrapper"])
def test_a_post_leads_to_its_space_through_the_card(name: str) -> None:
    talk = Talk(("TweetResultByRestId", sample(f"tweet_result_by_rest_id.{name}.json")))

    assert talk.ask(post_target(signed_in(), PostId("2028901017323569157"))) == SPACE


def test_a_post_that_needs_a_login_says_so() -> None:
    talk = Talk(ACTIVATION, ("TweetResultByRestId", sample("tweet_result_by_rest_id.unavailable.json")))

    with pytest.raises(NotSignedInError):
        talk.ask(post_target(guest(), PostId("1")))


@pytest.mark.parametrize(
    ("card", "ref"),
    [
        (
            {
                "name": "745291183405076480:broadcast",
                "binding_values": {"broadcast_id": {"string_value": "1harbourVideo"}},
            },
            VIDEO,
        ),
        ({"name": "7:live_event", "binding_values": {"event_id": {"string_value": "x"}}}, None),
        ({"name": "7:audiospace", "binding_values": {"id": {"string_value": "../evil"}}}, None),
        ({"name": None, "binding_values": 5}, None),
    ],
)
def test_cards_of_all_kinds_are_read(card: object, ref: Ref | None) -> None:
    assert read_post_target(Node({"card": card})) == ref


def test_links_in_the_text_and_quoted_posts_lead_on() -> None:
    link = {"entities": {"urls": [{"expanded_url": "https://x.com/i/spaces/1hydroPhoneXZ/peek"}]}}

    assert read_post_target(Node({"legacy": link})) == SPACE
    assert read_post_target(Node({"quoted_status_result": {"result": {"legacy": link}}})) == SPACE
    assert read_post_target(Node({"legacy": {"entities": {"urls": [{"expanded_url": "https://x.com/home"}]}}})) is None


def test_the_keyless_endpoint_stands_in_when_the_query_is_gone() -> None:
    flat = {"card": {"name": "3691233323:audiospace", "binding_values": {"id": {"string_value": "1hydroPhoneXZ"}}}}
    talk = Talk(
        ACTIVATION, ("TweetResultByRestId", EMPTY_404), ("tweet-result", json_reply(flat)), ("", text_reply("", 404))
    )

    assert talk.ask(post_target(guest(), PostId("2028901017323569157"))) == SPACE
    asked = talk.asked("tweet-result")[0]
    assert asked.service == "syndication"
    assert asked.credential is None
    assert asked.headers["user-agent"] == "Googlebot"


def test_syndication_tokens_are_those_of_javascript() -> None:
    interpreter = pytest.importorskip("yt_dlp.jsinterp")
    if not hasattr(interpreter, "js_number_to_string"):
        pytest.skip("this yt-dlp has no number formatting to compare with")
    for post_id in ("2028901017323569157", "20", "1", "999999999999999", "1701000000000000001"):
        number = int(post_id) / 1e15 * 3.141592653589793
        text = interpreter.js_number_to_string(number, 36)
        assert syndication_token(post_id) == text.replace("0", "").replace(".", "")


def test_the_posts_of_somebody_are_paged_until_they_end() -> None:
    talk = Talk(("UserTweets", sample("user_tweets.json")))

    found = talk.ask(posts_with_targets(signed_in(), UserId("1701000000000000001"), pages=10))

    assert {target.target for target in found} >= {SPACE, VIDEO}
    assert len(talk.requests) == 2, "the second page repeats the cursor"
    assert '"cursor"' in talk.requests[1].params["variables"]


def test_a_timeline_without_instructions_is_a_wire_error() -> None:
    body = {"data": {"user": {"result": {"timeline": {"timeline": {"entries": []}}}}}}
    with pytest.raises(WireError, match="instructions"):
        Talk(("UserTweets", json_reply(body))).ask(posts_with_targets(signed_in(), UserId("1")))


# ---------------------------------------------------------------- short links


def test_a_short_link_is_asked_without_following_it() -> None:
    talk = Talk(("tco:", text_reply("", 301, ("location", "https://x.com/i/spaces/1hydroPhoneXZ"))))

    assert talk.ask(short_link_target("HyDroPh0ne")) == "https://x.com/i/spaces/1hydroPhoneXZ"
    assert talk.requests[0].max_redirects == 0
    assert talk.requests[0].credential is None
    assert talk.requests[0].headers["user-agent"] == "curl/8"


def test_a_short_link_may_be_answered_by_a_page() -> None:
    page = '<head><meta http-equiv="refresh" content="0;URL=https://x.com/i/spaces/1hydroPhoneXZ?a=1&amp;b=2"></head>'

    assert Talk(("tco:", text_reply(page))).ask(short_link_target("a")).endswith("?a=1&b=2")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (text_reply("", 404), NotFoundError),
        (text_reply("", 503), FaultyServiceError),
        (text_reply("", 301, ("location", "javascript:alert(1)")), WireError),
        (text_reply("hello"), WireError),
        (UnreachableError("down", host="t.co"), UnreachableError),
    ],
)
def test_short_links_that_lead_nowhere_are_typed_errors(reply: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        Talk(("tco:", reply)).ask(short_link_target("a"))  # type: ignore[arg-type]

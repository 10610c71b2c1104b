"""From a post to a Space: cards, wrappers, timelines, short links, the keyless form, pages and pictures."""

from __future__ import annotations

import io
import math
from fractions import Fraction
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.sandbox.scene import Kind, Scene
from hydrophone.sandbox.x.pages import base36, syndication_token
from hydrophone.sandbox.x.pictures import SIZES, avatar
from hydrophone.sandbox.x.posts import posts_of
from x_visiting import Visitor, differences, sample, shape, visiting

CARDS = ["audiospace", "broadcast", "periscope_broadcast", "live_event"]


def card_post(visitor: Visitor, card: str = "audiospace") -> Any:
    return next(post for scene in visitor.world.scenes for post in posts_of(scene) if post.card == card)


def binding(result: Any, key: str) -> Any:
    values = {value["key"]: value["value"] for value in result["card"]["legacy"]["binding_values"]}
    return values[key].get("string_value")


async def test_a_post_with_a_card_equals_the_sample() -> None:
    scene = Scene.live(user_shape="legacy")
    async with visiting(scene) as visitor:
        post = card_post(visitor)
        said = await visitor.graphql("TweetResultByRestId", {"tweetId": post.id})
    assert differences(shape(said.json), shape(sample("tweet_result_by_rest_id.space_card"))) == []
    assert binding(said.json["data"]["tweetResult"]["result"], "id") == scene.id


@pytest.mark.parametrize(
    ("card", "name", "key"),
    [
        ("audiospace", "3691233323:audiospace", "id"),
        ("broadcast", "745291183405076480:broadcast", "broadcast_id"),
        ("periscope_broadcast", "3691233323:periscope_broadcast", "id"),
    ],
)
async def test_every_kind_of_card_names_its_scene(card: str, name: str, key: str) -> None:
    scene = Scene.live(extra={"cards": CARDS})
    async with visiting(scene) as visitor:
        said = await visitor.graphql("TweetResultByRestId", {"tweetId": card_post(visitor, card).id})
    result = said.json["data"]["tweetResult"]["result"]
    assert result["card"]["legacy"]["name"] == name
    assert binding(result, key) == scene.id


async def test_the_card_of_an_event_names_the_event() -> None:
    scene = Scene.live(kind=Kind.BROADCAST, extra={"cards": CARDS, "event_id": "42"})
    async with visiting(scene) as visitor:
        said = await visitor.graphql("TweetResultByRestId", {"tweetId": card_post(visitor, "live_event").id})
    assert binding(said.json["data"]["tweetResult"]["result"], "event_id") == "42"


async def test_wrappers() -> None:
    kinds = ["visibility", "tombstone", "unavailable", "retweet", "quote"]
    posts = [{"text": kind, "id": str(9000 + n), "wrapper": kind, "card": "audiospace"} for n, kind in enumerate(kinds)]
    async with visiting(Scene.live(user_shape="legacy", extra={"posts": posts})) as visitor:
        results = {}
        for post in posts:
            said = await visitor.graphql("TweetResultByRestId", {"tweetId": post["id"]})
            results[post["wrapper"]] = said.json["data"]["tweetResult"]["result"]
    wrapped = {"data": {"tweetResult": {"result": results["visibility"]}}}
    assert differences(shape(wrapped), shape(sample("tweet_result_by_rest_id.visibility_wrapper"))) == []
    assert results["tombstone"]["tombstone"]["text"]["text"]
    assert results["unavailable"] == {"__typename": "TweetUnavailable", "reason": "NsfwLoggedOut"}
    assert results["retweet"]["legacy"]["retweeted_status_result"]["result"]["card"]
    assert results["quote"]["quoted_status_result"]["result"]["card"]


async def test_a_timeline_equals_the_sample_and_is_paged_to_its_end() -> None:
    scene = Scene.live(user_shape="legacy", extra={"chatter": 43})
    async with visiting(scene) as visitor:
        seen: list[str] = []
        cursor, pages = None, 0
        while True:
            variables = {"userId": scene.creator.user_id, "count": 20, "cursor": cursor}
            said = await visitor.graphql("UserTweets", variables)
            instructions = said.json["data"]["user"]["result"]["timeline"]["timeline"]["instructions"]
            entries = instructions[-1]["entries"]
            pages += 1
            new = [e["entryId"] for e in entries if e["content"]["entryType"] == "TimelineTimelineItem"]
            if not new:
                break
            seen += new
            cursor = next(e["content"]["value"] for e in entries if e["content"].get("cursorType") == "Bottom")
        first = await visitor.graphql("UserTweets", {"userId": scene.creator.user_id, "count": 20})
        await visitor.become_guest()
        guest = await visitor.graphql("UserTweets", {"userId": scene.creator.user_id, "count": 20})
    assert len(seen) == len(set(seen)) == 45
    assert pages == 4
    ours, theirs = shape(first.json), shape(sample("user_tweets"))
    for document in (ours, theirs):  # the sample begins with another kind of card
        entry = document["data"]["user"]["result"]["timeline"]["timeline"]["instructions"]
        assert entry == [{"type": "str"}]
    entries = first.json["data"]["user"]["result"]["timeline"]["timeline"]["instructions"][1]["entries"]
    expected = sample("user_tweets")["data"]["user"]["result"]["timeline"]["timeline"]["instructions"][1]["entries"]
    assert differences(shape(entries[0]), shape(expected[1])) == []
    assert differences(shape(entries[-1]), shape(expected[-1])) == []
    hidden = guest.json["data"]["user"]["result"]["timeline"]["timeline"]["instructions"][-1]["entries"]
    assert len(hidden) == 2


async def test_a_conversation_holds_the_post() -> None:
    async with visiting(Scene.live()) as visitor:
        post = card_post(visitor)
        said = await visitor.graphql("TweetDetail", {"focalTweetId": post.id})
        missing = await visitor.graphql("TweetDetail", {"focalTweetId": "1"})
    entries = said.json["data"]["threaded_conversation_with_injections_v2"]["instructions"][0]["entries"]
    assert entries[0]["content"]["itemContent"]["tweet_results"]["result"]["rest_id"] == post.id
    assert missing.error_code == 144


# ---------------------------------------------------------------- short links and the keyless form


async def test_a_short_link_redirects_programs_and_shows_browsers_a_page() -> None:
    scene = Scene.live()
    async with visiting(scene) as visitor:
        code = card_post(visitor).code
        program = await visitor.ask(f"/{code}", service="tco", user_agent="curl/8.0")
        browser = await visitor.ask(f"/{code}", service="tco", user_agent="Mozilla/5.0 (X11)")
        unknown = await visitor.ask("/nothing", service="tco", user_agent="curl/8.0")
        await visitor.turn(unsafe_links=True)
        warned = await visitor.ask(f"/{code}", service="tco", user_agent="curl/8.0")
    target = f"https://x.com/i/spaces/{scene.id}"
    assert (program.status, program.headers["location"], program.body) == (301, target, b"")
    assert (browser.status, "location" in browser.headers) == (200, False)
    assert f'content="0;URL={target}"'.encode() in browser.body
    assert unknown.status == 404
    assert warned.headers["location"] == f"https://twitter.com/safety/unsafe_link_warning?unsafe_link={target}"


@given(st.integers(min_value=10**17, max_value=2**63))
def test_the_keyless_token_is_a_number_in_base_36_without_zeros(post_id: int) -> None:
    value = post_id / 1e15 * math.pi
    text = base36(value)
    whole, _, fraction = text.partition(".")
    back = float(int(whole, 36) + Fraction(int(fraction or "0", 36), 36 ** len(fraction)))
    assert math.isclose(back, value, rel_tol=2**-51)
    assert syndication_token(str(post_id)) == text.replace("0", "").replace(".", "")


async def test_the_keyless_form_is_flat_and_wants_a_token() -> None:
    scene = Scene.live()
    async with visiting(scene) as visitor:
        post = card_post(visitor)
        token = syndication_token(post.id)
        await visitor.turn(syndication_tokens="checked")
        good = await visitor.ask(f"/tweet-result?id={post.id}&token={token}", service="syndication")
        bad = await visitor.ask(f"/tweet-result?id={post.id}&token=x", service="syndication")
        unknown = await visitor.ask("/tweet-result?id=1&token=x", service="syndication")
    assert good.json["card"]["binding_values"]["id"]["string_value"] == scene.id
    assert good.json["user"]["screen_name"] == scene.creator.handle
    assert good.json["entities"]["urls"][0]["expanded_url"].endswith(scene.id)
    assert (bad.status, unknown.status) == (404, 404)


async def test_a_profile_page_betrays_a_running_space_to_anybody() -> None:
    live, over = Scene.live(), Scene.ended("past")
    async with visiting(live, over) as visitor:
        page = (await visitor.ask(f"/{live.creator.handle}")).body.decode()
        missing = await visitor.ask("/nobody_at_all")
        shell = await visitor.ask(f"/i/spaces/{live.id}/peek")
    assert "audio_space_by_rest_id:" in page
    assert f'rest_id:"{live.id}"' in page
    assert over.id not in page
    assert (missing.status, shell.status) == (404, 200)


# ---------------------------------------------------------------- pictures


def decode(data: bytes) -> Any:
    with av.open(io.BytesIO(data)) as container:
        return next(container.decode(video=0)).reformat(format="rgb24")


@pytest.mark.parametrize("suffix", [*SIZES, ""])
@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_avatars_are_real_pictures_of_the_right_size(suffix: str, extension: str) -> None:
    kind, data = avatar(f"mLiNd001{suffix}.{extension}")
    frame = decode(data)
    size = SIZES.get(suffix, 512)
    assert (frame.width, frame.height) == (size, size)
    assert kind == {"jpg": "image/jpeg", "png": "image/png"}[extension]


def test_both_writers_paint_the_same_colours() -> None:
    from_jpeg, from_png = (decode(avatar(f"somebody.{kind}")[1]) for kind in ("jpg", "png"))
    middle = from_png.planes[0].line_size * 256 + 256 * 3
    for one, other in zip(
        bytes(from_jpeg.planes[0])[middle : middle + 3], bytes(from_png.planes[0])[middle:], strict=False
    ):
        assert abs(one - other) <= 6


async def test_the_avatar_of_a_record_can_be_fetched() -> None:
    scene = Scene.live()
    async with visiting(scene) as visitor:
        record = (await visitor.space(scene.id)).json["data"]["audioSpace"]
        url = record["metadata"]["creator_results"]["result"]["avatar"]["image_url"]
        path = url.removeprefix(visitor.world.bases["avatar"])
        picture = await visitor.ask(path.replace("_normal", "_400x400"), service="avatar")
        real = (await visitor.space(scene.id, host="x.com")).json["data"]["audioSpace"]
    assert picture.headers["content-type"] == "image/jpeg"
    assert decode(picture.body).width == 400
    assert real["participants"]["admins"][0]["avatar_url"].startswith("https://pbs.twimg.com/profile_images/")

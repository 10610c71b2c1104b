"""Each recorded answer of Periscope as a value."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hydrophone.errors import WireError
from hydrophone.http.reading import Node
from hydrophone.model import SpaceState
from hydrophone.periscope.broadcasts import read_cards, read_viewers
from hydrophone.periscope.records import read_broadcast, read_broadcasts, read_user, rounded_rotation
from hydrophone.periscope.thumbnails import fill_in_times, read_thumbnails
from hydrophone.periscope.videos import VideoAccess, read_access, read_stream_name
from periscope.conversing import SAMPLES, node, sample


def access(name: str) -> VideoAccess:
    return read_access(node(f"api/{name}.json"))


# ---------------------------------------------------------------- broadcasts and users


def test_an_ended_broadcast_of_2016() -> None:
    broadcast = access("accessVideoPublic.replay_2016_cookies").broadcast

    assert broadcast is not None
    assert (broadcast.id, broadcast.state, broadcast.state_text) == ("1yoKbWqNLdRGX", SpaceState.ENDED, "ENDED")
    assert broadcast.title == "⚓ #harbourwalk fog, bread and a very loud gull"
    assert broadcast.started_at == datetime(2016, 11, 19, 15, 41, 9, 627186, tzinfo=UTC)
    assert broadcast.ended_at == datetime(2016, 11, 19, 16, 22, 58, 944021, tzinfo=UTC)
    assert (broadcast.width, broadcast.height, broadcast.rotation_degrees) == (320, 568, 271)
    assert (broadcast.has_replay, broadcast.is_private, broadcast.language) == (True, False, "en")
    assert broadcast.broadcaster is not None
    assert (broadcast.broadcaster.periscope_id, broadcast.broadcaster.handle) == ("98104277", "mara_lind")
    assert broadcast.broadcaster.name == "Mara Lind"
    assert broadcast.raw["tags"] == ["harbourwalk"]


def test_the_true_end_is_told_for_each_way_of_ending() -> None:
    ends = {
        one.id: one.ended_at for one in read_broadcasts(node("api/getUserBroadcastsPublic.2016.json").at("broadcasts"))
    }
    raw = {one["id"]: one for one in sample("api/getUserBroadcastsPublic.2016.json")["broadcasts"]}

    came_back = raw["1nAKEwlQzMbJL"]
    assert came_back["timedout"] < came_back["ping"] < came_back["end"]
    assert ends["1nAKEwlQzMbJL"] == Node(came_back).at("end").instant()
    assert ends["1gqGvZpAeDnKB"] == Node(raw["1gqGvZpAeDnKB"]).at("timedout").instant()
    assert access("accessVideoPublic.live_2019").broadcast.ended_at is None  # type: ignore[union-attr]


def test_a_time_out_without_its_instant_ended_with_its_last_sign_of_life() -> None:
    record = {"id": "99310452", "state": "TIMED_OUT", "start": "2015-06-14T03:59:01Z"}
    assert read_broadcast(Node(record)).ended_at == datetime(2015, 6, 14, 3, 59, 1, tzinfo=UTC)
    record["ping"] = "2015-06-14T04:10:41.330052771Z"
    assert read_broadcast(Node(record)).ended_at == datetime(2015, 6, 14, 4, 10, 41, 330052, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("NOT_STARTED", SpaceState.SCHEDULED),
        ("not_started", SpaceState.SCHEDULED),
        ("PUBLISHED", SpaceState.LIVE),
        ("running", SpaceState.LIVE),
        ("TIMED_OUT", SpaceState.TIMED_OUT),
        ("TimedOut", SpaceState.TIMED_OUT),
        ("Ended", SpaceState.ENDED),
        ("NOT_FOUND", SpaceState.UNKNOWN),
        ("", SpaceState.UNKNOWN),
    ],
)
def test_states_are_known_in_any_case_and_the_rest_is_kept_as_text(text: str, state: SpaceState) -> None:
    broadcast = read_broadcast(Node({"id": "99310452", "state": text}))
    assert (broadcast.state, broadcast.state_text) == (state, text)


@pytest.mark.parametrize("record", [None, [], {}, {"id": ""}, {"id": "../x"}, {"id": ["1"]}])
def test_a_record_without_an_id_is_no_broadcast(record: object) -> None:
    with pytest.raises(WireError):
        read_broadcast(Node(record))


def test_one_odd_record_does_not_cost_the_others() -> None:
    records = Node([None, {"id": "x/y"}, {"id": "99310452"}, 5, {"id": 1234567}])
    assert [one.id for one in read_broadcasts(records)] == ["99310452", "1234567"]


def test_numbers_of_viewers_are_read_from_lists() -> None:
    page = read_broadcasts(node("api/getUserBroadcastsPublic.2016.json").at("broadcasts"))
    raw = sample("api/getUserBroadcastsPublic.2016.json")["broadcasts"]
    assert [one.viewers_total for one in page] == [one.get("n_total_watched") for one in raw]
    assert read_broadcast(Node({"id": "99310452", "n_total_watching": 3, "n_web_watching": 1})).viewers == 3


def test_a_user_with_everything() -> None:
    user = read_user(node("api/getUserPublic.json").at("user"))

    assert (user.id, user.username, user.x_id, user.x_handle) == ("98104277", "mara_lind", "9128446301", "mara_lind")
    assert (user.followers, user.following, user.hearts) == (1842, 211, 73455)
    assert user.created_at == datetime(2015, 5, 2, 9, 14, 33, 348269, tzinfo=UTC)
    assert [url.rpartition("_")[2] for url in user.avatar_urls] == ["small.jpg", "200x200.jpg", "400x400.jpg"]
    shown = user.as_user()
    assert (shown.id, shown.periscope_id, shown.avatar_url) == ("9128446301", "98104277", user.avatar_urls[-1])
    assert read_user(node("api/getUserPublic.hash_id.json").at("user")).id == "1wXEgLpMdoAQe"


@pytest.mark.parametrize(
    ("degrees", "shown"),
    [(0, 0), (44, 0), (45, 90), (92, 90), (134.9, 90), (180, 180), (269, 270), (271, 270), (314.9, 270), (357, 0)],
)
def test_rotation_is_rounded_to_a_quarter_turn(degrees: float, shown: int) -> None:
    assert rounded_rotation(degrees) == shown


# ---------------------------------------------------------------- where the video is


def test_live_addresses_come_best_first_and_once() -> None:
    found = access("accessVideoPublic.live_2019")

    assert list(found.urls) == ["https_hls_url", "lhls_url", "lhlsweb_url"]
    stream = found.stream()
    assert stream is not None
    assert stream.url.endswith("dynamic_playlist.m3u8?type=live")
    assert stream.status_text == "StreamTypeWeb"
    assert stream.chat_token
    assert stream.share_url == "https://www.pscp.tv/w/1rmxPYOdkRvKN"
    assert stream.url not in repr(found)
    assert stream.chat_token not in repr(found)


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("replay_2016_cookies", "/playlist_1479572580148573152.m3u8"),
        ("replay_2019_master", ".m3u8?type=replay"),
        ("replay_2019_media", ".m3u8?type=replay"),
        ("partial_replay_running", ".m3u8?type=replay"),
    ],
)
def test_a_replay_goes_before_anything_live(name: str, ending: str) -> None:
    found = access(f"accessVideoPublic.{name}")
    assert next(iter(found.urls)) == "replay_url"
    assert (found.playlist_url or "").endswith(ending)


@pytest.mark.parametrize("name", ["not_started", "private_no_urls", "timed_out_no_replay"])
def test_a_success_may_have_no_address(name: str) -> None:
    found = access(f"accessVideoPublic.{name}")
    assert found.stream() is None
    assert found.broadcast is not None
    assert found.broadcast.is_private is (name == "private_no_urls")


def test_a_private_broadcast_is_encrypted() -> None:
    assert access("accessVideo.private_live_authenticated").is_encrypted
    assert not access("accessVideoPublic.live_2019").is_encrypted


def test_video_and_chat_in_one_answer_of_2015() -> None:
    found = access("accessChannel.2015")
    assert list(found.urls) == ["https_hls_url", "hls_url", "rtmp_url"]
    assert (found.playlist_url or "").startswith("https://")
    assert found.broadcast is not None
    assert found.broadcast.id == "99310452"


def test_an_rtmp_address_alone_is_no_playlist() -> None:
    found = read_access(Node({"rtmp_url": "rtmp://a.example/x", "hls_url": "", "replay_url": "file:///etc/passwd"}))
    assert list(found.urls) == ["rtmp_url"]
    assert found.stream() is None


def test_cookies_go_with_the_playlist_and_its_segments_and_nowhere_else() -> None:
    found = access("accessVideoPublic.replay_2016_cookies")
    playlist = found.playlist_url or ""
    folder = playlist.rpartition("/")[0]
    header = found.cookie_header(playlist)

    assert header is not None
    names = ["CloudFront-Policy", "CloudFront-Signature", "CloudFront-Key-Pair-Id"]
    assert [part.split("=")[0] for part in header.split("; ")] == names
    assert found.cookie_header(folder + "/chunk_7.ts") == header
    assert found.cookies[0].expires_at == datetime(2016, 11, 21, 18, 5, 12, 377594, tzinfo=UTC)
    assert header.split("=")[1][:40] not in repr(found)
    for elsewhere in (
        "https://replay.periscope.tv/other/chunk_7.ts",
        folder.replace("https:", "ftp:") + "/chunk_7.ts",
        folder.replace("replay.periscope.tv", "replay.periscope.tv.evil.example") + "/chunk_7.ts",
        folder.replace("replay.periscope.tv", "evilperiscope.tv") + "/chunk_7.ts",
        folder + "x/chunk_7.ts",
        "https://[::1/",
        "",
    ):
        assert found.cookie_header(elsewhere) is None


def test_a_cookie_that_would_be_a_header_of_its_own_is_left_out() -> None:
    cookies = [{"Name": "a", "Value": "x\r\ny: z"}, {"Name": "b c", "Value": "x"}, {"Name": "d", "Value": "x"}, None]
    assert [one.name for one in read_access(Node({"cookies": cookies})).cookies] == ["d"]


def test_the_stream_name_is_found_in_all_generations_of_addresses() -> None:
    for name in ("live_2019", "replay_2016_cookies", "replay_2019_media"):
        stream_name = read_stream_name(access(f"accessVideoPublic.{name}").playlist_url or "")
        assert stream_name is not None
        assert 86 <= len(stream_name) <= 88
    assert read_stream_name("https://cdn.example/a/b.m3u8") is None
    assert read_stream_name("https://[::1") is None


# ---------------------------------------------------------------- cards, viewers, thumbnails


def test_a_card_answers_with_an_address_instead_of_redirecting() -> None:
    (card,) = read_cards(node("api/_getBroadcastsCardsPublic.json"))
    assert card.broadcast.id == "1yoKbWqNLdRGX"
    assert (card.hls_url, card.participant_count) == (None, 613)
    assert (card.replay_url or "").endswith("replay_redirect=false")


def test_viewers_are_counted_and_named() -> None:
    found = read_viewers(node("api/getBroadcastViewers.json"))
    assert (found.live, [user.username for user in found.replay]) == ((), ["ines_okafor"])
    counts = (found.watched, found.web_watched, found.replay_watched, found.hearts, found.replay_hearts)
    assert counts == (402, 127, 61, 9210, 344)


def test_the_first_thumbnail_is_the_cover_and_times_have_no_holes() -> None:
    found = read_thumbnails(node("api/publicReplayThumbnailPlaylist.json"))
    chunks = sample("api/publicReplayThumbnailPlaylist.json")["chunks"]

    assert found.cover is not None
    assert found.cover.at_seconds is None
    assert found.cover.turn == 270
    times = [picture.at_seconds for picture in found.pictures]
    assert len(times) == len(chunks) - 1
    assert times[:4] == [0.0, 28.4, 56.8, 85.2]
    assert times == sorted(times)  # type: ignore[type-var]
    missing = [index for index, chunk in enumerate(chunks[1:]) if "time" not in chunk]
    assert missing[0] == 0
    assert all(times[index] == round(times[index - 1] + 28.4) for index in missing[1:])  # type: ignore[operator]


@pytest.mark.parametrize(
    ("times", "filled"),
    [
        ([], []),
        ([None], [0.0]),
        ([None, None], [0.0, 0.0]),
        ([None, 10.0, 20.0, None, 44.0], [0.0, 10.0, 20.0, 31.0, 44.0]),
        ([5.0, None], [5.0, 5.0]),
    ],
)
def test_missing_times_are_the_last_and_the_average_step(times: list[float | None], filled: list[float]) -> None:
    assert fill_in_times(times) == filled


def test_every_sample_of_an_access_call_is_covered() -> None:
    names = {path.stem for path in (SAMPLES / "api").glob("access*.json")} - {"accessVideoPublic.404"}
    for name in names:
        assert read_access(node(f"api/{name}.json")).broadcast is not None

"""The public API of Periscope: users, broadcasts, access in every state, history with tokens that expire, refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from hydrophone.sandbox.periscope.answers import NAMED
from hydrophone.testing import SandboxBox, sandbox
from hydrophone.testing.control import ControlRoomError
from sandbox.periscope_asking import Said, ask, call, page, sid, switch, tokens_of

MARA, OLD, LIVE, REPLAY = "98104277", "1yoKbWqNLdRGX", "1rmxPYOdkRvKN", "1OyKADwqjpeJb"
PRODUCER, PRIVATE, TIMED_OUT, GONE = "1BRJjzLkWVaJw", "1lPKqXeRMbGGm", "1YpKkaOEzVdxj", "1zqJVLdYpbaxB"
SCENES = ("2016", "came-back", "live", "replay", "producer", "private", "timed-out", "gone")


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox() as box:
        yield box


@pytest.fixture
def box(empty_box: SandboxBox) -> SandboxBox:
    empty_box.control.reset()
    for name in SCENES:
        empty_box.control.load(f"periscope-{name}")
    return empty_box


# ---------------------------------------------------------------- users


def test_a_user_is_found_by_id_and_by_name_in_any_case(box: SandboxBox) -> None:
    by_id = call(box, "getUserPublic", user_id=MARA)
    by_name = call(box, "getUserPublic", user_name="MARA_Lind", post=True)

    assert by_id.status == by_name.status == 200
    assert by_id.json == by_name.json
    user = by_id.json["user"]
    assert (user["id"], user["username"], user["class_name"]) == (MARA, "mara_lind", "User")
    assert [image["width"] for image in user["profile_image_urls"]] == [128, 200, 400]
    assert ask(user["profile_image_urls"][0]["ssl_url"]).headers["content-type"].startswith("image/")


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"user_id": "1wXEgLpMdoAQe"}, 200),
        ({"user_id": "424242"}, 404),
        ({"user_id": "george clinton"}, 400),
        ({"user_name": "nobody_at_all"}, 404),
        ({}, 400),
    ],
)
def test_users_that_do_not_exist_are_404_and_malformed_ids_400(
    box: SandboxBox, params: dict[str, str], status: int
) -> None:
    said = call(box, "getUserPublic", **params)

    assert said.status == status
    if status != 200:
        assert said.json["success"] is False


def test_in_2016_every_id_that_is_no_number_is_400(box: SandboxBox) -> None:
    switch(box, integer_user_ids=True)

    assert call(box, "getUserPublic", user_id="1wXEgLpMdoAQe").status == 400
    assert call(box, "getUserPublic", user_id=MARA).status == 200


def test_both_hosts_and_both_methods_answer_alike(box: SandboxBox) -> None:
    answers = [
        call(box, "getBroadcastPublic", broadcast_id=REPLAY, at=service, post=post).json["broadcast"]["id"]
        for service in ("periscope", "proxsee")
        for post in (False, True)
    ]

    assert answers == [REPLAY] * 4


def test_json_is_spelt_as_go_spells_it(box: SandboxBox) -> None:
    raw = call(box, "getBroadcastPublic", broadcast_id=OLD).body

    assert b"\\u0026 a very loud gull" in raw
    assert "⚓".encode() in raw
    assert b"&" not in raw


# ---------------------------------------------------------------- access


def test_a_replay_of_2016_comes_with_cookies_and_pacific_time(box: SandboxBox) -> None:
    said = call(box, "accessVideoPublic", broadcast_id=OLD).json

    assert list(said)[:3] == ["session", "replay_url", "cookies"]
    assert re.search(r"/playlist_14795\d{14}\.m3u8$", said["replay_url"])
    assert [cookie["Name"] for cookie in said["cookies"]] == [
        "CloudFront-Policy",
        "CloudFront-Signature",
        "CloudFront-Key-Pair-Id",
    ]
    assert len(said["cookies"][1]["Value"]) == 344
    record = said["broadcast"]
    assert record["start"].startswith("2016-11-19T07:41:09.627186")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}-08:00", record["end"])
    assert record["camera_rotation"] == 271
    assert "media_key" not in record


def test_a_running_broadcast_has_live_addresses_that_are_all_the_same_list(box: SandboxBox) -> None:
    said = call(box, "accessVideoPublic", broadcast_id=LIVE).json

    assert said["hls_url"] == said["https_hls_url"]
    assert said["type"] == "StreamTypeWeb"
    assert said["default_playback_buffer_length"] == 1
    assert "replay_url" not in said
    record = said["broadcast"]
    assert record["state"] == "RUNNING"
    assert "end" not in record
    assert record["ping"] > record["start"]
    assert re.fullmatch(r"28_\d+", record["media_key"])


def test_a_running_broadcast_has_a_partial_replay_for_those_who_ask(box: SandboxBox) -> None:
    said = call(
        box, "accessVideoPublic", broadcast_id=LIVE, latest_replay_playlist="true", replay_redirect="false"
    ).json

    assert said["broadcast"]["state"] == "RUNNING"
    assert said["type"] == "StreamTypeReplay"
    assert "hls_url" not in said
    assert "#EXT-X-ENDLIST" not in ask(said["replay_url"]).text


def test_the_first_seconds_of_a_broadcast_have_no_address(box: SandboxBox) -> None:
    box.control.load("periscope-live", started="-1s")

    said = call(box, "accessVideoPublic", broadcast_id=LIVE)

    assert said.status == 200
    assert said.json["broadcast"]["state"] == "RUNNING"
    assert not any(key.endswith("_url") and "share" not in key for key in said.json)
    box.control.advance(4)
    assert "hls_url" in call(box, "accessVideoPublic", broadcast_id=LIVE).json


def test_without_a_wish_the_replay_address_is_a_redirector(box: SandboxBox) -> None:
    redirector = call(box, "accessVideoPublic", broadcast_id=REPLAY).json["replay_url"]
    final = call(box, "accessVideoPublic", broadcast_id=REPLAY, replay_redirect="false").json["replay_url"]

    assert redirector.startswith(box.bases["periscope"])
    moved = ask(redirector)
    assert moved.status == 302
    assert moved.headers["location"] == final
    assert re.search(r"/playlist_\d{20}\.m3u8\?type=replay$", final)


def test_the_number_in_a_replay_is_its_end(box: SandboxBox) -> None:
    for broadcast in (OLD, REPLAY):
        said = call(box, "accessVideoPublic", broadcast_id=broadcast, replay_redirect="false").json
        number = int(re.findall(r"playlist_(\d+)", said["replay_url"])[0])
        end_ns = number if number < 2**63 else 2**64 - number
        scene = box.scene(broadcast)
        assert scene.ended_at is not None
        assert 0.2 <= end_ns / 1e9 - scene.ended_at.timestamp() <= 1.2


@pytest.mark.parametrize(
    ("broadcast", "state", "has_locked"), [(TIMED_OUT, "TIMED_OUT", False), (PRIVATE, "ENDED", True)]
)
def test_a_200_can_have_no_address_at_all(box: SandboxBox, broadcast: str, state: str, has_locked: bool) -> None:
    said = call(box, "accessVideoPublic", broadcast_id=broadcast, replay_redirect="false").json

    assert not {"replay_url", "hls_url"} & set(said)
    assert said["broadcast"]["state"] == state
    assert said["broadcast"]["is_locked"] is has_locked


def test_a_time_out_may_lack_its_ping_and_one_who_came_back_keeps_the_old_instant(box: SandboxBox) -> None:
    vanished = call(box, "getBroadcastPublic", broadcast_id=TIMED_OUT).json["broadcast"]
    back = call(box, "getBroadcastPublic", broadcast_id="1nAKEwlQzMbJL").json["broadcast"]

    assert "ping" not in vanished
    assert "end" not in vanished
    assert vanished["timedout"] > vanished["start"]
    assert back["state"] == "ENDED"
    assert back["start"] < back["timedout"] < back["ping"] < back["end"]


def test_one_that_has_not_started_has_no_address_and_no_start(box: SandboxBox) -> None:
    box.control.load("periscope-live", started="1h", id="1mnGeRwPNoqJX")

    said = call(box, "accessVideoPublic", broadcast_id="1mnGeRwPNoqJX").json

    assert said["broadcast"]["state"] == "NOT_STARTED"
    assert "start" not in said["broadcast"]
    assert "hls_url" not in said


def test_a_broadcast_that_only_x_knows_is_404_here(box: SandboxBox) -> None:
    assert call(box, "accessVideoPublic", broadcast_id=GONE).json == {"success": False, "msg": "Not Found"}
    assert box.scene(GONE).media_key


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_refusal_can_be_had_from_a_scene_and_from_a_fault(box: SandboxBox, name: str) -> None:
    box.control.load("periscope-replay", extra={"periscope": {"answer": name}})
    from_scene = call(box, "accessVideoPublic", broadcast_id=REPLAY)
    box.control.inject(kind="periscope-answer", service="periscope", path="getUserPublic", name=name, count=2)
    from_fault = [call(box, "getUserPublic", user_id=MARA) for _ in range(3)]

    assert (from_scene.status, from_scene.body) == (NAMED[name].status, NAMED[name].body)
    assert [said.body == NAMED[name].body for said in from_fault] == [True, True, False]


def test_cards_and_lists_leave_out_what_nobody_knows(box: SandboxBox) -> None:
    listed = call(box, "getBroadcastsPublic", broadcast_ids=f"{LIVE},nonsense,{OLD}").json
    cards = call(box, "_getBroadcastsCardsPublic", broadcast_ids=f"{LIVE},{OLD},nonsense").json["Broadcasts"]

    assert [record["id"] for record in listed] == [LIVE, OLD]
    assert listed[0]["n_total_watching"] == listed[0]["n_watching"] + listed[0]["n_web_watching"]
    assert cards[0]["video"]["hls_url"]
    assert not cards[0]["video"]["replay_url"]
    assert "replay_redirect=true" in cards[1]["video"]["replay_url"]
    assert ask(cards[1]["video"]["replay_url"]).status == 302


# ---------------------------------------------------------------- history and session tokens


def history(box: SandboxBox, token: str, **more: str) -> tuple[int, list[str], str | None]:
    said = call(box, "getUserBroadcastsPublic", user_id=MARA, session_id=token, **more)
    found = said.json if said.status == 200 else {}
    return said.status, [b["id"] for b in found.get("broadcasts", [])], found.get("cursor")


def test_the_history_is_newest_first_and_public_and_without_all_only_of_a_day(box: SandboxBox) -> None:
    token = tokens_of(page(box, "/mara_lind"))["broadcastHistory"]

    everything = history(box, token, all="true")
    assert everything == (200, [LIVE, REPLAY, TIMED_OUT, OLD, "1nAKEwlQzMbJL"], None)
    assert history(box, token)[1] == [LIVE, REPLAY]


def test_pages_of_the_history_are_joined_by_cursors(box: SandboxBox) -> None:
    switch(box, history_page_size=2)
    token = tokens_of(page(box, "/mara_lind"))["broadcastHistory"]
    seen, cursor = [], ""
    for _ in range(3):
        _, ids, cursor = history(box, token, all="true", cursor=cursor)  # type: ignore[assignment]
        seen.append(ids)

    assert [len(ids) for ids in seen] == [2, 2, 1]
    assert cursor == ""
    switch(box, history_cursor="circle")
    assert history(box, token, all="true", cursor="")[2]


def test_tokens_are_for_one_user_one_kind_and_an_hour(box: SandboxBox) -> None:
    own, other = tokens_of(page(box, f"/u/{MARA}")), tokens_of(page(box, "/harbour-radio"))

    assert history(box, own["broadcastHistory"], all="true")[0] == 200
    assert history(box, other["broadcastHistory"], all="true")[0] == 401
    assert history(box, own["thumbnailPlaylist"], all="true")[0] == 401
    box.control.advance(3599)
    assert history(box, own["broadcastHistory"], all="true")[0] == 200
    box.control.advance(2)
    assert history(box, own["broadcastHistory"], all="true")[0] == 401
    switch(box, stale_token="success_false")
    assert history(box, own["broadcastHistory"], all="true")[0] == 200
    assert history(box, own["broadcastHistory"], all="true")[1] == []


def test_thumbnails_begin_with_the_cover_and_lack_some_times(box: SandboxBox) -> None:
    for broadcast in (OLD, REPLAY):
        token = tokens_of(page(box, "/mara_lind"))["thumbnailPlaylist"]
        chunks = call(box, "publicReplayThumbnailPlaylist", broadcast_id=broadcast, session_id=token).json["chunks"]

        assert chunks[0]["chunk"] > chunks[1]["chunk"] == 0
        assert "time" not in chunks[0]
        assert "time" not in chunks[1]
        assert chunks[2]["time"] == 10.0
        assert len({chunk["rotation"] for chunk in chunks}) == 2
        picture = ask(chunks[2]["tn"])
        assert picture.status == 200
        assert picture.body[:2] == b"\xff\xd8"
        assert ask(re.sub(r"(Signature|token)=.{4}", r"\1=AAAA", chunks[2]["tn"])).status == 403


def test_the_live_thumbnail_and_the_cover_of_a_record_are_pictures(box: SandboxBox) -> None:
    for broadcast in (LIVE, REPLAY, OLD):
        record = call(box, "getBroadcastPublic", broadcast_id=broadcast).json["broadcast"]
        assert ask(record["image_url"]).body[:2] == b"\xff\xd8"
        assert ask(record["image_url_small"]).body[:2] == b"\xff\xd8"


def test_a_service_token_opens_the_channels(box: SandboxBox) -> None:
    token = tokens_of(page(box, "/mara_lind"))["serviceToken"]
    granted = call(box, "authorizeTokenPublic", service="channels", session_id=token).json["authorization_token"]
    base = box.bases["channels"]

    assert ask(f"{base}/v1/channels").status == 401
    top = ask(f"{base}/v1/top/channels/broadcasts?languages=en", Authorization=granted).json["ChannelBroadcasts"]
    channel = top[0]["Channel"]
    assert (channel["Slug"], channel["NLive"], channel["NReplay"]) == ("harbour-walks", 1, 1)
    assert int(channel["CID"]) >= 2**63
    assert channel["CreatedAt"] == "0001-01-01T00:00:00Z"
    one = ask(f"{base}/v1/channels/{channel['CID']}/broadcasts", Authorization=granted).json
    assert {row["BID"] for row in one["Broadcasts"]} == {LIVE, REPLAY}


def test_searching_and_feeds_give_bare_arrays(box: SandboxBox) -> None:
    live = call(box, "broadcastSearchPublic", post=True, search="walk", include_replay=False).json
    everything = call(box, "broadcastSearchPublic", post=True, search="walk", include_replay=True).json

    assert [record["id"] for record in live] == [LIVE]
    assert {record["id"] for record in everything} == {LIVE, OLD}
    assert "sort_score" in live[0]
    assert call(box, "_getRankedFeedPublic", languages="en").json == [LIVE]


def test_views_are_counted_only_for_those_who_ask_for_it(box: SandboxBox) -> None:
    token = call(box, "accessVideoPublic", broadcast_id=LIVE).json["life_cycle_token"]
    assert box.control.ask("GET", "/periscope/views") == {"count": 0}

    session = call(box, "startPublic", life_cycle_token=token).json["session"]
    assert call(box, "pingPublic", session=session).json == {"success": True}
    assert call(box, "startPublic", life_cycle_token="nonsense").status == 400
    assert box.control.ask("GET", "/periscope/views") == {"count": 1}


# ---------------------------------------------------------------- signed in


def test_signing_in_gives_a_cookie_that_names_its_owner(box: SandboxBox) -> None:
    said = call(box, "loginTwitter", post=True, session_key="k", session_secret="s", user_name="teo_varga").json

    assert said["user"]["id"] == "1kVQdRzGwaEXb"
    own = call(box, "user", post=True, cookie=said["cookie"], user_id=MARA).json["user"]
    assert own["is_following"] is False
    assert own["n_broadcasts"] == 7
    assert call(box, "loginTwitter", post=True).status == 401
    assert call(box, "user", post=True, cookie=said["cookie"][:-8] + "AAAAAAA=", user_id=MARA).status == 401
    switch(box, sessions="dead")
    assert call(box, "user", post=True, cookie=said["cookie"], user_id=MARA).status == 401


def test_members_see_lists_channels_and_people(box: SandboxBox) -> None:
    def ask_as(who: str, name: str, **params: object) -> Said:
        return call(box, name, post=True, cookie=sid(box, who), **params)

    assert PRIVATE in {b["id"] for b in ask_as("teo_varga", "userBroadcasts", user_id=MARA).json}
    assert PRIVATE not in {b["id"] for b in ask_as("ines_okafor", "userBroadcasts", username="mara_lind").json}
    assert ask_as("teo_varga", "userBroadcasts", user_id="1").json == []
    named = ask_as("teo_varga", "getBroadcasts", broadcast_ids=[LIVE, "nonsense"])
    assert [b["id"] for b in named.json] == [LIVE]
    channel = ask_as("teo_varga", "accessChannel", broadcast_id=LIVE).json
    assert {"hls_url", "access_token", "endpoint", "broadcast", "chan_perms"} <= set(channel)
    assert channel["read_only"] is False
    assert ask_as("teo_varga", "accessChannel", broadcast_id="nonsense").status == 404
    assert len(ask_as("teo_varga", "replayThumbnailPlaylist", broadcast_id=REPLAY).json["chunks"]) == 7
    assert [u["username"] for u in ask_as("teo_varga", "userSearch", search="gull").json] == ["quiet_gull"]
    assert ask_as("teo_varga", "userSearch", search="g").status == 400
    assert ask_as("teo_varga", "follow", user_id=MARA).json == {"success": True}
    assert ask_as("teo_varga", "follow", user_id="1").json == {"success": False, "msg": "Not Found"}
    assert ask_as("teo_varga", "broadcastMeta", broadcast_id=LIVE).json["broadcast"]["id"] == LIVE
    assert ask_as("teo_varga", "followers", user_id=MARA).json == []
    assert "." in ask_as("teo_varga", "authorizeToken", service="channels").json["authorization_token"]
    assert ask_as("teo_varga", "authorizeToken", service="else").status == 400
    assert [b["id"] for b in ask_as("teo_varga", "rankedBroadcastFeed", languages=["en"]).json] == [LIVE]


def test_feeds_and_watching_are_for_members(box: SandboxBox) -> None:
    token = call(box, "accessVideoPublic", broadcast_id=LIVE).json["life_cycle_token"]

    assert call(box, "liveBroadcastFeed", post=True).status == 401
    assert call(box, "startWatching", post=True, life_cycle_token=token).status == 401
    assert call(box, "startWatching", post=True, life_cycle_token=token, cookie=sid(box, "teo_varga")).json["session"]


def test_the_control_room_shows_a_record_as_it_stands(box: SandboxBox) -> None:
    shown = box.control.ask("GET", f"/periscope/broadcasts/{PRIVATE}")

    assert (shown["id"], shown["is_locked"]) == (PRIVATE, True)


def test_the_browsers_way_of_being_signed_in_works_too(box: SandboxBox) -> None:
    url, cookie = f"{box.bases['periscope']}/api/v2/accessVideo", f"sid={sid(box, 'teo_varga')}; uid=1kVQdRzGwaEXb"
    wanted = {"broadcast_id": PRIVATE}

    assert ask(url, "POST", wanted, Cookie=cookie, X_Periscope_Csrf="Periscope").status == 200
    assert ask(url, "POST", wanted, Cookie=cookie).status == 401


def test_multipart_bodies_are_read(box: SandboxBox) -> None:
    parts = {"cookie": sid(box, "mara_lind"), "broadcast_id": LIVE}
    body = "".join(f'--xx\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in parts.items())
    url = f"{box.bases['periscope']}/api/v2/getBroadcastViewers"

    said = ask(url, "POST", f"{body}--xx--\r\n".encode(), content_type="multipart/form-data; boundary=xx")

    assert said.status == 200
    assert said.json["n_watched"] == 803


def test_share_links_carry_the_real_envelope(box: SandboxBox) -> None:
    url = call(box, "getBroadcastShareURL", post=True, cookie=sid(box, "teo_varga"), broadcast_id=LIVE).json["url"]
    token = url.rpartition("/")[2]

    assert call(box, "getBroadcastIdForShareToken", token=token).json == {"broadcast_id": LIVE}
    assert call(box, "getBroadcastIdForShareToken", token=token[:-6]).status == 400
    assert page(box, f"/w/{token}").status == 200


def test_after_the_shutdown_every_call_is_404(box: SandboxBox) -> None:
    switch(box, closed="api")

    for name in ("accessVideoPublic", "getUserPublic", "hlsEncryptionKey", "nonsense"):
        assert call(box, name, broadcast_id=REPLAY, user_id=MARA).status == 404
    assert page(box, "/mara_lind").status == 200


def test_switches_and_facts_that_do_not_exist_are_refused(box: SandboxBox) -> None:
    with pytest.raises(ControlRoomError, match="no such switch: colour"):
        switch(box, colour="red")
    box.control.load("periscope-replay", extra={"periscope": {"colour": "red"}})
    assert b"colour" in call(box, "accessVideoPublic", broadcast_id=REPLAY).body


def test_the_ledger_saw_every_call_with_its_query(box: SandboxBox) -> None:
    call(box, "getUserPublic", user_id=MARA)

    seen = box.control.requests(service="periscope", containing="getUserPublic")

    assert seen[-1]["query"] == f"user_id={MARA}"
    assert "cookie" not in json.dumps(seen[-1]).lower()

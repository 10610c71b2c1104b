"""The CDN of an audio Space over real sockets: which file answers what, and when."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from hydrophone.sandbox.scene import Away, Quirks, Scene, SnapshotRule, Span
from hydrophone.testing import SandboxBox, sandbox
from sandbox.cdn_client import Seen, fetch, sibling, split_segment


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox() as box:
        yield box


@pytest.fixture
def box(empty_box: SandboxBox) -> SandboxBox:
    empty_box.control.reset()
    empty_box.control.pause()
    return empty_box


def load(box: SandboxBox, **fields: object) -> str:
    """A live Space with the given oddities, just begun; returns its live URL. The clock stands still."""
    made: dict[str, object] = {"seconds": 300, "since": 0.0, **fields}
    box.control.load(Scene.live("here", **made))  # type: ignore[arg-type]
    url = box.stream_url("here")
    assert url is not None
    return url


def go_to(box: SandboxBox, seconds: float) -> None:
    """Turn the clock to that many scene seconds after the first frame."""
    scene = box.scene("here")
    assert scene.started_at is not None
    box.control.advance_to(scene.started_at + timedelta(seconds=scene.audio_lead_seconds + seconds))


def sequences(seen: Seen) -> list[int]:
    return [int(re.findall(r"chunk_\d{19}_(\d+)_a\.aac", name)[0]) for name in seen.names]


def snapshot_url(box: SandboxBox, live_url: str) -> str:
    """The snapshot that the master names now, under the original base."""
    master = fetch(sibling(live_url, "master_playlist.m3u8"))
    assert master.status == 200
    return sibling(live_url, master.names[0].rpartition("/")[2])


# ---------------------------------------------------------------- which list when


def test_nothing_answers_before_publish(box: SandboxBox) -> None:
    box.control.load(Scene.live("here", since=-60.0))
    scene = box.scene("here")
    root = f"{box.bases['cdn']}/Transcoding/v1/hls/{scene.stream_key}/non_transcode/eu-central-1/bucket/audio-space/"

    assert box.stream_url("here") is None
    assert fetch(root + "dynamic_playlist.m3u8?type=live").status == 404
    assert fetch(root + "master_playlist.m3u8").status == 404


def test_live_window_grows_to_four_and_moves(box: SandboxBox) -> None:
    url = load(box)
    seen = []
    for seconds in (1, 3.1, 6.1, 9.1, 12.1, 15.1):
        go_to(box, seconds)
        seen.append(fetch(url))

    assert seen[0].status == 404
    assert [sequences(s) for s in seen[1:]] == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [1, 2, 3, 4]]
    assert all("#EXT-X-ENDLIST" not in s.text for s in seen)
    assert seen[5].header("content-type") == "application/x-mpegURL"
    assert seen[5].header("cache-control") == "max-age=1, s-maxage=1"


def test_every_row_of_the_table_after_the_end_with_replay(box: SandboxBox) -> None:
    url = load(box, seconds=60)
    go_to(box, 50)
    early = snapshot_url(box, url)
    segment = sibling(url, fetch(url).names[0])
    go_to(box, 63)  # ended, and the final list is not there yet

    assert fetch(url).status == 404
    final = snapshot_url(box, url)
    assert final != early
    assert fetch(final).status == 404
    assert fetch(early).status == 200
    assert fetch(segment).status == 200

    go_to(box, 63 + 31)
    assert fetch(url).status == 404
    assert sequences(fetch(final)) == list(range(20))
    assert fetch(final).text.endswith("#EXT-X-ENDLIST\n")
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in fetch(final).text
    replay = box.stream_url("here")
    assert replay == final + "?type=replay"
    assert all(name.endswith("?type=replay") for name in fetch(replay).names)
    assert fetch(segment).status == 200


def test_master_and_snapshot_stay_when_the_replay_is_off(box: SandboxBox) -> None:
    url = load(box, seconds=60, has_replay=False)
    go_to(box, 30 * 86_400)

    assert box.stream_url("here") is None
    final = snapshot_url(box, url)
    assert sequences(fetch(final)) == list(range(20))
    assert fetch(final + "?type=replay").status == 404


def test_snapshot_lags_and_its_number_tells_when_it_was_written(box: SandboxBox) -> None:
    url = load(box, snapshot=SnapshotRule(every=10, lag_seconds=5.0))
    go_to(box, 62)  # 20 segments are cut, the list of 20 comes at 65

    url_then = snapshot_url(box, url)
    assert sequences(fetch(url_then)) == list(range(10))
    assert "ENDLIST" not in fetch(url_then).text
    go_to(box, 66)
    url_now = snapshot_url(box, url)
    assert sequences(fetch(url_now)) == list(range(20))
    assert sequences(fetch(url_then)) == list(range(10))

    then, now = (2**64 - int(re.findall(r"playlist_(\d{20})", u)[0]) for u in (url_then, url_now))
    assert abs((now - then) / 1e9 - 30.0) < 0.1
    scene = box.scene("here")
    assert scene.started_at is not None
    assert abs(now / 1e9 - scene.started_at.timestamp() - 1.15 - 65.0) < 0.1


def test_snapshot_may_claim_an_end_while_it_is_live(box: SandboxBox) -> None:
    url = load(box, snapshot=SnapshotRule(has_endlist=True))
    go_to(box, 20)

    assert fetch(snapshot_url(box, url)).text.endswith("#EXT-X-ENDLIST\n")


def test_live_list_is_gone_while_the_host_is_away_and_media_does_not_advance(box: SandboxBox) -> None:
    url = load(box, aways=(Away(begin=30, seconds=40),))
    go_to(box, 32)
    assert sequences(fetch(url)) == [6, 7, 8, 9]
    go_to(box, 60)
    assert fetch(url).status == 404
    assert fetch(sibling(url, "master_playlist.m3u8")).status == 200
    go_to(box, 73.2)
    seen = fetch(url)
    assert sequences(seen) == [7, 8, 9, 10]
    dates = re.findall(r"DATE-TIME:.*T\d\d:(\d\d):(\d\d\.\d+)Z", seen.text)
    seconds = [int(m) * 60 + float(s) for m, s in dates]
    assert (seconds[3] - seconds[2]) % 3600 == pytest.approx(43, abs=0.1)

    truth = box.ledger("here")["segments"]
    assert truth[10]["position"] == pytest.approx(30.0, abs=0.03)  # positions know nothing of the absence


# ---------------------------------------------------------------- segments


def test_segments_stay_after_they_left_the_window_and_their_frames_are_the_truth(box: SandboxBox) -> None:
    url = load(box)
    go_to(box, 12.1)
    names = fetch(url).names
    go_to(box, 250)

    for name, row in zip(names, box.ledger("here")["segments"], strict=False):
        seen = fetch(sibling(url, name))
        frames, _, rest = split_segment(seen.body)
        assert seen.header("content-type") == "audio/aac"
        assert rest == 0
        assert len(frames) == row["frames"]
        assert hashlib.sha256(b"".join(frames)).hexdigest() == row["payload_sha256"]


def test_segments_under_the_transcode_base_answer_400(box: SandboxBox) -> None:
    url = load(box)
    go_to(box, 20)
    variant = box.bases["cdn"] + fetch(sibling(url, "master_playlist.m3u8")).names[0]
    listed = fetch(variant)

    assert listed.status == 200
    assert fetch(sibling(variant, listed.names[0])).status == 400
    assert fetch(sibling(url, listed.names[0])).status == 200


def test_a_segment_that_was_never_cut_answers_404(box: SandboxBox) -> None:
    url = load(box)
    go_to(box, 20)
    name = fetch(url).names[0].partition("?")[0]

    assert fetch(sibling(url, name.replace("chunk_1", "chunk_2"))).status == 404
    assert fetch(sibling(url, "chunk_x.aac")).status == 404
    future = box.scene("here")
    assert future is not None
    assert fetch(sibling(url, "dynamic_highlatency.m3u8")).status == 404


def test_foreign_origin_and_malformed_key_are_refused(box: SandboxBox) -> None:
    url = load(box)
    go_to(box, 20)
    scene = box.scene("here")

    assert fetch(url, Origin="https://elsewhere.example").status == 403
    assert fetch(url, Origin="https://x.com").status == 200
    assert fetch(url.replace(scene.stream_key, "short")).status == 403
    assert fetch(url.replace(scene.stream_key, "A" * 86)).status == 404


def test_playlists_are_packed_for_those_who_ask_and_segments_never(box: SandboxBox) -> None:
    url = load(box)
    go_to(box, 20)
    packed = fetch(url, **{"Accept-Encoding": "gzip"})

    assert packed.header("content-encoding") == "gzip"
    assert gzip.decompress(packed.body) == fetch(url).body
    segment = fetch(sibling(url, fetch(url).names[0]), **{"Accept-Encoding": "gzip"})
    assert segment.header("content-encoding") == ""


# ---------------------------------------------------------------- oddities


def test_hole_is_404_for_ever_and_absent_from_the_snapshot(box: SandboxBox) -> None:
    url = load(box, seconds=60, quirks=Quirks(holes=(5,)))
    go_to(box, 18.5)
    listed = fetch(url)
    assert sequences(listed) == [2, 3, 4, 5]
    assert [fetch(sibling(url, name)).status for name in listed.names] == [200, 200, 200, 404]
    go_to(box, 600)
    assert sequences(fetch(snapshot_url(box, url))) == [n for n in range(20) if n != 5]
    truth = box.ledger("here")
    assert [row["place"] for row in truth["segments"] if not row["is_available"]] == [5]
    assert truth["frames"] == sum(row["frames"] for row in truth["segments"]) - truth["segments"][5]["frames"]


def test_late_segment_is_listed_before_it_can_be_fetched(box: SandboxBox) -> None:
    url = load(box, quirks=Quirks(late={3: 10.0}))
    go_to(box, 12.1)
    late = sibling(url, fetch(url).names[3])
    assert fetch(late).status == 404
    go_to(box, 22.1)
    assert fetch(late).status == 200


def test_last_segment_can_appear_in_the_final_list_alone(box: SandboxBox) -> None:
    url = load(box, seconds=30, quirks=Quirks(last_only_in_final=True))
    go_to(box, 31)
    assert sequences(fetch(url)) == [5, 6, 7, 8]
    go_to(box, 70)
    assert sequences(fetch(snapshot_url(box, url))) == list(range(9))
    go_to(box, 130)
    assert sequences(fetch(snapshot_url(box, url))) == list(range(10))


def test_stale_edge_alternates_with_a_fresh_one(box: SandboxBox) -> None:
    url = load(box, quirks=Quirks(stale=(Span(begin=0, end=100, by=2),)))
    go_to(box, 31)

    assert {tuple(sequences(fetch(url))) for _ in range(4)} == {(6, 7, 8, 9), (4, 5, 6, 7)}


def test_list_can_freeze_vanish_claim_an_end_and_jump(box: SandboxBox) -> None:
    quirks = Quirks(
        frozen=(Span(begin=20, end=40),),
        dark=(Span(begin=50, end=60),),
        false_endlist=(Span(begin=70, end=80),),
        hidden=tuple(range(30, 34)),
        duplicates=(25,),
    )
    url = load(box, quirks=quirks)
    go_to(box, 35)
    assert sequences(fetch(url)) == [2, 3, 4, 5]
    go_to(box, 55)
    assert fetch(url).status == 404
    go_to(box, 75)
    assert fetch(url).text.endswith("#EXT-X-ENDLIST\n")
    go_to(box, 80)
    assert sequences(fetch(url)) == [22, 23, 24, 25, 25]
    go_to(box, 100)
    assert sequences(fetch(url)) == [26, 27, 28, 29]
    go_to(box, 106)
    assert sequences(fetch(url)) == [34]


def test_numbering_can_begin_again_with_newer_names(box: SandboxBox) -> None:
    url = load(box, quirks=Quirks(restarts=(10,), discontinuities=(10,)))
    go_to(box, 30.5)
    before = fetch(url)
    go_to(box, 37)
    after = fetch(url)

    assert sequences(before) == [6, 7, 8, 9]
    assert sequences(after) == [0, 1]
    assert "#EXT-X-DISCONTINUITY\n" in after.text
    assert int(after.names[0].split("_")[1]) > int(before.names[-1].split("_")[1])
    assert fetch(sibling(url, after.names[0])).body != fetch(sibling(url, before.names[0])).body
    assert [row["epoch"] for row in box.ledger("here")["segments"]][9:11] == [0, 1]


def test_replay_can_be_shorter_and_late(box: SandboxBox) -> None:
    url = load(box, seconds=60, replay_segments=12, replay_lag_seconds=120.0)
    go_to(box, 120)
    assert box.stream_url("here") is None
    assert sequences(fetch(snapshot_url(box, url))) == list(range(20))
    go_to(box, 200)
    replay = box.stream_url("here")
    assert replay is not None
    assert sequences(fetch(replay)) == list(range(12))


def test_seed_example_is_served_verbatim(box: SandboxBox) -> None:
    box.control.load("seed")
    url = box.stream_url("seed")
    assert url is not None
    assert url.endswith(
        "/Transcoding/v1/hls/xxx/non_transcode/us-east-1/periscope-replay-direct-prod-us-east-1-public/"
        "audio-space/playlist_xxx.m3u8?type=replay"
    )
    master = fetch(url)
    assert master.names == ["chunk_playlist_64k.m3u8", "chunk_playlist_128k.m3u8"]
    variant = fetch(sibling(url, master.names[1]))
    assert variant.names == ["chunk_00001.aac", "chunk_00002.aac", "chunk_00003.aac"]
    counts = [len(split_segment(fetch(sibling(url, name)).body)[0]) for name in variant.names]
    assert counts == [281, 281, 211]


def test_ledger_knows_what_was_listed_where_and_who_asked(box: SandboxBox) -> None:
    url = load(box)
    go_to(box, 14)
    fetch(url, Cookie="should-never-be-here")
    fetch(snapshot_url(box, url))

    segments = box.ledger("here", with_digests=False)["segments"]
    assert [sorted(row["listed"]) for row in segments] == [["live", "snapshot"], ["live"], ["live"], ["live"]]
    asked = box.control.requests(service="cdn")
    assert ["Cookie", "should-never-be-here"] in asked[0]["headers"]
    assert [row["status"] for row in asked] == [200, 200, 200]
    assert asked[0]["sent_bytes"] > 600

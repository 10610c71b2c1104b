"""Every fault as a raw client sees it on the socket."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Iterator

import pytest

from hydrophone.sandbox.fault_effects import EFFECTS, JUNK
from hydrophone.sandbox.scene import Scene
from hydrophone.testing import SandboxBox, sandbox
from hydrophone.testing.control import ControlRoomError
from sandbox.cdn_client import Seen, fetch, sibling, split_segment


@pytest.fixture(scope="module")
def loaded_box() -> Iterator[SandboxBox]:
    with sandbox(Scene.ended("here", seconds=60)) as box:
        yield box


@pytest.fixture
def box(loaded_box: SandboxBox) -> SandboxBox:
    loaded_box.control.clear_faults()
    return loaded_box


@pytest.fixture(scope="module")
def urls(loaded_box: SandboxBox) -> list[str]:
    """The segments, in order."""
    replay = loaded_box.stream_url("here")
    assert replay is not None
    return [sibling(replay, name) for name in fetch(replay).names]


@pytest.fixture(scope="module")
def whole(loaded_box: SandboxBox, urls: list[str]) -> bytes:
    """Segment 3, unharmed."""
    loaded_box.control.clear_faults()
    return fetch(urls[3]).body


def struck(box: SandboxBox, url: str, *, silence: float = 10.0, **fault: object) -> Seen:
    box.control.inject(fault)
    return fetch(url, silence=silence)


def test_every_effect_is_shown_in_this_file() -> None:
    with open(__file__) as own:
        text = own.read()

    elsewhere = {"answer", "periscope-answer", "api2-answer"}  # the errors of the API sides

    assert [kind for kind in EFFECTS if f'kind="{kind}"' not in text and kind not in elsewhere] == []


# ---------------------------------------------------------------- which request is struck


def test_count_and_skip_say_how_often(box: SandboxBox, urls: list[str]) -> None:
    box.control.inject(kind="status", status=503, path="chunk_", skip=1, count=2)

    assert [fetch(url).status for url in urls[:5]] == [200, 503, 503, 200, 200]
    assert box.control.faults()[0]["struck"] == 2


def test_count_can_hold_for_each_path(box: SandboxBox, urls: list[str]) -> None:
    box.control.inject(kind="status", status=502, path="chunk_", count=1, per="path")

    assert [fetch(url).status for url in (urls[0], urls[0], urls[1], urls[1])] == [502, 200, 502, 200]


def test_segments_are_picked_by_number(box: SandboxBox, urls: list[str]) -> None:
    box.control.inject(kind="status", status=500, segments=[2, [5, 6]])

    assert [n for n, url in enumerate(urls[:9]) if fetch(url).status == 500] == [2, 5, 6]


def test_a_window_of_scene_time_opens_and_closes(box: SandboxBox, urls: list[str]) -> None:
    box.control.inject(kind="status", status=503, begin=100, end=200)
    seen = []
    for _ in range(3):
        seen.append(fetch(urls[0]).status)
        box.control.advance(110)

    assert seen == [200, 503, 200]


def test_probability_follows_its_seed(box: SandboxBox, urls: list[str]) -> None:
    rounds = []
    for _ in range(2):
        box.control.clear_faults()
        box.control.inject(kind="status", status=503, probability=0.5, seed=11)
        rounds.append([fetch(url).status for url in urls[:16]])

    assert rounds[0] == rounds[1]
    assert set(rounds[0]) == {200, 503}


def test_a_fault_can_be_kept_to_one_scene_and_taken_away(box: SandboxBox, urls: list[str]) -> None:
    box.control.load(Scene.ended("other", seconds=9))
    other = box.stream_url("other")
    assert other is not None
    fault = box.control.inject(kind="status", status=503, space=box.scene("other").id)

    assert (fetch(urls[0]).status, fetch(other).status) == (200, 503)
    box.control.remove_fault(fault)
    assert fetch(other).status == 200


def test_a_scene_brings_its_own_faults(box: SandboxBox) -> None:
    upset = {"kind": "status", "status": 503, "path": "playlist", "begin": -10_000, "end": 10_000, "count": 1}
    box.control.load(Scene.ended("upset", seconds=9, upsets=(upset,)))
    url = box.stream_url("upset")
    assert url is not None

    assert [fetch(url).status for _ in range(2)] == [503, 200]


def test_unknown_faults_are_refused_with_the_names_of_the_known(box: SandboxBox) -> None:
    with pytest.raises(ControlRoomError, match="reset-mid"):
        box.control.inject(kind="nonsense")


def test_ledger_names_the_fault_that_struck(box: SandboxBox, urls: list[str]) -> None:
    fault = box.control.inject(kind="status", status=503, count=1)
    before = len(box.control.requests())
    fetch(urls[0])

    note = box.control.requests()[before]
    assert (note["status"], note["faults"]) == (503, [fault])


# ---------------------------------------------------------------- what it does


def test_status_with_headers_and_body(box: SandboxBox, urls: list[str]) -> None:
    seen = struck(box, urls[3], kind="status", status=429, headers={"retry-after": "7"}, body="slow down")

    assert (seen.status, seen.header("retry-after"), seen.text) == (429, "7", "slow down")


def test_connections_can_be_torn_before_and_within_an_answer(box: SandboxBox, urls: list[str], whole: bytes) -> None:
    assert struck(box, urls[3], kind="reset", count=1).is_reset
    assert struck(box, urls[3], kind="refuse", count=1).is_reset
    seen = struck(box, urls[3], kind="reset-mid", fraction=0.5, count=1)
    assert seen.is_reset
    assert seen.body == whole[: len(whole) // 2]


def test_short_bodies_with_matching_wrong_and_no_length(box: SandboxBox, urls: list[str], whole: bytes) -> None:
    for how, told in (("matching", "5000"), ("wrong", str(len(whole))), ("none", "")):
        seen = struck(box, urls[3], kind="short", length=how, bytes=5000, count=1)
        assert (seen.status, seen.header("content-length"), seen.body) == (200, told, whole[:5000])
        assert not seen.is_open


def test_truncated_gzip(box: SandboxBox, urls: list[str], whole: bytes) -> None:
    seen = struck(box, urls[3], kind="truncated-gzip")

    assert seen.header("content-encoding") == "gzip"
    with pytest.raises(EOFError):
        gzip.decompress(seen.body)
    part = zlib.decompressobj(31).decompress(seen.body)
    assert whole.startswith(part[:1000])


def test_chunks_without_an_end(box: SandboxBox, urls: list[str], whole: bytes) -> None:
    seen = struck(box, urls[3], kind="endless-chunks", seconds=30, silence=1.0)

    assert seen.header("transfer-encoding") == "chunked"
    assert seen.is_open
    assert whole in seen.body
    assert not seen.body.endswith(b"0\r\n\r\n")


def test_slow_drip_and_stalls(box: SandboxBox, urls: list[str], whole: bytes) -> None:
    began = time.monotonic()
    dripped = struck(box, urls[3], kind="drip", bytes_per_second=100_000, count=1)
    assert dripped.body == whole
    assert time.monotonic() - began > len(whole) / 100_000 * 0.8
    assert struck(box, urls[3], kind="stall-headers", seconds=30, count=1, silence=0.3).head == b""
    stalled = struck(box, urls[3], kind="stall", fraction=0.25, seconds=30, count=1, silence=1.0)
    assert (stalled.is_open, stalled.body) == (True, whole[: len(whole) // 4])
    assert struck(box, urls[3], kind="stall", seconds=0.1, resume=True, count=1).body == whole
    assert struck(box, urls[3], kind="delay", seconds=0.1, count=1).body == whole


def test_other_bodies_with_status_200(box: SandboxBox, urls: list[str]) -> None:
    html = struck(box, urls[3], kind="html", count=1)
    assert (html.status, html.header("content-type"), html.body[:9]) == (200, "text/html", b"<!doctype")
    assert struck(box, urls[3], kind="json", count=1).body.startswith(b'{"errors"')
    empty = struck(box, urls[3], kind="empty", count=1)
    assert (empty.status, empty.header("content-type"), empty.body) == (200, "audio/aac", b"")
    replaced = struck(box, urls[3], kind="replace", hex="00ff", type="audio/aac", count=1)
    assert (replaced.status, replaced.body) == (200, b"\x00\xff")


def test_bytes_before_around_and_inside_a_segment(box: SandboxBox, urls: list[str], whole: bytes) -> None:
    assert struck(box, urls[3], kind="junk", count=1).body == JUNK + whole
    only = struck(box, urls[3], kind="id3-only", count=1).body
    assert split_segment(only)[0] == []
    assert only == whole[:73]
    garbled = struck(box, urls[3], kind="garble", count=1).body
    assert len(garbled) == len(whole)
    assert garbled != whole


def test_headers_can_lie(box: SandboxBox, urls: list[str], whole: bytes) -> None:
    seen = struck(box, urls[3], kind="wrong-type", type="video/mp4", count=1)
    assert (seen.header("content-type"), seen.body) == ("video/mp4", whole)
    more = struck(box, urls[3], kind="headers", headers={"set-cookie": "a=b"}, count=1)
    assert more.header("set-cookie") == "a=b"


def test_redirects_of_every_kind(box: SandboxBox, urls: list[str], whole: bytes) -> None:
    box.control.inject(kind="redirect", to="inside")
    moved = fetch(urls[3])
    assert moved.status == 302
    assert fetch(box.bases["cdn"] + moved.header("location")).body == whole

    box.control.clear_faults()
    box.control.inject(kind="redirect", to="hops", hops=21)
    url, hops = urls[3], 0
    while (seen := fetch(url)).status == 302:
        url, hops = box.bases["cdn"] + seen.header("location"), hops + 1
    assert (hops, seen.body) == (21, whole)

    box.control.clear_faults()
    box.control.inject(kind="redirect", to="loop", count=1)
    assert urls[3].endswith(fetch(urls[3]).header("location"))
    box.control.inject(kind="redirect", to="foreign", count=1)
    assert fetch(urls[3]).header("location").startswith("http://foreign.invalid/")
    box.control.inject(kind="redirect", to="http", count=1)
    assert fetch(urls[3]).header("location").startswith("http://127.0.0.1")
    box.control.inject(kind="redirect", to="http://10.0.0.1{path}", count=1)
    assert fetch(urls[3]).header("location").startswith("http://10.0.0.1/Transcoding")


def test_too_much_of_everything(box: SandboxBox, urls: list[str]) -> None:
    box.control.inject(kind="giant", bytes=10 << 30, count=1)
    giant = fetch(urls[3], limit=3_000_000)
    assert giant.header("content-length") == str(10 << 30)
    assert len(giant.body) > 2_000_000
    box.control.inject(kind="gzip-bomb", bytes=64 << 20, count=1)
    bomb = fetch(urls[3], silence=20)
    assert len(bomb.body) < 100_000
    assert len(gzip.decompress(bomb.body)) == 64 << 20
    box.control.inject(kind="endless-headers", count=1)
    assert b"\r\n\r\n" not in fetch(urls[3], limit=500_000).head


def test_nothing_else_suffers_while_one_answer_is_stalled(box: SandboxBox, urls: list[str], whole: bytes) -> None:
    box.control.inject(kind="stall-headers", segments=[5], seconds=30)
    assert fetch(urls[5], silence=0.2).is_open
    assert fetch(urls[3]).body == whole


def is_refused(url: str) -> bool:
    try:
        fetch(url, silence=0.2)
    except ConnectionRefusedError:
        return True
    return False


def test_connections_are_refused_for_an_interval(box: SandboxBox, urls: list[str], whole: bytes) -> None:
    fault = box.control.inject(kind="refuse")
    deadline = time.monotonic() + 10
    while not is_refused(urls[3]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_refused(urls[3])
    box.control.remove_fault(fault)
    while is_refused(urls[3]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert fetch(urls[3]).body == whole


def test_junk_between_frames_stands_before_a_tag(box: SandboxBox, urls: list[str], whole: bytes) -> None:
    seen = struck(box, urls[3], kind="junk", where="between", count=1).body

    at = seen.index(JUNK)
    assert seen[:at] + seen[at + len(JUNK) :] == whole
    assert seen[at + len(JUNK) :].startswith(b"ID3")


def test_playlists_can_be_edited_on_the_way_out(box: SandboxBox) -> None:
    url = box.stream_url("here")
    assert url is not None
    plain = fetch(url).body

    def edited(**how: object) -> bytes:
        return struck(box, url, kind="edit", count=1, **how).body

    assert edited(bom=True) == b"\xef\xbb\xbf" + plain
    assert edited(latin=True).startswith(plain)
    assert b"\r\n\r\n#EXTINF" in edited(crlf=True)
    assert b"\n\0\n" in edited(nul=True)
    assert edited(sub=[["EXTINF:[0-9.]+,", "EXTINF:nan"]]).count(b"EXTINF:nan\n") == 20
    assert edited(find="#EXT-X-ENDLIST\n") == plain.replace(b"#EXT-X-ENDLIST\n", b"")
    assert edited(append="#EXTINF:3.008,\nfile:///etc/passwd\n").endswith(b"file:///etc/passwd\n")
    assert edited(prepend="<html>\n").startswith(b"<html>")
    assert edited(entries=1000).count(b"EXTINF") == 1020
    assert max(map(len, edited(line_bytes=1 << 20).splitlines())) == (1 << 20) + 1

"""Playlists on their way into the plan."""

from __future__ import annotations

import pytest

import virtual_time
from hydrophone.hls import MediaPlaylist
from hydrophone.http import Reply, Request
from hydrophone.model import GapCause, MediaKind
from hydrophone.recorder.listing import Absent, Listed, unsealed_url
from recorder.stage import FOLDER, LIVE_URL, Space, Stage, lost_connection, media_list, name_of, said

VIDEO = f"{FOLDER}tw_master_dynamic_highlatency.m3u8?type=live"
CHOICE = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=350000\n{}\n"


def asked(url: str, *answers: object, kind: MediaKind = MediaKind.AUDIO) -> tuple[MediaPlaylist | Absent, Stage]:
    async def main() -> tuple[MediaPlaylist | Absent, Stage]:
        stage = Stage(Space(100, answers=list(answers)), kind=kind)  # type: ignore[arg-type]
        stage.space.began -= 100
        return await stage.listing.media_playlist(url), stage

    return virtual_time.run(main())


def test_a_list_is_found_behind_a_choice() -> None:
    master = LIVE_URL.replace("dynamic_playlist.m3u8?type=live", "master_playlist.m3u8")
    found, stage = asked(master)

    assert isinstance(found, MediaPlaylist)
    assert [name.partition("_")[0] for _, name in stage.space.asked] == ["master", "playlist"]


def test_the_snapshot_is_asked_for_where_its_segments_can_be_fetched() -> None:
    token = ".".join(["e" * 40] * 3)
    path = LIVE_URL.partition("pscp.tv")[2].replace("non_transcode", "transcode").replace("bucket/", f"bucket/{token}/")
    variant = path.replace("dynamic_playlist.m3u8?type=live", "playlist_16674179582591148845.m3u8")
    found, _ = asked(
        LIVE_URL, lambda request, now: said(200, CHOICE.format(variant)) if "dynamic" in request.target else None
    )

    assert isinstance(found, MediaPlaylist)
    assert "/non_transcode/" in found.url
    assert token not in found.url


@pytest.mark.parametrize(
    "answer",
    [
        lambda request, now: said(200, CHOICE.format("dynamic_playlist.m3u8?type=live")),
        lambda request, now: said(200, CHOICE.format("other.m3u8")),
        lambda request, now: said(200, CHOICE.format(f"m{now}.m3u8")),
        lambda request, now: said(200, CHOICE.format("https://elsewhere.example/x.m3u8")),
        lambda request, now: said(200, CHOICE.format("http://127.0.0.1/x.m3u8")),
        lambda request, now: said(200, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n"),
        lambda request, now: said(200, "<html>no</html>"),
        lambda request, now: said(200, ""),
        lambda request, now: said(503, "#EXTM3U\n"),
        lost_connection,
    ],
    ids=["itself", "circle", "ever deeper", "foreign", "private", "no choice", "page", "empty", "503", "lost"],
)
def test_where_there_is_no_list_it_says_so_and_stops(answer: object) -> None:
    found, stage = asked(LIVE_URL, answer)

    assert isinstance(found, Absent)
    assert found.text
    assert len(stage.space.asked) <= 3


def test_the_unencrypted_list_is_preferred() -> None:
    def sealed_and_plain(request: Request, now: float) -> Reply | None:
        name = request.target.rpartition("/")[2]
        if "master" in name:
            return said(200, CHOICE.format("tw_v.m3u8" if name.startswith("tw_") else "v.m3u8"))
        return said(200, media_list(range(4)))

    _, stage = asked(VIDEO, sealed_and_plain, kind=MediaKind.VIDEO)

    assert [name for _, name in stage.space.asked] == [VIDEO.rpartition("/tw_")[2], "v.m3u8"]


def test_where_it_is_absent_the_encrypted_one_is_taken() -> None:
    def sealed_only(request: Request, now: float) -> Reply | None:
        name = request.target.rpartition("/")[2]
        if not name.startswith("tw_"):
            return said(404)
        return said(200, CHOICE.format("tw_v.m3u8") if "master" in name else media_list(range(4)))

    found, _ = asked(VIDEO, sealed_only, kind=MediaKind.VIDEO)

    assert isinstance(found, MediaPlaylist)


def test_only_addresses_of_encrypted_lists_have_an_unencrypted_one() -> None:
    assert unsealed_url(VIDEO) == VIDEO.replace("/tw_", "/")
    assert unsealed_url(LIVE_URL) is None
    assert unsealed_url("https://elsewhere.example/tw_master.m3u8") is None


def absorbed(text: str) -> tuple[Listed, Stage]:
    async def main() -> tuple[Listed, Stage]:
        stage = Stage(Space(100, answers=[lambda request, now: said(200, text)]))
        found = await stage.listing.from_playlist(LIVE_URL)
        assert isinstance(found, Listed)
        return found, stage

    return virtual_time.run(main())


def test_what_a_list_names_is_known_and_journaled() -> None:
    found, stage = absorbed(media_list(range(10), is_ended=True))

    assert (found.entries, found.new, found.is_ended) == (10, 10, True)
    assert stage.plan.expected == stage.plan.queued == 10
    assert stage.shelf.noted("known") == [{"epoch": 0, "first": 0, "last": 9}]


def test_a_hole_in_a_list_is_known_by_the_names() -> None:
    _, stage = absorbed(media_list([0, 1, 2, 4, 5]))

    assert stage.plan.unlisted == 1
    assert stage.plan.loss(0, 3).cause is GapCause.NEVER_LISTED


def test_an_entry_that_leads_elsewhere_is_a_gap_and_the_rest_is_kept() -> None:
    text = media_list(range(5)).replace(name_of(2), f"http://169.254.169.254/{name_of(2)}")
    found, stage = absorbed(text)

    assert found.entries == 4
    assert stage.plan.loss(0, 2).cause is GapCause.REFUSED


def test_a_restart_of_the_numbering_is_journaled() -> None:
    text = media_list(range(10)) + "".join(f"#EXTINF:3.008,\n{name_of(n, 600.0)}\n" for n in range(5))
    _, stage = absorbed(text)

    assert stage.plan.epochs == [0, 1]
    assert stage.plan.expected == 15
    assert [note["epoch"] for note in stage.shelf.noted("epoch")] == [1]

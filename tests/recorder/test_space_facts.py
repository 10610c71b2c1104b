"""What `space.json` takes over from the service's own record."""

from __future__ import annotations

from hydrophone.recorder.finishing import without_stream_addresses

KEY = "q7-" + "Ab3_xYz9" * 10 + "wq0"


def test_raw_record_keeps_everything_but_the_keys_of_streams() -> None:
    picture = f"https://prod-fastly-eu-central-1.video.pscp.tv/Transcoding/v1/live_thumbnail/eu-central-1/{KEY}/800x450"
    record = {
        "title": "Tides",
        "pictures": [picture + "?digest=" + KEY, f"http://127.0.0.1:8080/Transcoding/v1/hls/{KEY}/x.m3u8"],
        "avatar": "https://pbs.twimg.com/profile_images/1705000000000000015/a_normal.jpg?name=orig",
        "nested": {"count": 3, "nothing": None, "thumb": f"https://tn.periscope.tv/{KEY}/200x200.jpg"},
    }

    kept = without_stream_addresses(record)

    assert KEY not in repr(kept)
    assert kept["title"] == "Tides"
    assert kept["avatar"] == record["avatar"]
    assert kept["nested"]["count"] == 3
    assert kept["nested"]["nothing"] is None
    assert kept["pictures"][0].startswith(
        "https://prod-fastly-eu-central-1.video.pscp.tv/Transcoding/v1/live_thumbnail/"
    )

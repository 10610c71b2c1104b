"""Where a broadcast may go: what is typed, what a service names, what is shown, and the consent."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.broadcasting.targets import (
    check_consent,
    ingest_target,
    load_targets,
    parse_target,
    unique_labels,
)
from hydrophone.errors import HydrophoneError, SettingsError, UnsafeAddressError

KEY = "s3cret-stream-key"


@pytest.mark.parametrize(
    ("url", "label", "is_local"),
    [
        (f"rtmp://127.0.0.1/live/{KEY}", "rtmp://127.0.0.1/live/…", True),
        (f"rtmp://127.0.0.1:1936/live/{KEY}", "rtmp://127.0.0.1:1936/live/…", True),
        (f"rtmp://localhost/live/{KEY}", "rtmp://localhost/live/…", True),
        (f"rtmp://[::1]:1935/live/{KEY}", "rtmp://[::1]/live/…", True),
        (f"rtmps://Ingest.Example:443/x/{KEY}", "rtmps://ingest.example/x/…", False),
        (f"rtmp://mira:pass@live.example/app/{KEY}", "rtmp://live.example/app/…", False),
        (f"rtmp://live.example/liveorigin?t={KEY}/stream", "rtmp://live.example/liveorigin/…", False),
        (f"rtmp://live.example/{KEY}", "rtmp://live.example/…", False),
        (f"rtmp://192.168.1.5/live/a/{KEY}", "rtmp://192.168.1.5/live/…", False),
        (f"rtmp://2130706433/live/{KEY}", "rtmp://2130706433/live/…", True),
        (f"rtmp://localhost.example/live/{KEY}", "rtmp://localhost.example/live/…", False),
    ],
)
def test_an_address_is_understood_and_its_key_is_never_shown(url: str, label: str, is_local: bool) -> None:
    target = parse_target(url)
    assert (target.url, target.label, target.is_local) == (url, label, is_local)
    assert KEY not in repr(target)
    assert KEY not in target.label
    assert "pass" not in target.label


@pytest.mark.parametrize(
    "text",
    [
        "", "talk", "http://live.example/app/k", "file:///etc/passwd", "tcp://127.0.0.1:1/x", "rtmp://", "rtmp:///app/k",
        "rtmp://host", "rtmp://host/", "rtmp://ho st/app/k", "rtmp://host/app/k key", "rtmp://host:0/app/k",
        "rtmp://host:99999/app/k", "rtmp://host\\@127.0.0.1/app/k", "rtmp://a@b@127.0.0.1/app/k", "rtmp://host/app/\x00k",
        "rtmp://host/app/k\nrtmp://x/y/z", "rtmpt://host/app/k", "RTMP://host/app/k", "rtmp://hôst/app/k",
        "rtmp://host#@127.0.0.1/app/k", "rtmp://host?@127.0.0.1/app/k", "pipe:1", "rtmp://127.0.0.1%00.example/app/k",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_target(text)
    assert "app/k" not in str(caught.value)


@given(st.text(max_size=60) | st.from_regex(r"rtmps?://[!-~]{0,40}", fullmatch=True))
def test_any_text_is_a_target_or_a_typed_error(text: str) -> None:
    try:
        assert parse_target(text).label
    except HydrophoneError:
        pass


@pytest.mark.parametrize("server", ["rtmps://de.pscp.tv:443/x", "rtmp://eu-central-1.pscp.tv:80/x"])
def test_a_service_may_send_us_to_its_own_ingest(server: str) -> None:
    assert ingest_target(server, KEY).url == f"{server}/{KEY}"


@pytest.mark.parametrize(
    "server",
    [
        "rtmp://pscp.tv.example/x", "rtmp://evilpscp.tv/x", "rtmp://127.0.0.1/x", "rtmp://169.254.169.254/x", "rtmp://x",
        "rtmp://a@de.pscp.tv/x", "http://de.pscp.tv/x", "file:///x", "", "rtmp://de.pscp.tv\n/x", "rtmp://[::1]/x",
    ],
)  # fmt: skip
def test_a_service_may_not_send_us_elsewhere(server: str) -> None:
    with pytest.raises(UnsafeAddressError) as caught:
        ingest_target(server, KEY)
    assert KEY not in str(caught.value)


def test_a_sandbox_may_send_us_to_this_machine_and_no_further() -> None:
    assert ingest_target("rtmp://127.0.0.1:4000/app", KEY, allow_local=True).is_local
    with pytest.raises(UnsafeAddressError):
        ingest_target("rtmp://192.168.1.5/app", KEY, allow_local=True)


def test_nothing_public_without_consent() -> None:
    local, public = f"rtmp://127.0.0.1/live/{KEY}", f"rtmp://live.example/app/{KEY}"
    check_consent([local], is_agreed=False)
    check_consent([local, public, "periscope"], is_agreed=True)
    for texts in ([public], ["periscope"], [local, public]):
        with pytest.raises(SettingsError) as caught:
            check_consent(texts, is_agreed=False)
        assert caught.value.setting == "--yes"
        assert KEY not in str(caught.value)
    with pytest.raises(SettingsError):
        check_consent([], is_agreed=True)


def test_addresses_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "addresses.txt"
    path.write_text(f"\ufeff# mine\n\n rtmp://127.0.0.1/live/{KEY} \nperiscope\n")
    assert load_targets(path) == [f"rtmp://127.0.0.1/live/{KEY}", "periscope"]
    with pytest.raises(SettingsError):
        load_targets(tmp_path / "none.txt")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError):
        load_targets(path)


def test_equal_labels_are_told_apart() -> None:
    targets = unique_labels([parse_target(f"rtmp://127.0.0.1/live/{key}") for key in "abc"])
    assert len({target.label for target in targets}) == 3

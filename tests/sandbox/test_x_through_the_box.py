"""What a test of the client sees: `testing.sandbox()` with switches and with a proxy, in a thread and as a process."""

from __future__ import annotations

import ssl
import urllib.request

import pytest

from hydrophone.testing import Scene, sandbox
from hydrophone.testing.control import ControlRoomError


@pytest.mark.parametrize("isolated", [False, True])
def test_a_box_with_a_proxy_gives_its_url_and_certificate(isolated: bool) -> None:
    with sandbox(Scene.live("on air"), proxy=True, isolated=isolated) as box:
        assert box.ca_file is not None
        context = ssl.create_default_context(cafile=str(box.ca_file))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({"https": box.proxy_url}), urllib.request.HTTPSHandler(context=context)
        )
        creator = box.scene("on air").creator
        page = opener.open(f"https://x.com/{creator.handle}", timeout=20).read().decode()
        seen = [request for request in box.control.requests(service="x") if request["via_proxy"]]
    assert 'state:"Running"' in page
    assert [request["host"] for request in seen] == ["x.com"]


def test_switches_are_turned_through_the_control_room() -> None:
    with sandbox(Scene.live("on air")) as box:
        before = box.control.switch(guest="denied", limits={"AudioSpaceById": 3})
        after = box.control.switch(after_seconds=1000.0, account="locked")
        with pytest.raises(ControlRoomError, match="no such switch"):
            box.control.switch(weather="fine")
        box.control.advance(1001.0)
        later = box.control.switch()
        box.control.reset()
        reset = box.control.switch()
    assert (before["guest"], before["limits"]) == ("denied", {"AudioSpaceById": 3})
    assert (after["account"], later["account"]) == ("ok", "locked")
    assert (reset["account"], reset["guest"]) == ("ok", "allowed")


def test_a_box_without_a_proxy_has_none() -> None:
    with sandbox() as box:
        assert box.proxy_url == ""
        assert box.ca_file is None

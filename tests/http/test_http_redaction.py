"""Nothing that a log, a repr, a message or a trace shows may hold a secret."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.errors import HydrophoneError, WireError
from hydrophone.http import AsyncClient, Endpoints, HostKind, HttpSettings, Reply, Request
from hydrophone.http.redaction import HIDDEN, redact_headers, redact_url
from raw_server import Exchange, serving

CANARY = "cAnArY" * 15
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJLYnBzIjozNTB9.abc"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.com/i/api/graphql/abc/AudioSpaceById?variables=1", "https://x.com/i/api/graphql/abc/AudioSpaceById?…"),
        (f"https://a.video.pscp.tv/Transcoding/v1/hls/{CANARY}/transcode/r/b/{JWT}/audio-space/chunk_1772564397678643678_0_a.aac?type=live",
         "https://a.video.pscp.tv/Transcoding/v1/hls/…/transcode/r/b/…/audio-space/chunk_1772564397678643678_0_a.aac?…"),
        ("https://a/hls/short/x.m3u8", "https://a/hls/…/x.m3u8"),
        ("https://user:pass@h:1/a#frag", "https://…@h:1/a#…"),
        ("/i/path?q=1", "/i/path?…"),
        ("", ""),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert redact_url(url) == shown


@given(st.text(max_size=200))
def test_redacting_any_text_gives_text(text: str) -> None:
    assert len(redact_url(text)) <= len(text) + 3
    assert redact_url(f"https://h/a/{CANARY}/{text}").count(CANARY) <= text.count(CANARY)


def test_headers_are_shown_by_name_and_only_harmless_ones_by_value() -> None:
    shown = redact_headers({"Cookie": CANARY, "authorization": CANARY, "X-New-Secret": CANARY, "Content-Type": "a/b"})
    assert shown == {"Cookie": HIDDEN, "authorization": HIDDEN, "X-New-Secret": HIDDEN, "Content-Type": "a/b"}


def test_a_request_and_a_reply_show_no_secret() -> None:
    request = Request(
        "POST",
        f"https://a.video.pscp.tv/Transcoding/v1/hls/{CANARY}/x.m3u8?k={CANARY}",
        {"token": CANARY},
        {"cookie": CANARY},
        CANARY.encode(),
    )
    reply = Reply(200, body=CANARY.encode(), url=request.target, request=request)
    assert "cAnArY" not in repr(request) + repr(reply) + f"{request}{reply}"
    with pytest.raises(WireError) as caught:
        reply.json()
    assert "cAnArY" not in caught.value.endpoint + str(caught.value)


class _Secret:
    fingerprint = "fp"

    def allows(self, url: str) -> bool:
        return True

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        return {"cookie": CANARY, "authorization": CANARY}

    def adopt(self, reply: Reply) -> bool:
        return False


async def test_no_log_and_no_trace_shows_a_secret_whatever_goes_wrong(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def handler(exchange: Exchange) -> None:
        kind = exchange.path.partition("?")[0].rpartition("/")[2]
        answers = {
            "fine": b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "broken": b"HTTP/1.1 500 OK\r\ncontent-length: 0\r\n\r\n",
            "not-http": b"nonsense\r\n\r\n",
            "short": b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",
            "away": f"HTTP/1.1 302 OK\r\nlocation: https://evil.example/{CANARY}\r\ncontent-length: 0\r\n\r\n".encode(),
            "loop": b"HTTP/1.1 302 OK\r\nlocation: " + exchange.path.encode() + b"\r\ncontent-length: 0\r\n\r\n",
            "large": b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n",
            "gone": b"",
        }
        await exchange.say(answers[kind])
        if kind not in ("fine", "broken", "away", "loop"):
            exchange.hang_up()

    shown: list[str] = []
    async with serving(handler) as server:
        box = Endpoints.sandbox({"x": server.base})
        async with AsyncClient(box, settings=HttpSettings(backoff_seconds=0.001, proxy="")) as client:
            for kind in ("fine", "broken", "not-http", "short", "away", "loop", "large", "gone"):
                path = f"/hls/{CANARY}/{kind}?key={CANARY}"
                try:
                    await client.send(Request("GET", path, {"p": CANARY}, attempts=2, credential=_Secret()))
                except HydrophoneError as error:
                    shown += [*traceback.format_exception(error), repr(error), str(vars(error))]
            for target in (f"https://u:{CANARY}@x.com/", f"file:///{CANARY}", f"http://{CANARY}:1/\n"):
                with pytest.raises(HydrophoneError) as caught:
                    await client.send(Request("GET", target))
                shown += traceback.format_exception(caught.value)
            with pytest.raises(HydrophoneError) as caught:
                await client.send(Request("GET", f"https://x.com/{CANARY}", kind=HostKind.CDN))
            shown += traceback.format_exception(caught.value)

    everything = "".join(shown) + caplog.text
    assert len(shown) > 30
    assert "cAnArY" not in everything
    assert "GET http://127.0.0.1" in caplog.text

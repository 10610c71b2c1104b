"""The harnesses: each parser that is shown what others wrote."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from fuzz.harness import SAMPLES, Harness, files
from hydrophone.archive.journal import Damage, read_journal
from hydrophone.archive.manifest import build_manifest, parse_manifest
from hydrophone.audio import first_ticks, judge, read_tags, scan_adts
from hydrophone.audio.hydra import read_stage
from hydrophone.audio.transport import read_transport_clock
from hydrophone.captions.account import TranscriptBuilder
from hydrophone.captions.merging import since
from hydrophone.chat.intake import ChatIntake, Via, read_line
from hydrophone.chat.reading import identify, read_live_chat_line, read_message
from hydrophone.errors import ArchiveError, HydrophoneError, LinkError, PlaylistError, SettingsError, WireError
from hydrophone.hls import LiveTracker, MediaPlaylist, choose_variant, parse_playlist
from hydrophone.http.messages import Headers, Reply
from hydrophone.http.redaction import redact_url
from hydrophone.links import build_link, parse_link
from hydrophone.media.cover import read_picture
from hydrophone.media.flv import TagReader
from hydrophone.media.rotation import read_orientation
from hydrophone.periscope.export import parse_assignment
from hydrophone.periscope.pages import read_page
from hydrophone.render.names import NameFacts, OutputTemplate
from hydrophone.render.subtitles import srt_text, vtt_text
from hydrophone.render.transcripts import transcript_json, transcript_markdown, transcript_text
from hydrophone.settings import Settings
from hydrophone.xapi.events import read_pushed
from hydrophone.xweb.cookies import login_from_cookies, parse_cookies
from periscope.test_hostile_periscope import CASES as PERISCOPE_CASES
from periscope.test_hostile_periscope import signed_in as periscope_signed_in
from xapi.test_xapi_hostile import ASKED, REFUSED
from xapi.xapi_questions import question_for
from xapi.xapi_talk import Talk as ApiTalk
from xapi.xapi_talk import reply_of, session
from xapi.xapi_talk import sample as api_sample
from xweb.talk import Clock, Talk, signed_in
from xweb.test_hostile_answers import CASES as X_CASES

STREAM = "https://prod-fastly-eu-central-1.video.pscp.tv/Transcoding/v1/hls/KEY/non_transcode/eu-central-1/periscope-replay-direct-prod-eu-central-1-public/audio-space/dynamic_playlist.m3u8?type=live"  # fmt: skip  # noqa: E501
ZERO_US = 1772564396_000000
STATUSES = (200, 200, 200, 201, 204, 302, 400, 401, 402, 403, 404, 410, 418, 422, 429, 500, 503)


def playlist(data: bytes) -> None:
    try:
        found = parse_playlist(data, url=STREAM)
    except PlaylistError:
        return
    if isinstance(found, MediaPlaylist):
        numbers = {segment.sequence for segment in found.segments}
        assert not numbers & set(found.refused)
        assert all(segment.url.startswith(("https://", "http://")) for segment in found.segments)
        tracker = LiveTracker()
        for seen in (found, found):
            step = tracker.see(seen)
            assert step.wait is None or 0 <= step.wait < 3600
    else:
        with suppress(PlaylistError):
            choose_variant(found, "best")


def adts(data: bytes) -> None:
    scan = scan_adts(data)
    assert scan.frames == len(scan.frame_sizes)
    assert sum(scan.frame_sizes) + scan.junk_bytes + scan.tail_bytes <= len(data)
    assert len(scan.payload(data)) == sum(scan.frame_sizes)
    assert judge(scan, 141).reason is not None
    read_transport_clock(data)
    with suppress(HydrophoneError):
        read_picture(data)


def id3(data: bytes) -> None:
    first_ticks(data)
    for tag in read_tags(data):
        tag.user_texts()
        tag.ticks  # noqa: B018 - a property that parses
    for sample in read_stage(data):
        sample.levels_by_person()
        repr(sample).encode("utf-8")
    read_orientation(data)


def flv(data: bytes) -> None:
    reader = TagReader()
    half = len(data) // 2
    with suppress(HydrophoneError):
        for part in (data[:half], data[half:]):
            for tag in reader.feed(part):
                assert len(tag.payload) <= len(data)


def _ask(talk: Any, question: Any) -> None:
    try:
        repr(talk.ask(question))
    except HydrophoneError as error:
        error.message.encode("utf-8")
    assert len(talk.requests) <= 110


def _reply(data: bytes) -> Reply:
    """The second byte chooses the status."""
    return Reply(STATUSES[data[0] % len(STATUSES)] if data else 200, Headers(), data[1:])


def graphql(data: bytes) -> None:
    _, question = X_CASES[data[0] % len(X_CASES) if data else 0]
    _ask(Talk(("", Reply(200, Headers(), data[1:]))), question(signed_in()))


def graphql_refused(data: bytes) -> None:
    _, question = X_CASES[data[0] % len(X_CASES) if data else 0]
    _ask(Talk(("", _reply(data[1:]))), question(signed_in()))


def periscope(data: bytes) -> None:
    _, question = PERISCOPE_CASES[data[0] % len(PERISCOPE_CASES) if data else 0]
    _ask(Talk(("", Reply(200, Headers(), data[1:]))), question(periscope_signed_in(Clock())))


def periscope_page(data: bytes) -> None:
    with suppress(HydrophoneError):
        repr(read_page(data, username="mara_lind")).encode("utf-8")


API_CASES = [*ASKED, *REFUSED]


def api(data: bytes) -> None:
    name = API_CASES[data[0] % len(API_CASES) if data else 0]
    facts = api_sample(name)["response"]
    reply = Reply(facts["status"], Headers(list(facts["headers"].items())), data[1:])
    asked = name if name in ASKED else "space.default"
    auth = api_sample(asked)["request"]["auth"].split(":")[0]
    _ask(ApiTalk(reply), question_for(asked, session(auth=auth)))


def api_events(data: bytes) -> None:
    with suppress(HydrophoneError):
        for event in read_pushed(data).events:
            assert event.resource


def cookies(data: bytes) -> None:
    file = parse_cookies(data.decode("utf-8", "replace"))
    with suppress(SettingsError):
        assert len(repr(login_from_cookies(file, now_seconds=1_772_564_400.0))) < 500


def links(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    redact_url(text)
    try:
        ref = parse_link(text)
    except LinkError as error:
        error.message.encode("utf-8")
        return
    assert parse_link(build_link(ref)) == ref


def template(data: bytes) -> None:
    """A line of template, then lines of a hostile title and id."""
    text, _, rest = data.decode("utf-8", "surrogateescape").partition("\n")
    try:
        made = OutputTemplate(text)
    except SettingsError as error:
        error.message.encode("utf-8", "surrogatepass")
        return
    for part in made.parts(NameFacts(id=rest[:40] or "x", kind="space", title=rest)):
        assert part not in ("", ".", "..")
        assert len(part.encode("utf-8")) <= 200
        assert not set(part) & set('/\\\0<>:"|?*')


def chat(data: bytes) -> None:
    """Lines of chat, as they come by socket and history, on their way to the transcript's files."""
    intake, builder = ChatIntake(["1705000000000000005"]), TranscriptBuilder(since(ZERO_US))
    for number, line in enumerate(data.split(b"\n")[:200]):
        read_live_chat_line(line)
        message = read_message(line, near_ns=number)
        assert identify(line, near_ns=number) == (message.identity, message.sent_ns)
        kept = intake.take(line, Via.SOCKET, ZERO_US * 1000 + number)
        if kept is not None:
            assert kept.endswith(b"\n")
            assert kept.count(b"\n") == 1
            builder.see(read_line(kept))
    transcript = builder.finish(seconds=600.0, title=data[:50].decode("utf-8", "replace")).transcript
    for build in (transcript_json, transcript_text, transcript_markdown, vtt_text, srt_text):
        build(transcript).encode("utf-8")
    assert vtt_text(transcript).count("-->") == srt_text(transcript).count("-->")


@cache
def _config_path() -> Path:
    # One for the process: making folders would be slower than what is tested.
    folder = tempfile.TemporaryDirectory(prefix="hydrophone-fuzz-")
    _config_path.folder = folder  # type: ignore[attr-defined]
    return Path(folder.name) / "config.toml"


def config(data: bytes) -> None:
    path = _config_path()
    path.write_bytes(data)
    try:
        settings = Settings.load(config=path)
    except SettingsError as error:
        error.message.encode("utf-8")
        return
    repr(settings).encode("utf-8", "surrogateescape")


def journal(data: bytes) -> None:
    entries = list(read_journal(io.BytesIO(data)))
    assert len(entries) <= data.count(b"\n") + 1
    assert all(isinstance(entry, Damage) or entry.kind is not None for entry in entries)


def manifest(data: bytes) -> None:
    with suppress(ArchiveError):
        found = parse_manifest(data)
        digests = dict(found.digests)
        assert parse_manifest(build_manifest(digests)).digests == digests


def export(data: bytes) -> None:
    with suppress(WireError):
        parse_assignment(data, "data/x.js").value  # noqa: B018 - it must be there


# ------------------------------------------------------------------ seeds


def _chosen(names: list[Any], read: Callable[[str], bytes], extra: bytes = b"") -> Callable[[], Iterator[bytes]]:
    def seeds() -> Iterator[bytes]:
        for number, name in enumerate(names):
            if number < 256:
                yield bytes([number]) + extra + read(name[0] if isinstance(name, tuple) else name)

    return seeds


def _x(name: str) -> bytes:
    return (SAMPLES / "xweb" / name).read_bytes()


def _periscope(name: str) -> bytes:
    return (SAMPLES / "periscope" / name).read_bytes()


def _texts(*texts: str) -> Callable[[], Iterator[bytes]]:
    return lambda: iter([text.encode("utf-8") for text in texts])


def _refusals() -> Iterator[bytes]:
    for path in sorted((SAMPLES / "xweb" / "errors").glob("*.json")):
        for status in range(3, len(STATUSES), 4):
            yield bytes([0, status]) + path.read_bytes()


LINKS = _texts(
    "https://x.com/i/spaces/1vOxwdyYrlqKB/peek",
    "https://twitter.com/i/broadcasts/1yNGaNLjEzOJj?t=5",
    "https://x.com/mara_lind/status/1799417239905551234",
    "@mara_lind",
    "https://t.co/AbCdEf1234",
    "https://www.periscope.tv/w/aZz1NzE4fDF5b0tiV3FOTGRSR1iCbR4",
    "https://www.pscp.tv/mara_lind/1yoKbWqNLdRGX",
    "pscp://broadcast/1yoKbWqNLdRGX",
    STREAM,
    "https://x.com/i/events/1799417239905551234",
)
TEMPLATES = _texts(
    "%(uploader)s/%(upload_date)s %(title).80s [%(id)s].%(ext)s\nTapes",
    "%(title,id)s/%(date>%Y-%m)s/%(timestamp)012d\n../..\x00CON",
    "%(title|none)-20s %%\n‮a/b\\c",
    "%(creator)s/%(id)s\n" + "漢" * 300,
)
CONFIGS = _texts(
    'archive = "a"\nconnections = 16\npoll_seconds = 60.0\n',
    'provider = "sandbox"\n[endpoints]\nx = "http://127.0.0.1:1"\n',
    'auth_token = "x"\n',
    'proxy = "http://a:b@c:1"\nlog_level = "debug"\ntranscript = false\n',
)
COOKIES = _texts(
    "# Netscape HTTP Cookie File\n.x.com\tTRUE\t/\tTRUE\t4102444800\tauth_token\tabc\n"
    "#HttpOnly_.x.com\tTRUE\t/\tTRUE\t0\tct0\tdef\n.twitter.com\tTRUE\t/\tTRUE\t1.5\ttwid\tu%3D1\n",
    '[{"domain": ".x.com", "name": "auth_token", "value": "abc", "expirationDate": 1}]',
)
JOURNALS = _texts(
    '{"n":1,"at":"2026-03-03T19:02:30Z","kind":"segment","crc":"00000000"}\n{"n":2}\nnonsense\n', "{}\n" * 3
)
MANIFESTS = _texts(f"{'0f' * 32}  audio.m4a\n{'1e' * 32} *a b.txt\n\\{'1e' * 32}  a\\nb\n")
FLV = _texts(
    "FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00\x08\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00ab\x00\x00\x00\x0d"
)
HARNESSES = {
    harness.name: harness
    for harness in (
        Harness("playlist", playlist, files("hls/*.m3u8")),
        Harness("adts", adts, files("timed-metadata/*.aac")),
        Harness("id3", id3, files("timed-metadata/*.aac")),
        Harness("flv", flv, FLV),
        Harness("graphql", graphql, _chosen(X_CASES, _x), is_json=True, choices=len(X_CASES)),
        Harness("graphql_refused", graphql_refused, _refusals),
        Harness("periscope", periscope, _chosen(PERISCOPE_CASES, _periscope), is_json=True, choices=1),
        Harness("periscope_page", periscope_page, files("periscope/pages/*.html")),
        Harness("api", api, _chosen(API_CASES, lambda name: reply_of(name).body), is_json=True, choices=1),
        Harness("api_events", api_events, files("xapi/activity.event.*.json"), is_json=True),
        Harness("cookies", cookies, COOKIES),
        Harness("links", links, LINKS),
        Harness("template", template, TEMPLATES),
        Harness("chat", chat, files("chat/*.json*", "chat/*.ndjson")),
        Harness("config", config, CONFIGS),
        Harness("journal", journal, JOURNALS),
        Harness("manifest", manifest, MANIFESTS),
        Harness("export", export, files("periscope/export/data/*.js")),
    )
}


def clean_environment() -> None:
    """No settings from the machine."""
    for name in [name for name in os.environ if name.startswith("HYDROPHONE_")]:
        del os.environ[name]

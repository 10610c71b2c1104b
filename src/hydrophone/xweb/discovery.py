"""What the service's own page gives away: present query ids with their features, and the makings of transaction ids.

Both generations of the page are known (webpack chunks with a map of hashes, and Vite modules). Pages and scripts are
data: they are searched with bounded regular expressions and never run.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from hydrophone.errors import BlockedError, HydrophoneError, WireError
from hydrophone.http.messages import HostKind, Question, Reply, Request
from hydrophone.xweb.constants import API_HOSTS, PAGE_MAX_BYTES, SCRIPT_MAX_BYTES, page_headers
from hydrophone.xweb.operations import QueryForm
from hydrophone.xweb.refusals import drift_error, refusal_error
from hydrophone.xweb.session import WebSession
from hydrophone.xweb.transaction import read_transaction_ids

MAX_SCRIPTS = 12
_MAX_HOPS = 3
_MAX_FEATURES = 200
_CLASSIC_BASE = "https://abs.twimg.com/responsive-web/client-web/"

_SCRIPT_REDIRECT = re.compile(r">\s{0,20}document\.location\s{0,8}=\s{0,8}[\"']([^\"'<>]{1,2000})[\"']")
_META_REDIRECT = re.compile(
    r"<meta[^<>]{0,100}http-equiv=[\"']refresh[\"'][^<>]{0,100}url\s{0,8}=\s{0,8}([^\"'<>\s]{1,2000})", re.IGNORECASE
)
_MIGRATE_FORM = re.compile(
    r"action=[\"']([^\"'<>]{0,200}/x/migrate[^\"'<>]{0,2000})[\"']\s{1,8}method=[\"']post[\"']", re.I
)
_INPUT = re.compile(r"<input\b[^<>]{0,8000}>")
_ATTRIBUTE = re.compile(r"\b(name|value)=[\"']([^\"'<>]{0,4000})[\"']")
_CHUNK_NAME = re.compile(r"\b(\d{1,10}):\"([\w.~-]{1,100})\"")
_CHUNK_HASH = re.compile(r"\b(\d{1,10}):\"([0-9a-f]{7}|[0-9a-f]{16})\"")
_NAMED_HASH = re.compile(r"\"(modules\.audio|ondemand\.s)\":\"([0-9a-f]{7}|[0-9a-f]{16})\"")
_MAIN_BUNDLE = re.compile(r"(https?://[\w.:-]{1,100}/[\w/-]{0,100}client-web/)(main\.[^\".\s]{1,40}\.js)")
_VITE_SCRIPT = re.compile(r"https?://[\w.:-]{1,100}/x-web/[\w./-]{1,200}\.js")
_VITE_SIGNER = re.compile(r"[\w./-]{0,60}sign\.o-[\w-]{1,40}\.js")
_OPERATION = re.compile(
    r"queryId:\"([\w-]{1,64})\",operationName:\"(\w{1,80})\",operationType:\"(?:query|mutation)\","
    r"metadata:\{featureSwitches:\[([\w\",\s]{0,20000})\],fieldToggles:\[([\w\",\s]{0,4000})\]"
)
_RELAY_OPERATION = re.compile(r"\bid:\"([\w-]{1,64})\",metadata:\{\},name:\"(\w{1,80})\"")
_QUOTED = re.compile(r"\"(\w{1,100})\"")


@dataclass(frozen=True, slots=True)
class Page:
    """The home page as it finally came."""

    text: str
    url: str


# ---------------------------------------------------------------- questions


def discover_operation(session: WebSession, name: str) -> Question[bool]:
    """Look for the present query id of an operation, and keep all that are found on the way. True when it was found.

    Raises:
        BlockedError: a gatekeeper stands before the page. Everything else that goes wrong only means "not found".
    """
    session.discovered_at = session.now()
    try:
        page = yield from fetch_home(session)
    except BlockedError:
        raise
    except HydrophoneError:
        return False
    values = read_feature_values(page.text)
    found: dict[str, QueryForm] = {}
    for url in list_scripts(page.text)[:MAX_SCRIPTS]:
        script = yield from _fetch_script(session, url)
        fresh = read_operations(script, values)
        found.update({key: form for key, form in fresh.items() if key in session.operation_names()})
        if name in found:
            break
    session.keep_discovered(found)
    return name in found


def learn_transaction_ids(session: WebSession) -> Question[bool]:
    """Fetch what transaction ids are made of and keep the maker in the session. True when there is one now.

    Raises:
        BlockedError: a gatekeeper stands before the page.
    """
    try:
        page = yield from fetch_home(session)
        script = yield from _fetch_signer(session, page.text)
        session.keep_transaction_ids(read_transaction_ids(page.text, script))
    except BlockedError:
        raise
    except HydrophoneError:
        return False
    return True


def fetch_home(session: WebSession) -> Question[Page]:
    """The home page, behind the redirects and the form that sometimes stand before it."""
    reply = yield from _visit(session, Request("GET", "/"))
    for _ in range(_MAX_HOPS):
        target = read_redirect(reply.text)
        if target is None:
            break
        reply = yield from _visit(
            session, _page_request("GET", urljoin(reply.url or "https://x.com/", target), reply.url)
        )
    form = read_migrate_form(reply.text)
    if form is not None:
        action, fields = form
        request = _page_request("POST", urljoin(reply.url or "https://x.com/", action), reply.url)
        reply = yield from _visit(session, request, urlencode(fields).encode())
    return Page(reply.text, reply.url)


def _visit(session: WebSession, request: Request, form: bytes | None = None) -> Question[Reply]:
    headers = dict(page_headers(user_agent=session.user_agent))
    if form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
    reply = yield Request(
        request.method,
        request.target,
        headers=headers,
        body=form,
        service=request.service,
        credential=session.login,
        max_bytes=PAGE_MAX_BYTES,
    )
    if session.login is not None:
        session.login.adopt(reply)
    if reply.status == 200:
        return reply
    error = refusal_error(reply, endpoint="home", signed_in=session.signed_in, now=session.now())
    if isinstance(error, BlockedError):
        session.note(error)
    raise error or drift_error("home", f"the home page answers HTTP {reply.status}")


def _page_request(method: str, url: str, seen_at: str) -> Request:
    """A request to a page of the service; to no other site, whatever the page says."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.hostname or ""
    if parts.scheme == "https" and host in API_HOSTS and parts.port in (None, 443):
        return Request(method, path, service="twitter" if host == "twitter.com" else "x")
    here = urlsplit(seen_at)
    if (parts.scheme, parts.netloc) == (here.scheme, here.netloc):
        return Request(method, url)
    raise drift_error("home", "the home page leads to another site")


def _fetch_script(session: WebSession, url: str) -> Question[str]:
    """The text of a script, "" if it cannot be had."""
    parts = urlsplit(url)
    target = parts.path if parts.hostname == "abs.twimg.com" else url
    request = Request(
        "GET",
        target,
        headers=page_headers(user_agent=session.user_agent),
        service="abs",
        kind=HostKind.AVATAR,
        max_bytes=SCRIPT_MAX_BYTES,
    )
    try:
        reply = yield request
    except HydrophoneError:
        return ""
    return reply.text if reply.status == 200 else ""


def _fetch_signer(session: WebSession, page: str) -> Question[str]:
    classic = _chunk_urls(page, ("ondemand.s",))
    if classic:
        return (yield from _fetch_script(session, classic[0]))
    for url in list_scripts(page)[:MAX_SCRIPTS]:
        bundle = yield from _fetch_script(session, url)
        # The signer is named only inside another bundle, relative to it.
        signer = _VITE_SIGNER.search(bundle)
        if signer is not None:
            return (yield from _fetch_script(session, urljoin(url, signer[0])))
    raise WireError("no signing script in the home page", path="page.scripts", endpoint="home")


# ---------------------------------------------------------------- reading pages


def read_redirect(page: str) -> str | None:
    """Where a page without content sends its visitor by script or meta tag."""
    match = _SCRIPT_REDIRECT.search(page) or _META_REDIRECT.search(page)
    return html.unescape(match[1]) if match else None


def read_migrate_form(page: str) -> tuple[str, dict[str, str]] | None:
    """Address and hidden fields of the form that moves a visitor between the old and the new domain."""
    form = _MIGRATE_FORM.search(page)
    if form is None:
        return None
    fields = {}
    for tag in _INPUT.findall(page, form.end())[:50]:
        attributes = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(tag)}
        if "name" in attributes:
            fields[attributes["name"]] = attributes.get("value", "")
    return html.unescape(form[1]), fields


def list_scripts(page: str) -> list[str]:
    """URLs of the scripts that may hold operations, the likeliest first."""
    chunks = [name for _, name in _CHUNK_NAME.findall(page) if "audio" in name.lower() or "space" in name.lower()]
    classic = _chunk_urls(page, ("modules.audio", *sorted(set(chunks) - {"modules.audio"})))
    main = _MAIN_BUNDLE.search(page)
    vite = sorted(dict.fromkeys(_VITE_SCRIPT.findall(page)), key=lambda url: "space" not in url.lower())
    return [*classic[:1], *([main[0]] if main else []), *classic[1:], *vite]


def _chunk_urls(page: str, names: tuple[str, ...]) -> list[str]:
    """Classic build: one map gives the name of a chunk number, another its hash."""
    main = _MAIN_BUNDLE.search(page)
    base = main[1] if main else _CLASSIC_BASE
    numbers = {name: number for number, name in _CHUNK_NAME.findall(page)}
    hashes = dict(_CHUNK_HASH.findall(page))
    named = dict(_NAMED_HASH.findall(page))
    found = ((name, hashes.get(numbers.get(name, "")) or named.get(name)) for name in names)
    return [f"{base}{name}.{digest}a.js" for name, digest in found if digest]


def read_feature_values(page: str) -> Mapping[str, bool]:
    """Feature switches and their values as the page hands them to its scripts."""
    _, mark, rest = page.partition("window.__INITIAL_STATE__=")
    if not mark:
        return {}
    try:
        state, _ = json.JSONDecoder().raw_decode(rest.lstrip())
    except (ValueError, RecursionError):
        return {}
    switches = _inside(state, "featureSwitch")
    values: dict[str, bool] = {}
    for config in (_inside(switches, "defaultConfig"), _inside(switches, "user", "config")):
        for name, setting in config.items():
            if isinstance(value := _inside(setting).get("value"), bool):
                values[name] = value
    return values


def _inside(value: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def read_operations(script: str, values: Mapping[str, bool]) -> dict[str, QueryForm]:
    """Query ids, features and toggles of all operations in a script. Relay bundles name no features."""
    found: dict[str, QueryForm] = {}
    for match in _RELAY_OPERATION.finditer(script):
        found[match[2]] = QueryForm(match[1])
    for match in _OPERATION.finditer(script):
        features = {name: values.get(name, False) for name in _names(match[3])}
        found[match[2]] = QueryForm(match[1], features, dict.fromkeys(_names(match[4]), False))
    return found


def _names(text: str) -> Iterator[str]:
    for count, match in enumerate(_QUOTED.finditer(text)):
        if count >= _MAX_FEATURES:
            return
        yield match[1]

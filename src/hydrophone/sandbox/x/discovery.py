"""The home page in its builds, and the scripts in which a client finds query ids and the signing of requests.

Pages are generated: another `page_generation` is another verification key, and what was signed for the old one is
refused. The scripts name the newest query ids, which always answer.

Source: web endpoint reference, "Discovering a query id" and "x-client-transaction-id".
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hydrophone.sandbox.x.addresses import Addresses
from hydrophone.sandbox.x.operations import BY_NAME, NEWEST_FEATURES, NONE, OPERATIONS, Operation
from hydrophone.sandbox.x.transaction import Signer, read_signer

MIGRATE_TOKEN = "c2FtcGxl"  # noqa: S105 - a value of the page, no secret
MIGRATE_DATA = "ZGF0YQ"
_CHUNKS = {"ondemand.s": 20113, "modules.audio": 4471, "bundle.AudioSpaceDetail": 88012}
_CLASSIC = "/responsive-web/client-web/"
_VITE = "/x-web/assets/"
_ON = frozenset(NEWEST_FEATURES - {"verified_phone_label_enabled"})


def home_page(switches: Mapping[str, Any], addresses: Addresses, *, is_signed_in: bool) -> str:
    """The home page. Without cookies it loads scripts that know nothing of Spaces."""
    if switches["home"] == "vite":
        return _vite_page(switches, addresses, is_signed_in)
    return _classic_page(switches, addresses, is_signed_in)


def redirect_page(addresses: Addresses) -> str:
    """What stands in place of the home page before a visitor is moved between domains."""
    url = f"{addresses.base('x')}/x/migrate?tok={MIGRATE_TOKEN}"
    return (
        f'<!DOCTYPE html><html><head><meta http-equiv="refresh" content="0; url = {url}"></head><body>'
        f'<script>document.location = "{url}"</script></body></html>'
    )


def migrate_form() -> str:
    """The form that a browser would send on by itself."""
    return (
        '<!DOCTYPE html><html><body><form name="f" action="https://x.com/x/migrate" method="post">'
        f'<input type="hidden" name="tok" value="{MIGRATE_TOKEN}"/>'
        f'<input type="hidden" name="data" value="{MIGRATE_DATA}"/></form>'
        "<script>document.f.submit()</script></body></html>"
    )


def script(path: str, switches: Mapping[str, Any]) -> str | None:
    """A script by its path on the script host, None when there is none of that name."""
    generation = int(switches["page_generation"])
    known = {
        f"{_CLASSIC}main.{_hash('main', switches)}a.js": _MAIN,
        f"{_CLASSIC}vendor.{_hash('vendor', switches)}a.js": _VENDOR,
        f"{_CLASSIC}ondemand.s.{_hash('ondemand.s', switches)}a.js": signing_script(generation),
        f"{_CLASSIC}modules.audio.{_hash('modules.audio', switches)}a.js": _audio_module(switches),
        f"{_VITE}entry-client-logged-in-Bq3xYz01.js": 'import"./spaces-Ck2aPq77.js";export const e=1;',
        f"{_VITE}entry-client-logged-out-Ff00aa11.js": "export const e=0;",
        f"{_VITE}spaces-Ck2aPq77.js": _spaces_module(switches),
        f"{_VITE}app-D0rTk9aa.js": "export const app=()=>null;",
        f"{_VITE}sign.o-Ee81kq2z.js": signing_script(generation),
    }
    return known.get(path)


def newest_features(operation: Operation, switches: Mapping[str, Any]) -> frozenset[str]:
    """What the id in the scripts insists on."""
    if operation.name == "AudioSpaceById":
        return NEWEST_FEATURES | frozenset(switches["extra_features"])
    first = next(iter(operation.query_ids.values()), NONE)
    return first | frozenset(switches["extra_features"]) if first else NONE


@lru_cache(maxsize=8)
def page_signer(generation: int) -> Signer:
    """What a client that read the page and the signing script of this generation can sign with."""
    return read_signer(_head(generation) + _animations(generation), signing_script(generation))


def signing_script(generation: int) -> str:
    """The script that says which bytes of the key count."""
    row, *times = _dice(generation, "indices").sample(range(48), 4)
    return (
        '"use strict";(self.webpackChunk_twitter_responsive_web=self.webpackChunk_twitter_responsive_web||[]).push('
        f'[["ondemand.s"],{{1:(e,t,n)=>{{e.exports=(n,r)=>{{const i=r(n[{row}], 16),'
        f"o=r(n[{times[0]}], 16)*r(n[{times[1]}], 16)*r(n[{times[2]}], 16);return[i,o]}}}}}}]);"
    )


_MAIN = (
    '"use strict";(self.webpackChunk_twitter_responsive_web=self.webpackChunk_twitter_responsive_web||[]).push('
    '[["main"],{1:(e,t,n)=>{e.exports={app:"responsive-web"}}}]);'
)
_VENDOR = '"use strict";(self.webpackChunk_twitter_responsive_web=[]).push([["vendor"],{}]);'


def _dice(generation: int, word: str) -> random.Random:
    return random.Random(f"{word}/{generation}")


def _hash(name: str, switches: Mapping[str, Any]) -> str:
    digits = hashlib.sha256(f"{name}/{switches['page_generation']}".encode()).hexdigest()
    return digits[:7] if switches["home"] in ("classic7", "classic_old") else digits[:16]


def _head(generation: int) -> str:
    key = base64.b64encode(_dice(generation, "key").randbytes(48)).decode()
    return f'<meta charset="utf-8" /><meta name="twitter-site-verification" content="{key}"/>\n'


@lru_cache(maxsize=8)
def _animations(generation: int) -> str:
    dice = _dice(generation, "animations")
    pictures = []
    for number in range(4):
        rows = []
        for _ in range(16):
            numbers = [dice.randrange(256) for _ in range(11)]
            x1, y1, x2, y2, x, y, h, *s = numbers
            rows.append(f"{x1},{y1} {x2},{y2} {x},{y} h {h} s {s[0]},{s[1]} {s[2]},{s[3]}")
        curve = "M 10,30 C " + " C ".join(rows)
        pictures.append(
            f'<svg id="loading-x-anim-{number}" viewBox="0 0 24 24"><g><path d="M 0 0 h 24 v 24 h -24 Z"></path>'
            f'<path d="{curve} "></path></g></svg>'
        )
    return "".join(pictures)


def _classic_page(switches: Mapping[str, Any], addresses: Addresses, is_signed_in: bool) -> str:
    generation, scripts = int(switches["page_generation"]), addresses.base("abs") + _CLASSIC
    main = f"{scripts}main.{_hash('main', switches)}a.js"
    vendor = f"{scripts}vendor.{_hash('vendor', switches)}a.js"
    chunks = _chunk_map(switches) if is_signed_in else ""
    return (
        f'<!DOCTYPE html><html dir="ltr" lang="en"><head>{_head(generation)}'
        f'<link rel="preload" as="script" crossorigin="anonymous" href="{vendor}" nonce="x" />\n'
        f'<link rel="preload" as="script" crossorigin="anonymous" href="{main}" nonce="x" />\n'
        f'</head><body><div id="react-root">{_animations(generation)}</div>\n'
        f"<script>window.__INITIAL_STATE__={_initial_state(switches)};window.__SCRIPTS_LOADED__={{}};</script>\n"
        f'{chunks}<script src="{main}"></script></body></html>'
    )


def _chunk_map(switches: Mapping[str, Any]) -> str:
    hashes = {name: _hash(name, switches) for name in _CHUNKS}
    if switches["home"] == "classic_old":
        pairs = ",".join(f'"{name}":"{text}"' for name, text in hashes.items())
        return f'<script>(()=>{{i.u=e=>e+"."+{{{pairs}}}[e]+"a.js"}})();</script>\n'
    names = ",".join(f'{number}:"{name}"' for name, number in _CHUNKS.items())
    texts = ",".join(f'{number}:"{hashes[name]}"' for name, number in _CHUNKS.items())
    return f'<script>(()=>{{var e={{}},t={{}};i.u=e=>(({{{names}}}[e]||e)+"."+{{{texts}}}[e]+"a.js")}})();</script>\n'


def _vite_page(switches: Mapping[str, Any], addresses: Addresses, is_signed_in: bool) -> str:
    generation, assets = int(switches["page_generation"]), addresses.base("abs") + _VITE
    if is_signed_in:
        links = [f"{assets}entry-client-logged-in-Bq3xYz01.js", f"{assets}spaces-Ck2aPq77.js"]
    else:
        links = [f"{assets}entry-client-logged-out-Ff00aa11.js"]
    preloads = "".join(f'<link rel="modulepreload" crossorigin href="{link}">\n' for link in links)
    return (
        f'<!doctype html><html lang="en"><head>{_head(generation)}{preloads}'
        f'<script type="module" crossorigin src="{assets}app-D0rTk9aa.js"></script></head>'
        f"<body>{_animations(generation)}</body></html>"
    )


def _initial_state(switches: Mapping[str, Any]) -> str:
    names = sorted(NEWEST_FEATURES | frozenset(switches["extra_features"]))
    defaults = {name: {"value": name in _ON} for name in names}
    state = {
        "optimist": [],
        "featureSwitch": {
            "defaultConfig": defaults,
            "user": {"config": {"rweb_video_timestamps_enabled": {"value": False}}},
        },
    }
    return json.dumps(state, separators=(",", ":"))


def _audio_module(switches: Mapping[str, Any]) -> str:
    exports = ",".join(
        f"{93021 + number}:(e,t,n)=>{{e.exports={_entry(operation, switches)}}}"
        for number, operation in enumerate(OPERATIONS)
    )
    return (
        '"use strict";(self.webpackChunk_twitter_responsive_web=self.webpackChunk_twitter_responsive_web||[]).push('
        f'[["modules.audio"],{{{exports}}}]);'
    )


def _spaces_module(switches: Mapping[str, Any]) -> str:
    relay = f'{{params:{{id:"{BY_NAME["AudioSpaceById"].newest_query_id}",metadata:{{}},name:"AudioSpaceById",'
    entries = ",".join(_entry(operation, switches) for operation in OPERATIONS)
    return (
        f'const a=()=>import("./sign.o-Ee81kq2z.js");const q={relay}operationKind:"query",text:null}}}};'
        f"const r=[{entries}];export{{a,q,r}};"
    )


def _entry(operation: Operation, switches: Mapping[str, Any]) -> str:
    kind = "query" if operation.method == "GET" or operation.name == "AudioSpaceSearch" else "mutation"
    features = ",".join(f'"{name}"' for name in sorted(newest_features(operation, switches)))
    toggles = '"withArticleRichContentState"' if operation.name == "AudioSpaceById" else ""
    return (
        f'{{queryId:"{operation.newest_query_id}",operationName:"{operation.name}",operationType:"{kind}",'
        f"metadata:{{featureSwitches:[{features}],fieldToggles:[{toggles}]}}}}"
    )

"""Answers of the API held against its published descriptions, which lie in `tests/samples/contracts` as data.

The descriptions say which shapes an answer can have; what they leave out or get wrong stands in `overlays.json` and
`supplement.json`. What no schema can say (absent rather than empty, counts that agree, headers) are rules here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parent / "samples" / "contracts"
#: legacy and current: the Spaces in either dialect; live: everything else.
FILES = {
    "legacy": "openapi-spaces-2.145.json",
    "current": "openapi-spaces-2.167.json",
    "live": "openapi-live-2.167.json",
}
#: Where a service of each mode keeps its problem types.
HOSTS = {"legacy": "api.twitter.com", "current": "api.x.com", "auto": "api.x.com"}

_MARKS = {
    "current": {"post.fields", "pinned_post_id", "most_recent_post_id", "referenced_posts", "edit_history_post_ids"},
    "legacy": {
        "tweet.fields",
        "pinned_tweet_id",
        "most_recent_tweet_id",
        "affiliation.user_id",
        "referenced_tweets.id",
    },
}
_ID_FIELDS = {"creator_id", "host_ids", "invited_user_ids", "speaker_ids", "topic_ids"}
_STRICT_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_INSTANT_FIELDS = {"created_at", "started_at", "ended_at", "scheduled_start", "updated_at"}
_COUNTED = ("/search", "/creator_ids", "/buyers", "/tweets")
_JSON_TYPE = re.compile(r"application/(problem\+)?json\b")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its answer. `dialect` says whose keys the answer must have; "any" leaves it to the request."""

    method: str
    target: str
    status: int
    body: Any
    headers: Mapping[str, str]
    mode: str
    dialect: str = "any"

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


def complaints(seen: Exchange) -> list[str]:
    """What does not fit; nothing where all is well."""
    if seen.status == 404 and seen.body is None:
        return []  # a path that does not exist
    if seen.status >= 500 and not isinstance(seen.body, Mapping):
        return []  # an edge server speaks HTML
    if seen.status in range(300, 400):
        return [] if "location" in seen.headers else ["a redirect that leads nowhere"]
    found = misfits(schemas_for(seen), seen.body)
    if found:
        return found  # the rules below rely on the shape
    if seen.status == 200 and seen.path.startswith("/2/spaces") and isinstance(seen.body, Mapping):
        found += [*_absence(seen.body), *_counts(seen), *_twins(seen.body), *_values(seen), *_not_found(seen.body)]
    if seen.path.startswith("/2/") and not seen.path.startswith("/2/oauth2"):
        found += _headers(seen)
    return found


# ---------------------------------------------------------------- descriptions


@cache
def description(name: str) -> Any:
    """One of the descriptions as it was published."""
    return json.loads((FOLDER / FILES[name]).read_bytes())


@cache
def supplement() -> Any:
    return json.loads((FOLDER / "supplement.json").read_bytes())


@cache
def _corrected(name: str) -> Any:
    """The description with its overlay, as JSON Schema understands it: closed where it lists what there is."""
    doc = json.loads((FOLDER / FILES[name]).read_bytes())
    for patch in json.loads((FOLDER / "overlays.json").read_bytes())[name]:
        *way, last = patch["at"].strip("/").split("/")
        spot = doc
        for step in way:
            spot = spot[step]
        spot[last] = patch["set"]
    schemas = doc["components"]["schemas"]
    if name == "live":
        # Accounts asked for in legacy words include posts under their legacy name, which only the Spaces' files know.
        schemas["Expansions"]["properties"].setdefault("tweets", {"type": "array", "minItems": 1})
    problem = schemas["Problem"]
    if "oneOf" in problem:
        listed = list(problem.get("discriminator", {}).get("mapping", {}))
        unlisted = {"type": "object", "required": ["type", "title"], "properties": {"type": {"not": {"enum": listed}}}}
        schemas["Problem"] = {"anyOf": [{"oneOf": problem["oneOf"]}, unlisted]}
    for title, schema in schemas.items():
        is_listed = schema.get("type") == "object" and "properties" in schema and "allOf" not in schema
        if is_listed and title != "Error" and not title.endswith("Problem"):
            schema.setdefault("additionalProperties", False)
    _say_null(doc)
    return doc


def _say_null(value: Any) -> None:
    if isinstance(value, dict):
        if value.pop("nullable", None) is True and isinstance(value.get("type"), str):
            value["type"] = [value["type"], "null"]
        for part in value.values():
            _say_null(part)
    elif isinstance(value, list):
        for part in value:
            _say_null(part)


def operations(name: str) -> Iterator[tuple[str, str]]:
    """Method and path of everything that a description describes."""
    for path, methods in description(name)["paths"].items():
        yield from ((method.upper(), path) for method in methods)


def template_of(name: str, path: str) -> str | None:
    """The path of the description that a request's path is one of; the one with fewest gaps counts."""
    for template in sorted(description(name)["paths"], key=lambda one: (one.count("{"), one)):
        if _is_of(template, path):
            return str(template)
    return None


def _is_of(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) is not None


def spoken_in(target: str) -> str:
    """The dialect that a request marks itself with, "any" where it bears no mark."""
    query = parse_qs(urlsplit(target).query)
    values = {part for given in query.values() for text in given for part in text.split(",")}
    fields = {part for text in query.get("space.fields", ()) for part in text.split(",")}
    if _MARKS["current"] & {*query, *values}:
        return "current"
    if _MARKS["legacy"] & {*query, *values} or fields & _ID_FIELDS:
        return "legacy"
    return "any"


def schemas_for(seen: Exchange) -> list[Draft202012Validator]:
    """What the body may look like: it must fit one of these."""
    for method, template, status, title in supplement()["routes"]:
        if (method, status) == (seen.method, seen.status) and _is_of(template, seen.path):
            return [own_schema(title)]
    if seen.status >= 400:
        return [own_schema(supplement()["errors_by_status"].get(str(seen.status), "Problem"))]
    if not seen.path.startswith("/2/spaces"):
        return _described("live", seen)
    dialect = seen.dialect
    if dialect == "any":
        dialect = seen.mode if seen.mode != "auto" else spoken_in(seen.target)
    names = (dialect,) if dialect in ("legacy", "current") else ("legacy", "current")
    return [schema for name in names for schema in _described(name, seen)]


def _described(name: str, seen: Exchange) -> list[Draft202012Validator]:
    template = template_of(name, seen.path)
    operation = _corrected(name)["paths"].get(template, {}).get(seen.method.lower(), {})
    answer = operation.get("responses", {}).get(str(seen.status), {})
    return [_schema_at(name, content["schema"]["$ref"]) for content in answer.get("content", {}).values()]


@cache
def _schema_at(name: str, reference: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": reference, "components": _corrected(name)["components"]})


@cache
def own_schema(title: str) -> Draft202012Validator:
    """A schema of the supplement."""
    return Draft202012Validator({"$ref": f"#/$defs/{title}", "$defs": supplement()["$defs"]})


def misfits(schemas: Sequence[Draft202012Validator], body: Any) -> list[str]:
    """Where a body fails the schema that it comes nearest to."""
    if not schemas:
        return ["nothing describes this method, path and status"]
    tries = []
    for schema in schemas:
        errors = schema.iter_errors(body)
        tries.append([f"{'/'.join(map(str, one.absolute_path)) or 'body'}: {one.message[:200]}" for one in errors])
    return min(tries, key=len)


# ---------------------------------------------------------------- what no schema can say


def _leaves(value: Any, where: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every value with its place and its name."""
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        here = f"{where}/{name}"
        yield here, str(name), part
        yield from _leaves(part, here)


def _absence(body: Mapping[str, Any]) -> Iterator[str]:
    """Absent means absent: there is no null, nothing empty, and not nothing at all."""
    if not {"data", "errors", "meta"} & set(body):
        yield "neither data nor errors nor meta"
    answered = {part: body[part] for part in ("data", "includes", "errors") if part in body}
    for where, _, value in _leaves(answered):
        if value is None or (isinstance(value, str | list | dict) and not value):
            yield f"{where} is {value!r} and should be absent"


def _counts(seen: Exchange) -> Iterator[str]:
    meta = seen.body.get("meta")
    if not seen.path.endswith(_COUNTED):
        yield from ["a meta where there is none"] if meta is not None else []
    elif meta is None:
        yield from [] if "errors" in seen.body else ["no meta"]
    elif meta.get("result_count") != len(seen.body.get("data", ())):
        yield f"result_count is {meta.get('result_count')}, the data is {len(seen.body.get('data', ()))}"


def _twins(body: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("users", "topics", "tweets", "posts"):
        ids = [one.get("id") for one in body.get("includes", {}).get(kind, ())]
        if len(set(ids)) < len(ids):
            yield f"one of includes.{kind} stands twice"


def _values(seen: Exchange) -> Iterator[str]:
    for where, name, value in _leaves(seen.body):
        if name in _INSTANT_FIELDS and isinstance(value, str) and not _STRICT_INSTANT.fullmatch(value):
            yield f"{where}: {value!r} is no instant as the service writes it"
        if name == "type" and "/problems/" in str(value) and urlsplit(value).netloc != HOSTS[seen.mode]:
            yield f"{where}: {value} is not at {HOSTS[seen.mode]}"


def _not_found(body: Mapping[str, Any]) -> Iterator[str]:
    for problem in body.get("errors", ()):
        if str(problem.get("type", "")).endswith("/resource-not-found"):
            yield from misfits([own_schema("NotFoundError")], problem)


def _headers(seen: Exchange) -> Iterator[str]:
    rates = [f"x-rate-limit-{name}" for name in ("limit", "remaining", "reset")]
    if isinstance(seen.body, dict | list) and not _JSON_TYPE.match(seen.headers.get("content-type", "")):
        yield f"JSON as {seen.headers.get('content-type')!r}"
    if seen.status == 200:
        yield from (f"no {name}" for name in rates if not seen.headers.get(name, "").isdigit())
    if seen.status == 401:
        yield from (f"{name} on a 401" for name in rates if name in seen.headers)


# ---------------------------------------------------------------- samples


def rehosted(value: Any, host: str) -> Any:
    """A sample with its problem types where a service of another mode keeps them."""
    if isinstance(value, Mapping):
        return {name: rehosted(part, host) for name, part in value.items()}
    if isinstance(value, list):
        return [rehosted(part, host) for part in value]
    if isinstance(value, str):
        return re.sub(r"^https://api\.(x|twitter)\.com(?=/2/problems/)", f"https://{host}", value)
    return value


def first_difference(wanted: Any, got: Any, where: str = "") -> str:
    """The first place where two bodies differ, "" where they do not."""
    if wanted == got:
        return ""
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        for name in sorted({*wanted, *got}):
            if (name in wanted) != (name in got):
                return f"{where}/{name} is {'missing' if name in wanted else 'more than was documented'}"
            if wanted[name] != got[name]:
                return first_difference(wanted[name], got[name], f"{where}/{name}")
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        index = next(index for index, pair in enumerate(zip(wanted, got, strict=True)) if pair[0] != pair[1])
        return first_difference(wanted[index], got[index], f"{where}/{index}")
    return f"{where}: documented {json.dumps(wanted)[:80]}, got {json.dumps(got)[:80]}"

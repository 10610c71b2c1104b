"""Live video broadcasts of the account that has signed in: looking, scheduling, going live. Not Spaces.

No price of these endpoints is published; what they cost counts nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hydrophone.errors import SettingsError
from hydrophone.http.messages import Question
from hydrophone.http.reading import Node
from hydrophone.model import Broadcast, BroadcastId, MediaKey, SpaceState, User, UserId
from hydrophone.xapi import limits
from hydrophone.xapi.answers import Answer, count_resources, join_answers, nothing_error, read_answer
from hydrophone.xapi.asking import Asked, ask, query_names
from hydrophone.xapi.checks import batches, check_broadcast_id, check_number, milliseconds
from hydrophone.xapi.credentials import Scope
from hydrophone.xapi.names import ALL_BROADCAST_FIELDS, BROADCAST_FIELDS, Dialect, names_in
from hydrophone.xapi.paging import Walk, walk_all
from hydrophone.xapi.prices import Kind
from hydrophone.xapi.session import ApiSession, Auth

READ = (Scope.BROADCAST_READ,)
WRITE = (Scope.BROADCAST_READ, Scope.BROADCAST_WRITE)
_PATH = "/2/broadcasts"
_PAGE = 100
_STATES = {
    "not_started": SpaceState.SCHEDULED,
    "created": SpaceState.SCHEDULED,
    "scheduled": SpaceState.SCHEDULED,
    "running": SpaceState.LIVE,
    "ended": SpaceState.ENDED,
    "timed_out": SpaceState.TIMED_OUT,
    "canceled": SpaceState.CANCELED,
}


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A series: ``"Daily"`` or ``"Weekly"``, and how often."""

    frequency: str
    repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastPlan:
    """What a scheduled broadcast shall be. A change replaces everything: what is not said again is dropped.

    `source_id` is the ingest, and its stream key: whoever has it can send.
    """

    begin_at: datetime
    end_at: datetime
    source_id: str | None = field(default=None, repr=False)
    title: str | None = None
    description: str | None = None
    locale: str | None = None
    available_for_replay: bool | None = None
    chat_option: int | None = None
    is_locked: bool | None = None
    manual_publish: bool | None = None
    telecast_id: str | None = None
    thumbnail_media_id: str | None = None
    recurrence: Recurrence | None = None

    def body(self) -> dict[str, Any]:
        """The JSON object to send.

        Raises:
            SettingsError: it ends before it begins, or an id is none.
        """
        if self.end_at <= self.begin_at:
            raise SettingsError("the broadcast ends before it begins", setting="end_at", advice="Give a later end.")
        body: dict[str, Any] = {
            "scheduled_start_ms": milliseconds(self.begin_at),
            "scheduled_end_ms": milliseconds(self.end_at),
        }
        for name in ("source_id", "title", "description", "locale"):
            if (text := getattr(self, name)) is not None:
                body[name] = text
        for name in ("available_for_replay", "is_locked", "manual_publish"):
            if (flag := getattr(self, name)) is not None:
                body[name] = flag
        for name in ("telecast_id", "thumbnail_media_id"):
            if (number := getattr(self, name)) is not None:
                body[name] = check_number(number, name)
        if self.chat_option is not None:
            body["chat_option"] = str(self.chat_option)
        if self.recurrence is not None:
            body["recurrence"] = _recurrence(self.recurrence)
        return body


def _recurrence(one: Recurrence) -> dict[str, str]:
    if one.frequency not in ("Daily", "Weekly"):
        raise SettingsError(
            f"no series is {one.frequency[:20]!r}", setting="frequency", advice="Known are Daily and Weekly."
        )
    return {"frequency": one.frequency, "repeats": check_number(str(one.repeats), "number of repeats")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledBroadcast:
    """What is planned. `schedule_id` is the number that a change must name, `id` what everything else does."""

    id: BroadcastId
    schedule_id: str | None = None
    series_id: str | None = None
    state: SpaceState = SpaceState.UNKNOWN
    state_text: str = ""
    title: str = ""
    description: str | None = None
    begin_at: datetime | None = None
    end_at: datetime | None = None
    is_manual: bool | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


# ---------------------------------------------------------------- looking


def broadcast_by_id(
    session: ApiSession, broadcast_id: BroadcastId, *, fields: tuple[str, ...] = ALL_BROADCAST_FIELDS
) -> Question[Broadcast]:
    """
    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    answer = yield from _ask_broadcasts(session, f"{_PATH}/{check_broadcast_id(broadcast_id)}", {}, fields)
    if not answer.items:
        raise nothing_error(answer, limits.BROADCASTS)
    return answer.items[0]


def broadcasts_by_ids(
    session: ApiSession, ids: Iterable[BroadcastId], *, fields: tuple[str, ...] = ALL_BROADCAST_FIELDS
) -> Question[Answer[Broadcast]]:
    """Those that exist and are one's own, in the caller's order."""
    wanted = [check_broadcast_id(one) for one in ids]
    answers = []
    for batch in batches(wanted):
        answers.append((yield from _ask_broadcasts(session, _PATH, {"ids": ",".join(batch)}, fields)))
    return join_answers(answers, key=_broadcast_key, order=wanted)


def own_broadcasts(
    session: ApiSession, *, fields: tuple[str, ...] = ALL_BROADCAST_FIELDS
) -> Question[Answer[Broadcast]]:
    """All broadcasts of the account."""

    def page(token: str | None) -> Question[Answer[Broadcast]]:
        return _ask_broadcasts(session, _PATH, _page(token), fields)

    return walk_all(Walk(page, key=_broadcast_key), _broadcast_key)


def _ask_broadcasts(
    session: ApiSession, path: str, params: dict[str, str], fields: tuple[str, ...]
) -> Question[Answer[Broadcast]]:
    names = query_names(broadcast_fields=names_in(Dialect.CURRENT, BROADCAST_FIELDS, fields))
    asked = _asked(path, params={**params, **names})
    root, reply = yield from ask(session, asked)
    session.charge(count_resources(root, Kind.UNPRICED), reply)
    return read_answer(root, lambda node, _: read_broadcast(node))


# ---------------------------------------------------------------- scheduling


def scheduled_broadcasts(
    session: ApiSession, *, oldest_at: datetime | None = None, newest_at: datetime | None = None
) -> Question[Answer[ScheduledBroadcast]]:
    """What is planned, optionally only what begins within a span."""
    span = {
        name: f"{at:%Y-%m-%dT%H:%M:%SZ}"
        for name, at in (("oldest_start_time", oldest_at), ("newest_start_time", newest_at))
        if at is not None
    }

    def page(token: str | None) -> Question[Answer[ScheduledBroadcast]]:
        root, _ = yield from ask(session, _asked(f"{_PATH}/scheduled", params={**_page(token), **span}))
        return read_answer(root, lambda node, _: read_scheduled(node))

    return walk_all(Walk(page, key=_scheduled_key), _scheduled_key)


def scheduled_broadcast(session: ApiSession, broadcast_id: BroadcastId) -> Question[ScheduledBroadcast]:
    answer = yield from _ask_schedule(session, _asked(_schedule_path(broadcast_id)))
    return answer


def schedule_broadcast(session: ApiSession, plan: BroadcastPlan) -> Question[ScheduledBroadcast]:
    """
    Raises:
        SettingsError: no ingest is named, or the times make no sense; nothing was sent.
    """
    if not plan.source_id:
        raise SettingsError("a broadcast needs a source", setting="source_id", advice="Name the ingest it comes from.")
    asked = _asked(f"{_PATH}/scheduled", method="POST", body=plan.body(), scopes=WRITE)
    answer = yield from _ask_schedule(session, asked)
    return answer


def replace_schedule(
    session: ApiSession, scheduled: ScheduledBroadcast, plan: BroadcastPlan, *, roll_forward: bool | None = None
) -> Question[ScheduledBroadcast]:
    """Put another plan in its place; what the new plan does not say is dropped.

    Args:
        roll_forward: shift the head of a series.
    """
    if scheduled.schedule_id is None:
        raise SettingsError("the schedule has no number", setting="schedule_id", advice="Look it up again first.")
    # A schedule cannot become a series, or part of another telecast, afterwards.
    body = {
        **replace(plan, recurrence=None, telecast_id=None).body(),
        "scheduled_broadcast_id": check_number(scheduled.schedule_id, "schedule id"),
    }
    if roll_forward is not None:
        body["roll_forward"] = roll_forward
    asked = _asked(_schedule_path(scheduled.id), method="PUT", body=body, scopes=WRITE)
    answer = yield from _ask_schedule(session, asked)
    return answer


def cancel_schedule(session: ApiSession, broadcast_id: BroadcastId, *, roll_forward: bool = False) -> Question[bool]:
    """Call it off; of a series with `roll_forward` only the next one."""
    params = {"roll_forward": "true"} if roll_forward else {}
    asked = _asked(_schedule_path(broadcast_id), method="DELETE", params=params, scopes=WRITE)
    root, _ = yield from ask(session, asked)
    return bool(root.at("data", "deleted").flag())


def go_live(session: ApiSession, broadcast_id: BroadcastId) -> Question[ScheduledBroadcast]:
    """Publish now.

    Raises:
        InvalidRequestError: it publishes itself when its time comes.
    """
    path = f"{_schedule_path(broadcast_id)}/live"
    answer = yield from _ask_schedule(session, _asked(path, method="POST", scopes=WRITE))
    return answer


def _ask_schedule(session: ApiSession, asked: Asked) -> Question[ScheduledBroadcast]:
    root, _ = yield from ask(session, asked)
    answer = read_answer(root, lambda node, _: read_scheduled(node))
    if not answer.items:
        raise nothing_error(answer, limits.BROADCASTS)
    return answer.items[0]


def _schedule_path(broadcast_id: BroadcastId) -> str:
    return f"{_PATH}/scheduled/{check_broadcast_id(broadcast_id)}"


def _asked(
    path: str,
    *,
    method: str = "GET",
    params: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    scopes: tuple[Scope, ...] = READ,
) -> Asked:
    return Asked(
        endpoint=limits.BROADCASTS,
        path=path,
        method=method,
        params=params or {},
        body=body,
        auth=Auth.USER,
        scopes=scopes,
    )


def _page(token: str | None) -> dict[str, str]:
    return {"max_results": str(_PAGE), **({"pagination_token": token} if token else {})}


# ---------------------------------------------------------------- reading


def read_broadcast(node: Node) -> Broadcast:
    """
    Raises:
        WireError: it has no id.
    """
    state_text = node.at("state").text() or ""
    owner = node.at("twitter_user_id").some_text()
    media_key = node.at("media_key").some_text()
    return Broadcast(
        id=BroadcastId(node.first("id", "broadcast_id").need_text()),
        state=_STATES.get(state_text.lower(), SpaceState.UNKNOWN),
        state_text=state_text,
        title=node.at("title").text() or "",
        broadcaster=User(id=UserId(owner)) if owner else None,
        media_key=MediaKey(media_key) if media_key else None,
        created_at=node.at("created_at_ms").instant(),
        updated_at=node.at("updated_at_ms").instant(),
        scheduled_at=node.at("scheduled_start_ms").instant(),
        started_at=node.at("start_ms").instant(),
        ended_at=node.at("end_ms").instant(),
        has_replay=node.at("available_for_replay").flag(),
        viewers=node.at("total_watching").count(),
        viewers_total=node.at("total_watched").count(),
        width=node.at("width").count(),
        height=node.at("height").count(),
        language=node.at("language").some_text(),
        thumbnail_url=node.first("image_url", "image_url_medium", "image_url_small").some_text(),
        raw=_without_key(node.mapping()),
    )


def read_scheduled(node: Node) -> ScheduledBroadcast:
    """
    Raises:
        WireError: it has no id.
    """
    state_text = node.at("state").text() or ""
    return ScheduledBroadcast(
        id=BroadcastId(node.first("broadcast_id", "id").need_text()),
        schedule_id=node.at("scheduled_broadcast_id").some_text(),
        series_id=node.at("recurring_schedule_id").some_text(),
        state=_STATES.get(state_text.lower(), SpaceState.UNKNOWN),
        state_text=state_text,
        title=node.at("title").text() or "",
        description=node.at("description").some_text(),
        begin_at=node.at("scheduled_start_ms").instant(),
        end_at=node.at("scheduled_end_ms").instant(),
        is_manual=node.at("manual_publish").flag(),
        raw=_without_key(node.mapping()),
    )


def _without_key(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record without its source: that is the stream key, and raw records are stored."""
    return {name: value for name, value in record.items() if name != "source_id"}


def _broadcast_key(broadcast: Broadcast) -> str:
    return broadcast.id


def _scheduled_key(scheduled: ScheduledBroadcast) -> str:
    return scheduled.id

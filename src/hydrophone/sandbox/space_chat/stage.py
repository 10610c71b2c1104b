"""What is not speech in a Space's chat: who joins, asks to speak, comes on stage, mutes, raises a hand, reacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hydrophone.sandbox.clock import from_us
from hydrophone.sandbox.scene import Person, Scene, invented_number
from hydrophone.sandbox.space_chat.clock import PositionClock
from hydrophone.sandbox.space_chat.draft import Draft, sender_of_action, sender_of_caption, sender_of_server_event
from hydrophone.sandbox.space_chat.facts import chat_fact

LATE_US = 430_000  #: the arrival behind the instant in the audio
NEVER = "0001-01-01T00:00:00Z"
EMOJI = ("👍", "❤️", "👏", "😂", "🌊")
LONGEST_SECONDS = 86_400.0
BY_SERVER = (9, 22)
WITHOUT_GUEST = (18, 19, 20, 21)


def stage_drafts(scene: Scene, clock: PositionClock) -> list[Draft]:
    """All of it, by time of arrival."""
    writer = _StageWriter(scene, clock)
    drafts = [*writer.joins(), *writer.reactions()]
    for person in scene.people:
        if person.role != "listener":
            drafts += writer.stay(person)
    drafts += writer.mutes_of_all()
    return sorted(drafts, key=lambda draft: draft.arrives_us)


def join_draft(scene: Scene, person: Person, at_us: int, *, leaves: bool = False) -> Draft:
    """Somebody enters the room, or leaves it."""
    return Draft(
        scene=scene,
        arrives_us=at_us,
        salt=invented_number("join", scene.id, person.handle, at_us, leaves),
        sender=sender_of_action(person, is_creator=True),
        body={} if leaves else {"following": False, "unlimited": False},
        kind=2,
        control=2 if leaves else 1,
    )


class _StageWriter:
    def __init__(self, scene: Scene, clock: PositionClock) -> None:
        self._scene = scene
        self._clock = clock
        count = scene.segment_count
        self._end = LONGEST_SECONDS if count is None else float(count * scene.segment_seconds)
        self._for_all = _shared_mutes(scene)

    # ------------------------------------------------------------ the room

    def joins(self) -> Iterator[Draft]:
        """Listeners come one after the other, or when the scene says so."""
        for place, person in enumerate(self._scene.people):
            comes = person.comes if person.role == "listener" else max(0.0, person.comes - 8.0)
            yield join_draft(self._scene, person, self._wall(comes + 0.1 + place * 0.4))
            if person.role == "listener" and person.leaves is not None:
                yield join_draft(self._scene, person, self._wall(person.leaves), leaves=True)

    def reactions(self) -> Iterator[Draft]:
        """Hearts and the like, by those who listen."""
        listeners = [person for person in self._scene.people if person.role == "listener"]
        step = float(chat_fact(self._scene, "reaction_seconds"))
        if not listeners or step <= 0:
            return
        for number in range(int(min(self._end, LONGEST_SECONDS) / step)):
            chance = invented_number("reaction", self._scene.id, number)
            person = listeners[chance % len(listeners)]
            position = number * step + 3.0 + chance % 400 / 100
            if not person.comes + 1 <= position < (person.leaves or self._end):
                continue
            audio_us = self._clock.audio_us(position)
            body = {
                "body": EMOJI[chance >> 16 & 3],
                "displayName": person.name,
                "participant_index": person.index,
                "remoteID": person.user_id,
                "type": 2,
                "username": person.handle,
            }
            yield Draft(
                scene=self._scene,
                arrives_us=self._wall(position) + 200_000,
                salt=chance,
                sender=sender_of_caption(person),
                body=body,
                audio_us=audio_us,
                has_date=True,
            )

    # ------------------------------------------------------------ the stage

    def stay(self, person: Person) -> Iterator[Draft]:
        """One person's time on stage: request, acceptance, arrival, microphone, perhaps co-host, hand, farewell."""
        host = self._scene.creator
        is_host = person.handle == host.handle
        leaves = self._end if person.leaves is None else min(person.leaves, self._end)
        comes = person.comes
        if comes >= leaves:
            return
        if not is_host:
            if comes >= 7.0:
                yield self._event(1, comes - 6.5, actor=person, guest=person)
                yield self._event(12, comes - 6.0, actor=host, guest=person)
            yield self._event(9, comes, actor=person, guest=person)
            if person.role == "host" and comes + 15 < leaves:
                yield self._event(20, comes + 2.0, actor=host, made=(person,))
                yield self._event(22, comes + 14.0, actor=person, guest=person)
        yield from self._microphone(person, comes, leaves)
        if not is_host and leaves - comes > 60:
            yield self._event(23, comes + 31.0, actor=person, guest=person, emoji="✋")
            yield self._event(24, comes + 40.5, actor=person, guest=person)
        if not is_host and person.leaves is not None and person.leaves < self._end:
            yield self._event(4, leaves, actor=person, guest=person)
            if person.role == "host":
                yield self._event(21, leaves + 0.6, actor=person, made=(person,))

    def _microphone(self, person: Person, comes: float, leaves: float) -> Iterator[Draft]:
        """Open from the beginning unless it is closed then; closed and opened as the scene says."""
        closed = sorted(
            (mute.begin, mute.end) for mute in self._scene.mutes if mute.handle == person.handle and mute.end > comes
        )
        if not any(begin <= comes + 0.3 < end for begin, end in closed):
            yield self._event(17, comes + 0.3, actor=person, guest=person)
        for begin, end in closed:
            if comes + 0.3 < begin < leaves and (begin, end) not in self._for_all:
                yield self._event(16, begin, actor=person, guest=person)
            if end < leaves:
                yield self._event(17, end, actor=person, guest=person)

    def mutes_of_all(self) -> Iterator[Draft]:
        for begin, end in sorted(self._for_all):
            yield self._event(18, begin, actor=self._scene.creator)
            if end < self._end:
                yield self._event(19, end - 0.2, actor=self._scene.creator)

    def _event(
        self,
        number: int,
        position: float,
        *,
        actor: Person,
        guest: Person | None = None,
        made: tuple[Person, ...] = (),
        emoji: str = "",
    ) -> Draft:
        is_by_server = number in BY_SERVER
        audio_us = self._clock.audio_us(position, before_seam=True)
        body: dict[str, Any] = {
            "callInsEnabled": False,
            "emoji": emoji,
            "guestBroadcastingEvent": number,
            "guestChatMessageAPIVersion": 3,
            "guestSessions": self._sessions(position, number),
            "isHostMessage": False,
            "type": 40,
            "wasGuestBanned": False,
        }
        if guest is not None and number not in WITHOUT_GUEST:
            body |= {
                "guestParticipantIndex": guest.index,
                "guestRemoteID": guest.periscope_id,
                "guestUsername": guest.handle,
                "isAudioOnlyEnabled": True,
                "sessionUUID": guest.session_id,
            }
        if made:
            body["twitter_participant_ids"] = [person.user_id for person in made]
        salt = invented_number("event", self._scene.id, number, position, actor.handle, guest.handle if guest else "")
        is_creator = actor.handle == self._scene.creator.handle
        return Draft(
            scene=self._scene,
            arrives_us=self._wall(position, before_seam=True) + LATE_US + salt % 160_000 - 80_000,
            salt=salt,
            sender=sender_of_server_event(actor) if is_by_server else sender_of_action(actor, is_creator=is_creator),
            body=body,
            audio_us=None if number == 12 else audio_us,
            by_browser=not is_by_server,
            by_server=is_by_server,
        )

    def _sessions(self, position: float, number: int) -> list[Mapping[str, Any]]:
        """Who else is on stage: told when somebody leaves it or becomes co-host."""
        if number not in (4, 20):
            return []
        return [self._session(person, position) for person in self._scene.on_stage(position)[1:]]

    def _session(self, person: Person, position: float) -> Mapping[str, Any]:
        nano = "000000Z"
        since = from_us(self._wall(person.comes)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + nano
        now = from_us(self._wall(position)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + nano
        return {
            "ended_at": NEVER,
            "guest_avatar_url": person.avatar_url.replace("_normal", "_reasonably_small"),
            "guest_display_name": person.name,
            "guest_is_audio_only": True,
            "guest_participant_id": invented_number("participant", person.handle) >> 11,
            "guest_participant_index": person.index,
            "guest_user_id": person.periscope_id,
            "guest_username": person.handle,
            "host_broadcast_id": self._scene.id,
            "is_muted_by_admin": False,
            "is_muted_by_guest": self._scene.is_muted(person.handle, position),
            "last_pinged_at": now,
            "last_updated_at": since,
            "raise_hand_emoji": "",
            "session_state": 16 if person.role == "host" else 10,
            "session_uuid": person.session_id,
            "started_at": since,
            "twitter_user_id": person.user_id,
        }

    def _wall(self, position: float, *, before_seam: bool = False) -> int:
        return self._clock.wall_us(position, before_seam=before_seam)


def _shared_mutes(scene: Scene) -> frozenset[tuple[float, float]]:
    """Mutes that strike everybody but the creator at once: the host muted all."""
    counts: dict[tuple[float, float], int] = {}
    for mute in scene.mutes:
        if mute.handle != scene.creator.handle:
            counts[mute.begin, mute.end] = counts.get((mute.begin, mute.end), 0) + 1
    return frozenset(
        span
        for span, count in counts.items()
        if count > 1 and count >= len([p for p in scene.on_stage(span[0]) if p is not scene.creator])
    )

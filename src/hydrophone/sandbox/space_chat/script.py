"""The whole chat of a Space as a script: every message with its instant of arrival, in order, written when asked for.

A scene may have tens of thousands of messages and only the newest be wanted, so text is made last.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from operator import attrgetter

from hydrophone.sandbox.periscope.chat_messages import Message
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.space_chat.captions import CaptionWriter
from hydrophone.sandbox.space_chat.clock import PositionClock
from hydrophone.sandbox.space_chat.draft import Draft
from hydrophone.sandbox.space_chat.facts import chat_fact
from hydrophone.sandbox.space_chat.hostile import hostile_drafts
from hydrophone.sandbox.space_chat.speech import utterances
from hydrophone.sandbox.space_chat.stage import stage_drafts
from hydrophone.sandbox.timeline import Timeline

#: No caption of a turn arrives earlier than this before the turn begins.
EARLY_US = 1_000_000


class Later(Message):
    """A message that is written when it is looked at."""

    __slots__ = ()

    @property
    def wire(self) -> dict[str, object]:
        ns, draft = self
        written: dict[str, object] = draft.write(ns)
        return written


def space_messages(scene: Scene, timeline: Timeline) -> Iterator[Message]:
    """All messages of a Space in order of arrival, each with a time stamp of its own."""
    clock = PositionClock(scene, timeline)
    captions = _captions(scene, timeline, clock) if scene.has_captions else iter(())
    hostile = hostile_drafts(scene, clock) if chat_fact(scene, "hostile") else []
    ns = 0
    for draft in heapq.merge(captions, stage_drafts(scene, clock), hostile, key=attrgetter("arrives_us")):
        ns = max(ns + 1, draft.arrives_us * 1000 + draft.salt % 1000)
        yield Later((ns, draft))


def _captions(scene: Scene, timeline: Timeline, clock: PositionClock) -> Iterator[Draft]:
    writer = CaptionWriter(scene, clock)
    waiting: list[tuple[int, int, Draft]] = []
    number = 0
    for begin, said in utterances(scene, timeline):
        horizon = clock.wall_us(begin) - EARLY_US
        while waiting and waiting[0][0] < horizon:
            yield heapq.heappop(waiting)[2]
        for utterance in said:
            for draft in writer.write(utterance):
                number += 1
                heapq.heappush(waiting, (draft.arrives_us, number, draft))
    while waiting:
        yield heapq.heappop(waiting)[2]

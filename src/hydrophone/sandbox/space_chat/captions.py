"""Writes what is said as the service's captions: growing, lower case, then one finished sentence; and all its oddities.

Numbers are those measured in a real history: empty final ones, runs that are lost, final ones without a run or before
their last unfinished one by the clock of the audio, clocks that go backwards, texts that shrink. Whatever the dice say,
the earliest unfinished caption lies 0.4 s (± 0.1 s) behind the first sound, and the latest caption within 0.2 s of the
end.
"""

from __future__ import annotations

from collections.abc import Iterator

from hydrophone.sandbox.scene import Person, Scene, invented_number
from hydrophone.sandbox.space_chat.clock import PositionClock
from hydrophone.sandbox.space_chat.draft import Draft, sender_of_caption
from hydrophone.sandbox.space_chat.speech import TrueWord, Utterance
from hydrophone.sandbox.timeline import FAR_US

LEAD_US = 400_000
EARLY_US = 200_000  #: the arrival before the instant in the audio
GUESSED_WORD_SECONDS = 0.33


class CaptionWriter:
    """Show it what is said, each speaker's sentences in order."""

    def __init__(self, scene: Scene, clock: PositionClock) -> None:
        self._scene = scene
        self._clock = clock
        self._arrived: dict[str, int] = {}

    def write(self, said: Utterance) -> Iterator[Draft]:
        """The captions of one sentence, in the order of their arrival."""
        person = self._scene.person(said.handle)
        if person is None:
            return
        chance = invented_number("caption", self._scene.id, said.handle, round(said.begin * 1000))
        # No caption speaks of audio that never was; and where the clock jumps, it would be somewhere else.
        is_edge = self._clock.is_edge(said.end)
        limit_us = self._clock.audio_us(said.end, before_seam=True) - 1000 if is_edge else FAR_US
        # The two clocks may run apart by hours; within a sentence they run together.
        shift_us = self._clock.wall_us(said.begin) - self._clock.audio_us(said.begin)
        for order, (audio_us, text, is_final) in enumerate(self._plan(said, chance)):
            salt = invented_number(chance, order)
            wanted = audio_us + shift_us - EARLY_US + salt % 240_000 - 120_000
            arrives = max(wanted, self._arrived.get(said.handle, 0) + 15_000)
            self._arrived[said.handle] = arrives
            yield self._draft(person, text, is_final, min(audio_us, limit_us), arrives, salt)

    def _plan(self, said: Utterance, chance: int) -> list[tuple[int, str, bool]]:
        """Instant in the audio, text, and whether it is final, in order of arrival."""
        begin_us = self._clock.audio_us(said.begin)
        end_us = self._clock.audio_us(said.end, before_seam=True)
        if not said.words:  # heard, and given up
            return [(min(begin_us + LEAD_US, end_us), "hm", False), (end_us, "", True)]
        final_us = end_us + chance % 200_000 - 20_000
        plan: list[tuple[int, str, bool]] = []
        if self._is_lost(said, chance):
            final_us = end_us
        else:
            plan = self._run(said, chance, begin_us, end_us)
            if chance >> 8 & 31 == 0:  # by its own clock before the last unfinished one
                final_us = max(end_us - 450_000, begin_us + LEAD_US)
        plan.append((final_us, said.text, True))
        if chance >> 16 & 15 < 9:
            plan.append((final_us + 60_000, "", True))
        return plan

    def _is_lost(self, said: Utterance, chance: int) -> bool:
        """A final caption without unfinished ones: only where the usual guess of its length is right."""
        guess = min(GUESSED_WORD_SECONDS * len(said.words), 10.0)
        return chance >> 24 & 15 == 0 and abs(guess - (said.end - said.begin)) < 0.12

    def _run(self, said: Utterance, chance: int, begin_us: int, end_us: int) -> list[tuple[int, str, bool]]:
        first_us = min(begin_us + LEAD_US + chance % 200_000 - 100_000, end_us)
        heard = [_plain(word.text) for word in said.words]
        if chance >> 32 & 7 == 0 and len(heard) > 3:
            heard[1] = heard[1][:-1] or heard[1]  # corrected in the finished sentence
        run = [(first_us, heard[0], False)]
        for count in _steps(len(heard), chance):
            dice = invented_number(chance, "step", count)
            at_us = self._heard_us(said.words[count - 1]) + dice % 120_000 - 60_000
            if dice >> 20 & 127 == 0 and count < len(heard):  # the last one tells where the sentence ends
                at_us -= 300_000
            shown = count - 1 if dice >> 28 & 127 == 0 and count < len(heard) else count
            run.append((min(max(at_us, first_us + 1000), end_us + 100_000), " ".join(heard[:shown]), False))
        return run

    def _heard_us(self, word: TrueWord) -> int:
        return self._clock.audio_us(word.end, before_seam=True)

    def _draft(self, person: Person, text: str, is_final: bool, audio_us: int, arrives: int, salt: int) -> Draft:
        body = {
            "body": text,
            "displayName": person.name,
            "final": is_final,
            "participant_index": person.index,
            "remoteID": person.periscope_id,
            "twitter_id": person.user_id,
            "type": 45,
            "user_id": person.periscope_id,
            "username": person.handle,
        }
        return Draft(
            scene=self._scene,
            arrives_us=arrives,
            salt=salt,
            sender=sender_of_caption(person),
            body=body,
            audio_us=audio_us,
            has_date=True,
        )


def _steps(words: int, chance: int) -> Iterator[int]:
    """After how many words an unfinished caption comes, the first one left out; the last has all."""
    count, number = 1, 0
    while count < words:
        dice = invented_number(chance, "grow", number) % 10
        count = min(words, count + (1 if dice < 6 else 2 if dice < 9 else 3))
        number += 1
        yield count


def _plain(word: str) -> str:
    return word.strip(".,?!").lower()

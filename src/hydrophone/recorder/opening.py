"""The take of a recording: where it lies, and what it remembers of earlier runs."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from hydrophone.archive import Item, Syncer, Take, find_item
from hydrophone.archive.finding import ItemFinder
from hydrophone.archive.segments import SEALED
from hydrophone.hls import NumberSet
from hydrophone.model import MediaKind
from hydrophone.recorder.audience import AudienceLog
from hydrophone.recorder.epochs import EpochMap
from hydrophone.recorder.options import RecordOptions
from hydrophone.recorder.plan import Plan
from hydrophone.recorder.sources import Look
from hydrophone.render.names import NameFacts, OutputTemplate, item_folder_name


@dataclass(slots=True)
class Work:
    """What exists once the take is open.

    `resumed` counts the segments of earlier runs; `begins_at_edge`: one of them began with what was live then, and
    nothing from before is wanted; `has_sealed`: some of their segments wait for a key.
    """

    take: Take
    plan: Plan
    epochs: EpochMap
    audience: AudienceLog
    kind: MediaKind
    resumed: int
    begins_at_edge: bool = False
    has_sealed: bool = False


def open_work(
    look: Look,
    kind: MediaKind,
    options: RecordOptions,
    own_ids: Set[str],
    syncer: Syncer | None = None,
    finder: ItemFinder | None = None,
) -> Work:
    """Begin a take, or go on with that of an earlier run. Blocks.

    Raises:
        TakeInUseError: another process records it.
        DiskError: the folder cannot be made or read.
    """
    finder = finder or ItemFinder()
    directory = options.directory or _directory(look, kind, options, finder)
    finder.made(options.archive, Item.create(directory, look.key), look.key)
    facts = {"id": look.key, "link": look.link, "media": kind.value}
    take = Take.open(directory, create_facts=facts, syncer=syncer)
    work = _resume(take, kind, own_ids)
    if options.live_edge or options.directory is not None:
        for fact in take.events("edge"):
            work.plan.start_at(int(fact["epoch"]), int(fact["first"]))
            work.begins_at_edge = True
            break
    return work


def reopen_work(key: str, options: RecordOptions, own_ids: Set[str], syncer: Syncer | None = None) -> Work | None:
    """The take of an earlier run, where nothing is known but the id; None if there is none. Blocks."""
    directory = options.directory
    if directory is None:
        item = find_item(options.archive, key)
        directory = item.path if item else None
    if directory is None:
        return None
    take = Take.open(directory, syncer=syncer)
    return _resume(take, MediaKind(str(take.header.get("media", MediaKind.AUDIO.value))), own_ids)


def _directory(look: Look, kind: MediaKind, options: RecordOptions, finder: ItemFinder) -> Path:
    """The folder of an earlier run, whatever the title was then, or a new one."""
    usual = options.archive.joinpath(*_folder(look, kind, options.output))
    found = None if Item(usual).saved_id() == look.key else finder.find(options.archive, look.key)
    return found.path if found else usual


def _folder(look: Look, kind: MediaKind, template: str | None) -> tuple[str, ...]:
    facts = NameFacts(
        id=look.key,
        kind="space" if kind is MediaKind.AUDIO else "broadcast",
        title=look.title,
        creator=look.creator,
        state=look.state.value,
        language=look.language,
        created_at=look.created_at,
        started_at=look.started_at,
        scheduled_at=look.scheduled_at,
    )
    return OutputTemplate(template).parts(facts) if template else item_folder_name(facts)


def _resume(take: Take, kind: MediaKind, own_ids: Set[str]) -> Work:
    """What a take knows from its journal, ready to go on."""
    epochs = EpochMap([int(fact["begins_ns"]) for fact in take.events("epoch")])
    held: dict[int, NumberSet] = {}
    index = take.index
    for epoch, sequence, row in index:
        if index.is_complete(row):
            held.setdefault(epoch, NumberSet()).add(sequence)
    has_sealed = False
    for stored in take.segments() if len(index) else ():
        has_sealed = has_sealed or stored.verdict == SEALED
        # A restart of the numbering during the pause is noticed only by who knows how far the last run came.
        epochs.know(stored.epoch, stored.sequence, stored.written_ns)
    plan = Plan(held)
    for fact in take.events("begin"):
        plan.begin_at(int(fact["epoch"]), int(fact["first"]))
    for fact in take.events("known"):
        plan.know(int(fact["epoch"]), int(fact["first"]), int(fact["last"]))
    for fact in take.events("same bytes"):
        plan.alias(int(fact["epoch"]), int(fact["seq"]))
    audience = AudienceLog(take, own_ids)
    audience.resume()
    return Work(take, plan, epochs, audience, kind, index.total_segments, has_sealed=has_sealed)

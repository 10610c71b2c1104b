"""The bookkeeping of one take."""

from __future__ import annotations

from hydrophone.hls import NumberSet
from hydrophone.model import GapCause, Segment
from hydrophone.recorder.plan import MAX_SPAN, Job, Plan


def segment(number: int, url: str = "") -> Segment:
    return Segment(number, url or f"https://cdn.test/chunk_1_{number}_a.aac", f"chunk_1_{number}_a.aac", 3.0)


def offer(plan: Plan, *numbers: int, is_urgent: bool = False, suffix: str = "") -> int:
    return plan.offer(
        [(0, segment(n, f"https://cdn.test/chunk_1_{n}_a.aac{suffix}")) for n in numbers], is_urgent=is_urgent
    )


def drain(plan: Plan, now: float = 0.0) -> list[int]:
    found = []
    while (job := plan.next(now)) is not None:
        found.append(job.segment.sequence)
        plan.have(job)
    return found


def first(plan: Plan, now: float = 0.0) -> Job:
    job = plan.next(now)
    assert job is not None
    return job


def test_what_is_live_comes_first_and_then_the_oldest() -> None:
    plan = Plan()
    offer(plan, 3, 1, 2)
    offer(plan, 41, 40, is_urgent=True)

    assert drain(plan) == [40, 41, 1, 2, 3]


def test_a_segment_is_wanted_once_however_often_it_is_named() -> None:
    plan = Plan()

    assert offer(plan, 1, 2) == 2
    assert offer(plan, 1, 2, 3, is_urgent=True) == 1
    assert sorted(drain(plan)) == [1, 2, 3]
    assert offer(plan, 1, 2, 3) == 0


def test_what_is_held_is_not_wanted() -> None:
    plan = Plan({0: NumberSet([1, 2])})

    assert offer(plan, 1, 2, 3) == 1
    assert drain(plan) == [3]


def test_another_address_of_the_same_segment_is_tried_on_the_next_attempt() -> None:
    plan = Plan()
    offer(plan, 7, suffix="?type=live")
    offer(plan, 7)

    job = first(plan)
    assert job.address.endswith("?type=live")
    plan.retry(job, at=5.0, cause=GapCause.NOT_FOUND)

    assert plan.next(4.9) is None
    assert plan.next_at() == 5.0
    assert first(plan, 5.0).address.endswith("a.aac")


def test_numbers_that_nobody_has_named_are_counted() -> None:
    plan = Plan()
    plan.begin_at(0, 0)
    offer(plan, 40, 41, is_urgent=True)

    assert plan.unlisted == 40
    assert plan.expected == 42

    offer(plan, *range(39))
    assert plan.unlisted == 1
    assert list(plan.missing()) == [(0, 0, 41)]


def test_a_loss_says_why_and_how_often_it_was_tried() -> None:
    plan = Plan()
    offer(plan, 1, 2, 3)
    job = first(plan)
    plan.retry(job, at=1.0, cause=GapCause.NOT_FOUND)
    plan.give_up(first(plan), GapCause.DAMAGED)
    plan.have(first(plan))
    plan.give_up(first(plan, 1.0), GapCause.NOT_FOUND)

    assert plan.is_idle
    assert plan.loss(0, 1).cause is GapCause.NOT_FOUND
    assert plan.loss(0, 1).attempts == 2
    assert plan.loss(0, 2).cause is GapCause.DAMAGED
    assert list(plan.missing()) == [(0, 1, 2)]


def test_what_was_given_up_comes_back_with_a_new_address_or_a_new_round() -> None:
    plan = Plan()
    offer(plan, 1)
    plan.give_up(first(plan), GapCause.NOT_FOUND)

    assert offer(plan, 1) == 0
    assert plan.is_idle
    assert offer(plan, 1, suffix="?type=replay") == 1
    plan.give_up(first(plan), GapCause.NOT_FOUND)
    assert plan.revive() == 1
    assert drain(plan) == [1]
    assert plan.revive() == 0


def test_stopping_turns_the_queue_into_losses_but_leaves_what_is_in_flight() -> None:
    plan = Plan()
    offer(plan, 1, 2, 3)
    flying = first(plan)

    plan.forget_queue()

    assert not plan.is_idle
    plan.have(flying)
    assert plan.is_idle
    assert plan.loss(0, 2).cause is GapCause.STOPPED


def test_a_refused_entry_is_a_gap_unless_another_list_names_it_well() -> None:
    plan = Plan()
    offer(plan, 1)
    plan.refuse(0, [2])
    assert plan.loss(0, 2).cause is GapCause.REFUSED

    offer(plan, 2)
    assert drain(plan) == [1, 2]


def test_one_absurd_number_does_not_make_the_plan_count_to_it() -> None:
    plan = Plan()
    offer(plan, 1)
    offer(plan, 2**63)
    plan.refuse(0, [2**62])
    plan.know(0, 0, MAX_SPAN * 3)

    assert plan.expected == 1
    assert drain(plan) == [1]

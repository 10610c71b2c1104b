"""Whatever the API answers while a Space is live, its audio is kept whole: rows A of the catalogue.

Each script has an engine of its own, since what one account has learnt is nothing to another; all share a sandbox.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hydrophone.sandbox.scene import Scene, SnapshotRule, invented_id
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.trials import PATIENCE, Trial, assert_kept, engine, lift_limits, record_links

SPEED = 8.0
RECORD = "AudioSpaceById"
QUICK = SnapshotRule(every=6, lag_seconds=3.0, gone_seconds=8.0)
#: Silence that counts as the end where nobody can be asked any more.
SHORT_SILENCE = dataclasses.replace(PATIENCE, silence=30.0)
LOGIN = {"auth_token": "b" * 40, "ct0": "a" * 160}
HUGE = "A" * (5 << 20)
DEEP = '{"data":' + "[" * 10_000 + "]" * 10_000 + "}"


@dataclass(frozen=True)
class ApiScript:
    """One script: what the record says after the first answer. `asked_again`: not sooner than so many seconds later."""

    name: str
    fault: Mapping[str, Any]
    settings: Mapping[str, str] = field(default_factory=dict)
    asked_again: float = 0.0

    @property
    def key(self) -> str:
        return self.name.replace(" ", "-")

    @property
    def scene(self) -> Scene:
        upset = {"service": "x", "path": f"{RECORD}.*{invented_id('space', self.key)}", "skip": 1, **self.fault}
        return Scene.live(self.key, seconds=75, since=10, snapshot=QUICK, upsets=(upset,))


def says(answer: str, count: int | None = None) -> dict[str, Any]:
    return {"kind": "answer", "name": answer} | ({} if count is None else {"count": count})


def edited(find: str, put: str) -> dict[str, Any]:
    return {"kind": "edit", "find": find, "put": put}


API_SCRIPTS = (
    ApiScript("a new ct0 comes with a 403", says("403_353_with_new_ct0", 1), LOGIN),
    ApiScript("a csrf refusal comes without a ct0", says("403_353"), LOGIN),
    ApiScript("the login is refused for ever", says("401_89"), LOGIN),
    ApiScript("the account is locked", says("403_326"), LOGIN, asked_again=300),
    ApiScript("the account is suspended", says("403_64"), LOGIN, asked_again=300),
    ApiScript("a challenge stands in the way", says("403_cloudflare"), asked_again=200),
    ApiScript("the limit names no reset", says("429_absent", 1), asked_again=55),
    ApiScript("the limit was reset years ago", says("429_past", 1), asked_again=55),
    ApiScript("the limit is a page", says("429_html", 1), asked_again=55),
    ApiScript("the limit is an object", says("429_errors_is_an_object", 1), asked_again=55),
    ApiScript("a feature is wanted that we did not name", says("400_feature_missing_336", 1)),
    ApiScript("the guest token is bad", says("403_239", 1)),
    ApiScript("the service is over capacity", says("503_overcapacity"), LOGIN),
    ApiScript("the service answers with pages", says("500_html")),
    ApiScript("load is shed with status 200", says("200_loadshed", 2)),
    ApiScript("a time-out has status 200", says("200_timeout", 2), LOGIN),
    ApiScript("the record is a page with status 200", says("200_html")),
    ApiScript("the record is empty with status 200", says("200_empty")),
    ApiScript("the record is a list", says("200_list"), LOGIN),
    ApiScript("the record is not for this account", says("200_not_authorized"), LOGIN),
    ApiScript("the title has five mebibytes", edited('"title": ?"[^"]*"', f'"title":"{HUGE}"')),
    ApiScript("the record is nested ten thousand deep", {"kind": "replace", "body": DEEP, "type": "application/json"}),
    ApiScript("every number of the record is null", edited(r"(?<=:) ?\d+(?=[,}])", "null")),
    ApiScript("every text of the record is a number", edited('(?<=:) ?"[A-Za-z ]+"(?=[,}])', "7"), LOGIN),
    ApiScript("fields of the record have other names", edited('"(state|media_key|ended_at)":', r'"\1_v2":')),
)


@dataclass(frozen=True)
class Runs:
    box: SandboxBox
    trials: Mapping[str, Trial]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with sandbox(speed=SPEED, isolated=True) as box:
        lift_limits(box)
        yield Runs(box, asyncio.run(record_all(box, tmp_path_factory.mktemp("api"))))


async def record_all(box: SandboxBox, folder: Path) -> dict[str, Trial]:
    async def one(script: ApiScript) -> Trial:
        async with engine(box, folder / script.key, **script.settings) as hydrophone:
            return (await record_links(hydrophone, [box.link(script.key)], patience=SHORT_SILENCE))[0]

    for script in API_SCRIPTS:
        box.control.load(script.scene)
    async with asyncio.timeout(240):
        trials = await asyncio.gather(*map(one, API_SCRIPTS))
    return {script.name: trial for script, trial in zip(API_SCRIPTS, trials, strict=True)}


@pytest.mark.parametrize("script", API_SCRIPTS, ids=lambda script: script.key)
def test_the_audio_is_kept_whole_although(script: ApiScript, runs: Runs) -> None:
    trial = runs.trials[script.name]

    assert trial.exit_code == 0, trial.outcome
    assert_kept(trial, runs.box, script.scene)
    asked = [note for note in runs.box.control.requests(containing=RECORD) if script.scene.id in note["query"]]
    struck = [number for number, request in enumerate(asked) if request["faults"]]
    assert struck, "the fault never struck"
    if script.asked_again:
        first = asked[struck[0]]["at_us"]
        for request in asked[struck[0] + 1 :]:
            assert request["at_us"] - first >= script.asked_again * 1e6, request

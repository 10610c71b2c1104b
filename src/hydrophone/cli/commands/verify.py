"""`hydrophone verify`: is everything in the archive as it was written?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from hydrophone.cli import screen
from hydrophone.cli.context import Common
from hydrophone.cli.exits import Exit

if TYPE_CHECKING:
    from pathlib import Path

    from hydrophone.app import AsyncHydrophone
    from hydrophone.archive.verify import VerifyReport

SHOWN_FINDINGS = 20


def verify(
    *items: str,
    deep: Annotated[bool, Parameter(name="--deep", show_default=False)] = False,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Check recordings against their manifests.

    Reads every byte and writes nothing. Gaps that a recording itself admits
    end in exit code 3, damage in 9. Without this program, `sha256sum -c
    manifest-sha256.txt` in an item's folder checks the same files.

    For example:
      hydrophone verify
      hydrophone verify ~/Music/Hydrophone/@creator
      hydrophone verify 1vOxwdyYrlqKB --json

    Parameters
    ----------
    items
        Folders of items, folders above them, or ids; the whole archive if none is named.
    deep
        Check each segment against the journal too, even where the whole file is as it should be.
    """
    from hydrophone.cli.items import items_named
    from hydrophone.cli.running import run

    settings = common.settings()
    paths = items_named(items, settings.archive)

    async def work(engine: AsyncHydrophone) -> list[VerifyReport]:
        return [await _one(engine, path, common, deep=deep) for path in paths]

    reports = run(settings, work)
    good = sum(report.is_intact for report in reports)
    common.say(f"{good} of {len(reports)} recordings are intact")
    return max((code_of_report(report) for report in reports), default=Exit.DONE)


def code_of_report(report: VerifyReport) -> Exit:
    """The exit code for one item."""
    if not report.is_intact:
        only_unfinished = not report.is_finished and len(report.findings) == 1
        return Exit.GAPS if only_unfinished else Exit.DISK
    return Exit.GAPS if report.gaps else Exit.DONE


async def _one(engine: AsyncHydrophone, path: Path, common: Common, *, deep: bool) -> VerifyReport:
    report = await engine.verify(path, deep=deep)
    if common.as_json:
        screen.say_json({"exit_code": int(code_of_report(report)), **report.as_json()})
    common.say(*lines_of(report))
    return report


def lines_of(report: VerifyReport) -> list[str]:
    """A report for people."""
    from hydrophone.cli.wording import count
    from hydrophone.render.times import duration_text

    verdict = "intact" if report.is_intact else "DAMAGED" if code_of_report(report) is Exit.DISK else "unfinished"
    files = count(len(report.ok), "file")
    gaps = count(report.gaps, "gap") if report.gaps else "no gaps"
    lines = [
        f"{verdict}: {screen.safe(str(report.path), 500)}",
        f"  {files} as in the manifest, {count(report.segments, 'segment')}, {duration_text(report.seconds)}, {gaps}",
    ]
    for finding in report.findings[:SHOWN_FINDINGS]:
        lines.append(f"  {finding.trouble}: {screen.safe(finding.name)} {screen.safe(finding.text)}".rstrip())
    hidden = len(report.findings) - SHOWN_FINDINGS
    return [*lines, f"  and {hidden:,} more; --json names all"] if hidden > 0 else lines

"""`hydrophone doctor`: what works, one check after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydrophone.cli import screen
from hydrophone.cli.context import Common
from hydrophone.cli.exits import Exit

if TYPE_CHECKING:
    from hydrophone.app import AsyncHydrophone, Finding

_MARKS = {True: "ok", False: "FAIL", None: "--"}


def doctor(*, common: Common = Common()) -> int:  # noqa: B008  (frozen)
    """Check login, service, clock and disk, one by one.

    Asks each service one harmless question. A check that could not be made is
    shown as "--".

    For example:
      hydrophone doctor
      hydrophone doctor --json
      hydrophone doctor --provider sandbox
    """
    from hydrophone.cli.running import run

    async def work(engine: AsyncHydrophone) -> list[Finding]:
        return await engine.doctor()

    findings = run(common.settings(), work)
    if common.as_json:
        screen.say_json(findings)
    for finding in findings:
        common.say(*_lines(finding))
    return Exit.GAPS if any(finding.ok is False for finding in findings) else Exit.DONE


def _lines(finding: Finding) -> list[str]:
    where = f"{screen.safe(finding.provider, 20)}  {screen.safe(finding.check, 60)}"
    line = f"{_MARKS[finding.ok].ljust(4)}  {where}: {screen.safe(finding.text)}"
    return [line, f"      {screen.safe(finding.advice)}"] if finding.advice and finding.ok is not True else [line]

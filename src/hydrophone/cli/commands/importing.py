"""`hydrophone import`: recordings that are somewhere else already become items of the archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from hydrophone.cli import screen
from hydrophone.cli.context import Common
from hydrophone.cli.exits import Exit

if TYPE_CHECKING:
    from hydrophone.recorder.importing import Imported

importing = App(
    name="import",
    help="""Make items of recordings that you have from elsewhere.

    For example:
      hydrophone import periscope-export twitter-2025-02-01.zip
      hydrophone import periscope-export ~/Downloads/twitter-2025 -P ~/Spaces
    """,
)


@importing.command(name="periscope-export")
def periscope_export(path: Path, /, *, common: Common = Common()) -> int:  # noqa: B008  (frozen)
    """Import Periscope broadcasts and Spaces from an export of your data.

    X gives you a ZIP file under "Download an archive of your data". Its video
    files of Periscope and its audio files of Spaces become items: original,
    packaged media, facts, manifest. Nothing is asked of any server, nothing
    in the export is changed, and what is in the archive already stays.

    For example:
      hydrophone import periscope-export twitter-2025-02-01.zip
      hydrophone import periscope-export ~/Downloads/twitter-2025 --json

    Parameters
    ----------
    path
        The ZIP file as it was downloaded, or the folder it was unpacked to.
    """
    from hydrophone.app import options_of
    from hydrophone.recorder.importing import Fate, import_export

    settings = common.settings()

    def tell(one: Imported) -> None:
        if common.as_json:
            screen.say_json({"type": "imported", **_facts(one)})
        common.say(*_lines(one))

    export, found = import_export(path.expanduser(), options_of(settings), on_item=tell)
    for problem in export.problems:
        screen.warn(f"note: {screen.safe(problem)}")
    made = sum(one.fate is Fate.IMPORTED for one in found)
    if common.as_json:
        screen.say_json({"type": "summary", "imported": made, "recordings": len(found), "problems": export.problems})
    common.say(f"{made} of {len(found)} recordings imported into {screen.safe(str(settings.archive), 500)}")
    if any(one.fate is Fate.FAILED for one in found):
        return Exit.DISK
    return Exit.DONE


def _facts(one: Imported) -> dict[str, object]:
    from hydrophone.cli.jsonlines import jsonable

    shown: dict[str, object] = jsonable(one)
    return shown


def _lines(one: Imported) -> list[str]:
    where = f": {screen.safe(str(one.directory), 500)}" if one.directory else ""
    lines = [f"{one.id} {one.fate.value}{where}"]
    return [*lines, f"  {screen.safe(one.text)}"] if one.text else lines

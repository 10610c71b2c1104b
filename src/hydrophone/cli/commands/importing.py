"""`hydrophone import`: recordings that are somewhere else already become items of the archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from hydrophone.cli import screen
from hydrophone.cli.context import Common
from hydrophone.cli.exits import Exit

if TYPE_CHECKING:
    from hydrophone.recorder.importing import Imported

importing = App(
    name="import",
    help="""Make items of recordings that you have from elsewhere.

    For example:
      hydrophone import x-export twitter-2025-02-01.zip
      hydrophone import periscope-export ~/Downloads/twitter-2025 -P ~/Spaces
    """,
)


@importing.command(name="x-export")
def x_export(
    path: Path,
    /,
    *,
    dry_run: Annotated[bool, Parameter(name=("--dry-run", "-n"), negative=(), show_default=False)] = False,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Import your Spaces from an export of your data.

    X gives hosts a ZIP file under "Download an archive of your data". Its
    audio files of Spaces become items, with everything else that it knows: who
    was on stage, who spoke when, how loud. No login is needed and nothing is
    asked of any server. What is in the archive already stays, so an import
    that was cut off is gone on with by typing it again.

    For example:
      hydrophone import x-export twitter-2025-02-01.zip
      hydrophone import x-export ~/Downloads/twitter-2025 --dry-run
      hydrophone import x-export twitter-2025-02-01.zip --json

    Parameters
    ----------
    path
        The ZIP file as it was downloaded, or the folder it was unpacked to.
    dry_run
        Write nothing; say what would be imported.
    """
    return _import(path, common, only_spaces=True, is_trial=dry_run)


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
    return _import(path, common)


def _import(path: Path, common: Common, *, only_spaces: bool = False, is_trial: bool = False) -> int:
    from hydrophone.app import options_of
    from hydrophone.recorder.importing import Fate, import_export

    settings = common.settings()

    def tell(one: Imported) -> None:
        if common.as_json:
            screen.say_json({"type": "imported", **_facts(one)})
        common.say(*_lines(one))

    export, found = import_export(
        path.expanduser(), options_of(settings), on_item=tell, only_spaces=only_spaces, is_trial=is_trial
    )
    for problem in export.problems:
        screen.warn(f"note: {screen.safe(problem)}")
    made = sum(one.fate is (Fate.POSSIBLE if is_trial else Fate.IMPORTED) for one in found)
    if common.as_json:
        screen.say_json({"type": "summary", "imported": made, "recordings": len(found), "problems": export.problems})
    verb = "would be" if is_trial else "were"
    where = screen.safe(str(settings.archive), 500)
    common.say(f"{made} of {len(found)} recordings {verb} imported into {where}")
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

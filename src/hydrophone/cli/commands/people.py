"""`hydrophone people`: who was there, and how much they talked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydrophone.cli import screen
from hydrophone.cli.context import Common


def people(
    item: str,
    /,
    *,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Show who was in a recording: roles, talk time, turns and words.

    For example:
      hydrophone people 1vOxwdyYrlqKB
      hydrophone people ./item --json

    Parameters
    ----------
    item
        The folder of an item, an id, or a link.
    """
    import json

    from hydrophone.archive.durable import disk_errors
    from hydrophone.cli.transcripts import item_meant
    from hydrophone.errors import ArchiveError

    path = item_meant(item, common.settings().archive).people
    with disk_errors(path):
        raw = path.read_bytes()
    try:
        found = json.loads(raw)["people"]
        rows = [row_of(person) for person in found]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArchiveError(f"{path}: not as we write it ({error})") from None
    if common.as_json:
        screen.say_json({"people": found})
    else:
        common.say(*screen.table([("NAME", "ROLES", "TALK", "SHARE", "TURNS", "WORDS"), *rows]))
    return 0


def row_of(person: Mapping[str, Any]) -> tuple[str, ...]:
    """One person for people; what is not known is blank."""
    from hydrophone.render.times import duration_text

    handle = f"@{person['handle']}" if person.get("handle") else ""
    name = str(person.get("name") or "")
    talk = person.get("talk") or {}
    return (
        screen.safe(f"{name} ({handle})" if name and handle else name or handle or "?", 40),
        screen.safe(", ".join(person["roles"])),
        duration_text(talk["seconds"]) if talk else "",
        f"{talk['share']:.0%}" if talk else "",
        str(talk["turns"]) if talk else "",
        str(talk["words"]) if talk else "",
    )

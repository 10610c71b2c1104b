"""`hydrophone storm`: the same storm through Hydrophone and other recorders, and what each of them kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from hydrophone.cli import screen
from hydrophone.cli.exits import Exit
from hydrophone.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydrophone.cli.storming import Kept
    from hydrophone.cli.weather import Trouble

HEADER = ("recorder", "version", "frames kept", "share", "twice", "exit code", "says complete", "and is it")


def storm(
    *,
    seed: Annotated[int, Parameter(name="--seed")] = 1,
    minutes: Annotated[float, Parameter(name="--minutes")] = 5.0,
    speed: Annotated[float, Parameter(name="--speed")] = 1.0,
    as_json: Annotated[bool, Parameter(name="--json", show_default=False)] = False,
) -> int:
    """Record one storm with Hydrophone, ffmpeg and streamlink, and compare what they kept.

    Needs no login and no network: a pretend Space on this machine is live
    while its CDN fails in every way that can be made good again. Each
    recorder gets the same storm at the same time, and each frame that it
    wrote is looked up among those that were sent. A recorder that is not
    installed is left out and named. Ends with 0 if Hydrophone kept everything.

    For example:
      hydrophone storm
      hydrophone storm --seed 7 --minutes 10
      hydrophone storm --json

    Parameters
    ----------
    seed
        Which storm; the same number gives the same one.
    minutes
        How long the Space is; it is recorded as it goes on, and settled in another minute or so.
    speed
        Seconds of the Space in a real one; only 1 is fair to others, who cannot live faster.
    as_json
        Print the result as one JSON object.
    """
    from hydrophone.cli.storming import perform

    if minutes <= 0 or speed <= 0:
        raise SettingsError(
            "a storm needs time", setting="--minutes" if minutes <= 0 else "--speed", advice="Give more than zero."
        )

    def say(text: str) -> None:
        if not as_json:
            screen.say(f"  {screen.safe(text)}")

    say(f"storm {seed}: {minutes:g} minutes at {speed:g} times real time")
    kept, troubles = perform(seed, minutes * 60, speed=speed, say=say)
    if as_json:
        shown = [{"at": trouble.at, "seconds": round(trouble.seconds, 1), "text": trouble.text} for trouble in troubles]
        screen.say_json({"seed": seed, "minutes": minutes, "speed": speed, "troubles": shown, "recorders": kept})
    else:
        _show(kept, troubles)
    return Exit.DONE if kept[0].is_complete and kept[0].says_complete else Exit.GAPS


def _show(kept: Sequence[Kept], troubles: Sequence[Trouble]) -> None:
    from hydrophone.render.tables import plain_table
    from hydrophone.render.times import duration_text

    screen.say()
    for trouble in troubles:
        lasting = f" ({trouble.seconds:.0f} s)" if trouble.seconds else ""
        screen.say(f"  {duration_text(trouble.at):>6}  {trouble.text}{lasting}")
    screen.say()
    screen.say(plain_table(HEADER, [row_of(one) for one in kept], right=(2, 3, 4, 5)).rstrip("\n"))
    screen.say()
    for one in kept:
        if one.is_installed:
            screen.say(f"{one.recorder:12} {one.strip}")
    screen.say("             # all kept   + some   . nothing")


def row_of(kept: Kept) -> tuple[str, ...]:
    """The cells of the table, in the order of `HEADER`."""
    if not kept.is_installed:
        return (kept.recorder, "not installed", *("-" for _ in HEADER[2:]))
    # Cut, not rounded: 99.999 % is not everything.
    share = int(10_000 * kept.frames_kept / kept.frames_offered) / 100 if kept.frames_offered else 0.0
    code = "stopped" if kept.was_stopped else str(kept.exit_code)
    truth = "yes" if kept.is_complete else "no" if kept.is_in_order else "no, and not in order"
    return (
        kept.recorder,
        kept.version,
        f"{kept.frames_kept:,} of {kept.frames_offered:,}",
        f"{share:g} %",
        str(kept.frames_twice),
        code,
        "yes" if kept.says_complete else "no",
        truth,
    )

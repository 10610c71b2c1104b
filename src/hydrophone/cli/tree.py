"""The tree of commands, and what happens around each of them: usage errors, exit codes, broken pipes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from cyclopts import App, CycloptsError, Group, Parameter

from hydrophone import __version__
from hydrophone.cli.exits import Exit
from hydrophone.cli.screen import complain, say
from hydrophone.errors import SettingsError

_RECORD = Group("Record", sort_key=1)
_SAID = Group("Who said what", sort_key=1.5)
_KEEP = Group("Look after recordings", sort_key=2)
_SETUP = Group("Set up", sort_key=3)
_TRY = Group("Try out", sort_key=4)

#: Name and group in the overview. The function of the same name is in `cli/commands/<name>.py`, but for `_MODULES`.
COMMANDS: tuple[tuple[str, Group], ...] = (
    ("record", _RECORD),
    ("find", _RECORD),
    ("info", _RECORD),
    ("url", _RECORD),
    ("broadcast", _RECORD),
    ("periscope", _RECORD),
    ("transcript", _SAID),
    ("quote", _SAID),
    ("clip", _SAID),
    ("people", _SAID),
    ("verify", _KEEP),
    ("repair", _KEEP),
    ("import", _KEEP),
    ("doctor", _SETUP),
    ("auth", _SETUP),
    ("budget", _SETUP),
    ("config", _SETUP),
    ("completion", _SETUP),
    ("demo", _TRY),
    ("sandbox", _TRY),
    ("storm", _TRY),
)

#: Commands whose name no module of Python can have.
_MODULES = {"import": "importing"}

_ABOUT = """Hydrophone records X Spaces and X video broadcasts whole, and says so when it
could not.

For example:
  hydrophone record https://x.com/i/spaces/1vOxwdyYrlqKB
  hydrophone record --wait -P ~/Spaces URL1 URL2
  hydrophone info @creator
  hydrophone COMMAND --help

Exit codes: 0 done, 2 usage, 3 finished with gaps, 4 not found, 5 not signed in
or refused, 6 rate limited, 7 the service changed, 8 unreachable, 9 disk."""


def build_app(*, whole: bool = True) -> App:
    """The command tree.

    Args:
        whole: load every command, as an overview needs it; else a command's module is imported when it is called.
    """
    app = App(
        name="hydrophone",
        help=_ABOUT,
        help_format="plaintext",
        version=__version__,
        version_flags=["--version", "-V"],
        default_parameter=Parameter(negative=()),
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    app.register_install_completion_command(help="Install completion for your shell.", group=_SETUP, show=False)
    for name, group in COMMANDS:
        module = _MODULES.get(name, name)
        path = f"hydrophone.cli.commands.{module}:{module}"
        app.command(path, name=name, group=group)
        if whole:
            app[name]
    return app


def dispatch(arguments: Sequence[str], app: App | None = None) -> int:
    """Run one command line and return its exit code. Never raises."""
    options = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    as_json = "--json" in options
    is_command = bool(arguments) and not arguments[0].startswith("-")
    try:
        return _code((app or build_app(whole=not is_command))(list(arguments)))
    except CycloptsError as error:
        return complain(_usage(error), as_json=as_json)
    except BrokenPipeError:  # the reader of our output has gone, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except SystemExit as leaving:
        return _code(leaving.code)
    except (Exception, KeyboardInterrupt) as error:
        if not as_json and "-vv" in options:
            import traceback

            traceback.print_exc()
        return complain(error, as_json=as_json)


def _code(result: Any) -> int:
    if isinstance(result, str):
        say(result)
    return result if isinstance(result, int) else Exit.DONE


def _usage(error: CycloptsError) -> SettingsError:
    command = " ".join(["hydrophone", *(error.command_chain or ())])
    return SettingsError(" ".join(str(error).split()), setting="command line", advice=f"See `{command} --help`.")

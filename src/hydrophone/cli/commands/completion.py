"""`hydrophone completion`: the script that lets a shell complete our commands and flags."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from hydrophone.cli import screen
from hydrophone.cli.context import Common


def completion(
    shell: Literal["bash", "zsh", "fish", "powershell"],
    /,
    *,
    install: Annotated[bool, Parameter(name="--install")] = False,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Print or install completion for your shell.

    For example:
      hydrophone completion bash --install
      hydrophone completion zsh > ~/.zsh/completions/_hydrophone
      hydrophone completion fish | source

    Parameters
    ----------
    shell
        bash, zsh, fish or powershell.
    install
        Write the script to where the shell looks for it, instead of printing it.
    """
    from hydrophone.cli.tree import build_app

    app = build_app()
    if install:
        # Here `shell` is a name such as "zsh"; nothing is run.
        path = app.install_completion(shell=shell)  # nosec B604
        common.say(f"installed: {path}; it counts from the next shell on")
    else:
        script = app.generate_completion(shell=shell)  # nosec B604
        screen.say(script.rstrip("\n"))
    return 0

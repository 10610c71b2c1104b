"""`hydrophone sandbox`: a pretend X on this machine."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from hydrophone.cli import screen
from hydrophone.errors import DiskError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydrophone.sandbox.scene import Scene
    from hydrophone.sandbox.world import World

CA_FILE = Path("hydrophone-sandbox-ca.pem")
DEFAULT_SCENES = ("ended-two-hours", "live-now", "starts-soon")


def sandbox(
    *scenes: str,
    speed: Annotated[float, Parameter(name="--speed")] = 1.0,
    port: Annotated[int, Parameter(name="--port")] = 0,
    proxy: Annotated[bool, Parameter(name="--proxy", show_default=False)] = False,
    ca_out: Annotated[Path | None, Parameter(name="--ca-out")] = None,
    list_scenes: Annotated[bool, Parameter(name="--list", show_default=False)] = False,
    as_json: Annotated[bool, Parameter(name="--json", show_default=False)] = False,
) -> int:
    """Serve a pretend X on this machine, until Ctrl-C.

    Listens on loopback only. In another terminal, set HYDROPHONE_SANDBOX to
    the control address that is printed, and every command talks to the
    sandbox instead of to X. With --proxy, unmodified programs do too: set
    HTTPS_PROXY to the proxy's address and let them trust the --ca-out file.

    For example:
      hydrophone sandbox
      hydrophone sandbox host-drops storm --speed 20
      hydrophone sandbox --list
      hydrophone sandbox --proxy --ca-out sandbox-ca.pem
      hydrophone sandbox ended-short --json

    Parameters
    ----------
    scenes
        Shipped scenes by name, or TOML files; an ended, a live and a scheduled Space if none is named.
    speed
        How many seconds of the scenes pass in one second.
    port
        The first of a row of ports, the control room's coming last but for the proxy's; free ones if not set.
    proxy
        Also listen as a forward proxy for the hosts of X, Periscope and their CDN.
    ca_out
        Where to write the certificate of the proxy's authority (PEM); hydrophone-sandbox-ca.pem if not set.
    list_scenes
        List the shipped scenes and leave.
    as_json
        Print the addresses as one line of JSON.
    """
    from hydrophone.sandbox.scenefile import shipped_scenes

    if list_scenes:
        names = shipped_scenes()
        screen.say_json(names) if as_json else screen.say("\n".join(names))
        return 0
    if speed <= 0:
        raise SettingsError("the speed must be above zero", setting="--speed")
    loaded = [_scene(name) for name in scenes or DEFAULT_SCENES]
    ca_file = (ca_out or CA_FILE).expanduser().absolute() if proxy or ca_out else None
    if ca_file is not None:
        _write_authority(ca_file)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(loaded, speed=speed, port=port, proxy=proxy, ca_file=ca_file, as_json=as_json))
    return 0


async def _serve(
    scenes: Sequence[Scene], *, speed: float, port: int, proxy: bool, ca_file: Path | None, as_json: bool
) -> None:
    from hydrophone.cli.running import signals_to
    from hydrophone.recorder.options import StopSignal
    from hydrophone.sandbox.hosts import SERVICES
    from hydrophone.sandbox.server import serve

    ports = {service: port + n for n, service in enumerate((*SERVICES, "proxy"))} if port else None
    stop = StopSignal()

    def ready(world: World) -> None:
        _announce(world, ca_file=ca_file, as_json=as_json)

    with signals_to(stop, say=lambda text: None):
        await serve(scenes, speed=speed, ports=ports, proxy=proxy, on_ready=ready, until=stop.finishing())


def _announce(world: World, *, ca_file: Path | None, as_json: bool) -> None:
    from hydrophone.sandbox.world import describe

    facts = dict(describe(world)) | ({} if ca_file is None else {"ca_file": str(ca_file)})
    if as_json:
        screen.say_json(facts)
        return
    for line in screen.table((s["name"], s["state"], s["id"], s["title"]) for s in facts["scenes"]):
        screen.say(screen.safe(line))
    screen.say()
    for name, base in facts["bases"].items():
        screen.say(f"{name.ljust(12)} {base}")
    screen.say()
    screen.say("In another terminal:")
    screen.say(f"  export HYDROPHONE_SANDBOX={facts['bases']['control']}")
    screen.say(f"  hydrophone record {facts['scenes'][0]['id']}")
    if "proxy" in facts["bases"]:
        screen.say("For unmodified programs:")
        screen.say(f"  export HTTPS_PROXY={facts['bases']['proxy']} SSL_CERT_FILE={ca_file}")


def _scene(name: str) -> Scene:
    import tomllib

    from hydrophone.sandbox.scenefile import SceneFileError, load_shipped, read_scene

    try:
        if not name.endswith(".toml"):
            return load_shipped(name)
        path = Path(name).expanduser()
        return read_scene({"name": path.stem} | tomllib.loads(path.read_text(encoding="utf-8")))
    except SceneFileError as error:
        raise SettingsError(str(error), setting="scene", advice="See `hydrophone sandbox --list`.") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{name} cannot be read: {error}", setting="scene") from None


def _write_authority(path: Path) -> None:
    from hydrophone.sandbox.proxy import ca_pem

    try:
        path.write_bytes(ca_pem())
    except OSError as error:
        raise DiskError(f"{path}: {error.strerror}", errno=error.errno or 0) from None

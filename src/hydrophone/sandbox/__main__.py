"""``python -m hydrophone.sandbox``: serves scenes until it is told to stop; says where, as text or JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydrophone.sandbox.hosts import SERVICES
from hydrophone.sandbox.scenefile import SceneFileError, load_shipped, read_scene, shipped_scenes
from hydrophone.sandbox.server import serve
from hydrophone.sandbox.world import World, describe


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code."""
    told = _parser().parse_args(argv)
    try:
        scenes = [load_shipped(name) for name in told.scene or ()]
        scenes += [read_scene(json.loads(text)) for text in told.scene_json or ()]
    except (SceneFileError, ValueError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    ports = {service: told.port + index for index, service in enumerate((*SERVICES, "proxy"))} if told.port else None

    def ready(world: World) -> None:
        if told.ca_file:
            from hydrophone.sandbox.proxy import write_ca_file

            write_ca_file(told.ca_file)
        text = json.dumps(describe(world)) if told.json else as_text(world)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt instead
                break
        await serve(
            scenes,
            speed=told.speed,
            host=told.host,
            ports=ports,
            proxy=told.proxy,
            on_ready=ready,
            until=stop.wait(),
        )

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        return 0
    return 0


def as_text(world: World) -> str:
    """The same for people."""
    shown: Any = describe(world)
    lines = [f"{name:12} {base}" for name, base in shown["bases"].items()]
    lines += [f"{scene['state']:12} {scene['id']}  {scene['title']}  ({scene['name']})" for scene in shown["scenes"]]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hydrophone.sandbox", description="A pretend X and CDN on loopback."
    )
    parser.add_argument("--scene", action="append", help=f"a shipped scene, repeatable: {', '.join(shipped_scenes())}")
    parser.add_argument("--scene-json", action="append", help="a scene as JSON, repeatable")
    parser.add_argument("--speed", type=float, default=1.0, help="scene seconds per real second")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="the first of a row of ports; free ones by default")
    parser.add_argument("--proxy", action="store_true", help="also listen as a forward proxy")
    parser.add_argument("--ca-file", type=Path, help="write the certificate that the proxy's clients must trust")
    parser.add_argument("--json", action="store_true", help="say where as one line of JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Two network namespaces with a cable between them: in one lives a sandbox, in the other a recorder.

Both keep their loopback addresses, since a sandbox listens there and nowhere else: ``127.0.0.1`` is at the far end of
the cable, and the near end is ``127.0.0.2`` (`route_localnet` lets such addresses onto a cable). Needs root on Linux.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

_NEW_NET = 0x40000000
_HERE = "/proc/thread-self/ns/net"


def why_not() -> str:
    """Why there can be no namespaces here, empty where there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need root on Linux"
    missing = [tool for tool in ("ip", "tc", "unshare") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} (iproute2, util-linux) is missing"
    made = subprocess.run(
        ["unshare", "--net", "ip", "link", "add", "near", "type", "veth", "peer", "name", "far"], capture_output=True
    )
    return f"no cable can be laid: {made.stderr.decode().strip()}" if made.returncode else ""


@dataclass(frozen=True)
class Cable:
    """Both ends, as descriptors of their namespaces."""

    near: int
    far: int

    @contextlib.contextmanager
    def at(self, end: int) -> Iterator[None]:
        """This thread, and the processes and threads that it starts, are at that end while inside."""
        before = os.open(_HERE, os.O_RDONLY)
        try:
            _enter(end)
            yield
        finally:
            _enter(before)
            os.close(before)

    def cut(self) -> None:
        with self.at(self.far):
            _run("ip link set far down")

    def join(self) -> None:
        with self.at(self.far):
            _run("ip link set far up")
            _run("ip route replace 127.0.0.2 dev far src 127.0.0.1")

    def lose(self, share: float) -> None:
        """From now on this share of the packets is lost on their way, in both directions.

        By a classic BPF program that throws dice (load a random number; greater than k: drop), since `netem` is missing
        in many kernels.
        """
        program = f"4,32 0 0 4294963256,37 0 1 {int((1 - share) * 0xFFFFFFFF)},6 0 0 2,6 0 0 4294967295"
        with self.at(self.far):
            _run("tc qdisc add dev far clsact")
            for way in ("ingress", "egress"):
                _run(f"tc filter add dev far {way} bpf direct-action bytecode", program)

    def lost(self) -> int:
        """How many packets were lost by the dice."""
        with self.at(self.far):
            return int(re.findall(r"dropped (\d+)", _run("tc -s qdisc show dev far clsact"))[0])


@contextlib.contextmanager
def cable() -> Iterator[Cable]:
    """Lay one. Nothing of it is left behind: namespaces go when nobody is in them."""
    near, far = _new(), _new()
    laid = Cable(near, far)
    try:
        with laid.at(far):
            _run("ip link set lo up")
            # Else all of 127.0.0.0/8 would be taken for this end.
            _run("ip route del local 127.0.0.0/8 dev lo table local")
            _allow_loopback_addresses()
        with laid.at(near):
            subprocess.run(
                ["ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", f"/proc/self/fd/{far}"],
                check=True,
                pass_fds=[far],
            )
            _allow_loopback_addresses()
            _run("ip address add 127.0.0.2/32 dev near")
            _run("ip link set near up")
            _run("ip route add 127.0.0.1 dev near src 127.0.0.2")
        laid.join()
        yield laid
    finally:
        os.close(near)
        os.close(far)


def _new() -> int:
    before = os.open(_HERE, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        return os.open(_HERE, os.O_RDONLY)
    finally:
        _enter(before)
        os.close(before)


def _enter(namespace: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _NEW_NET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _allow_loopback_addresses() -> None:
    with open("/proc/sys/net/ipv4/conf/all/route_localnet", "w") as setting:
        setting.write("1")


def _run(command: str, *more: str) -> str:
    done = subprocess.run([*command.split(), *more], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{command}: {done.stderr.strip()}")
    return done.stdout

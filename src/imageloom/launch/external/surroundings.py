"""Where a rank runs that something else started: its machine, its cores, its network."""

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import torch

from imageloom.distributed.ranks import Ranks, StartedRank
from imageloom.launch.network import address_of, interface_towards, interface_variables
from imageloom.system.machine import available_cores


def this_machine(started: StartedRank) -> str:
    """Return a text that only processes on this machine have.

    Two containers on one host are two machines: each numbers its own processes and GPUs.
    """
    parts = [platform.node(), f"{started.node_rank}"]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(str(Path("/proc/self/ns/net").readlink()))
    return " ".join(parts)


def own_cores() -> tuple[int, ...]:
    """Return the numbers of the cores that this process may use; empty where nobody tells."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


@contextlib.contextmanager
def on_network(interface: str, towards: str) -> Iterator[None]:
    """Let ranks talk to each other through one network interface while the body runs.

    Variables that are set already stay: somebody knows better.

    Args:
        interface: Its name; empty where nobody named one.
        towards: Where it leads to then. Without it gloo takes the one to which the machine's own
            name leads, often to itself; NCCL chooses well.

    Raises:
        EnvironmentUnsuitableError: This machine has no such interface.
    """
    if interface:
        address_of(interface)
        variables = interface_variables(interface)
    else:
        found = interface_towards(towards) if towards else ""
        variables = {"GLOO_SOCKET_IFNAME": found} if found else {}
    new = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            del os.environ[name]


@contextlib.contextmanager
def on_own_cores(ranks: Ranks) -> Iterator[None]:
    """Compute on this rank's share of the cores, where nobody has chosen a number of threads.

    With one thread for every core in each rank, they would wait for one another.
    """
    before = torch.get_num_threads()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, available_cores() // ranks.core_sharers))
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""What this machine has, as the operating system tells: GPUs, cores, and memory that ran out."""

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

GPUS_VARIABLE: Final = "CUDA_VISIBLE_DEVICES"
NVIDIA_GPUS: Final = Path("/proc/driver/nvidia/gpus")
CGROUPS: Final = Path("/sys/fs/cgroup")
CGROUP_OF_SELF: Final = Path("/proc/self/cgroup")


def visible_gpus(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the GPUs that may be used, as CUDA names them."""
    chosen = environment.get(GPUS_VARIABLE)
    if chosen is None:
        count = len(list(NVIDIA_GPUS.iterdir())) if NVIDIA_GPUS.is_dir() else 0
        return tuple(str(number) for number in range(count))
    names = [name.strip() for name in chosen.split(",")]
    # CUDA ends the list at the first name that is none, such as -1.
    end = next((at for at, name in enumerate(names) if name in ("", "-1")), len(names))
    return tuple(names[:end])


def available_cores() -> int:
    """Return the cores this process may use, which containers and Slurm limit."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processing_units(environment: Mapping[str, str]) -> int:
    """Return how many processes can train side by side: one for each GPU, or else each core."""
    return len(visible_gpus(environment)) or available_cores()


def gpu_models() -> tuple[str, ...]:
    """Return what kinds of GPU the machine has, each once, as their driver calls them.

    Source:
        NVIDIA's driver README, "The /proc file system"; it needs no CUDA and starts none.
    """
    models = set()
    for file in NVIDIA_GPUS.glob("*/information"):
        with contextlib.suppress(OSError):
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                name, _, value = line.partition(":")
                models |= {value.strip()} if name == "Model" else set()
    return tuple(sorted(models))


def shared_memory_free_bytes() -> int | None:
    """Return the free bytes in ``/dev/shm``, or None where there is no such place."""
    try:
        usage = os.statvfs("/dev/shm")
    except (OSError, AttributeError):
        return None
    return usage.f_bavail * usage.f_frsize


def count_oom_kills() -> int:
    """Return how many processes of our control group the kernel has ended for want of memory.

    Source:
        Linux, Documentation/admin-guide/cgroup-v2.rst (memory.events) and cgroup-v1/memory.rst
        (memory.oom_control); the field is called oom_kill in both. 0 where neither is there.
    """
    for file in _memory_event_files():
        with contextlib.suppress(OSError, ValueError):
            fields = dict(line.split() for line in file.read_text(encoding="ascii").splitlines())
            return int(fields.get("oom_kill", "0"))
    return 0


def _memory_event_files() -> Iterator[Path]:
    with contextlib.suppress(OSError):
        for line in CGROUP_OF_SELF.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            inside = path.lstrip("/")
            # A container may name a path that it cannot see; its own part then lies on top.
            if "memory" in controllers.split(","):
                yield CGROUPS / "memory" / inside / "memory.oom_control"
                yield CGROUPS / "memory" / "memory.oom_control"
            elif not controllers:
                yield CGROUPS / inside / "memory.events"
                yield CGROUPS / "memory.events"


def signal_name(number: int) -> str:
    """Return what people call a signal: ``SIGKILL`` for 9."""
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return "unknown"

"""What the operating system tells of this machine: GPUs, cores, memory that ran out, its user."""

import contextlib
import os
import platform
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import open_files_error

try:
    import pwd
except ImportError:  # Windows
    pwd = None  # type: ignore[assignment]

GPUS_VARIABLE: Final = "CUDA_VISIBLE_DEVICES"
NVIDIA_GPUS: Final = Path("/proc/driver/nvidia/gpus")
CGROUPS: Final = Path("/sys/fs/cgroup")
CGROUP_OF_SELF: Final = Path("/proc/self/cgroup")
ENOUGH_OPEN_FILES: Final = 65_536
OPEN_FILES: Final = Path("/proc/self/fd")
MEMORY_FACTS: Final = Path("/proc/meminfo")
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


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


def login_name() -> str:
    """Return the name of the user who runs this process, whatever the environment calls them.

    A user without a name, as containers have, is called by the number.
    """
    if pwd is None:
        return os.environ.get("USERNAME", "")
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"


def is_alive(pid: int) -> bool:
    """Whether this machine has a process of that number; it may be another one than is meant."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


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


def allow_more_open_files() -> None:
    """Raise this process's limit of open files as far as it may, which its children inherit.

    The limit that shells begin with, 1,024 or 256, is meant for programs that wait with select();
    the system lets everybody raise it to the hard limit.

    Source:
        http://0pointer.net/blog/file-descriptor-limits.html (systemd's author).
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # a system that has a limit beside it
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def require_open_files(more: int, purpose: str) -> None:
    """Refuse what would open more files than this process may have open at once.

    Args:
        more: Files, pipes and sockets that will be opened beside those that are open now.
        purpose: What for, as in ``2 processes that read pictures``.

    Raises:
        EnvironmentUnsuitableError: They are too many; the message has both numbers.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY or not OPEN_FILES.is_dir():
        return
    needed = len(list(OPEN_FILES.iterdir())) + more
    if needed > limit:
        raise open_files_error(limit, f"needs {needed} for {purpose}")


@dataclass(frozen=True)
class HostMemory:
    """The memory that this process and those that it starts can have together.

    Attributes:
        limit_bytes: All there is, swap included: of the machine, or of the control group (that of a
            container, or of a scheduler's job) that allows least.
        available_bytes: What can still be taken of it. What the kernel keeps of files can.
        is_limited: Whether a control group sets the limit.
    """

    limit_bytes: int
    available_bytes: int
    is_limited: bool


def host_memory() -> HostMemory | None:
    """Return what there is of memory, or None where the system does not say.

    Source:
        Linux, Documentation/filesystems/proc.rst (meminfo), admin-guide/cgroup-v2.rst (memory.max,
        memory.swap.max, memory.current, memory.stat) and cgroup-v1/memory.rst (the same as
        memory.limit_in_bytes, memory.memsw.limit_in_bytes, memory.usage_in_bytes, memory.stat).
    """
    facts = {name: 1024 * size for name, size in _fields(MEMORY_FACTS).items()}
    if "MemTotal:" not in facts or "MemAvailable:" not in facts:
        return None
    swap, free_swap = facts.get("SwapTotal:", 0), facts.get("SwapFree:", 0)
    limits = [facts["MemTotal:"] + swap]
    available = [facts["MemAvailable:"] + free_swap]
    for group in _memory_groups():
        limit = _limit_of(group, swap)
        if limit is not None:
            limits.append(limit)
            available.append(limit - _held_by(group))
    return HostMemory(
        limit_bytes=min(limits),
        available_bytes=max(0, min(available)),
        is_limited=min(limits) < limits[0],
    )


def _limit_of(group: "_MemoryGroup", swap: int) -> int | None:
    """Return what a control group may hold, with its part of the swap; None without a limit."""
    if group.is_unified:
        limit = _number(group.folder / "memory.max")
        more = _number(group.folder / "memory.swap.max")
    else:
        limit = _number(group.folder / "memory.limit_in_bytes")
        both = _number(group.folder / "memory.memsw.limit_in_bytes")
        more = None if both is None or limit is None else both - limit
    return None if limit is None else limit + (swap if more is None else min(swap, more))


def _held_by(group: "_MemoryGroup") -> int:
    """Return what a control group holds and cannot give back at once."""
    if group.is_unified:
        used, prefix = _number(group.folder / "memory.current"), ""
    else:  # its own statistics leave out the groups below it, but for those that are called total
        used, prefix = _number(group.folder / "memory.usage_in_bytes"), "total_"
    fields = _fields(group.folder / "memory.stat")
    of_files = sum(fields.get(f"{prefix}{kind}_file", 0) for kind in ("active", "inactive"))
    return max(0, (used or 0) - of_files)


def memory_in_use_bytes() -> int:
    """Return what this process holds that is no copy of a file; 0 where the system does not say."""
    try:
        _, resident, shared, *_ = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class OomRecord:
    """How often the kernel had ended processes for want of memory, for whoever looks later.

    Attributes:
        host: Name of the machine.
        boot: Names the time since its last start; empty where the system does not say.
        file: Where the kernel counts; empty where it does not.
        kills: What stood there.
    """

    host: str
    boot: str
    file: str
    kills: int

    @property
    def kills_since(self) -> int:
        """How many more the kernel counts now; 0 from another machine, or after a new start."""
        now = oom_record()
        if not self.file or (self.host, self.boot) != (now.host, now.boot):
            return 0
        return max(0, _fields(Path(self.file)).get("oom_kill", 0) - self.kills)


def oom_record() -> OomRecord:
    """Return what the kernel has counted by now for our control group, and where."""
    boot = ""
    with contextlib.suppress(OSError):
        boot = BOOT_ID.read_text(encoding="ascii").strip()
    file = next((file for file in _memory_event_files() if "oom_kill" in _fields(file)), None)
    return OomRecord(
        host=platform.node(),
        boot=boot,
        file="" if file is None else str(file),
        kills=0 if file is None else _fields(file)["oom_kill"],
    )


def count_oom_kills() -> int:
    """Return how many processes of our control group the kernel has ended for want of memory.

    Source:
        Linux, Documentation/admin-guide/cgroup-v2.rst (memory.events) and cgroup-v1/memory.rst
        (memory.oom_control); the field is called oom_kill in both. 0 where neither is there.
    """
    return oom_record().kills


@dataclass(frozen=True)
class _MemoryGroup:
    """A folder of the kernel for a control group; of version 2, which is unified, or of 1."""

    folder: Path
    is_unified: bool


def _memory_event_files() -> Iterator[Path]:
    for group in _memory_groups():
        yield group.folder / ("memory.events" if group.is_unified else "memory.oom_control")


def _memory_groups() -> Iterator[_MemoryGroup]:
    """Yield the control groups that hold our memory: our own, those around it, the outermost."""
    with contextlib.suppress(OSError, ValueError):
        for line in CGROUP_OF_SELF.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            top = CGROUPS if not controllers else CGROUPS / "memory"
            # A container may name a path that it cannot see; its own part then lies on top.
            inside = Path(path.lstrip("/"))
            for folder in (top / inside, *(top / outer for outer in inside.parents)):
                yield _MemoryGroup(folder, is_unified=not controllers)


def _fields(file: Path) -> dict[str, int]:
    """Return the lines of a file of the kernel that are a name and a number."""
    fields = {}
    with contextlib.suppress(OSError, ValueError):  # ValueError: a NUL in the path
        for line in file.read_text(encoding="ascii", errors="replace").splitlines():
            name, number, *_ = *line.split(), "", ""
            if number.isdigit():
                fields[name] = int(number)
    return fields


def _number(file: Path) -> int | None:
    """Return the number in a file of the kernel; None for "max" and where there is no such file."""
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def signal_name(number: int) -> str:
    """Return what people call a signal: ``SIGKILL`` for 9."""
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return "unknown"

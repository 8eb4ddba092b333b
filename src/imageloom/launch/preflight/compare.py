"""Whether machines can train together: what differs and what lacks, before any rank starts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.launch.preflight.facts import MachineFacts, SeenPictures, disk_free_bytes
from imageloom.launch.preflight.room import Needs, needs_of
from imageloom.system.machine import GPUS_VARIABLE, shared_memory_free_bytes
from imageloom.system.wording import count, mebibytes

# Ranks of other releases than these speak to each other in other ways, or compute differently.
_EQUAL_RELEASES: Final = ("imageloom", "torch", "torchvision")


def compare(leader: MachineFacts, other: MachineFacts, needs: Needs) -> list[str]:
    """Return what is different on another machine but does no harm, as sentences.

    Args:
        leader: Of the machine that holds the run.
        other: Of one that wants to take part; it may be the leader's own.
        needs: Of each machine.

    Raises:
        EnvironmentUnsuitableError: They cannot train together; the message names everything that
            stands against it with both values and both hosts, and ``details["fields"]`` lists it.
    """
    problems = _Problems()
    warnings = list(_compare_versions(leader, other, problems))
    if needs.device != "cpu":
        warnings += _compare_gpus(leader, other, problems)
    if other.mark != leader.mark or not leader.mark:
        problems.add(
            "run directory",
            f"the run directory there is not that of {leader.host}",
            "Put the run on storage that all machines mount at the same path.",
        )
    else:  # otherwise it speaks of other pictures
        _compare_pictures(leader, other, problems)
    if other.processing_units < needs.processes:
        units = count(other.processing_units, "GPU" if other.gpus else "core")
        problems.add(
            "processing units",
            f"{needs.processes:,} processes per node are asked for, but it has {units}",
            f"Use at most {other.processing_units:,} processes per node.",
        )
    _check_room(other.shared_memory_bytes, other.disk_bytes, needs, problems)
    problems.raise_if_any(f"{other.host} cannot train together with {leader.host}")
    return warnings


def require_room(run: Path, *, processes: int) -> None:
    """Refuse to start processes on this machine that will run out of shared memory or disk.

    Raises:
        CannotResumeError: There is no run.
        EnvironmentUnsuitableError: There is too little room; the message has both numbers.
    """
    problems = _Problems()
    needs = needs_of(run, processes=processes)
    _check_room(shared_memory_free_bytes(), disk_free_bytes(run), needs, problems)
    problems.raise_if_any(f"There is no room for {count(processes, 'process', 'processes')}")


class _Problems:
    """What stands against a machine, and what to do about it."""

    def __init__(self) -> None:
        self._fields: list[str] = []
        self._sentences: list[str] = []
        self._hints: list[str] = []

    def add(self, field: str, sentence: str, hint: str) -> None:
        self._fields.append(field)
        self._sentences.append(sentence)
        self._hints += [] if hint in self._hints else [hint]

    def raise_if_any(self, beginning: str) -> None:
        if self._sentences:
            raise EnvironmentUnsuitableError(
                f"{beginning}: {'; '.join(self._sentences)}.",
                hint=" ".join(self._hints),
                reason="preflight",
                details={"fields": self._fields},
            )


def _compare_versions(
    leader: MachineFacts, other: MachineFacts, problems: _Problems
) -> Iterator[str]:
    for name in sorted({*leader.versions, *other.versions}):
        there, here = other.versions.get(name, "missing"), leader.versions.get(name, "missing")
        if there == here:
            continue
        sentence = f"{name} is {there} there, but {here} on {leader.host}"
        if _release(name, there) != _release(name, here):
            problems.add(name, sentence, "Install the same versions on all machines.")
        else:
            yield _harmless(other, sentence)


def _release(name: str, version: str) -> str:
    """Return the part of a version that must be equal on all machines."""
    if name == "python":
        return ".".join(version.split(".")[:2])
    return version.partition("+")[0] if name in _EQUAL_RELEASES else ""


def _compare_gpus(leader: MachineFacts, other: MachineFacts, problems: _Problems) -> Iterator[str]:
    if bool(leader.gpus) != bool(other.gpus):
        problems.add(
            "GPUs",
            f"it has {count(other.gpus, 'GPU')}, but {leader.host} {leader.gpus}",
            f"Give each machine GPUs, or set {GPUS_VARIABLE} to nothing on all to train on cores.",
        )
    elif leader.gpu_models != other.gpu_models:
        there, here = (", ".join(facts.gpu_models) or "unknown" for facts in (other, leader))
        sentence = f"the GPU is {there}, but {here} on {leader.host}"
        yield f"{_harmless(other, sentence)} All wait for the slowest."


def _harmless(other: MachineFacts, sentence: str) -> str:
    return f"On {other.host}, {sentence}. Equal bits from run to run are not promised."


def _compare_pictures(leader: MachineFacts, other: MachineFacts, problems: _Problems) -> None:
    for name in sorted({*leader.pictures, *other.pictures}):
        here = leader.pictures.get(name, SeenPictures())
        there = other.pictures.get(name, SeenPictures())
        if there.problem:
            place = f" in {there.root}" if there.root else ""
            problems.add(
                f"{name} pictures",
                f"of the {name} pictures{place}, {there.problem}",
                "Mount the same pictures at the same path on all machines, or convert them again. "
                "If they were moved on all, --root says where they lie now.",
            )
        elif there.digest != here.digest:
            problems.add(
                f"{name} pictures",
                f"the {name} pictures in {there.root} have digest {there.digest[:12]} there, but "
                f"{here.digest[:12]} on {leader.host}",
                "Mount the same pictures at the same path on all machines.",
            )


def _check_room(
    shared_memory_bytes: int | None, disk_bytes: int, needs: Needs, problems: _Problems
) -> None:
    if shared_memory_bytes is not None and shared_memory_bytes < needs.shared_memory_bytes:
        problems.add(
            "shared memory",
            f"/dev/shm has {mebibytes(shared_memory_bytes)} free, but the workers that read "
            f"pictures need {mebibytes(needs.shared_memory_bytes)}",
            "Ask for fewer --workers, or --workers -1 for as many as fit; in a container, start "
            "it with a larger --shm-size.",
        )
    if disk_bytes < needs.disk_bytes:
        problems.add(
            "disk",
            f"the disk of the run directory has {mebibytes(disk_bytes)} free, but checkpoints, "
            f"model and report need {mebibytes(needs.disk_bytes)}",
            "Free space on that disk.",
        )

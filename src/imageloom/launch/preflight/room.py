"""How much room the processes of a run take on a machine, before any of it is taken."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.models.compute import shared_memory_needed_bytes
from imageloom.training.assemble import reader_batch_bytes
from imageloom.training.checkpoints.checkpoint import NETWORK_FILE
from imageloom.training.checkpoints.retention import KEPT
from imageloom.training.memory import OPTIMIZER_COPIES
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory

# The two last, the best epoch's, and the one that is written before an old one goes.
_CHECKPOINTS_AT_ONCE: Final = KEPT + 2
_MODELS_AT_ONCE: Final = 2  # a better epoch's is written beside the one that it replaces
_BYTES_PER_SCORE: Final = 8
_BYTES_PER_SCORED_ROW: Final = 256  # name, digest and label of a picture
_LOGS_AND_REPORT_BYTES: Final = 64 * 2**20


@dataclass(frozen=True)
class Needs:
    """What a machine must have for its part of a run.

    Attributes:
        processes: Processes on it.
        device: The run's parameter ``device``.
        shared_memory_bytes: Free in ``/dev/shm`` for the pictures that reading processes hand over.
            0 where the run reads in the training processes, or chooses as many readers as fit.
        disk_bytes: Free on the disk of the run directory, beside what the run already takes there.
    """

    processes: int = 1
    device: str = "auto"
    shared_memory_bytes: int = 0
    disk_bytes: int = 0


def needs_of(run: Path, *, processes: int) -> Needs:
    """Return what a run needs of a machine on which so many of its processes train.

    Raises:
        CannotResumeError: There is no run.
    """
    directory = RunDirectory(run)
    record = directory.read()
    params, size = record.params, record.resolved.image_size
    return Needs(
        processes=processes,
        device=params.device,
        shared_memory_bytes=shared_memory_needed_bytes(
            max(0, params.workers), reader_batch_bytes(params, size), processes
        ),
        disk_bytes=_disk_bytes(directory, params),
    )


def _disk_bytes(run: RunDirectory, params: TrainParams) -> int:
    sizes = {file: file.stat().st_size for file in run.checkpoints.rglob("*") if file.is_file()}
    network = max((sizes[file] for file in sizes if file.name == NETWORK_FILE), default=0)
    checkpoint = network * (1 + OPTIMIZER_COPIES[params.optimizer])
    there = sum(sizes.values())
    checkpoints = max(checkpoint, _CHECKPOINTS_AT_ONCE * checkpoint - there)
    return checkpoints + _MODELS_AT_ONCE * network + _scores_bytes(run) + _LOGS_AND_REPORT_BYTES


def _scores_bytes(run: RunDirectory) -> int:
    scored = run.read().data.validation
    return scored.images * (_BYTES_PER_SCORED_ROW + _BYTES_PER_SCORE * len(scored.classes))

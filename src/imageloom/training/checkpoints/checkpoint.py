"""Checkpoints: everything that changes while training, published whole.

``checkpoints/step-000000120/`` holds network, optimizer and random generators as safetensors and
the rest as JSON, each file with its SHA-256; the generators of further processes have files of
their own.
"""

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from imageloom.distributed.ranks import ALONE, Ranks
from imageloom.errors import CannotResumeError, FailedToWriteOutputsError, library_text
from imageloom.files.publish import publishing_directory, to_json, verify_directory
from imageloom.models.safetensors_file import map_safetensors
from imageloom.models.state import differences
from imageloom.training.checkpoints.generator_state import read_generators, restore_generators
from imageloom.training.checkpoints.loop_state import (
    STATE_FILE,
    LoopState,
    not_as_written,
    read_checkpoint_record,
)
from imageloom.training.checkpoints.optimizer_state import (
    contiguous,
    flatten_optimizer,
    restore_optimizer,
)
from imageloom.training.checkpoints.retention import all_checkpoints, prune
from imageloom.training.generators import seed_generators
from imageloom.training.weight_average import WeightAverage

NETWORK_FILE: Final = "network.safetensors"
AVERAGE_FILE: Final = "average.safetensors"
_OPTIMIZER: Final = "optimizer.safetensors"
_GENERATORS: Final = "generators.safetensors"
_OS_ERROR: Final = re.compile(r"\(os error (\d+)\)")


def save_checkpoint(
    folder: Path,
    state: LoopState,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    other_generators: Sequence[bytes] = (),
    average: WeightAverage | None = None,
) -> None:
    """Publish a checkpoint and remove those that are no longer needed.

    Args:
        folder: Of the run's checkpoints.
        state: Where the loop stands.
        network: Its values are written, under its own names.
        optimizer: Likewise.
        other_generators: What ``generators_of_process`` returned in the other processes of the
            run, in the order of ranks.
        average: The mean of the network's weights, where the run has one.

    Raises:
        FailedToWriteOutputsError: It could not be written; the earlier ones are intact.
    """
    with publishing_directory(folder / state.name, replace=True) as partial:
        _save(contiguous(network.state_dict()), partial / NETWORK_FILE)
        if average is not None:
            _save(contiguous(average.network.state_dict()), partial / AVERAGE_FILE)
        tensors, groups = flatten_optimizer(optimizer)
        _save(tensors, partial / _OPTIMIZER)
        generators, numbers = read_generators()
        _save(generators, partial / _GENERATORS)
        for rank, content_of_rank in enumerate(other_generators, start=1):
            (partial / _generators_of(rank)).write_bytes(content_of_rank)
        content = {
            "state": asdict(state),
            "optimizer": groups,
            "generators": numbers,
            "processes": 1 + len(other_generators),
        }
        (partial / STATE_FILE).write_text(to_json(content), encoding="utf-8")
    prune(folder)


def _save(tensors: dict[str, torch.Tensor], file: Path) -> None:
    try:
        save_file(tensors, file)
    except SafetensorError as problem:  # a full disk, as safetensors says it
        number = _OS_ERROR.search(str(problem))
        if number is not None:
            code = int(number[1])
            # Whoever publishes the directory names it, and what to do about this number.
            raise OSError(code, os.strerror(code)) from problem
        raise FailedToWriteOutputsError(
            f"{file} could not be written: {library_text(problem)}.",
            hint="Free space or choose a place you may write to. Earlier checkpoints are intact.",
            reason="os-error",
        ) from problem


def newest_checkpoint(
    folder: Path, put_in_place: Callable[[Path], None] = lambda _: None
) -> tuple[Path, LoopState, list[str]]:
    """Return the newest checkpoint that is whole.

    Args:
        folder: Of the run's checkpoints.
        put_in_place: Uses a checkpoint that seems whole; one of which it raises CannotResumeError
            is not.

    Returns:
        Its folder, its state, and one sentence for each damaged checkpoint that was passed over.

    Raises:
        CannotResumeError: There is none.
    """
    passed_over: list[str] = []
    for path in reversed(all_checkpoints(folder)):
        try:
            verify_directory(path, CannotResumeError)
            state = read_state(path)
            if state.best_checkpoint not in ("", path.name):
                verify_directory(folder / state.best_checkpoint, CannotResumeError)
            put_in_place(path)
        except CannotResumeError as problem:
            passed_over.append(f"Checkpoint {path.name} cannot be used: {problem.message}")
            continue
        return path, state, passed_over
    raise CannotResumeError(
        " ".join([f"{folder} holds no whole checkpoint.", *passed_over]),
        hint="Start the run again; nothing of it can be continued.",
        reason="no-checkpoint",
    )


def restore_checkpoint(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    average: WeightAverage | None = None,
    ranks: Ranks = ALONE,
    seed: int = 0,
) -> None:
    """Put a checkpoint's values into network, optimizer and the global random generators.

    Args:
        path: Folder of the checkpoint.
        network: Receives values.
        optimizer: Likewise.
        average: Likewise.
        ranks: Which process this is. If the checkpoint was written by another number of processes,
            the generators start anew from seed, rank and step.
        seed: The run's.

    Raises:
        CannotResumeError: The checkpoint does not fit the network or the optimizer, or is no
            checkpoint at all. What was put in place so far stays.
    """
    record = read_checkpoint_record(path)
    if average is not None:
        load_network(path, average.network, AVERAGE_FILE)
    load_network(path, network)
    restore_optimizer(optimizer, path / _OPTIMIZER, record.optimizer)
    if record.processes != ranks.world_size:
        seed_generators(_seed_of_rank(seed, ranks.rank, record.state.step))
    elif ranks.is_first:
        restore_generators(path / _GENERATORS, record.generators)
    else:
        restore_generators(path / _generators_of(ranks.rank))


def load_network(path: Path, network: nn.Module, name: str = NETWORK_FILE) -> None:
    """Put only the network's values of a checkpoint into ``network``, on whatever device it is.

    Args:
        path: Folder of the checkpoint.
        network: Receives values.
        name: Which file: the last weights, or ``AVERAGE_FILE``.

    Raises:
        CannotResumeError: They are another network's, or no tensors.
    """
    file = path / name
    tensors = map_safetensors(file, CannotResumeError)
    if problems := differences(tensors, network.state_dict()):
        raise not_as_written(file, f"it {problems[0]}, unlike the run's network")
    network.load_state_dict(tensors)


def read_state(path: Path) -> LoopState:
    """Return where the loop stood at a checkpoint.

    Raises:
        CannotResumeError: ``state.json`` is not as it was written.
    """
    return read_checkpoint_record(path).state


def _generators_of(rank: int) -> str:
    return f"generators-{rank}.safetensors"


def _seed_of_rank(seed: int, rank: int, step: int) -> int:
    digest = hashlib.sha256(f"{seed} {rank} {step}".encode("ascii")).digest()
    return int.from_bytes(digest[:7], "little")

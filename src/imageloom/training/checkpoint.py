"""Checkpoints: everything that changes while training, published whole.

``checkpoints/step-000000120/`` holds network, optimizer and random generators as safetensors and
the rest as JSON, each file with its SHA-256; the generators of further processes have files of
their own. The last two checkpoints stay, and those that hold the best epoch of one of them.
"""

import hashlib
import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save, save_file
from torch import nn

from imageloom.distributed.ranks import ALONE, Ranks
from imageloom.errors import CannotResumeError, FailedToWriteOutputsError, library_text
from imageloom.metrics import ScoreSums
from imageloom.publish import publishing_directory, read_json, to_json, verify_directory
from imageloom.training.early_stop import EarlyStop
from imageloom.training.generators import seed_generators

KEPT: Final = 2
NETWORK_FILE: Final = "network.safetensors"
_OPTIMIZER: Final = "optimizer.safetensors"
_GENERATORS: Final = "generators.safetensors"
_STATE: Final = "state.json"
_NUMBERS: Final = "numbers"


@dataclass(frozen=True)
class LoopState:
    """Where the loop stands, besides the tensors.

    Attributes:
        epoch: Epochs completed, validation included.
        steps_in_epoch: Optimizer steps completed in the epoch under way.
        step: Optimizer steps completed in all.
        sums: Over the training pictures of the epoch under way.
        interval: Likewise since figures were last recorded.
        early_stop: What validation has shown.
        best_checkpoint: Name of the checkpoint with the best epoch's network; empty before it.
        epoch_seconds: Time spent training in the epoch under way.
        waiting_seconds: Part of it spent waiting for pictures.
        events_bytes: Length of ``events.jsonl``; later rows are made again after a resume.
    """

    epoch: int = 0
    steps_in_epoch: int = 0
    step: int = 0
    sums: ScoreSums = field(default_factory=ScoreSums)
    interval: ScoreSums = field(default_factory=ScoreSums)
    early_stop: EarlyStop = field(default_factory=EarlyStop)
    best_checkpoint: str = ""
    epoch_seconds: float = 0.0
    waiting_seconds: float = 0.0
    events_bytes: int = 0

    @property
    def name(self) -> str:
        """Name of this state's checkpoint."""
        # The end of an epoch is not its last step: validation lies between them.
        return f"step-{self.step:09d}" + ("-end-of-epoch" if self.ends_epoch else "")

    @property
    def ends_epoch(self) -> bool:
        """Whether an epoch, validation included, has just ended."""
        return self.epoch > 0 and self.steps_in_epoch == 0


def save_checkpoint(
    folder: Path,
    state: LoopState,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    other_generators: Sequence[bytes] = (),
) -> None:
    """Publish a checkpoint and remove those that are no longer needed.

    Args:
        folder: Of the run's checkpoints.
        state: Where the loop stands.
        network: Its values are written, under its own names.
        optimizer: Likewise.
        other_generators: What ``generators_of_process`` returned in the other processes of the
            run, in the order of ranks.

    Raises:
        FailedToWriteOutputsError: It could not be written; the earlier ones are intact.
    """
    with publishing_directory(folder / state.name, replace=True) as partial:
        _save(_contiguous(network.state_dict()), partial / NETWORK_FILE)
        tensors, groups = _flatten_optimizer(optimizer)
        _save(tensors, partial / _OPTIMIZER)
        generators, numbers = _read_generators()
        _save(generators, partial / _GENERATORS)
        for rank, content_of_rank in enumerate(other_generators, start=1):
            (partial / _generators_of(rank)).write_bytes(content_of_rank)
        content = {
            "state": asdict(state),
            "optimizer": groups,
            "generators": numbers,
            "processes": 1 + len(other_generators),
        }
        (partial / _STATE).write_text(to_json(content), encoding="utf-8")
    _prune(folder)


def _save(tensors: dict[str, torch.Tensor], file: Path) -> None:
    try:
        save_file(tensors, file)
    except SafetensorError as problem:  # a full disk, as safetensors says it
        raise FailedToWriteOutputsError(
            f"{file} could not be written: {library_text(problem)}.",
            hint="Free space or choose a place you may write to. Earlier checkpoints are intact.",
            reason="os-error",
        ) from problem


def newest_checkpoint(folder: Path) -> tuple[Path, LoopState, list[str]]:
    """Return the newest checkpoint that is whole.

    Returns:
        Its folder, its state, and one sentence for each damaged checkpoint that was passed over.

    Raises:
        CannotResumeError: There is none.
    """
    passed_over: list[str] = []
    for path in reversed(_all_checkpoints(folder)):
        try:
            verify_directory(path, CannotResumeError)
            state = read_state(path)
            if state.best_checkpoint not in ("", path.name):
                verify_directory(folder / state.best_checkpoint, CannotResumeError)
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
    ranks: Ranks = ALONE,
    seed: int = 0,
) -> None:
    """Put a checkpoint's values into network, optimizer and the global random generators.

    Args:
        path: Folder of the checkpoint.
        network: Receives values.
        optimizer: Likewise.
        ranks: Which process this is. If the checkpoint was written by another number of processes,
            the generators start anew from seed, rank and step.
        seed: The run's.
    """
    load_network(path, network)
    content = read_json(path / _STATE, CannotResumeError)
    _unflatten_optimizer(optimizer, load_file(path / _OPTIMIZER), content["optimizer"])
    if content.get("processes", 1) != ranks.world_size:
        seed_generators(_seed_of_rank(seed, ranks.rank, read_state(path).step))
    elif ranks.is_first:
        _restore_generators(load_file(path / _GENERATORS), content["generators"])
    else:
        tensors = load_file(path / _generators_of(ranks.rank))
        numbers = json.loads(bytes(tensors.pop(_NUMBERS).tolist()))
        _restore_generators(tensors, numbers)


def generators_of_process() -> bytes:
    """Return the state of this process's global random generators, as safetensors."""
    tensors, numbers = _read_generators()
    text = json.dumps(numbers).encode("ascii")
    return save({**tensors, _NUMBERS: torch.tensor(list(text), dtype=torch.uint8)})


def load_network(path: Path, network: nn.Module) -> None:
    """Put only the network's values of a checkpoint into ``network``, on whatever device it is."""
    network.load_state_dict(load_file(path / NETWORK_FILE))


def read_state(path: Path) -> LoopState:
    """Return where the loop stood at a checkpoint that is known to be whole."""
    content = read_json(path / _STATE, CannotResumeError)["state"]
    assert isinstance(content, dict), "verified against its SHA-256"
    content["sums"] = ScoreSums(**content["sums"])
    content["interval"] = ScoreSums(**content["interval"])
    content["early_stop"] = EarlyStop(**content["early_stop"])
    return LoopState(**content)


def _generators_of(rank: int) -> str:
    return f"generators-{rank}.safetensors"


def _seed_of_rank(seed: int, rank: int, step: int) -> int:
    digest = hashlib.sha256(f"{seed} {rank} {step}".encode("ascii")).digest()
    return int.from_bytes(digest[:7], "little")


def _all_checkpoints(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("step-*") if path.is_dir())


def _prune(folder: Path) -> None:
    checkpoints = _all_checkpoints(folder)
    kept = {path.name for path in checkpoints[-KEPT:]}
    kept |= {read_state(path).best_checkpoint for path in checkpoints[-KEPT:]}
    for path in checkpoints:
        if path.name not in kept:
            # Renamed first, so that a kill in between leaves no checkpoint that is half there.
            doomed = path.with_name(f".{path.name}.removed")
            path.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
    for left in folder.glob(".*.removed"):
        shutil.rmtree(left, ignore_errors=True)


def _contiguous(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _flatten_optimizer(
    optimizer: torch.optim.Optimizer,
) -> tuple[dict[str, torch.Tensor], list[dict[str, object]]]:
    state = optimizer.state_dict()
    tensors = {
        f"{position}.{name}": value
        for position, values in state["state"].items()
        for name, value in values.items()
        if isinstance(value, torch.Tensor)
    }
    return _contiguous(tensors), state["param_groups"]


def _unflatten_optimizer(
    optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor], groups: object
) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        position, name = key.split(".", 1)
        state.setdefault(int(position), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _read_generators() -> tuple[dict[str, torch.Tensor], dict[str, object]]:
    tensors = {"torch": torch.get_rng_state()}
    # Of the GPU on which this process computes, whatever its number is there; to ask any other
    # would take some hundred MiB of its memory.
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        tensors["cuda"] = torch.cuda.get_rng_state()
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    assert not isinstance(kind, dict)
    numpy_state = [str(kind), [int(key) for key in keys], position, has_gauss, gauss]
    return tensors, {"python": random.getstate(), "numpy": numpy_state}


def _restore_generators(tensors: dict[str, torch.Tensor], numbers: object) -> None:
    assert isinstance(numbers, dict)
    torch.set_rng_state(tensors["torch"])
    if "cuda" in tensors and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.set_rng_state(tensors["cuda"])
    version, keys, gauss = numbers["python"]
    random.setstate((version, tuple(keys), gauss))
    kind, words, position, has_gauss, cached = numbers["numpy"]
    np.random.set_state((kind, np.array(words, dtype=np.uint32), position, has_gauss, cached))

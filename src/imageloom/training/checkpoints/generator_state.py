"""The state of a process's global random generators, as tensors and numbers."""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import torch
from pydantic import ValidationError
from safetensors.torch import save

from imageloom.errors import CannotResumeError, library_text
from imageloom.models.safetensors_file import read_safetensors
from imageloom.training.checkpoints.loop_state import GeneratorNumbers, not_as_written

_NUMBERS: Final = "numbers"
_TORCH: Final = "torch"
_CUDA: Final = "cuda"


def generators_of_process() -> bytes:
    """Return the state of this process's global random generators, as safetensors."""
    tensors, numbers = read_generators()
    text = json.dumps(numbers).encode("ascii")
    return save({**tensors, _NUMBERS: torch.tensor(list(text), dtype=torch.uint8)})


def read_generators() -> tuple[dict[str, torch.Tensor], dict[str, object]]:
    """Return torch's generators as tensors, and Python's and NumPy's as ``GeneratorNumbers``."""
    tensors = {_TORCH: torch.get_rng_state()}
    # Of the GPU on which this process computes, whatever its number is there; to ask any other
    # would take some hundred MiB of its memory.
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        tensors[_CUDA] = torch.cuda.get_rng_state()
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    assert not isinstance(kind, dict)
    numpy_state = [str(kind), [int(key) for key in keys], position, has_gauss, gauss]
    return tensors, {"python": random.getstate(), "numpy": numpy_state}


def restore_generators(file: Path, numbers: GeneratorNumbers | None = None) -> None:
    """Put states into this process's global random generators.

    Args:
        file: The tensors.
        numbers: Python's and NumPy's; by default those that ``generators_of_process`` put into the
            file.

    Raises:
        CannotResumeError: A state is none.
    """
    tensors = read_safetensors(file, CannotResumeError)
    try:
        numbers = numbers or _numbers_in(tensors)
        _restore_torch(tensors)
        random.setstate(numbers.python)
        kind, words, position, has_gauss, gauss = numbers.numpy
        np.random.set_state((kind, np.array(words, np.uint32), position, has_gauss, gauss))
    except (KeyError, TypeError, ValueError, RuntimeError) as problem:  # as torch and Python say it
        text = library_text(problem)
        raise not_as_written(file, f"a random generator refuses its state ({text})") from problem


def _restore_torch(tensors: Mapping[str, torch.Tensor]) -> None:
    torch.set_rng_state(tensors[_TORCH])
    if _CUDA in tensors and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.set_rng_state(tensors[_CUDA])


def _numbers_in(tensors: Mapping[str, torch.Tensor]) -> GeneratorNumbers:
    try:
        return GeneratorNumbers.model_validate_json(bytes(tensors[_NUMBERS].tolist()))
    except ValidationError as problem:
        raise ValueError(f"{problem.error_count()} wrong values") from problem

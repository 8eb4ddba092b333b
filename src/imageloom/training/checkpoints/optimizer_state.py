"""An optimizer's state as named tensors and plain values, and back into an optimizer like it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import torch
from pydantic import JsonValue

from imageloom.errors import CannotResumeError
from imageloom.models.safetensors_file import map_safetensors
from imageloom.system.wording import some
from imageloom.training.checkpoints.loop_state import STATE_FILE, not_as_written

_STEP: Final = "step"  # a number, where what else is kept has the parameter's shape
_RATE: Final = "lr"  # which each step sets
_MEANS: Final = ("fused", "foreach")  # how the same is computed
_KEPT: Final = {
    torch.optim.SGD: {"momentum_buffer"},
    torch.optim.AdamW: {_STEP, "exp_avg", "exp_avg_sq"},
}


def flatten_optimizer(
    optimizer: torch.optim.Optimizer,
) -> tuple[dict[str, torch.Tensor], list[dict[str, object]]]:
    """Return the tensors by position of the parameter and name, and the groups of parameters."""
    state = optimizer.state_dict()
    tensors = {
        f"{position}.{name}": value
        for position, values in state["state"].items()
        for name, value in values.items()
        if isinstance(value, torch.Tensor)
    }
    return contiguous(tensors), state["param_groups"]


def restore_optimizer(
    optimizer: torch.optim.Optimizer, file: Path, groups: Sequence[Mapping[str, JsonValue]]
) -> None:
    """Put into an optimizer what ``flatten_optimizer`` returned of one for the same network.

    Raises:
        CannotResumeError: They are not this optimizer's.
    """
    own = optimizer.state_dict()["param_groups"]
    if len(own) != len(groups) or not all(map(_is_alike, own, groups)):
        raise not_as_written(file.with_name(STATE_FILE), "it is another optimizer's")
    moved = [one for group in optimizer.param_groups for one in group["params"]]
    places = {f"{number}": number for number in range(len(moved))}
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in map_safetensors(file, CannotResumeError).items():
        position, _, name = key.partition(".")
        number = places.get(position)
        wanted = torch.Size() if name == _STEP or number is None else moved[number].shape
        if number is None or tensor.shape != wanted or not tensor.is_floating_point():
            raise not_as_written(file, f"the tensor {key!r} is none of the run's optimizer")
        state.setdefault(number, {})[name] = _laid_out(tensor, moved[number])
    for number, kept in state.items():
        if kept.keys() != _KEPT[type(optimizer)]:
            raise not_as_written(file, f"of parameter {number} it holds {some(sorted(kept))}")
    merged = [
        {**group, **found, **_means_of(group)} for group, found in zip(own, groups, strict=True)
    ]
    optimizer.load_state_dict({"state": state, "param_groups": merged})


def _laid_out(tensor: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """Return what a file holds as its parameter lies in memory.

    A fused optimizer goes through both by their places there: with channels last in one alone it
    would move wrong weights and say nothing.
    """
    if tensor.shape != parameter.shape:
        return tensor
    return torch.empty_like(parameter, dtype=tensor.dtype, device=tensor.device).copy_(tensor)


def _means_of(group: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in group.items() if name in _MEANS}


def contiguous(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors as a safetensors file takes them."""
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _is_alike(own: Mapping[str, object], found: Mapping[str, JsonValue]) -> bool:
    """Whether a group is the optimizer's; a torch of another version may know other values."""
    plain = json.loads(json.dumps(own))
    return all(
        found.get(key, value) == value
        for key, value in plain.items()
        if key != _RATE and key not in _MEANS
    )

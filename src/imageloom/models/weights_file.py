"""A state dict from a single file, whatever tool wrote it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch

from imageloom.errors import CouldNotOpenFileError, InvalidModelDirectoryError
from imageloom.models.safetensors_file import read_safetensors
from imageloom.models.torch_file import load_torch_file
from imageloom.wording import some

# Where training scripts put the weights inside a checkpoint, most specific first.
_NESTED_KEYS: Final = ("state_dict", "model_state_dict", "model")
# What nn.DataParallel and torch.compile put in front of every name.
_WRAPPER_PREFIXES: Final = ("module.", "_orig_mod.")


def read_weights_file(file: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a .safetensors or torch file by name.

    A checkpoint that keeps the weights under ``state_dict``, ``model_state_dict`` or ``model`` is
    opened there. The prefixes ``module.`` and ``_orig_mod.`` are removed when all names have them.

    Raises:
        CouldNotOpenFileError: There is no such file.
        InvalidModelDirectoryError: It is not a file of weights, is damaged or unsafe.
    """
    if not file.is_file():
        raise CouldNotOpenFileError(
            f"There is no file {file}.",
            hint="Give the path of a .safetensors or .pth file, or 'imagenet', or 'none'.",
            reason="missing-file",
            details={"file": str(file)},
        )
    if file.suffix.lower() == ".safetensors":
        return _without_wrapper(read_safetensors(file, InvalidModelDirectoryError))
    return _without_wrapper(_tensors_of(load_torch_file(file), file))


def _tensors_of(content: Mapping[object, object], file: Path) -> dict[str, torch.Tensor]:
    for key in _NESTED_KEYS:
        nested = content.get(key)
        if isinstance(nested, Mapping):
            content = nested
            break
    weights: dict[str, torch.Tensor] = {}
    others: list[str] = []
    for name, value in content.items():
        if isinstance(name, str) and isinstance(value, torch.Tensor):
            weights[name] = value
        else:
            others.append(repr(name))
    if others or not weights:
        raise InvalidModelDirectoryError(
            f"{file} is no dictionary of weights: {some(others) or 'nothing'} in it.",
            hint="Save the weights alone, with torch.save(network.state_dict(), FILE).",
            reason="no-state-dict",
            details={"file": file.name},
        )
    return {name: _own_memory(tensor) for name, tensor in weights.items()}


def _own_memory(tensor: torch.Tensor) -> torch.Tensor:
    """Copy a tensor out of the mapped file, so that a later write to it cannot change a network.

    A tensor can claim more elements than it has bytes, by strides of zero. It fits no network, so
    it is left for the comparison of shapes, which takes no memory.
    """
    claims_more = tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes()
    return tensor if claims_more else tensor.detach().clone()


def _without_wrapper(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    for prefix in _WRAPPER_PREFIXES:
        if state and all(name.startswith(prefix) for name in state):
            bare = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
            return _without_wrapper(bare)  # wrappers are nested in either order
    return state

"""The named tensors in a single file, whatever tool wrote it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from imageloom.errors import CouldNotOpenFileError, InvalidModelDirectoryError
from imageloom.files.plain_file import naming_read_failures
from imageloom.models.safetensors_file import read_safetensors
from imageloom.models.torch_file import load_torch_file
from imageloom.system.wording import some

_MAX_DEPTH: Final = 2  # Composer keeps the weights in 'model' inside 'state'


@dataclass(frozen=True, eq=False)
class TensorSet:
    """Tensors that stand together in a file.

    Attributes:
        key: Where in the file, as ``state.model``; empty where the file is nothing else.
        tensors: By name. They may lie in the mapped file: copy them before they are used.
        others: Names beside them that are no tensors.
    """

    key: str
    tensors: Mapping[str, torch.Tensor]
    others: tuple[str, ...] = ()


def read_weights_file(file: Path) -> tuple[TensorSet, ...]:
    """Return all sets of named tensors in a .safetensors or torch file, the outermost first.

    The optimizer's are not among them: it counts its tensors and does not name them.

    Raises:
        CouldNotOpenFileError: There is no such file.
        InvalidModelDirectoryError: It is not a file of weights, is damaged or unsafe.
    """
    with naming_read_failures(file, InvalidModelDirectoryError):
        if not file.is_file():
            raise CouldNotOpenFileError(
                f"There is no file {file}.",
                hint="Give --weights the path of a .safetensors or .pth file or of a trained "
                "model, or 'imagenet', or 'none'.",
                reason="missing-file",
                details={"file": str(file)},
            )
        if file.suffix.lower() == ".safetensors":
            return (TensorSet("", read_safetensors(file, InvalidModelDirectoryError)),)
        content = load_torch_file(file)
    sets = tuple(found for found in _sets_in(content, "", _MAX_DEPTH) if found.tensors)
    if not sets:
        names = [repr(name) for name in content]
        raise InvalidModelDirectoryError(
            f"{file} is no dictionary of weights: {some(names) or 'nothing'} in it.",
            hint="Save the weights alone, with torch.save(network.state_dict(), FILE).",
            reason="no-state-dict",
            details={"file": file.name},
        )
    return sets


def _sets_in(content: Mapping[object, object], key: str, depth: int) -> Iterator[TensorSet]:
    named = {name: value for name, value in content.items() if isinstance(name, str)}
    tensors = {
        # Detached, because a file can hang attributes on a tensor that hide its methods.
        name: torch.detach(value)
        for name, value in named.items()
        if isinstance(value, torch.Tensor)
    }
    others = tuple(str(name) for name in content if name not in tensors)
    yield TensorSet(key, tensors, others)
    for name, value in named.items():
        if isinstance(value, Mapping) and depth > 0:
            yield from _sets_in(value, f"{key}.{name}" if key else name, depth - 1)

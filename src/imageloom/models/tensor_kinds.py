"""Tensors that are no plain arrays: torch saves and loads them, and no network here has one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch

from imageloom.errors import InvalidModelDirectoryError
from imageloom.system.wording import some

_LAYOUTS: Final = {
    torch.sparse_coo: "sparse",
    torch.sparse_csr: "sparse CSR",
    torch.sparse_csc: "sparse CSC",
    torch.sparse_bsr: "sparse BSR",
    torch.sparse_bsc: "sparse BSC",
}


def refuse_unusual_tensors(tensors: Mapping[str, torch.Tensor], where: Path | str) -> None:
    """Refuse tensors that are not plain arrays of numbers, which most of torch cannot work with.

    Raises:
        InvalidModelDirectoryError: One is sparse, quantized, complex or without values; the message
            names it and its kind.
    """
    unusual = {name: kind for name, tensor in tensors.items() if (kind := _unusual_kind(tensor))}
    if unusual:
        raise InvalidModelDirectoryError(
            f"{where} holds tensors that are no plain arrays: "
            f"{some([f'{name} is {kind}' for name, kind in unusual.items()])}.",
            hint="Save plain tensors: tensor.to_dense() makes one of a sparse one, "
            "tensor.dequantize() of a quantized one. One on the meta device has no values to save: "
            "load the network with them first.",
            reason="unusual-tensors",
            details={"tensors": list(unusual)[:3]},
        )


def _unusual_kind(tensor: torch.Tensor) -> str:
    if tensor.layout != torch.strided:
        return _LAYOUTS.get(tensor.layout, str(tensor.layout))
    if tensor.is_quantized:
        return f"quantized ({tensor.dtype})"
    if tensor.is_meta:
        return "on the meta device, without values"
    return f"complex ({tensor.dtype})" if tensor.is_complex() else ""

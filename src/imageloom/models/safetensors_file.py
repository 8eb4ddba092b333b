"""Write and read safetensors files, refusing what the library would let pass.

The library checks offsets, holes, overlaps and UTF-8. It accepts a tensor that stands twice, with
the last one winning, and fields it does not know; those are refused here.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

import safetensors
import safetensors.torch
import torch

from imageloom.errors import ImageloomError, json_problem, library_text

MAX_HEADER_BYTES: Final = 16 * 1024 * 1024  # the largest networks need about 1 MiB
_LENGTH_BYTES: Final = 8
_DTYPES: Final = ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL")


def safetensors_bytes(state: Mapping[str, torch.Tensor]) -> bytes:
    """Return the content of a safetensors file; equal tensors give equal bytes.

    Args:
        state: Tensors of any device and layout; they are copied to contiguous CPU memory.
    """
    # Copies, because the library refuses tensors that share memory (tied weights).
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
    return safetensors.torch.save(plain, metadata={"format": "pt"})


def read_safetensors(file: Path, error: type[ImageloomError]) -> dict[str, torch.Tensor]:
    """Return all tensors of a file that may come from a stranger, in memory of their own.

    Raises:
        ImageloomError: Of class ``error``: the header is damaged, too long, names a tensor twice,
            has an unknown type, or does not fit the file's size.
    """
    # A later write to a mapped file would change a network.
    return {name: tensor.clone() for name, tensor in map_safetensors(file, error).items()}


def map_safetensors(file: Path, error: type[ImageloomError]) -> dict[str, torch.Tensor]:
    """Return all tensors as ``read_safetensors`` does, in the file itself: to be copied at once.

    Raises:
        ImageloomError: As ``read_safetensors``.
    """
    check_header(file, error)
    try:
        return safetensors.torch.load_file(file)
    except safetensors.SafetensorError as problem:
        raise _damaged(file, library_text(problem), error) from problem


def check_header(file: Path, error: type[ImageloomError]) -> None:
    """Check what the library does not.

    Raises:
        ImageloomError: Of class ``error``.
    """
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(_LENGTH_BYTES), "little")
        if size < _LENGTH_BYTES or length > size - _LENGTH_BYTES:
            raise _damaged(
                file, f"it has {size:,} bytes, but its header alone claims {length:,}", error
            )
        if length > MAX_HEADER_BYTES:
            raise _damaged(
                file, f"its header has {length:,} bytes, and at most {MAX_HEADER_BYTES:,}", error
            )
        text = opened.read(length)
    try:
        header = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as problem:
        raise _damaged(file, f"its header is wrong: {json_problem(problem)}", error) from problem
    if not isinstance(header, dict):
        raise _damaged(file, "its header is no JSON object", error)
    for name, entry in header.items():
        if name != "__metadata__":
            _check_entry(file, name, entry, error)


def _check_entry(file: Path, name: str, entry: object, error: type[ImageloomError]) -> None:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _damaged(
            file, f"the tensor {name!r} needs exactly dtype, shape and data_offsets", error
        )
    if entry["dtype"] not in _DTYPES:
        kind = cast(object, entry["dtype"])
        raise _damaged(file, f"the tensor {name!r} has the unknown type {kind!r}", error)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in content if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands twice")
    return content


def _damaged(file: Path, what: str, error: type[ImageloomError]) -> ImageloomError:
    return error(
        f"{file} is no valid safetensors file: {what[:500]}.",
        hint="The file was changed or cut short. Restore it, or make it again.",
        reason="damaged",
        details={"file": file.name},
    )

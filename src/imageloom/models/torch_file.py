"""Read a torch checkpoint without running anything in it: the only place that calls torch.load."""

import errno
import re
import threading
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import torch

from imageloom.errors import (
    ImageloomError,
    InvalidModelDirectoryError,
    library_text,
    read_failure,
)
from imageloom.models.stand_ins import STAND_INS

MAX_ARCHIVE_BYTES: Final = 16 * 1024**3  # mapped, not read, so far above any known network
MAX_OLD_FORMAT_BYTES: Final = 4 * 1024**3  # read into memory as a whole
_MAX_PICKLE_BYTES: Final = 64 * 1024 * 1024
# torch's list of what may be made, and Python's of what is warned of, belong to the whole process.
_ONE_AT_A_TIME: Final = threading.Lock()
# How torch names what a file asks for and does not get, in files of all its formats.
_REFUSED: Final = re.compile(r"\bGLOBAL (\S+)")


def load_torch_file(file: Path) -> Mapping[object, object]:
    """Return the dictionary in a ``.pth`` file: tensors, and perhaps other plain values.

    torch's restricted reader makes tensors and plain values only. Values of a few other types,
    which trainers keep beside the weights, are replaced by stand-ins that are empty; a file that
    asks for anything else is refused before it is made.

    Raises:
        InvalidModelDirectoryError: Not a torch file, damaged, too big, unsafe, or no dictionary.
    """
    is_archive = zipfile.is_zipfile(file)
    _check_size(file, MAX_ARCHIVE_BYTES if is_archive else MAX_OLD_FORMAT_BYTES)
    if is_archive:
        _check_archive(file)
    try:
        content = _load(file, mmap=is_archive)
    # The restricted reader meets hostile bytes, for which it has no one class of error.
    except Exception as problem:
        raise _not_read(file, problem) from problem
    if not isinstance(content, Mapping):
        raise InvalidModelDirectoryError(
            f"{file} holds a {type(content).__name__}, not a dictionary of tensors.",
            hint="Save the weights with torch.save(network.state_dict(), FILE).",
            reason="no-state-dict",
            details={"file": file.name},
        )
    return content


def _load(file: Path, *, mmap: bool) -> object:
    stand_ins: list[Callable[..., object] | tuple[Callable[..., object], str]] = [
        (stand_in, name) for name, stand_in in STAND_INS.items()
    ]
    with (
        _ONE_AT_A_TIME,
        warnings.catch_warnings(action="ignore"),  # of sparse tensors, old formats and the like
        torch.serialization.safe_globals(stand_ins),
    ):
        return torch.load(  # noqa: TID251 - this is the one wrapper
            file, map_location="cpu", weights_only=True, mmap=mmap
        )


def _not_read(file: Path, problem: Exception) -> ImageloomError:
    """Return the error for a file that the restricted reader does not take, in words of ours."""
    # A seek beyond the start of a file that was cut short is an OSError too, with EINVAL.
    if isinstance(problem, OSError) and problem.errno != errno.EINVAL:
        return read_failure(file, problem, InvalidModelDirectoryError)
    refused = _REFUSED.search(str(problem))
    what = (
        f"it holds a {refused.group(1)}, and making one could run code"
        if refused
        else "it is damaged, or torch.save did not write it"
    )
    return InvalidModelDirectoryError(
        f"{file} cannot be read safely as weights: {what}.",
        hint="Save only the weights, with torch.save(model.state_dict(), FILE) or as .safetensors.",
        reason="unsafe-format",
        details={"file": file.name, "refused": refused.group(1) if refused else None},
    )


def _check_size(file: Path, limit: int) -> None:
    size = file.stat().st_size
    if size > limit:
        raise InvalidModelDirectoryError(
            f"{file} has {size:,} bytes; at most {limit:,} are read.",
            hint="Is this a file of weights? Save the state dict alone, as .safetensors.",
            reason="too-big",
            details={"file": file.name},
        )


def _check_archive(file: Path) -> None:
    """Refuse an archive that would grow in memory; torch itself stores everything uncompressed."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as problem:
        raise InvalidModelDirectoryError(
            f"{file} is a damaged archive: {library_text(problem)}.",
            hint="Fetch or save the file again.",
            reason="damaged",
        ) from problem
    for member in members:
        too_long = member.filename.endswith(".pkl") and member.file_size > _MAX_PICKLE_BYTES
        if member.compress_type != zipfile.ZIP_STORED or too_long:
            raise InvalidModelDirectoryError(
                f"{file} is not a file that torch.save wrote: {member.filename!r} in it is "
                "compressed or too long.",
                hint="Save the weights again with torch.save or as .safetensors.",
                reason="unsafe-format",
                details={"file": file.name},
            )

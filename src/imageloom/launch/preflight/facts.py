"""What a machine is and has for a run, as the processes on it will find it.

It costs one look (``lstat``) at every picture; no picture is read, torch is not asked and no GPU is
touched.
"""

import hashlib
import os
import platform
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from imageloom.data.images.directory import load_image_directory
from imageloom.data.images.index import file_name, full_path
from imageloom.errors import InvalidDatasetError
from imageloom.files.publish import writing_file
from imageloom.models.record import library_versions
from imageloom.system.machine import (
    gpu_models,
    processing_units,
    shared_memory_free_bytes,
    visible_gpus,
)
from imageloom.training.run.directory import RunDirectory

_MARK: Final = Path("launch") / "mark"
_THREADS: Final = 8  # a file server answers several questions at once
_FILES_PER_TURN: Final = 4096
_GONE: Final = -1


class _Facts(BaseModel):
    # A machine with another version of ours may know more or less of itself.
    model_config = ConfigDict(frozen=True, extra="ignore")


class SeenPictures(_Facts):
    """The pictures of a run's image directory, as one machine sees them.

    Attributes:
        root: Folder in which they lie.
        digest: SHA-256 over the names and sizes of all files as they are now.
        problem: What is not as it was converted, with the first file's name; empty when all is.
    """

    root: str = ""
    digest: str = ""
    problem: str = ""


class MachineFacts(_Facts):
    """What a machine is and has, as its own agent sees it.

    Attributes:
        host: Its name.
        versions: Of Python, of Imageloom and of the packages it computes with.
        gpus: How many it may use, by torch too.
        gpu_models: The kinds of GPU in it.
        processing_units: How many processes can train there side by side.
        pictures: Of ``training`` and ``validation``.
        shared_memory_bytes: Free in ``/dev/shm``; None where there is no such place.
        disk_bytes: Free on the disk of the run directory.
        mark: What it reads in the run directory where the leader left a mark.
    """

    host: str
    versions: dict[str, str] = Field(default_factory=dict)
    gpus: int = 0
    gpu_models: tuple[str, ...] = ()
    processing_units: int = 1
    pictures: dict[str, SeenPictures] = Field(default_factory=dict)
    shared_memory_bytes: int | None = None
    disk_bytes: int = 0
    mark: str = ""


def mark_storage(run: Path) -> None:
    """Leave a new mark in a run directory: only who shares its storage can read it.

    The leader does this before anybody takes the facts that it will compare, its own included.

    Raises:
        FailedToWriteOutputsError: The run directory cannot be written.
    """
    with writing_file(run / _MARK) as partial:
        partial.write_text(secrets.token_hex(8), encoding="ascii")


def read_mark(run: Path) -> str:
    """Return the mark that stands in a run directory, or nothing."""
    try:
        return (run / _MARK).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def facts_of_this_node(run: Path) -> MachineFacts:
    """Return what this machine is and has for a run; what is wrong with it is in the facts."""
    directory, versions = RunDirectory(run), library_versions()
    is_for_cpus = versions.get("torch", "").endswith("+cpu")  # it would not see the GPUs
    return MachineFacts(
        host=platform.node(),
        versions=versions,
        gpus=0 if is_for_cpus else len(visible_gpus(os.environ)),
        gpu_models=gpu_models(),
        processing_units=processing_units(os.environ),
        pictures={
            "training": _pictures(directory.training_images),
            "validation": _pictures(directory.validation_images),
        },
        shared_memory_bytes=shared_memory_free_bytes(),
        disk_bytes=disk_free_bytes(run),
        mark=read_mark(run),
    )


def disk_free_bytes(folder: Path) -> int:
    """Return what may still be written to the disk of a folder; 0 where there is no such folder."""
    try:
        usage = os.statvfs(folder)
    except OSError:
        return 0
    return usage.f_bavail * usage.f_frsize


def _pictures(folder: Path) -> SeenPictures:
    try:
        images = load_image_directory(folder)
    except InvalidDatasetError as error:
        return SeenPictures(problem=error.message.removesuffix("."))
    rows = images.index.select(["path", "size_bytes"])
    digest = hashlib.sha256()
    changed: list[str] = []
    with ThreadPoolExecutor(_THREADS) as threads:
        for batch in rows.to_batches(max_chunksize=_FILES_PER_TURN):
            paths, sizes = (column.to_pylist() for column in batch.columns)
            found = list(threads.map(_size, [full_path(images.root, path) for path in paths]))
            digest.update(repr(list(zip(paths, found, strict=True))).encode("ascii"))
            changed += _changes(paths, sizes, found)
    problem = ""
    if changed:
        problem = f"{len(changed):,} of {len(images):,} are not what was converted: {changed[0]}"
    return SeenPictures(root=str(images.root), digest=digest.hexdigest(), problem=problem)


def _size(path: bytes) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return _GONE


def _changes(paths: Sequence[bytes], sizes: Sequence[int], found: Sequence[int]) -> list[str]:
    return [
        f"{file_name(path)!r} "
        + ("is gone" if now == _GONE else f"has {now:,} bytes, but had {size:,}")
        for path, size, now in zip(paths, sizes, found, strict=True)
        if now != size
    ]

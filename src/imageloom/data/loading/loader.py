"""Batches of pictures, read and transformed in this process or in worker processes.

Legend: B batch, C channels, H height, W width.
"""

import contextlib
import errno
import functools
import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import DataLoader, Dataset, Sampler
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from imageloom.data.decoding.decode import UnreadablePictureError, decode_rgb
from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import file_name, full_path, read_index, write_index
from imageloom.data.loading.reader_process import begin_reader, end_readers, reader_context
from imageloom.data.loading.transforms import apply_transforms, seed_of_sample
from imageloom.data.loading.user_code import user_code_left_out
from imageloom.errors import (
    ImageloomError,
    InvalidDatasetError,
    WorkerLostError,
    library_text,
    too_many_open_files,
)
from imageloom.files.temporary import own_folder
from imageloom.preprocessing import Transforms
from imageloom.system.machine import require_open_files
from imageloom.system.wording import count

HANGING_AFTER_S: Final = 300.0
# A dead worker is noticed only when DataLoader's own wait runs out, so that wait is short.
_CHECK_INTERVAL_S: Final = 5.0
# Pipes and shared memory, rounded up: 1, 2, 4 and 8 workers held 15, 20, 37 and 58 at most (torch
# 2.15, Python 3.11, batches of two tensors).
_FILES: Final = 10
_FILES_PER_WORKER: Final = 8


class Batch(NamedTuple):
    """Pictures as they go to the device.

    Attributes:
        images_BCHW: uint8, 0 to 255, RGB.
        labels_B: int64, position in the class list, or -1 for unlabelled.
        positions_B: int64, row in the image directory's index.
    """

    images_BCHW: torch.Tensor
    labels_B: torch.Tensor
    positions_B: torch.Tensor


class BatchKey(NamedTuple):
    """Which pictures a batch holds and which random numbers they draw."""

    epoch: int
    positions: tuple[int, ...]


class PictureLoader:
    """Reads batches of one image directory; its worker processes live until ``close``.

    Args:
        images: What to read.
        transforms: Operations on each picture; they must end in one size.
        seed: Start of the random operations' numbers.
        workers: Processes that read; 0 reads in this one. The batches are the same for any number.
        pin_memory: Put batches where a GPU can fetch them by itself.
    """

    def __init__(
        self,
        images: ImageDirectory,
        transforms: Transforms,
        *,
        seed: int,
        workers: int = 0,
        pin_memory: bool = False,
    ) -> None:
        self._keys = _Keys()
        self._own = contextlib.ExitStack()
        slim = images.index.select(["path", "label", "sha256"])
        source: pa.Table | Path = slim
        if workers > 0:
            # Workers map this file, so the index is in memory once, not once per worker.
            source = self._own.enter_context(own_folder("imageloom-index-")) / "index.arrow"
            write_index(slim, source)
        self._loader: DataLoader[Batch | ImageloomError] = DataLoader(
            _PictureDataset(source, images.root, transforms, seed),
            batch_size=None,  # a key is a whole batch
            sampler=self._keys,
            num_workers=workers,
            persistent_workers=workers > 0,
            worker_init_fn=begin_reader if workers > 0 else None,
            multiprocessing_context=reader_context() if workers > 0 else None,
            timeout=_CHECK_INTERVAL_S if workers > 0 else 0,
            pin_memory=pin_memory,
            # Its own: from torch's global one each pass would draw a number for the workers, and
            # a resumed run, which makes one pass more, would drop out other neurons.
            generator=torch.Generator(),
        )

    def batches(self, keys: Sequence[BatchKey]) -> Iterator[Batch]:
        """Yield one batch per key, in order.

        Raises:
            InvalidDatasetError: A file is gone, changed since it was converted, or unreadable.
            EnvironmentUnsuitableError: Workers would need more open files than are allowed.
            WorkerLostError: A worker process died or hung.
        """
        self._keys.value = keys
        workers = self._loader.num_workers
        if workers > 0 and self._loader._iterator is None:
            # Before they start: one that cannot open a pipe shows its traceback to the user.
            require_open_files(
                _FILES + workers * _FILES_PER_WORKER,
                count(workers, "process that reads pictures", "processes that read pictures"),
            )
        with user_code_left_out():
            iterator = iter(self._loader)
        while (batch := _next_batch(iterator)) is not None:
            if isinstance(batch, ImageloomError):
                raise batch
            yield batch

    def close(self) -> None:
        """End the worker processes and remove their index."""
        iterator, self._loader._iterator = self._loader._iterator, None
        if isinstance(iterator, _MultiProcessingDataLoaderIter):
            end_readers(iterator)
        self._own.close()


def make_loader(
    images: ImageDirectory,
    transforms: Transforms,
    batches: Iterable[Sequence[int]],
    *,
    workers: int = 0,
    pin_memory: bool = False,
) -> Iterator[Batch]:
    """Yield batches of the given rows once, without random numbers that change by epoch."""
    loader = PictureLoader(images, transforms, seed=0, workers=workers, pin_memory=pin_memory)
    with contextlib.closing(loader):
        yield from loader.batches([BatchKey(0, tuple(batch)) for batch in batches])


def sequential_batches(num_images: int, batch_size: int) -> list[range]:
    """Return the rows of an index in order, cut into batches; the last may be smaller."""
    return [
        range(start, min(start + batch_size, num_images))
        for start in range(0, num_images, batch_size)
    ]


def read_picture(root: Path, path: bytes, sha256: bytes) -> torch.Tensor:
    """Return one picture of an index, checked against the bytes that were converted.

    Args:
        root: Folder of the image directory.
        path: Path below it.
        sha256: Digest in the index. Hashing 110 KB costs 0.1 ms where decoding takes 1.4 ms.

    Returns:
        uint8 [3, H, W], RGB, upright.

    Raises:
        InvalidDatasetError: The file is gone, was changed, or cannot be decoded.
    """
    try:
        with open(full_path(root, path), "rb") as file:  # noqa: PTH123 - pathlib cannot hold bytes
            content = file.read()
    except OSError as problem:
        if problem.errno in (errno.EMFILE, errno.ENFILE):
            raise too_many_open_files(problem) from problem
        raise _file_problem(root, path, f"cannot be read: {problem.strerror}") from problem
    if hashlib.sha256(content).digest() != sha256:
        raise _file_problem(root, path, "was changed after it was converted (SHA-256 differs)")
    try:
        return decode_rgb(content)
    except UnreadablePictureError as problem:
        raise _file_problem(root, path, problem.reason) from problem


def _file_problem(root: Path, path: bytes, what: str) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"The picture {file_name(path)} in {root} {what}.",
        hint="Restore the file, or convert the folder again with 'imageloom data convert'. Where "
        "pictures were moved, --root (in Python: root) says where they lie now.",
        reason="file-changed",
        details={"file": file_name(path)},
    )


class _Keys(Sampler[BatchKey]):
    """The keys of the present pass; replaced before each one."""

    value: Sequence[BatchKey] = ()

    def __init__(self) -> None:
        pass

    def __iter__(self) -> Iterator[BatchKey]:
        return iter(self.value)

    def __len__(self) -> int:
        return len(self.value)


class _PictureDataset(Dataset[Batch | ImageloomError]):
    """Turns a key into a batch; pickled once into each worker."""

    def __init__(
        self, source: pa.Table | Path, root: Path, transforms: Transforms, seed: int
    ) -> None:
        self.source = source
        self.root = root
        self.transforms = transforms
        self.seed = seed

    @functools.cached_property
    def columns(self) -> tuple[pa.ChunkedArray, np.ndarray, pa.ChunkedArray]:
        index = read_index(self.source) if isinstance(self.source, Path) else self.source
        return index.column("path"), index.column("label").to_numpy(), index.column("sha256")

    def __getitem__(self, key: BatchKey) -> Batch | ImageloomError:
        # An error is returned, not raised: DataLoader would turn it into text on the way.
        try:
            images = [self._picture(key.epoch, position) for position in key.positions]
        except ImageloomError as error:
            return error
        positions_B = torch.tensor(key.positions, dtype=torch.int64)
        labels_B = torch.from_numpy(self.columns[1][list(key.positions)].astype(np.int64))
        return Batch(torch.stack(images), labels_B, positions_B)

    def _picture(self, epoch: int, position: int) -> torch.Tensor:
        paths, _, digests = self.columns
        path = paths[position].as_py()
        image_CHW = read_picture(self.root, path, digests[position].as_py())
        try:
            sample_seed = seed_of_sample(self.seed, epoch, position)
            return apply_transforms(image_CHW, self.transforms, sample_seed)
        except InvalidDatasetError as error:
            raise InvalidDatasetError(
                f"{file_name(path)}: {error.message}", hint=error.hint, reason=error.reason
            ) from error


def _next_batch(iterator: Iterator[Batch | ImageloomError]) -> Batch | ImageloomError | None:
    began = time.monotonic()
    while True:
        try:
            return next(iterator, None)
        # A dead worker shows as any of these, by what it was doing when it died.
        except (RuntimeError, OSError, EOFError) as problem:
            waited_s = time.monotonic() - began
            if "timed out" not in str(problem) or waited_s > HANGING_AFTER_S:
                raise _worker_lost(problem) from problem


def _worker_lost(problem: Exception) -> ImageloomError:
    # torch tells it as a RuntimeError of its own words, which begin with the system's.
    if "Too many open files" in str(problem):
        return too_many_open_files(OSError(errno.EMFILE, "Too many open files"))
    return WorkerLostError(
        f"A process that reads pictures was lost: {_first_line(problem)}",
        hint="It may have run out of memory or shared memory: try fewer --workers, or "
        "--workers 0, which reads in the main process. 'imageloom doctor' checks /dev/shm.",
        reason="loader-worker",
    )


def _first_line(problem: Exception) -> str:
    return library_text(problem).partition("\n")[0] or type(problem).__name__

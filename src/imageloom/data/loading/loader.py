"""Batches of pictures, read and transformed in this process or in worker processes.

Legend: B batch, C channels, H height, W width.
"""

import contextlib
import errno
import functools
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import torch
from torch.utils.data import DataLoader, Dataset, Sampler, get_worker_info
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import write_index
from imageloom.data.loading.picture_cache import PictureCache
from imageloom.data.loading.picture_reader import COLUMNS, PictureReader
from imageloom.data.loading.reader_process import begin_reader, end_readers, reader_context
from imageloom.data.loading.reading_threads import ReadingThreads
from imageloom.data.loading.reading_times import PartClock, ReadingTimes
from imageloom.data.loading.user_code import user_code_left_out
from imageloom.errors import (
    ImageloomError,
    WorkerLostError,
    library_text,
    too_many_open_files,
)
from imageloom.events import EventSink, Notice, ignore_events
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
_READING_TO_SAVE: Final = 0.05  # of the time, from which on decoded pictures are worth their memory


class Batch(NamedTuple):
    """Pictures as they go to the device.

    Attributes:
        images_BCHW: uint8, 0 to 255, RGB; channels last in memory.
        labels_B: int64, position in the class list, or -1 for unlabelled.
        positions_B: int64, row in the image directory's index.
        times: What it took to read them.
    """

    images_BCHW: torch.Tensor
    labels_B: torch.Tensor
    positions_B: torch.Tensor
    times: ReadingTimes = ReadingTimes()


class _MadeBatch(NamedTuple):
    """A batch, and what is told of it.

    Attributes:
        notice: What a person should know of how it was read; empty while all is well.
        began: When it was begun, by a clock that all processes of a machine share.
        ended: When it was done.
    """

    batch: Batch
    notice: str
    began: float
    ended: float

    def as_waited_for(self, since: float, *, is_first: bool) -> Batch:
        """Return the batch with what a wait for it that ends now is not explained by reading."""
        starting = max(0.0, self.began - since) if is_first else 0.0
        passing = time.perf_counter() - max(since, self.ended)
        times = replace(self.batch.times, starting=starting, passing=passing)
        return self.batch._replace(times=times)


class BatchKey(NamedTuple):
    """Which pictures a batch holds and which random numbers they draw.

    Attributes:
        times: How often the epoch has read each of them before; empty where none comes twice.
    """

    epoch: int
    positions: tuple[int, ...]
    times: tuple[int, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How pictures are read; the batches are the same whatever it says.

    Attributes:
        workers: Processes that read ahead; with 0 this one reads, when it needs a batch.
        threads: With 0 workers, how many threads of this process read a batch together.
        hold_bytes: With 0 workers, memory that may keep decoded pictures (``PictureReader``), where
            reading takes a part of the time that is worth it.
        pin_memory: Put batches where a GPU can fetch them by itself.
    """

    workers: int = 0
    threads: int = 1
    hold_bytes: int = 0
    pin_memory: bool = False


class PictureLoader:
    """Reads batches of one image directory; its worker processes live until ``close``.

    Args:
        images: What to read.
        transforms: Operations on each picture; they must end in one size.
        seed: Start of the random operations' numbers.
        reading: By what, and how; an attribute, too.
        cache: Scaled copies that stand in for the pictures.
        on_event: Told once what is wrong with the cache.
    """

    def __init__(
        self,
        images: ImageDirectory,
        transforms: Transforms,
        *,
        seed: int,
        reading: Reading = Reading(),
        cache: PictureCache | None = None,
        on_event: EventSink = ignore_events,
    ) -> None:
        self.reading = reading
        self._keys = _Keys()
        self._on_event = on_event
        self._told: set[str] = {""}
        self._own = contextlib.ExitStack()
        workers = reading.workers
        slim = images.index.select(list(COLUMNS))
        source: pa.Table | Path = slim
        if workers > 0:
            # Workers map this file, so the index is in memory once, not once per worker.
            source = self._own.enter_context(own_folder("imageloom-index-")) / "index.arrow"
            write_index(slim, source)
            reading = replace(reading, threads=1, hold_bytes=0)
        threads = self._own.enter_context(ReadingThreads(reading.threads))
        self._reader = PictureReader(
            source, images.root, transforms, seed, hold_bytes=reading.hold_bytes, cache=cache
        )
        self._loader: DataLoader[_MadeBatch | ImageloomError] = DataLoader(
            _PictureDataset(self._reader, threads),
            batch_size=None,  # a key is a whole batch
            sampler=self._keys,
            num_workers=workers,
            persistent_workers=workers > 0,
            worker_init_fn=begin_reader if workers > 0 else None,
            multiprocessing_context=reader_context() if workers > 0 else None,
            timeout=_CHECK_INTERVAL_S if workers > 0 else 0,
            pin_memory=reading.pin_memory,
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
        began = since = time.perf_counter()
        reading_s, is_first = 0.0, True
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
        while (made := _next_batch(iterator)) is not None:
            if isinstance(made, ImageloomError):
                raise made
            if made.notice not in self._told:
                self._told.add(made.notice)
                self._on_event(Notice("warning", made.notice))
            yield made.as_waited_for(since, is_first=is_first)
            since, is_first = time.perf_counter(), False
            reading_s += made.ended - made.began
            self._reader.keep_more = reading_s > _READING_TO_SAVE * (since - began)

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
    reading: Reading = Reading(),
) -> Iterator[Batch]:
    """Yield batches of the given rows once, without random numbers that change by epoch."""
    loader = PictureLoader(images, transforms, seed=0, reading=reading)
    with contextlib.closing(loader):
        yield from loader.batches([BatchKey(0, tuple(batch)) for batch in batches])


def sequential_batches(num_images: int, batch_size: int) -> list[range]:
    """Return the rows of an index in order, cut into batches; the last may be smaller."""
    return [
        range(start, min(start + batch_size, num_images))
        for start in range(0, num_images, batch_size)
    ]


class _Keys(Sampler[BatchKey]):
    """The keys of the present pass; replaced before each one."""

    value: Sequence[BatchKey] = ()

    def __init__(self) -> None:
        pass

    def __iter__(self) -> Iterator[BatchKey]:
        return iter(self.value)

    def __len__(self) -> int:
        return len(self.value)


class _PictureDataset(Dataset[_MadeBatch | ImageloomError]):
    """Turns a key into a batch; pickled once into each worker."""

    def __init__(self, reader: PictureReader, threads: ReadingThreads) -> None:
        self.reader = reader
        self.threads = threads

    def __getitem__(self, key: BatchKey) -> _MadeBatch | ImageloomError:
        began = time.perf_counter()
        # An error is returned, not raised: DataLoader would turn it into text on the way.
        try:
            times = key.times or (0,) * len(key.positions)
            asked = list(zip(key.positions, times, strict=True))
            read = self.threads.map(functools.partial(self._picture, key.epoch), asked)
        except ImageloomError as error:
            return error
        images, clocks = zip(*read, strict=True)
        batch = self._batch(key.positions, images, clocks)
        return _MadeBatch(batch, self.reader.notice, began, ended=time.perf_counter())

    def _picture(self, epoch: int, asked: tuple[int, int]) -> tuple[torch.Tensor, PartClock]:
        clock = PartClock()
        position, time = asked
        image_CHW = self.reader.picture(epoch, position, clock, time=time)
        # Here, so that each thread puts its own pictures in order.
        image_HWC = image_CHW.permute(1, 2, 0).contiguous()
        clock.end("handover")
        return image_HWC, clock

    def _batch(
        self,
        positions: tuple[int, ...],
        images: tuple[torch.Tensor, ...],
        clocks: Sequence[PartClock],
    ) -> Batch:
        clock = PartClock()
        images_BCHW, labels_B = _stacked(images), self.reader.labels(positions)
        positions_B = torch.tensor(positions, dtype=torch.int64)
        clock.end("handover")
        return Batch(images_BCHW, labels_B, positions_B, ReadingTimes.of([*clocks, clock]))


def _stacked(images: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Return pictures [H, W, C] as a batch [B, C, H, W] with channels last in memory."""
    if get_worker_info() is None:
        return torch.stack(images).permute(0, 3, 1, 2)
    # Where the main process sees it, too; else it would be copied there.
    shape = (len(images), *images[0].shape)
    batch_BHWC = torch.empty(0, dtype=torch.uint8).set_(_shared(math.prod(shape))).view(shape)
    return torch.stack(images, out=batch_BHWC).permute(0, 3, 1, 2)


def _shared(num_bytes: int) -> torch.UntypedStorage:
    storage: torch.UntypedStorage = torch.UntypedStorage._new_shared(num_bytes)  # type: ignore[no-untyped-call]
    return storage


def _next_batch(
    iterator: Iterator[_MadeBatch | ImageloomError],
) -> _MadeBatch | ImageloomError | None:
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

"""Files from their addresses into a folder: several at once, each whole or not at all."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count as counting
from itertools import islice
from pathlib import Path
from typing import Final

from fsspec.callbacks import Callback
from fsspec.spec import AbstractFileSystem

from imageloom.data.sources.remote.failures import GOES_ON, LOCAL, PERMANENT, named_failure, told
from imageloom.data.sources.remote.listing import RemoteFile
from imageloom.errors import FailedToDownloadFilesError, ImageloomError, write_failure
from imageloom.events import Control, Progress
from imageloom.files.publish import sync_to_disk
from imageloom.system.wording import count

_AT_ONCE: Final = 16  # what a store takes from one client without asking it to slow down
_WAITING: Final = 4 * _AT_ONCE  # a million futures would take gigabytes
_TRIES: Final = 5
_FIRST_PAUSE_S: Final = 0.5  # doubled after each try
_TELL_EVERY_S: Final = 0.2
_LARGE_BYTES: Final = 20_000_000  # from here on a bar counts megabytes
_MB: Final = 1_000_000


class _OtherSizeError(Exception):
    """Another number of bytes came than was listed."""


def download_files(
    remote: AbstractFileSystem,
    files: Sequence[RemoteFile],
    folder: Path,
    *,
    on_file: Callable[[RemoteFile, Path], None],
    control: Control,
) -> None:
    """Download files below ``folder``, each written beside it, synced and renamed into its place.

    What the network loses is tried five times. After a failure the rest is not begun.

    Args:
        remote: Their file system.
        files: What to download.
        folder: Where to; ``partial`` beside it holds what is not whole.
        on_file: Told of each file that is whole, with its place, by this thread.
        control: Told how far it is; stops at once.

    Raises:
        FailedToDownloadFilesError: A file did not come, or not whole, five times.
        CouldNotOpenFileError: It is gone, or may not be read.
        FailedToWriteOutputsError: The disk is full or cannot be written.
        RunInterruptedError: Somebody asked to stop.
    """
    work = _Work(remote, folder, folder.with_name("partial"), control)
    work.partial.mkdir(exist_ok=True)
    left = iter(files)
    total_bytes = sum(one.size_bytes for one in files)
    num_done = 0
    threads = ThreadPoolExecutor(_AT_ONCE, "download")
    running: dict[Future[Path], RemoteFile] = {}
    try:
        while True:
            for one in islice(left, _WAITING - len(running)):
                running[threads.submit(work.download, one)] = one
            if not running:
                break
            done, _ = wait(running, _TELL_EVERY_S, FIRST_COMPLETED)
            for future in done:
                place = future.result()
                on_file(running.pop(future), place)
            num_done += len(done)
            control.tell(_progress(num_done, len(files), work.num_bytes, total_bytes))
            control.raise_if_cancelled()
    finally:
        work.stop.set()  # else threads would try on
        threads.shutdown(cancel_futures=True)
        for future, one in running.items():  # what came beside the one that failed
            if not future.cancelled() and future.exception() is None:
                on_file(one, future.result())


def _progress(num_done: int, num_files: int, num_bytes: int, total_bytes: int) -> Progress:
    if total_bytes < _LARGE_BYTES:
        return Progress("Downloading", num_done, num_files, "files")
    done = min(num_bytes, total_bytes) // _MB  # bytes of a file that is tried again count twice
    files = f"{num_done:,} of {count(num_files, 'file')}"
    return Progress(f"Downloading ({files})", done, total_bytes // _MB, "MB")


@dataclass
class _Work:
    remote: AbstractFileSystem
    folder: Path
    partial: Path
    control: Control
    num_bytes: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=counting)

    def download(self, file: RemoteFile) -> Path:
        """Return where the file lies now."""
        for number in range(_TRIES):
            try:
                return self._try(file)
            except ImageloomError:
                raise
            except Exception as problem:  # noqa: BLE001 - each service has errors of its own
                self._raise_if_hopeless(file, problem, is_last=number == _TRIES - 1)
            self.stop.wait(_FIRST_PAUSE_S * 2**number)
            self._raise_if_stopped()
        raise AssertionError  # the last try raises

    def _try(self, file: RemoteFile) -> Path:
        self._raise_if_stopped()
        partial = self.partial / str(next(self.numbers))
        here = self.folder / file.name
        try:
            self.remote.get_file(file.path, str(partial), callback=_Counter(self, file.size_bytes))
            came = partial.stat().st_size
            if came != file.size_bytes:
                raise _OtherSizeError(
                    f"{came:,} bytes came, but {file.size_bytes:,} were listed; it was cut short "
                    "or is being written"
                )
            sync_to_disk(partial)
            here.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(here)
        finally:
            partial.unlink(missing_ok=True)
        return here

    def add_bytes(self, number: int) -> None:
        """Count what came; the place where a large file is stopped."""
        self.num_bytes += number  # of several threads a few may be lost: it is only shown
        self._raise_if_stopped()

    def _raise_if_stopped(self) -> None:
        self.control.raise_if_cancelled()
        if self.stop.is_set():  # another file failed, and its error is the one to tell
            raise FailedToDownloadFilesError("Not tried any more.", reason="stopped")

    def _raise_if_hopeless(self, file: RemoteFile, problem: Exception, *, is_last: bool) -> None:
        address = self.remote.unstrip_protocol(file.path)
        if isinstance(problem, OSError) and self._is_ours(problem):
            raise write_failure(self.folder, problem, kept=GOES_ON) from problem
        if isinstance(problem, PERMANENT):
            raise named_failure(address, "could not be downloaded", problem) from problem
        if is_last:
            what = str(problem) if isinstance(problem, _OtherSizeError) else told(problem)
            raise FailedToDownloadFilesError(
                f"{address} could not be downloaded in {_TRIES} tries: {what}.",
                hint=f"Is the network there? {GOES_ON}",
                reason="download",
                details={"file": file.name[:1000]},
            ) from problem

    def _is_ours(self, problem: OSError) -> bool:
        """Whether the disk of this machine is at fault, and not the other side."""
        return problem.errno in LOCAL or not os.access(self.partial, os.W_OK)


class _Counter(Callback):  # type: ignore[misc] # fsspec has no types
    def __init__(self, work: _Work, size_bytes: int) -> None:
        super().__init__()
        self._work = work
        self._size_bytes = self._left = size_bytes

    def relative_update(self, inc: int = 1) -> None:
        """Count bytes; a server that sends on and on is stopped before the disk is full."""
        self._work.add_bytes(inc)
        self._left -= inc
        if self._left < 0:
            raise _OtherSizeError(f"more than the {self._size_bytes:,} bytes came that were listed")

"""Pictures for a server that must not load Pillow or Arrow: asked of processes that may die.

Only the standard library and light modules of ours are imported here.
"""

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

from imageloom.data.previews.cache import THUMBNAILS, ThumbnailCache
from imageloom.data.previews.process import PreviewProcess
from imageloom.data.previews.values import (
    KeptThumbnail,
    LeftOutPage,
    Size,
    SourceDescription,
    description_from,
    left_out_from,
)
from imageloom.errors import TimeoutOccuredError, WorkerLostError

PICTURE_TIMEOUT_S: Final = 10.0
"""As long as a conversion gives one file; reading and decoding one takes a fraction of a second."""

DESCRIBE_TIMEOUT_S: Final = 120.0


class PictureHelper:
    """Thumbnails and descriptions, by processes that are started when first needed.

    Any thread may call; a call waits for a free process and for its answer. A process that dies or
    takes too long costs one call: the next starts another. All end when ``close`` is called, and
    by themselves when the process that made this ends in any way.

    Args:
        cache: Folder for thumbnails, which may be deleted at any time.
        roots: Absolute folders from which pictures may be shown, the workspace among them; empty
            for all that this user may read.
        processes: How many calls are worked on at once; a process holds up to 1.5 GiB.
    """

    def __init__(self, cache: Path, *, roots: Sequence[Path] = (), processes: int = 1) -> None:
        self._cache = ThumbnailCache(cache)
        self._roots = tuple(roots)
        self._processes = processes
        # The one used last is asked first, so that others need not start.
        self._free: queue.LifoQueue[PreviewProcess | None] = queue.LifoQueue()
        for _ in range(processes):
            self._free.put(None)
        self._lock = threading.Lock()
        self._running: set[PreviewProcess] = set()
        self._is_closed = False

    def find_thumbnail(self, sha256: str, size: Size) -> Path | None:
        """Return a thumbnail that was made before, without asking any process.

        Args:
            sha256: Of the picture, in hexadecimal, as a page has it; may come from a stranger.
            size: Longest side in pixels.
        """
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            return None
        found = self._cache.find(sha256, size)
        return None if found is None else self.path(found)

    def path(self, thumbnail: KeptThumbnail) -> Path:
        """Return where a thumbnail lies."""
        return self._cache.folder / THUMBNAILS / thumbnail.name

    def thumbnail(
        self, folder: Path, file: str, size: Size = 240, *, timeout_s: float = PICTURE_TIMEOUT_S
    ) -> Path:
        """Return a small JPEG copy of a file below a folder.

        Args:
            folder: Absolute; one of the roots or below it.
            file: Name from there, from a stranger; no part of it may be a link.
            size: Longest side in pixels.
            timeout_s: Longest time, the wait for a free process included.

        Raises:
            CouldNotOpenFileError: It is not there, lies elsewhere, or is a link or no file.
            InvalidDatasetError: It is damaged, too large or no picture.
            TimeoutOccuredError: It took too long, or all processes are busy.
            WorkerLostError: The process ended at it.
            FailedToWriteOutputsError: The cache cannot be written.
        """
        what = {"folder": str(folder), "file": file, "size": size}
        return self.path(KeptThumbnail(**self._ask("thumbnail", what, timeout_s)))

    def describe(
        self,
        path: Path,
        *,
        params: Mapping[str, object] | None = None,
        samples: int = 6,
        size: Size = 240,
        timeout_s: float = DESCRIBE_TIMEOUT_S,
    ) -> SourceDescription:
        """Return what a folder, an archive, a manifest or an image directory holds.

        Args:
            path: Absolute.
            params: Parameters of a conversion that differ from their defaults.
            samples: Pictures to show of each class, for the first 20 classes.
            size: Longest side of their thumbnails, in pixels.
            timeout_s: As for ``thumbnail``.

        Raises:
            CouldNotOpenFileError: There is nothing, or it may not be shown.
            InvalidDatasetError: It could not be converted; the words are those of a conversion.
            ParameterError: A parameter has a value that a conversion does not take.
            ImageloomError: As ``thumbnail``.
        """
        what = {"path": str(path), "params": dict(params or {}), "samples": samples, "size": size}
        return description_from(self._ask("describe", what, timeout_s))

    def left_out(
        self,
        path: Path,
        *,
        params: Mapping[str, object] | None = None,
        offset: int = 0,
        limit: int = 100,
        timeout_s: float = DESCRIBE_TIMEOUT_S,
    ) -> LeftOutPage:
        """Return some of the files that a description counts as left out, by name.

        Args:
            path: As for ``describe``, which may have been asked before: then this takes no time.
            params: As for ``describe``.
            offset: How many to pass over.
            limit: How many to return, up to 1,000.
            timeout_s: As for ``thumbnail``.

        Raises:
            ImageloomError: As ``describe``.
        """
        what = {"path": str(path), "params": dict(params or {}), "offset": offset, "limit": limit}
        return left_out_from(self._ask("left_out", what, timeout_s))

    def tidy(self) -> None:
        """Bring the thumbnails back to their limit of 1 GiB; those not used for longest go."""
        self._cache.prune()

    def close(self) -> None:
        """End all processes; calls that wait for one get an error."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                process.kill()  # which ends the calls that wait for it
        for _ in range(self._processes):
            last = self._free.get()
            if last is not None:
                self._drop(last)
        for _ in range(self._processes):
            self._free.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, what: str, arguments: Mapping[str, object], timeout_s: float) -> dict[str, Any]:
        end = time.monotonic() + timeout_s
        try:
            process = self._free.get(timeout=timeout_s)
        except queue.Empty:
            raise self._busy(timeout_s) from None
        try:
            if process is not None and not process.lives:  # killed while it had nothing to do
                self._drop(process)
                process = None
            if process is None:
                process = self._start()
                end = time.monotonic() + timeout_s  # loading libraries is not the picture's fault
            return cast(dict[str, Any], process.ask(what, arguments, end=end))
        finally:
            if process is not None and not process.is_in_step:
                self._drop(process)
                process = None
            self._free.put(process)

    def _start(self) -> PreviewProcess:
        process = PreviewProcess(self._cache.folder, self._roots)
        with self._lock:
            if not self._is_closed:
                self._running.add(process)
                return process
        process.end()
        raise WorkerLostError("Pictures are not shown any more.", reason="preview-closed")

    def _drop(self, process: PreviewProcess) -> None:
        process.end()
        self._cache.clear_away(process.pid)
        with self._lock:
            self._running.discard(process)

    def _busy(self, timeout_s: float) -> TimeoutOccuredError:
        return TimeoutOccuredError(
            f"All {self._processes} preview processes were busy for {timeout_s:g} s.",
            hint="Try again in a moment.",
            reason="preview-busy",
        )

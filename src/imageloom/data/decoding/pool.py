"""Decode many files in processes that may crash, hang or eat memory without ending the job.

The processes are started as programs, not by ``multiprocessing``: that would run the user's own
script once more in each of them, and a script without a ``__main__`` guard would start over.
"""

import contextlib
import json
import math
import os
import selectors
import subprocess  # noqa: TID251 - see above; the command is our own module, without a shell
import sys
import tempfile
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, NamedTuple

import pyarrow as pa

from imageloom.errors import WorkerLostError, printable
from imageloom.events import CancelToken

FILE_TIMEOUT_S: Final = 10.0
_START_TIMEOUT_S: Final = 120.0
_FILES_PER_WORKER: Final = 200  # starting one more process pays off above this
# A worker has at most two chunks to do. Requests and answers of two chunks fit into a pipe of
# 64 KiB, so that neither side ever waits for the other to read.
_CHUNK_FILES: Final = 64
_CHUNK_BYTES: Final = 8192
_POLL_S: Final = 0.2
_GATHER_S: Final = 0.005  # answers are read in bulk: waking up for each costs more than reading it

Task = tuple[int, bytes]  # row of the listing, request line


class Good(NamedTuple):
    """A file that was decoded; ``sha256`` is in hexadecimal, the rest as in ``PictureFacts``."""

    width: int
    height: int
    format: str
    orientation: int
    frames: int
    sha256: str
    notices: list[str]


class Bad(NamedTuple):
    """A file that is no usable picture, or on which the decoder crashed or hung."""

    reason: str
    hint: str


class Changed(NamedTuple):
    """A file that is not any more what was listed."""

    reason: str


Answer = Good | Bad | Changed
_ANSWERS: Final = {"ok": Good, "bad": Bad, "changed": Changed}


def worker_command() -> list[str]:
    """Return the command that starts a decoding process."""
    return [sys.executable, "-P", "-m", "imageloom.data.decoding.worker"]


def choose_workers(asked: int, num_files: int) -> int:
    """Return how many processes decode ``num_files`` files; ``asked`` 0 means one per core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(asked or cores or 1, math.ceil(num_files / _FILES_PER_WORKER)))


def decode_files(  # noqa: PLR0913 - all but the first two are keywords
    root: Path,
    files: pa.Table,
    *,
    workers: int,
    max_pixels: int,
    follow_links: bool = False,
    cancel: CancelToken | None = None,
    timeout_s: float = FILE_TIMEOUT_S,
) -> Generator[list[tuple[int, Answer]], None, None]:
    """Yield answers as they come: lists of (row, answer), each row once, in no order.

    A file on which its process dies or takes longer than ``timeout_s`` gets a ``Bad`` answer; the
    files after it go to a new process. Between answers an empty list is yielded now and then.

    Args:
        root: Folder that the paths start from.
        files: Rows of ``imageloom.data.sources.listing.FILES``.
        workers: Processes.
        max_pixels: Limit of width times height.
        follow_links: Whether the listing followed links, so that a path may end in one.
        cancel: Ends the work at once.
        timeout_s: Longest time for one file.

    Raises:
        RunInterruptedError: ``cancel`` was set.
        WorkerLostError: A process could not start.
    """
    setup = {
        "root": os.fsencode(root).decode("latin-1"),
        "max_pixels": max_pixels,
        "follow_links": follow_links,
    }
    with contextlib.closing(_Pool(setup, _chunks(files), timeout_s)) as pool:
        pool.start(workers)
        while pool.is_busy:
            if cancel is not None:
                cancel.raise_if_set()
            yield pool.answers()


def _chunks(files: pa.Table) -> Iterator[list[Task]]:
    chunk: list[Task] = []
    size = row = 0
    for batch in files.select(["path", "size_bytes", "mtime_ns"]).to_batches(1024):
        for path, size_bytes, mtime_ns in zip(
            *(column.to_pylist() for column in batch.columns), strict=True
        ):
            request = json.dumps([path.decode("latin-1"), size_bytes, mtime_ns])
            line = request.encode("ascii") + b"\n"
            if chunk and (len(chunk) == _CHUNK_FILES or size + len(line) > _CHUNK_BYTES):
                yield chunk
                chunk, size = [], 0
            chunk.append((row, line))
            size += len(line)
            row += 1
    if chunk:
        yield chunk


@dataclass(eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    moved_at: float  # when it last answered or was given work while idle
    is_ready: bool = False
    tasks: deque[Task] = field(default_factory=deque)
    unread: bytes = b""

    @property
    def pipe(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def give(self, chunk: Sequence[Task]) -> None:
        if not self.tasks:
            self.moved_at = time.monotonic()
        self.tasks.extend(chunk)
        self.send(b"".join(line for _, line in chunk))

    def send(self, lines: bytes) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its death shows when its pipe is read
            self.process.stdin.write(lines)
            self.process.stdin.flush()

    def end(self) -> int:
        """Kill and return the exit status; nothing that is needed is lost with it."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it hangs in the kernel, on a disk
            self.process.wait(timeout=5)
        return self.process.returncode or 0


class _Pool:
    """Decoding processes, the files that wait, and who has which file."""

    def __init__(
        self, setup: dict[str, object], chunks: Iterator[list[Task]], timeout_s: float
    ) -> None:
        self._setup = json.dumps(setup).encode("ascii") + b"\n"
        self._chunks = chunks
        self._left_over: deque[list[Task]] = deque()  # of processes that were lost
        self._timeout_s = timeout_s
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._looked_at = time.monotonic()

    @property
    def is_busy(self) -> bool:
        return any(worker.tasks for worker in self._workers)

    def start(self, workers: int) -> None:
        for _ in range(workers):
            self._start_one()

    def _start_one(self) -> None:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        process = subprocess.Popen(
            worker_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            start_new_session=True,  # Ctrl+C is for the parent, which then ends the workers
        )
        worker = _Worker(process, moved_at=time.monotonic())
        self._workers.append(worker)
        self._selector.register(worker.pipe, selectors.EVENT_READ, worker)
        worker.send(self._setup)
        self._feed(worker)

    def _feed(self, worker: _Worker) -> None:
        while len(worker.tasks) <= _CHUNK_FILES:
            chunk = self._left_over.popleft() if self._left_over else next(self._chunks, None)
            if chunk is None:
                return
            worker.give(chunk)

    def answers(self) -> list[tuple[int, Answer]]:
        """Wait a little and return what came; note processes that died or hang."""
        found: list[tuple[int, Answer]] = []
        self._forgive_own_pause()
        ready = self._selector.select(_POLL_S)
        if ready:
            time.sleep(_GATHER_S)
        for key, _ in ready:
            worker: _Worker = key.data
            read = os.read(worker.pipe.fileno(), 1 << 20)
            found += self._take(worker, read) if read else self._replace(worker, hangs=False)
        for worker in list(self._workers):
            limit = self._timeout_s if worker.is_ready else _START_TIMEOUT_S
            if worker.tasks and time.monotonic() - worker.moved_at > limit:
                found += self._replace(worker, hangs=True)
        return found

    def _forgive_own_pause(self) -> None:
        """Do not blame the workers for time in which this process itself did not run."""
        now = time.monotonic()
        pause = now - self._looked_at
        self._looked_at = now
        if pause > 5 * _POLL_S:
            for worker in self._workers:
                worker.moved_at = min(now, worker.moved_at + pause)

    def _take(self, worker: _Worker, read: bytes) -> list[tuple[int, Answer]]:
        *lines, worker.unread = (worker.unread + read).split(b"\n")
        worker.moved_at = time.monotonic()
        if lines and not worker.is_ready:
            worker.is_ready = json.loads(lines.pop(0)) == "ready"
        found = [(worker.tasks.popleft()[0], _answer(line)) for line in lines]
        self._feed(worker)
        return found

    def _replace(self, worker: _Worker, *, hangs: bool) -> list[tuple[int, Answer]]:
        self._selector.unregister(worker.pipe)
        self._workers.remove(worker)
        status = worker.end()
        if not worker.is_ready:
            raise self._could_not_start(status)
        if not worker.tasks:
            return []
        row, _ = worker.tasks.popleft()
        if worker.tasks:
            self._left_over.append(list(worker.tasks))
        self._start_one()
        return [(row, _blame(status, self._timeout_s if hangs else None))]

    def _could_not_start(self, status: int) -> WorkerLostError:
        self._errors.seek(0)
        said = printable(self._errors.read()[-500:].decode("utf-8", "replace")).strip()
        return WorkerLostError(
            f"A decoding process ended with status {status} before its first picture. {said}",
            hint="Run 'imageloom doctor' to see what is wrong with the installation.",
            reason="decoder-start",
        )

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.end()
        self._selector.close()
        self._errors.close()


def _answer(line: bytes) -> Answer:
    kind, *fields = json.loads(line)
    answer: Answer = _ANSWERS[kind](*fields)
    return answer


def _blame(status: int, timeout_s: float | None) -> Bad:
    if timeout_s is not None:
        return Bad(f"took more than {timeout_s:g} s to read and decode", "Save it anew.")
    if status == -9:
        return Bad(
            "had its decoding process killed, perhaps for lack of memory", "Save it smaller."
        )
    end = f"signal {-status}" if status < 0 else f"status {status}"
    return Bad(f"crashed the decoder ({end})", "It is damaged or hostile. Remove it.")

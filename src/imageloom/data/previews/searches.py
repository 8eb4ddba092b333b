"""Searches for duplicates that a page asks for: each in a process of its own, its result kept.

Only the standard library and light modules of ours are imported here.
"""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import (
    EnvironmentUnsuitableError,
    WorkerLostError,
    error_from_json,
    named_error,
    write_failure,
)
from imageloom.system.helper_process import LEAN, helper_environment

SEARCHES: Final = "searches"
KEPT_DAYS: Final = 60
_RULES: Final = "1"  # raised when the same pictures give another result
_WORKER: Final = "imageloom.data.previews.search_worker"
_DAY_S: Final = 86_400


@dataclass(frozen=True)
class SearchProgress:
    """How far a search has come.

    Attributes:
        done: Pictures that were looked at.
        total: How many there are; 0 while that is not known.
    """

    done: int
    total: int


class DuplicateSearches:
    """One search at a time; what it found is kept by what the pictures are, not where.

    Any thread may call. All end when ``close`` is called, and when the process that made this ends
    in any way; what they had looked at is kept for the next.

    Args:
        folder: Where results are kept; it may be deleted at any time.
        looks: File of what pictures look like in small, shared with the command line.
        roots: Absolute folders from which pictures may be read; empty for all.
    """

    def __init__(self, folder: Path, *, looks: Path, roots: Sequence[Path] = ()) -> None:
        self._folder = folder / SEARCHES
        self._looks = looks
        self._roots = tuple(roots)
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._key = ""

    def key(self, digest: str, against: str = "") -> str:
        """Return the name of a search.

        Args:
            digest: Of the image directory's contents.
            against: Of the other's, or empty.
        """
        return hashlib.sha256("\0".join((_RULES, digest, against)).encode()).hexdigest()[:40]

    def result(self, key: str) -> Path | None:
        """Return the file of what a search found, or None when it has not ended."""
        file = self._folder / f"{key}.sqlite"
        try:
            os.utime(file)  # its last use
        except OSError:
            return file if file.is_file() else None
        return file

    def progress(self, key: str) -> SearchProgress | None:
        """Return how far a search has come that is at work; None for any other.

        Raises:
            ImageloomError: It failed; asked again, it is as if it had never begun.
        """
        with self._lock:
            if key != self._key or self._child is None:
                return None
            status = self._child.poll()
            if status is None:
                found = self._state(key)
                done, total = found.get("done", 0), found.get("total", 0)
                assert isinstance(done, int)
                assert isinstance(total, int)
                return SearchProgress(done, total)
            self._end()
            if status == 0:
                return None
            told = self._state(key).get("error")
        if isinstance(told, dict):
            raise error_from_json(told)
        raise WorkerLostError(
            f"The search for duplicates ended with status {status}.",
            hint="A picture may be hostile, or memory short. 'imageloom data duplicates' does the "
            "same on the command line.",
            reason="search-lost",
            details={"status": status},
        )

    def begin(self, key: str, images: Path, against: Path | None) -> None:
        """Begin a search, if it is not at work; another one that is ends.

        Args:
            key: Its name.
            images: An image directory, absolute.
            against: The other one.

        Raises:
            FailedToWriteOutputsError: The folder cannot be written.
            EnvironmentUnsuitableError: No process could be started.
        """
        with self._lock:
            if key == self._key and self._child is not None and self._child.poll() is None:
                return
            self._end()
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._state_file(key).unlink(missing_ok=True)
            except OSError as problem:
                raise write_failure(self._folder, problem) from problem
            self._child, self._key = self._start(key, images, against), key

    def stop(self, key: str) -> None:
        """End a search, if it is at work."""
        with self._lock:
            if key == self._key:
                self._end()

    def close(self) -> None:
        """End whatever is at work."""
        with self._lock:
            self._end()

    def tidy(self) -> None:
        """Remove results that nobody looked at for two months."""
        oldest = time.time() - KEPT_DAYS * _DAY_S
        for file in self._folder.glob("*"):
            with contextlib.suppress(OSError):
                if file.stat().st_mtime < oldest:
                    file.unlink()

    def _start(self, key: str, images: Path, against: Path | None) -> "subprocess.Popen[bytes]":
        setup = {
            "images": str(images),
            "against": None if against is None else str(against),
            "roots": [str(root) for root in self._roots],
            "looks": str(self._looks),
            "out": str(self._folder / f"{key}.sqlite"),
            "state": str(self._state_file(key)),
        }
        try:
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", _WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**helper_environment(), **LEAN},
                start_new_session=True,  # Ctrl+C is for the parent, which then ends it
            )
        except OSError as problem:
            raise named_error(problem) or EnvironmentUnsuitableError(
                f"The search could not be started: {problem.strerror or problem}.",
                hint="Is the machine out of memory or of processes? Close other programs.",
                reason="no-process",
            ) from problem
        assert child.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its end shows when it is asked for
            child.stdin.write(json.dumps(setup).encode("ascii") + b"\n")
            child.stdin.flush()
        return child

    def _end(self) -> None:
        child, self._child, self._key = self._child, None, ""
        if child is None:
            return
        child.kill()
        assert child.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it hangs in the kernel, on a disk
            child.wait(timeout=5)

    def _state_file(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _state(self, key: str) -> dict[str, object]:
        try:
            found = json.loads(self._state_file(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

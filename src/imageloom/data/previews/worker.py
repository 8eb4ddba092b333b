"""A process that shows pictures to a server, which must load neither Pillow nor Arrow itself.

Its parent is ``imageloom.data.previews.client``. Both sides write one JSON value per line.

Parent:  ``{"cache": FOLDER, "roots": [FOLDER, ...]}``, then ``[NAME, {ARGUMENT: VALUE, ...}]``
for each request
Worker:  ``["ok", "ready"]`` or an error, then one answer per request, in order:
``["ok", VALUE]`` or ``["error", {...}]``, an error's JSON

When the parent closes the pipe or dies, this process ends at once, whatever it is doing.
"""

import contextlib
import dataclasses
import json
import os
import queue
import resource
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from imageloom.data.decoding.worker import MAX_MEMORY_BYTES
from imageloom.data.params import ConvertParams
from imageloom.data.previews.cache import ThumbnailCache
from imageloom.data.previews.describe import Wanted, describe
from imageloom.data.previews.opened import OpenedDirectories
from imageloom.data.previews.reach import Reach
from imageloom.data.previews.thumbnails import Thumbnails
from imageloom.data.previews.values import (
    SIZES,
    KeptThumbnail,
    LeftOut,
    LeftOutPage,
    SourceDescription,
)
from imageloom.errors import ImageloomError, any_error

_SOURCES_KEPT: Final = 4
_MOST_ROWS: Final = 1_000
_FEW: Final = 1
_HINT: Final = "This is a mistake in Imageloom. Please report it."


class Previews:
    """Answers requests; each method is one that a parent may name.

    Args:
        cache: Where thumbnails are kept.
        reach: Which pictures may be read.
    """

    def __init__(self, cache: ThumbnailCache, reach: Reach) -> None:
        self._thumbnails = Thumbnails(cache, reach)
        self._reach = reach
        self._opened = OpenedDirectories()
        # Of the sources that were described last: to list them again would take as long.
        self._left_out: dict[tuple[str, str], Sequence[LeftOut]] = {}

    def thumbnail(self, folder: str, file: str, size: int) -> KeptThumbnail:
        """Return the thumbnail of a file below a folder."""
        return self._thumbnails.of_file(Path(folder), os.fsencode(file), size)

    def describe(
        self, path: str, params: dict[str, object], samples: int, size: int
    ) -> SourceDescription:
        """Return what a source holds."""
        wanted = Wanted(ConvertParams.parse(params), samples, size)
        found = describe(path, wanted, self._thumbnails, self._opened)
        self._left_out.pop((path, str(params)), None)
        self._left_out[path, str(params)] = found.left_out_files
        if len(self._left_out) > _SOURCES_KEPT:
            self._left_out.pop(next(iter(self._left_out)))
        return found.description

    def left_out(
        self, path: str, params: dict[str, object], offset: int, limit: int
    ) -> LeftOutPage:
        """Return some of the files that a source's description counts as left out."""
        if (path, str(params)) not in self._left_out:
            self.describe(path, params, samples=_FEW, size=SIZES[0])
        files = self._left_out[path, str(params)]
        start = max(0, offset)
        return LeftOutPage(tuple(files[start : start + min(limit, _MOST_ROWS)]), len(files))


_WORK: Final[Mapping[str, Callable[..., KeptThumbnail | LeftOutPage | SourceDescription]]] = {
    "thumbnail": Previews.thumbnail,
    "describe": Previews.describe,
    "left_out": Previews.left_out,
}


def main() -> None:
    """Serve the parent that started this process."""
    # A C library that prints must not write between the answers: standard output becomes the
    # error output, and the answers keep the pipe.
    answers = os.dup(1)
    os.dup2(2, 1)
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, MAX_MEMORY_BYTES),
    ):
        with contextlib.suppress(ValueError, OSError):  # a lower limit may be in force already
            resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))
    requests = _requests(sys.stdin.buffer)
    setup = json.loads(next(requests))
    cache = ThumbnailCache(Path(setup["cache"]))
    previews = Previews(cache, Reach(tuple(map(Path, setup["roots"]))))
    _write(answers, _answer_of(cache))
    for line in requests:
        _write(answers, _answer(previews, line))


def _answer_of(cache: ThumbnailCache) -> list[object]:
    """Prepare the cache and return the first answer."""
    try:
        cache.prepare()
    except ImageloomError as problem:
        return ["error", problem.to_json()]
    return ["ok", "ready"]


def _answer(previews: Previews, line: bytes) -> list[object]:
    try:
        name, arguments = json.loads(line)
        answer = _WORK[name](previews, **arguments)
        return ["ok", dataclasses.asdict(answer)]
    except Exception as problem:  # noqa: BLE001 - one request must not end the others
        return ["error", any_error(problem, _HINT).to_json()]


def _requests(stream: BinaryIO) -> Iterator[bytes]:
    """Yield lines until the parent is gone; then the process ends, even in the midst of work."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in stream:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield lines.get()


def _write(descriptor: int, value: object) -> None:
    line = json.dumps(value).encode("ascii") + b"\n"
    while line:
        line = line[os.write(descriptor, line) :]


if __name__ == "__main__":
    main()

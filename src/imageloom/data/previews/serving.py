"""The side of a helper that works: one request after the other, until its parent is gone.

Both sides write one JSON value per line.

Parent:  the setup, an object; then ``[NAME, {ARGUMENT: VALUE, ...}]`` for each request
Helper:  ``["ok", "ready"]`` or an error, then one answer per request, in order:
``["ok", VALUE]`` or ``["error", {...}]``, an error's JSON

When the parent closes the pipe or dies, the process ends at once, whatever it is doing.
"""

import contextlib
import dataclasses
import json
import os
import queue
import resource
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, Final

from imageloom.errors import ImageloomError, any_error

Answerer = Callable[[str, Mapping[str, object]], Any]
_HINT: Final = "This is a mistake in Imageloom. Please report it."


def serve(
    prepare: Callable[[dict[str, Any]], Answerer],
    *,
    memory_bytes: int,
    idle_s: float | None = None,
) -> None:
    """Serve the parent that started this process.

    Args:
        prepare: Takes the setup and returns what answers requests: by their name and arguments,
            with a dataclass.
        memory_bytes: That this process may take.
        idle_s: After how long without a request it ends by itself; None for never.
    """
    # A C library that prints must not write between the answers: standard output becomes the
    # error output, and the answers keep the pipe.
    answers = os.dup(1)
    os.dup2(2, 1)
    for kind, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_DATA, memory_bytes)):
        with contextlib.suppress(ValueError, OSError):  # a lower limit may be in force already
            resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))
    requests = _requests(sys.stdin.buffer, idle_s)
    try:
        answerer = prepare(json.loads(next(requests)))
    except ImageloomError as problem:
        _write(answers, ["error", problem.to_json()])
        return
    _write(answers, ["ok", "ready"])
    for line in requests:
        _write(answers, _answer(answerer, line))


def _answer(answerer: Answerer, line: bytes) -> list[object]:
    try:
        name, arguments = json.loads(line)
        return ["ok", dataclasses.asdict(answerer(name, arguments))]
    except Exception as problem:  # noqa: BLE001 - one request must not end the others
        return ["error", any_error(problem, _HINT).to_json()]


def _requests(stream: BinaryIO, idle_s: float | None) -> Iterator[bytes]:
    """Yield lines until the parent is gone; then the process ends, even in the midst of work."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in stream:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            yield lines.get(timeout=idle_s)
        except queue.Empty:
            os._exit(0)


def _write(descriptor: int, value: object) -> None:
    line = json.dumps(value).encode("ascii") + b"\n"
    while line:
        line = line[os.write(descriptor, line) :]

"""What a helper process does: answers its parent, one request after the other.

Both sides write one JSON value per line.

Parent:  the setup, then ``[NAME, {ARGUMENT: VALUE, ...}]`` for each request
Helper:  ``["ok", "ready"]`` or an error, then one answer per request, in order:
``["ok", VALUE]`` or ``["error", {...}]``, an error's JSON

When the parent closes the pipe or dies, the helper ends at once, whatever it is doing.
"""

import contextlib
import json
import os
import queue
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

from imageloom.errors import any_error
from imageloom.system.pandas_left_out import leave_pandas_out

_HINT: Final = "This is a mistake in Imageloom. Please report it."

Answer = Callable[[str, dict[str, Any]], object]
"""Takes the name and the arguments of a request, and returns a JSON value."""


def answer_parent(prepare: Callable[[dict[str, Any]], Answer], *, memory_bytes: int) -> None:
    """Serve the parent that started this process; never returns.

    Args:
        prepare: Takes the setup and returns what answers requests; both may raise ImageloomError.
        memory_bytes: How much memory this process may take.
    """
    answers = pipe_of_answers()
    bound_memory(memory_bytes)
    leave_pandas_out(os.environ)
    requests = _requests(sys.stdin.buffer)
    setup = json.loads(next(requests))
    answer: Answer | None = None

    def begin() -> str:
        nonlocal answer
        answer = prepare(setup)
        return "ready"

    write_answer(answers, _said(begin))
    assert answer is not None, "its parent ends it after an error"
    for line in requests:
        name, arguments = json.loads(line)
        write_answer(answers, _said(lambda: answer(name, arguments)))  # noqa: B023 - called at once


def pipe_of_answers() -> int:
    """Return the descriptor of standard output, which becomes the error output for all others.

    A C library that prints must not write between the answers.
    """
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def bound_memory(memory_bytes: int) -> None:
    """Let this process take so much memory, and leave no file of it when it crashes."""
    for kind, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_DATA, memory_bytes)):
        with contextlib.suppress(ValueError, OSError):  # a lower limit may be in force already
            resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))


def write_answer(descriptor: int, value: object) -> None:
    """Write a JSON value as a line."""
    line = json.dumps(value).encode("ascii") + b"\n"
    while line:
        line = line[os.write(descriptor, line) :]


def _said(work: Callable[[], object]) -> list[object]:
    try:
        return ["ok", work()]
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

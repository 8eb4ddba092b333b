"""The first signal asks the command to save and stop; the second stops it at once.

A closed terminal stops no work: a connection that breaks must not cost a training its night.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from imageloom.errors import printable
from imageloom.events import CancelToken

SIGNAL_NAMES: Final = {
    signal.SIGINT: "Ctrl+C",
    signal.SIGTERM: "SIGTERM",
}
SAVES: Final = "saving, then stopping. Once more stops at once."
# Of commands whose output appears in one step at their end.
NOT_WRITTEN: Final = "stopping; the output does not appear. Once more stops at once."
_Handler = Callable[[int, FrameType | None], None] | signal.Handlers
_ANSWER_S: Final = 2.0  # for stopping the workers; until then a key held down changes nothing
_SHOW_CURSOR: Final = b"\x1b[?25h"  # a progress bar hides it, and nobody is left to show it


@contextmanager
def stopping_on_signals(
    cancel: CancelToken,
    *,
    answered: Callable[[], int] = lambda: 1,
    is_quiet: Callable[[], bool] = lambda: False,
    resume_command: Callable[[], str] = lambda: "",
    first_answer: Callable[[], str] = lambda: SAVES,
) -> Iterator[None]:
    """Set ``cancel`` at the first signal, and end the process and its workers at the second.

    Outside the main thread, where Python allows no handlers, signals keep their meaning.

    Args:
        cancel: Set at each signal that the body answers.
        answered: How many signals that is, asked at each: the body may learn it on its way. One
            that answers a second signal stops its own workers at once; the process then ends at one
            more, if the body has not ended by then.
        is_quiet: Whether another process of the same work answers the person.
        resume_command: The command that goes on, told to whoever ends the process; empty if none.
        first_answer: What a person is told at the first signal: what the body does then.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner = os.getpid()
    answered_at = 0.0

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal answered_at
        if os.getpid() != owner:
            _obey_in_a_worker(number)
        elif cancel.asked < answered():
            name = SIGNAL_NAMES[signal.Signals(number)]
            cancel.set(name)
            answered_at = time.monotonic()
            if not is_quiet():
                _tell(answer(cancel, first_answer()))
        elif answered() == 1 or time.monotonic() - answered_at > _ANSWER_S:
            _stop_at_once(number, resume_command())

    handlers: dict[signal.Signals, _Handler] = {
        **dict.fromkeys(SIGNAL_NAMES, stop),
        # The terminal is closed. Ignored, not handled: only that is handed on to new processes.
        signal.SIGHUP: signal.SIG_IGN,
    }
    # What the caller ignores stays ignored: nohup and shells that run jobs in the background do.
    before = {
        number: signal.signal(number, handler)
        for number, handler in handlers.items()
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def answer(cancel: CancelToken, first_answer: str = SAVES) -> str:
    """Return what a person is told who asked to stop."""
    return f"{cancel.reason}: {'stopping at once.' if cancel.asked > 1 else first_answer}"


def _obey_in_a_worker(number: int) -> None:
    """Let a forked worker die of SIGTERM, and leave Ctrl+C to the process that owns it.

    A terminal sends Ctrl+C to all processes of a command; the workers are still needed while
    their owner saves.
    """
    if number != signal.SIGINT:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _stop_at_once(number: int, resume_command: str) -> None:
    how = f" Go on: {resume_command}" if resume_command else ""
    _tell(f"Stopped at once; what was published before is whole.{how}")
    children = multiprocessing.active_children()
    for child in children:
        child.kill()
    for child in children:
        child.join(0.1)  # a killed child is gone only when its parent has seen it
    os._exit(128 + number)


def _tell(text: str) -> None:
    # os.write, because the main thread may be inside a print of the same stream.
    start, end = (b"\r\n" + _SHOW_CURSOR, b"\r\n") if sys.stderr.isatty() else (b"", b"\n")
    try:
        os.write(
            sys.stderr.fileno(), start + printable(text).encode("utf-8", "backslashreplace") + end
        )
    except (OSError, ValueError):  # no terminal any more, or a stream without a file
        return

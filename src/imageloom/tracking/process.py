"""The process of one tracker: ``python -m imageloom.tracking.process``.

The one line of its input says what to follow. The end of the input says that the training has
ended, or that whoever started this is gone. The one line of its output says how far the tracker
came. Nothing here can hold up a training or end it.
"""

import contextlib
import logging
import os
import sys
import threading
import time
import traceback
from typing import Final

from pydantic import BaseModel, ConfigDict

from imageloom.errors import ImageloomError, library_text, printable
from imageloom.files.locks import holder, release, try_lock
from imageloom.system.process_entry import end
from imageloom.tracking.choose import chosen_trackers
from imageloom.tracking.follow import Teller
from imageloom.tracking.place import Tracked
from imageloom.tracking.position import position_file, read_position
from imageloom.tracking.secrets import without_secrets
from imageloom.tracking.tracker import Tracker, TrackerSession

logger = logging.getLogger("imageloom.tracking.process")  # __name__ is __main__

POLL_S: Final = 2.0
RETRY_S: Final = (2.0, 5.0, 15.0, 60.0)  # after one failure, after two, and so on
LEFT_ALONE_S: Final = 60.0  # to go on once nobody waits for it any more
_NICENESS: Final = 5  # the training comes first
_MESSAGE_CHARS: Final = 300


class TrackerTask(BaseModel):
    """What the process is asked to do.

    Attributes:
        tracker: Name of the tracker.
        training: What it is told about.
        tries_s: How long it tries to tell the rest, once the training has ended.
    """

    model_config = ConfigDict(frozen=True)

    tracker: str
    training: Tracked
    tries_s: float


class TrackerAnswer(BaseModel):
    """How far a tracker came.

    Attributes:
        is_complete: Whether it has all there is.
        problem: Why not, as a sentence without any secret; empty where it has.
    """

    model_config = ConfigDict(frozen=True)

    is_complete: bool
    problem: str = ""


class _Input:
    """What whoever started this process says; a thread waits for its end."""

    def __init__(self) -> None:
        self.task = TrackerTask.model_validate_json(sys.stdin.readline())
        self.ended = threading.Event()
        self._parent = os.getppid()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        sys.stdin.read()
        self.ended.set()
        while os.getppid() == self._parent:  # who sees to it that this ends
            time.sleep(POLL_S)
        time.sleep(LEFT_ALONE_S)  # a library may hang for ever
        end(1)


def main() -> int:
    """Follow a training until it has ended and the tracker has all of it; return the exit code."""
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    answers = _own_output()
    heard = _Input()
    task = heard.task
    _log_to(task)
    lock_file = position_file(task.training.folder, task.tracker).with_suffix(".lock")
    lock = try_lock(lock_file, f"process {os.getpid()}")
    if lock is None:
        busy = f"{holder(lock_file) or 'Another process'} tracks it there already."
        return _answer(answers, busy)
    try:
        return _answer(answers, _follow(heard, chosen_trackers([task.tracker])[0]))
    finally:
        release(lock)


def _follow(heard: _Input, tracker: Tracker) -> str:
    """Return why the tracker does not have all of it, once the training has ended; else nothing."""
    connection, failures, give_up = _Connection(tracker), 0, 0.0
    while True:
        has_ended = heard.ended.is_set()  # first: what is written before that is read after
        if has_ended and not give_up:
            # One that failed before is asked once more, and not waited for.
            give_up = time.monotonic() + (0.0 if failures else heard.task.tries_s)
        problem = connection.tell(heard.task.training, is_last=has_ended)
        failures = failures + 1 if problem else 0
        if has_ended and (not problem or time.monotonic() >= give_up):
            return problem
        wait_s = RETRY_S[min(failures, len(RETRY_S)) - 1] if failures else POLL_S
        if has_ended:
            time.sleep(min(wait_s, max(0.0, give_up - time.monotonic())))
        else:
            heard.ended.wait(wait_s)


class _Connection:
    """A tracker that is opened when there is something to tell, and again after each failure."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._teller: Teller | None = None
        self._last_problem = ""

    def tell(self, training: Tracked, *, is_last: bool) -> str:
        """Tell what there is; return why that failed, as a sentence, or nothing."""
        try:
            self._tell(training, is_last=is_last)
        except Exception as problem:  # noqa: BLE001 - a tracker's library may raise anything
            return self._failed(problem)
        if self._last_problem:
            self._last_problem = ""
            logger.info("It goes on.")
        return ""

    def _tell(self, training: Tracked, *, is_last: bool) -> None:
        files = training.there()
        if files is None:
            return  # it has not begun, or is being moved to where it is kept
        if self._teller is None:
            self._teller = self._open(training)
        self._teller.tell(files)
        if is_last:
            teller, self._teller = self._teller, None
            teller.close()

    def _open(self, training: Tracked) -> Teller:
        file = position_file(training.folder, self._tracker.name)
        first = read_position(file)
        run = training.as_run(first.id)
        position = first.at(self._tracker.place(run, os.environ))

        def open_session() -> TrackerSession:
            logger.info("Tracking with %s: %s", self._tracker.title, position.place)
            return self._tracker.open(run, position.memory, os.environ)

        return Teller(open_session, position, file)

    def _failed(self, problem: Exception) -> str:
        teller, self._teller = self._teller, None
        if teller is not None:
            with contextlib.suppress(Exception):
                teller.give_up()
        text = problem.message if isinstance(problem, ImageloomError) else _first_line(problem)
        text = without_secrets(text, os.environ)[:_MESSAGE_CHARS]
        if text != self._last_problem:
            self._last_problem = text
            logger.warning("%s", without_secrets(_traceback(problem), os.environ))
        return text


def _first_line(problem: BaseException) -> str:
    """Return what was wrong in the first place: libraries tell of it in long sentences."""
    while (cause := problem.__cause__ or problem.__context__) is not None:
        problem = cause
    text = library_text(problem).strip().partition("\n")[0]
    return f"{type(problem).__name__}: {text}"


def _traceback(problem: Exception) -> str:
    return printable("".join(traceback.format_exception(problem)).rstrip())


def _log_to(task: TrackerTask) -> None:
    """Write our own lines beside the position; what libraries print is not looked at."""
    file = position_file(task.training.folder, task.tracker).with_suffix(".log")
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(file, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _own_output() -> int:
    """Return a descriptor for the answer, and let go of what libraries print: MLflow does."""
    answers = os.dup(1)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
    return answers


def _answer(answers: int, problem: str) -> int:
    answer = TrackerAnswer(is_complete=not problem, problem=problem)
    os.write(answers, answer.model_dump_json().encode() + b"\n")
    return 1 if problem else 0


if __name__ == "__main__":
    end(main())

"""Trackers run beside a training, each in a process of its own, and end soon after it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import ValidationError

from imageloom.errors import ImageloomError, library_text
from imageloom.events import CancelToken, Control, Notice
from imageloom.system.wording import some
from imageloom.tracking.choose import chosen_trackers
from imageloom.tracking.place import Tracked
from imageloom.tracking.position import position_file, read_position
from imageloom.tracking.process import TrackerAnswer, TrackerTask
from imageloom.tracking.tracker import Tracker

END_WAIT_S: Final = 30.0  # that the end of a training waits for its trackers; in the guide
STOPPED_WAIT_S: Final = 5.0  # likewise, of one that was asked to stop
_POLL_S: Final = 0.05
# -P: a folder that a person happens to stand in cannot replace a module of ours.
_COMMAND: Final = (sys.executable, "-P", "-m", "imageloom.tracking.process")


def end_wait_s(cancel: CancelToken) -> float:
    """Return how long the end of a training waits for its trackers."""
    return STOPPED_WAIT_S if cancel.is_set else END_WAIT_S


class TrackerProcess:
    """The process of one tracker, as whoever started it sees it.

    Args:
        tracker: The tracker.
        training: What it follows.
        tries_s: How long it tries to tell the rest, once the training has ended.

    Raises:
        OSError: It could not be started.
        ImageloomError: What the tracker has cannot be read or written.
    """

    def __init__(self, tracker: Tracker, training: Tracked, *, tries_s: float) -> None:
        self.tracker = tracker
        # Written here, so that the run remembers the tracker even if it is killed this moment.
        first = read_position(position_file(training.folder, tracker.name))
        self.place = tracker.place(training.as_run(first.id), os.environ)
        self._child = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries write there what may hold a secret
            env={**tracker.environment, **os.environ, **tracker.quiet},
            start_new_session=True,  # Ctrl+C is for the training
        )
        self._said = b""
        assert self._child.stdout is not None
        os.set_blocking(self._child.stdout.fileno(), False)
        task = TrackerTask(tracker=tracker.name, training=training, tries_s=tries_s)
        assert self._child.stdin is not None
        with contextlib.suppress(OSError):  # it is gone already, which shows in its answer
            self._child.stdin.write(task.model_dump_json().encode() + b"\n")
            self._child.stdin.flush()

    def training_ended(self) -> None:
        """Say that nothing more will come."""
        assert self._child.stdin is not None
        with contextlib.suppress(OSError):
            self._child.stdin.close()

    def answer(self) -> TrackerAnswer | None:
        """Return how far it came; None while it is at work."""
        # Looked at before it is read what it wrote. It stays a zombie until ``kill``, so that its
        # number, which is that of the group it began, is nobody else's then.
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        has_ended = os.waitid(os.P_PID, self._child.pid, flags) is not None
        assert self._child.stdout is not None
        with contextlib.suppress(OSError):
            self._said += os.read(self._child.stdout.fileno(), 65_536)
        if b"\n" in self._said or has_ended:
            try:
                return TrackerAnswer.model_validate_json(self._said)
            except ValidationError:
                return TrackerAnswer(
                    is_complete=False, problem="Its process ended without an answer."
                )
        return None

    def kill(self) -> None:
        """End it and all that it has started, wherever it is."""
        with contextlib.suppress(OSError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self.training_ended()
        assert self._child.stdout is not None
        self._child.stdout.close()


Came = tuple[TrackerProcess, TrackerAnswer]
"""A tracker, and how far it came."""


class Followers:
    """The trackers of one training.

    Args:
        catch_up: The command with which a person has them catch up later.
    """

    def __init__(self, catch_up: str) -> None:
        self._catch_up = catch_up
        self._processes: list[TrackerProcess] = []

    def start(
        self, names: Sequence[str], training: Tracked, control: Control, *, tries_s: float
    ) -> None:
        """Start trackers; one that cannot be started is a warning.

        Raises:
            ImageloomError: There is none of a name.
        """
        for tracker in chosen_trackers(names):
            try:
                process = TrackerProcess(tracker, training, tries_s=tries_s)
            except (OSError, ImageloomError) as problem:
                text = f"{tracker.title} was not started: {library_text(problem)}"
                control.tell(Notice("warning", f"{text} {self._later}"))
                continue
            self._processes.append(process)
            control.tell(Notice("info", f"Tracking with {tracker.title}: {process.place}"))

    def training_ended(self) -> None:
        """Say that nothing more will come; ``wait`` comes later."""
        for process in self._processes:
            process.training_ended()

    def wait(self, control: Control, *, most_s: float, since: float | None = None) -> list[Came]:
        """Wait until the trackers have all there is, but not long, and end them.

        Args:
            control: Hears of those that have not; once more asked to stop, it waits no longer.
            most_s: How long.
            since: From when on, as ``time.monotonic`` counts; by default from now.

        Returns:
            How far each came.
        """
        self.training_ended()
        began = time.monotonic() if since is None else since
        deadline, asked = began + most_s, control.cancel.asked
        answers: dict[str, TrackerAnswer] = {}
        while len(answers) < len(self._processes):
            for process in self._processes:
                if answer := process.answer():
                    answers.setdefault(process.tracker.name, answer)
            if time.monotonic() >= deadline or control.cancel.asked > asked:
                break
            time.sleep(_POLL_S)
        is_asked = control.cancel.asked > asked
        why = "It was not waited for." if is_asked else f"It took more than {round(most_s, 1):g} s."
        late = TrackerAnswer(is_complete=False, problem=why)
        for process in self._processes:
            process.kill()
        found = [(one, answers.get(one.tracker.name, late)) for one in self._processes]
        self._processes = []
        self._tell(found, control)
        return found

    def _tell(self, found: list[Came], control: Control) -> None:
        lacking = [
            f"{one.tracker.title} ({answer.problem})"
            for one, answer in found
            if not answer.is_complete
        ]
        if lacking:
            text = f"Trackers do not have all of the run: {some(lacking)}. {self._later}"
            control.tell(Notice("warning", text))

    @property
    def _later(self) -> str:
        return f"The run itself is whole. Catch up with: {self._catch_up}"


@contextlib.contextmanager
def tracked(
    training: Tracked, names: Sequence[str], *, catch_up: str, control: Control
) -> Iterator[None]:
    """Have trackers follow a training while the body trains, whatever becomes of them or of it.

    Args:
        training: What is trained.
        names: Of the trackers.
        catch_up: The command with which a person has them catch up later.
        control: Of the training: hears of trackers that lack something.

    Raises:
        ImageloomError: There is no tracker of a name; nothing else is raised by them.
    """
    followers = Followers(catch_up)
    followers.start(names, training, control, tries_s=END_WAIT_S)
    try:
        yield
    finally:
        followers.wait(control, most_s=end_wait_s(control.cancel))

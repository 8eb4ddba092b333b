"""A small command in a process of its own, for tests of signals, pipes and exit codes.

Usage: python toy_command.py BEHAVIOUR [--json] [--debug]
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.failures import Failure
from imageloom.cli.screen import line
from imageloom.errors import InvalidDatasetError
from imageloom.events import Notice, Progress
from imageloom.files.publish import write_json


def wait(call: Call) -> None:
    """Work until asked to stop, as training does."""
    call.on_event(Notice("info", "ready"))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        call.cancel.raise_if_set()
        time.sleep(0.01)


def wait_deaf(call: Call) -> None:
    """Work on without looking at the token, and with a worker that must not outlive us."""
    worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    worker.start()
    call.run = Path(os.environ["RUN"]) if "RUN" in os.environ else None
    call.on_event(Notice("info", f"ready {worker.pid}"))
    for _ in range(2000):
        time.sleep(0.01)


def wait_with_fork(call: Call) -> None:
    """Have a forked worker, which inherits the handlers, and tell how signals end it."""
    worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    worker.start()
    assert worker.pid is not None
    time.sleep(0.1)
    os.kill(worker.pid, signal.SIGINT)
    worker.join(0.3)
    survived = worker.is_alive()
    os.kill(worker.pid, signal.SIGTERM)
    worker.join(5)
    call.on_event(Notice("info", f"survived {survived}, then {worker.exitcode}"))


def wait_for_two(call: Call) -> None:
    """Stop by oneself when asked twice, as a run that ends its workers does."""
    call.on_event(Notice("info", "ready"))
    deadline = time.monotonic() + 20
    while call.cancel.asked < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    call.on_event(Notice("info", f"asked {call.cancel.asked} times"))
    call.cancel.raise_if_set()


def outlive_the_terminal(call: Call) -> None:
    """Go on without a terminal, with workers that do as well, and leave a file that tells."""
    forked = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    forked.start()
    with subprocess.Popen(["sleep", "60"]) as started:
        call.on_event(Progress("Working", 1, 2, "steps"))
        call.on_event(Notice("info", "ready"))
        deadline = time.monotonic() + 20
        while not call.is_unwatched and time.monotonic() < deadline:
            time.sleep(0.01)
        call.on_event(Notice("info", "nobody reads this"))
        forked.join(0.5)
        told = {
            "unwatched": call.is_unwatched,
            "asked_to_stop": call.cancel.is_set,
            "forked_lives": forked.is_alive(),
            "started_lives": started.poll() is None,
        }
        forked.kill()
        started.kill()
    write_json(Path(os.environ["RESULT"]), told)


def show_and_fail(_job: Call) -> None:
    """Have something to show, and be a failure all the same."""


def fail(_job: Call) -> None:
    raise InvalidDatasetError("The class 'x' is empty.", hint="Add pictures.", reason="empty")


def succeed_as_another_rank(call: Call) -> None:
    """Be one of several processes of a command, whose first one prints the result."""
    call.rank, call.leaves_at_once = 1, True


def fail_as_another_rank(call: Call) -> None:
    call.rank = 1
    raise InvalidDatasetError("Rank 1 of 2: The class 'x' is empty.")


def fail_for_another_rank(call: Call) -> None:
    call.rank = 1
    raise InvalidDatasetError("Rank 0 of 2: it says this.", details={"told_by_rank": 0})


def fail_as_the_first_rank_does(call: Call) -> None:
    call.rank, call.is_repeating = 1, True
    fail(call)


def crash(_job: Call) -> None:
    token = os.environ.get("TOKEN", "")
    raise ZeroDivisionError(f"division by zero{' ' * 0}{token[:0]}")


def exhaust(_job: Call) -> None:
    raise MemoryError


def import_what_is_broken(_job: Call) -> None:
    raise ImportError("libtorch.so: undefined symbol", name="torchvision")


def succeed(call: Call) -> None:
    call.on_event(Progress("Working", 1, 2, "steps"))
    call.on_event(Notice("warning", "careful"))


def print_a_lot(_job: Call) -> None:
    """Succeed with more output than a pipe holds."""


BEHAVIOURS = {
    one.__name__: one
    for one in (
        wait,
        wait_deaf,
        wait_with_fork,
        wait_for_two,
        outlive_the_terminal,
        show_and_fail,
        fail,
        succeed_as_another_rank,
        fail_as_another_rank,
        fail_for_another_rank,
        fail_as_the_first_rank_does,
        crash,
        exhaust,
        import_what_is_broken,
        succeed,
        print_a_lot,
    )
}


@call_command("toy", examples=(), signals=2 if "wait_for_two" in sys.argv else 1)
@click.argument("behaviour")
def command(call: Call) -> Outcome:
    """Behave as told."""
    behaviour = call.text("behaviour")
    BEHAVIOURS[behaviour](call)
    lines = 20_000 if behaviour == "print_a_lot" else 1
    failure = Failure(
        InvalidDatasetError("One of two failed."), exit_code=1, resume_command="go on"
    )
    return Outcome(
        content={"done": behaviour, "name": "caf\udce9"},
        screen=tuple(line("Done", behaviour) for _ in range(lines)),
        failure=failure if behaviour == "show_and_fail" else None,
    )


if __name__ == "__main__":
    from imageloom.cli import root

    root.root = command  # type: ignore[assignment]
    root.main()

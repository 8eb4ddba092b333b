"""``imageloom logs``."""

import functools
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.text import Text

from imageloom.cli.call import Call, Outcome, call_command, outliving_the_reader
from imageloom.cli.joined_logs import JoinedTail, joined_text
from imageloom.cli.log_search import (
    found_lines,
    log_choice,
    num_lines_of,
    search_option,
    tail_option,
)
from imageloom.cli.lost_runs import tell_if_lost
from imageloom.cli.places import PathType
from imageloom.cli.screen import line
from imageloom.cli.tails import read_log
from imageloom.cli.workspace import known_targets
from imageloom.errors import CouldNotOpenFileError
from imageloom.launch.cluster.rendezvous import MeetingPlace
from imageloom.launch.local.merged_log import LAUNCHER, label_of_rank, logs_of_run
from imageloom.remote.train_job import JOB_FOLDER, TRAIN_JOB_FILE
from imageloom.spec.job import LOG_FILE
from imageloom.system.wording import some
from imageloom.training.run.directory import RunDirectory

if TYPE_CHECKING:
    from imageloom.registry import Registry
    from imageloom.spec.target import Target

_JOB: Final = "job"
_QUEUE: Final = "queue"
_POLL_S: Final = 0.2
_LEAD_S: Final = 30.0  # in which another machine may take the lead


@call_command(
    "logs", examples=("imageloom logs run", "imageloom logs run --rank 1", "imageloom logs run -f")
)
@click.argument("run", metavar="RUN_DIRECTORY", type=PathType())
@click.option("--rank", type=click.IntRange(min=0), help="Only what this process wrote.")
@search_option
@tail_option
@click.option(
    "-f", "--follow", is_flag=True, help="Show what is written from now on, until the run ends."
)
def command(call: Call) -> Outcome:
    """Show what the processes of a training wrote.

    RUN_DIRECTORY is what 'imageloom train' wrote with --out. The logs of all processes, and that of
    what happened before and around them ('launcher'), are joined in the order of time, each line
    with the name of its process. Lines without a time, such as those of a traceback, stay together.
    Of a job on a target there is also what it alone printed ('job') and, on a cluster, what was
    said before and around it ('queue').
    """
    run = RunDirectory(call.path("run"))
    run.read()  # refuses what is no run directory
    choice = log_choice(call)
    if choice == "follow":
        with outliving_the_reader():
            _follow(call, run)
        tell_if_lost(call, run.path)
        return Outcome(content={}, screen=())
    tell_if_lost(call, run.path)
    logs = _chosen(call, run)
    if choice == "search":
        return found_lines(logs, call.text("search"))
    num_lines = num_lines_of(call)
    text = joined_text(logs, echo=_JOB, num_lines=num_lines)
    return Outcome(
        content={
            "run": str(run.path),
            "logs": {
                label: {"path": str(log), "text": read_log(log, num_lines=num_lines)}
                for label, log in logs.items()
            },
            "text": text,
        },
        screen=(Text(text.rstrip("\n")) if text else line("Log", "nothing was written"),),
    )


def _chosen(call: Call, run: RunDirectory) -> dict[str, Path]:
    """Return the logs that are asked for.

    Raises:
        CouldNotOpenFileError: No process with that number has written.
    """
    logs = {**logs_of_run(run.log.parent), **_logs_of_job(run)}
    rank = call.arguments.get("rank")
    if not isinstance(rank, int):
        return logs
    label = label_of_rank(rank)
    if label not in logs:
        raise CouldNotOpenFileError(
            f"{run.path} has no log of {label}.",
            hint=f"There is what these wrote: {some([*logs], most=10) or 'nobody'}.",
            reason="no-log",
        )
    return {label: logs[label]}


def _logs_of_job(run: RunDirectory) -> dict[str, Path]:
    """Return the logs of the run's jobs on targets that there are; the last one repeats others."""
    folder = run.path / JOB_FOLDER
    outer = logs_of_run(folder / "logs").get(LAUNCHER)
    queue = {_QUEUE: outer} if outer is not None else {}
    return {**queue, **({_JOB: folder / LOG_FILE} if (folder / LOG_FILE).is_file() else {})}


def _follow(call: Call, run: RunDirectory) -> None:
    """Write lines as they come, until the run ends or a signal comes."""
    tail, targets = JoinedTail(echo=_JOB), functools.cache(known_targets)
    # One that was stopped before we came is not waited for.
    worked_at = time.monotonic() if run.read().state == "running" else -math.inf
    while True:
        # Looked at before reading, so that nothing is missed.
        has_ended = _has_ended(run, targets)
        if not has_ended:
            worked_at = time.monotonic()
        elif time.monotonic() - worked_at < _LEAD_S:
            has_ended = not _may_be_led_again(run)
        is_over = call.cancel.is_set or call.is_unwatched or has_ended
        for text in tail.read(_chosen(call, run)):
            sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        if is_over:
            return
        time.sleep(_POLL_S)


def _may_be_led_again(run: RunDirectory) -> bool:
    """Whether a machine may have been lost that led the run, so that another one takes the lead."""
    # Ranks that lost their launcher save, and write that the run was interrupted.
    is_left = run.read().state in ("running", "interrupted")
    return is_left and MeetingPlace(run.path).find() is not None


def _has_ended(run: RunDirectory, targets: "Callable[[], Registry[Target]]") -> bool:
    """Whether nobody trains the run, or waits to, any more."""
    # A launcher that starts the ranks anew, or waits for machines, has not ended with them.
    place = MeetingPlace(run.path)
    if place.is_led:
        return False
    if not (run.path / JOB_FOLDER / TRAIN_JOB_FILE).is_file():
        # What one process trains is not led, what had a leader and has none is left alone. A
        # process that was killed wrote nothing into the record, and holds no lock any more.
        was_killed = run.lock.is_file() and not run.is_written
        return run.read().state != "running" or was_killed or place.find() is not None
    # The record knows nothing of a job in the queue: one that was pre-empted goes on later, and one
    # that left it before it began wrote nothing.
    from imageloom.remote.follow_training import running_job

    return not run.is_written and running_job(run.path, targets()) is None

"""``imageloom track``."""

import dataclasses
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.failures import FAILED_EXIT, Failure
from imageloom.cli.lost_runs import tell_if_lost
from imageloom.cli.places import NameOrPlace
from imageloom.cli.screen import Column, command_line, table
from imageloom.cli.trackers import usual
from imageloom.cli.workspace import follow_up, open_existing_engine, several, workspace_option
from imageloom.errors import ParameterParsingError, TrackerError
from imageloom.events import Control
from imageloom.launch.tracked import tracked_run
from imageloom.system.wording import some
from imageloom.tracking.beside import Followers, TrackerProcess
from imageloom.tracking.choose import NOBODY, require_trackers
from imageloom.tracking.place import Tracked
from imageloom.tracking.position import remembered_trackers
from imageloom.tracking.process import TrackerAnswer

_POLL_S: Final = 0.5
_LONGEST_S: Final = 24 * 3600.0  # large models over slow lines; Ctrl+C ends it at any time
_COLUMNS: Final[tuple[Column, ...]] = (
    ("Training", "left"),
    ("Tracker", "left"),
    ("Where", "left"),
    ("Has", "left"),
)
_STATES: Final = "states.jsonl"  # what the folder of a pipeline's run has, and a training's has not

_Done = tuple[Tracked, TrackerProcess, TrackerAnswer]


@dataclasses.dataclass(frozen=True)
class _Trainings:
    """What is to be tracked.

    Attributes:
        title: The run, as a person knows it.
        each: Its trainings, with the trackers that each remembers.
        goes_on: Whether somebody trains just now.
        command: What a person types to have the same again.
    """

    title: str
    each: Sequence[tuple[Tracked, Sequence[str]]]
    goes_on: Callable[[], bool]
    command: str


@call_command(
    "track",
    examples=(
        "imageloom track run",
        "imageloom track run --to mlflow",
        "imageloom track run --follow",
        "imageloom track last",
    ),
)
@click.argument("run", type=NameOrPlace())
@click.option(
    "--to",
    "to",
    multiple=True,
    metavar="TRACKER",
    help="tensorboard, mlflow or wandb; may be repeated. By default those that the run was "
    "tracked with, else those of settings.toml.",
)
@click.option(
    "-f", "--follow", is_flag=True, help="Go on while the run trains, until it has ended."
)
@workspace_option
def command(call: Call) -> Outcome:
    """Let trackers catch up with a training, or follow it.

    RUN is what 'imageloom train' wrote with --out, or a run of a pipeline: its id, the beginning of
    one, or 'last'. Each tracker is given what lies in the run's files and it does not have, so it
    may be asked again and again. A training that was never tracked can be as well.
    """
    found = _trainings(call)
    asked = several(call, "to")
    chosen = [(one, _chosen(asked, kept)) for one, kept in found.each]
    if not any(names for _, names in chosen):
        raise ParameterParsingError(
            f"{found.title} was not tracked yet, and no tracker is named.",
            hint=f"Name one: {found.command} --to tensorboard",
            details={"parameter": "to"},
        )
    for _, names in chosen:
        require_trackers(names, os.environ)
    quiet = Control(cancel=call.cancel)  # what there is to say is said at the end
    started = [(one, _started(one, names, quiet)) for one, names in chosen if names]
    try:
        while "follow" in call.arguments and found.goes_on() and not call.cancel.is_set:
            time.sleep(_POLL_S)
    finally:
        done = [row for one, followers in started for row in _waited(one, followers, quiet)]
    call.cancel.raise_if_set()
    return _outcome(found, done)


def _trainings(call: Call) -> _Trainings:
    given = call.arguments["run"]
    if isinstance(given, Path) and not (given / _STATES).is_file():
        return _training_of(call, given)
    assert isinstance(given, Path | str)
    from imageloom.spec.node_state import RunState
    from imageloom.tracked_nodes import tracked_nodes

    engine = open_existing_engine(call)
    run = engine.workspace.run(given.name) if isinstance(given, Path) else engine.find_run(given)
    return _Trainings(
        title=f"Run {run.id}",
        each=list(tracked_nodes(run, engine.workspace)),
        goes_on=lambda: run.state() is RunState.RUNNING,
        command=follow_up(call, "track", run.id),
    )


def _training_of(call: Call, path: Path) -> _Trainings:
    from imageloom.training.run.directory import RunDirectory
    from imageloom.training.run.lost import seems_lost

    run = RunDirectory(path)
    run.read()  # refuses what is no run directory
    tell_if_lost(call, path)

    def goes_on() -> bool:
        return run.read().state == "running" and (run.is_written or not seems_lost(run))

    one = (tracked_run(path), remembered_trackers(path))
    return _Trainings(str(path), [one], goes_on, command_line("imageloom", "track", path))


def _chosen(asked: Sequence[str], remembered: Sequence[str]) -> Sequence[str]:
    return [name for name in asked or remembered or usual() if name != NOBODY]


def _started(training: Tracked, names: Sequence[str], control: Control) -> Followers:
    followers = Followers(catch_up="")
    followers.start(names, training, control, tries_s=0)
    return followers


def _waited(training: Tracked, followers: Followers, control: Control) -> Iterator[_Done]:
    for process, answer in followers.wait(control, most_s=_LONGEST_S):
        yield training, process, answer


def _outcome(found: _Trainings, done: list[_Done]) -> Outcome:
    return Outcome(
        content={
            "trackers": [
                {
                    "training": training.name,
                    "tracker": process.tracker.name,
                    "place": process.place,
                    **answer.model_dump(),
                }
                for training, process, answer in done
            ]
        },
        screen=(
            table(
                _COLUMNS,
                [
                    [
                        training.name,
                        process.tracker.title,
                        process.place,
                        "all of it" if answer.is_complete else "not all",
                    ]
                    for training, process, answer in done
                ],
            ),
        ),
        failure=_failure(found, done),
    )


def _failure(found: _Trainings, done: list[_Done]) -> Failure | None:
    lacking = [
        f"{process.tracker.title} lacks some of {training.name}: {answer.problem}"
        for training, process, answer in done
        if not answer.is_complete
    ]
    if not lacking:
        return None
    error = TrackerError(
        some(lacking),
        hint=f"The run is as it was. Try again when the tracker answers: {found.command}",
        reason="incomplete",
    )
    return Failure(error, FAILED_EXIT)

"""Trains a prepared run on several processes, of this machine or of several."""

import contextlib
import json
import logging
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from imageloom.distributed.group import DEFAULT_TIMEOUT_S, TIMEOUT_VARIABLE
from imageloom.distributed.store import hosted_store
from imageloom.errors import (
    ImageloomError,
    OutputInUseError,
    ParameterParsingError,
    RunInterruptedError,
)
from imageloom.events import Control, Notice
from imageloom.launch.cluster.machines import Machine
from imageloom.launch.cluster.rendezvous import MeetingPlace
from imageloom.launch.cluster.team import Hall, Team
from imageloom.launch.local.attempts import RankJob, run_ranks
from imageloom.launch.local.one_machine import OneMachine
from imageloom.launch.local.watch import Patience
from imageloom.launch.network import own_address
from imageloom.launch.params import LaunchParams, require_processes
from imageloom.launch.preflight.compare import require_room
from imageloom.launch.preflight.run import RunPreflight
from imageloom.spec.target import AGENT_VARIABLE, INTERFACE_VARIABLE
from imageloom.training.run.directory import RunDirectory, now
from imageloom.training.run.events import driver_log
from imageloom.training.train import TrainResult, read_result

logger = logging.getLogger(__name__)

# -u: what was printed before a crash is in the log. -P: a folder that a person happens to stand in
# cannot replace a module of ours by a file of the same name.
RANK_COMMAND: Final = (sys.executable, "-u", "-P", "-m", "imageloom.launch.rank")
LAUNCHER_LOG: Final = "70_mpi_log.txt"  # the name that users of the old designer know


def launch_ranks(run: Path, launch: LaunchParams, *, control: Control) -> TrainResult:
    """Train from a run's newest checkpoint to its end, on several processes.

    Each has a log, ``logs/70_driver_log_<rank>.txt``; what happens before and around them stands in
    ``logs/70_mpi_log.txt``. With several machines this one leads, unless another one does already.

    Args:
        run: The run directory, as ``prepare_run`` makes it or as an interrupted run left it.
        launch: How many machines and processes.
        control: Hears progress, metrics and notices; stops all processes at the same step, with
            everything saved.

    Raises:
        LessThanOrEqualToError: The machine has fewer processing units.
        OutputInUseError: Somebody trains the run, and this machine was not asked to join.
        RunInterruptedError: The run was stopped; it can go on.
        TimeoutOccuredError: Too few machines came.
        WorkerLostError: A process was killed or hangs; the message says which one was the first.
        ImageloomError: As ``train``; the message says which process failed first.
    """
    address = require_place(launch)
    directory = RunDirectory(run)
    if directory.is_completed:
        control.tell(Notice("info", directory.nothing_to_resume))
        return read_result(run)
    require_room(run, processes=launch.processes_per_node)
    job, log = job_of(run), directory.log.with_name(LAUNCHER_LOG)
    if launch.nodes > 1:
        place = MeetingPlace(run)
        with recorded(directory, log, is_others=lambda: place.is_led):
            hall = hall_of(run, address=address, agents=_agents(os.environ))
            team = Team(scale=launch.scale, wait_s=launch.wait_for_nodes)
            Machine(job, hall, team, control=control).work()
    else:
        with leading_alone(run), recorded(directory, log):
            run_ranks(
                job,
                OneMachine(launch.processes_per_node, hosted_store),
                max_restarts=launch.max_restarts,
                resume_words=launch.resume_words,
                control=control,
            )
    return read_result(run)


def require_place(launch: LaunchParams) -> str:
    """Return this machine's address for other machines, empty when there are none.

    Raises:
        LessThanOrEqualToError: The machine has fewer processing units than processes are asked for.
        EnvironmentUnsuitableError: It has no such network interface.
    """
    require_processes(launch.processes_per_node)
    if launch.nodes == 1:
        return ""
    interface = launch.interface or os.environ.get(INTERFACE_VARIABLE, "")
    # A scheduler knows its machines by their names.
    return own_address(interface, by_name=AGENT_VARIABLE in os.environ)


def job_of(run: Path) -> RankJob:
    """Return what each rank does."""
    logs = RunDirectory(run).log.parent
    logs.mkdir(parents=True, exist_ok=True)
    return RankJob(
        command=(*RANK_COMMAND, str(run)),
        logs=logs,
        environment=dict(os.environ),
        patience=_patience(os.environ),
    )


def hall_of(run: Path, *, address: str = "", agents: Sequence[str] = ()) -> Hall:
    """Return where the machines of a run meet."""
    return Hall(
        run=RunDirectory(run),
        place=MeetingPlace(run),
        store=hosted_store,
        preflight=RunPreflight(run),
        address=address,
        agents=agents,
    )


@contextlib.contextmanager
def leading_alone(run: Path) -> Iterator[None]:
    """Keep others from leading the run meanwhile, before anything is written into its logs.

    Raises:
        OutputInUseError: Somebody leads it.
    """
    place = MeetingPlace(run)
    with place.leading(f"process {os.getpid()} on {platform.node()}") as leads:
        if not leads:
            raise _is_led(place)
        yield


def refuse_if_led(run: Path) -> None:
    """Refuse to train alone what somebody trains on several processes, or waits to.

    Raises:
        OutputInUseError: Somebody leads the run.
    """
    if (place := MeetingPlace(run)).is_led:
        raise _is_led(place)


def _is_led(place: MeetingPlace) -> OutputInUseError:
    return OutputInUseError(
        f"{place.run} is being trained by {place.holder or 'another process'}.",
        hint="Wait for it, or stop it. To let this machine take part, use 'imageloom agent join' "
        "as the other one printed it.",
        reason="locked",
    )


@contextlib.contextmanager
def recorded(
    run: RunDirectory, log: Path, *, is_others: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Write what happens into a launcher's log, and how it ended into the run's record.

    Args:
        run: The run directory.
        log: This launcher's.
        is_others: Whether somebody else trains the run then, so that the record is theirs.
    """
    with driver_log(log):
        try:
            yield
        except ImageloomError as error:
            if run.disappearance() is None and not is_others():
                record_end(run, error)
            raise
        except BaseException:  # Ctrl+C, where nobody made it ask for a stop
            if run.disappearance() is None and not is_others():
                run.update(state="interrupted", ended=now())
            raise


def record_end(run: RunDirectory, error: ImageloomError) -> None:
    """Write how the run ended into its record: rank 0 may have had no time, or known less."""
    if isinstance(error, RunInterruptedError):
        run.update(state="interrupted", ended=now())
    elif error.reason != "locked":  # then the record is somebody else's
        run.update(state="failed", ended=now())
        run.write_error(error)


def _agents(environment: Mapping[str, str]) -> tuple[str, ...]:
    text = environment.get(AGENT_VARIABLE)
    if not text:
        return ()
    try:
        words = json.loads(text)
    except ValueError:
        words = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ParameterParsingError(
            f"{AGENT_VARIABLE} is {text!r}, but must be a JSON list of words.",
            hint='It is set by targets, such as ["srun", "--nodes=1", "imageloom", "agent"].',
        )
    return tuple(words)


def _patience(environment: Mapping[str, str]) -> Patience:
    hang_s = DEFAULT_TIMEOUT_S
    with contextlib.suppress(ValueError):  # each rank refuses what is no number, by its name
        hang_s = float(environment.get(TIMEOUT_VARIABLE) or DEFAULT_TIMEOUT_S)
    return Patience(hang_s=hang_s)

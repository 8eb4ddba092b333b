"""A machine that works on a run which another one leads."""

import logging
import platform
import re
from pathlib import Path
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError, TimeoutOccuredError
from imageloom.events import Control, Notice
from imageloom.launch.cluster.connection import LostError, connect
from imageloom.launch.cluster.follower import welcome
from imageloom.launch.cluster.machines import Machine
from imageloom.launch.cluster.rendezvous import LeaderAddress
from imageloom.launch.cluster.team import Team, team_of, text_of
from imageloom.launch.launch import LAUNCHER_LOG, hall_of, job_of, recorded
from imageloom.launch.params import require_processes
from imageloom.spec.scale import Scale
from imageloom.training.run.directory import RunDirectory

logger = logging.getLogger(__name__)

CONNECT_S: Final = 60.0
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9.-]")


def join_run(leader: LeaderAddress, *, control: Control) -> Path:
    """Work on the run that another machine leads, until it is completed; return the run directory.

    Args:
        leader: Where it listens.
        control: Hears what becomes of this machine's part; saves and leaves the run.

    Raises:
        TimeoutOccuredError: Nobody who knows the token answers there.
        EnvironmentUnsuitableError: This machine does not see the run, or cannot take part in it.
        RunInterruptedError: Somebody asked this machine, or the whole run, to stop.
        ImageloomError: The run failed.
    """
    where = f"{leader.address}:{leader.port}"
    control.tell(Notice("info", f"Connecting to {where}."))

    def tell(why: str) -> None:
        waits = f"No connection to {where} yet: {why}. Trying for {CONNECT_S:g} s in all."
        control.tell(Notice("info", waits))

    try:
        connection = connect(
            leader.address,
            leader.port,
            leader.token,
            timeout_s=CONNECT_S,
            cancel=control.cancel,
            on_trouble=tell,
        )
        try:
            message = welcome(connection)
            connection.send("bye")
        finally:
            connection.close()
        run, team = Path(text_of(message, "run")), team_of(message)
    except LostError as problem:
        raise TimeoutOccuredError(
            f"No run could be joined at {where}: {problem}.",
            hint="Is the address right, is the token that of this run, does the command that leads "
            "it still run, and does no firewall stand in between?",
            reason="no-leader",
        ) from problem
    work_on_run(run, team, control=control)
    return run


def work_on_run(run: Path, team: Team | None = None, *, control: Control) -> None:
    """Work on a run whose directory this machine sees, until it is completed.

    Args:
        run: The run directory.
        team: What its leader asked for, where that is known already.
        control: As for ``join_run``.

    Raises:
        ImageloomError: As ``join_run``.
    """
    directory = RunDirectory(run)
    if not directory.record.is_file():
        raise EnvironmentUnsuitableError(
            f"The run directory {run} is not there on {platform.node()}.",
            hint="Put the run, and the pictures, on storage that all machines mount at the same "
            "path.",
            reason="run-not-shared",
        )
    if team is not None:
        require_processes(team.scale.processes_per_node)
    name = _NOT_IN_A_NAME.sub("_", platform.node())
    log = directory.log.with_name(f"{Path(LAUNCHER_LOG).stem}_{name}.txt")
    machine = Machine(
        job_of(run),
        hall_of(run),
        team or Team(scale=Scale()),
        control=control,
    )
    with recorded(directory, log, is_others=lambda: not machine.leads):
        machine.work()

"""Work on a run together with other machines: lead it, or follow whoever leads."""

import logging
import os
import time
from dataclasses import replace
from typing import Final

from imageloom.errors import TimeoutOccuredError
from imageloom.events import Control, Notice
from imageloom.launch.cluster.connection import SAY_S, LostError, connect
from imageloom.launch.cluster.follower import follow, welcome
from imageloom.launch.cluster.leader import Leader
from imageloom.launch.cluster.rendezvous import LeaderAddress, MeetingPlace
from imageloom.launch.cluster.team import Hall, Team, team_of
from imageloom.launch.local.attempts import RankJob, run_ranks
from imageloom.launch.network import interface_of, interface_variables
from imageloom.launch.params import LaunchParams
from imageloom.resume_command import Resume

logger = logging.getLogger(__name__)

_RETRY_S: Final = 0.5
_CONNECT_S: Final = 2.0
_LAST_RANKS_S: Final = 30.0  # for ranks of a leader that was killed to save and end


class Machine:
    """This machine, among those that work on a run.

    Args:
        job: What ranks do.
        hall: Where the machines meet.
        team: How many they are.
        control: Hears what happens to machines and, where this one leads, the events of rank 0.
            Stops the whole run where this machine leads, else its own part; all is saved.

    Attributes:
        leads: Whether it is this one that leads, or led last; the run's record is its then.
    """

    def __init__(self, job: RankJob, hall: Hall, team: Team, *, control: Control) -> None:
        self._job = job
        self._hall = hall
        self._team = team
        self._control = control
        self.leads = False

    def work(self) -> None:
        """Return when the run is completed; no process of it is left on this machine then.

        A machine that loses the one that leads takes the lead if the run directory's lock is free,
        and otherwise goes to whoever has it.

        Raises:
            TimeoutOccuredError: Too few machines came, or nobody leads any more.
            RunInterruptedError: Somebody asked to stop.
            ImageloomError: The run failed, or this machine cannot take part.
        """
        heard_at, has_said = time.monotonic(), False
        while not self._hall.run.is_completed:
            self._control.raise_if_cancelled()
            if self._has_led():
                return
            self.leads = False
            leader, why = self._hall.place.find(), "nobody leads the run"
            try:
                if leader is not None and self._has_followed(leader):
                    return
                if leader is not None:
                    heard_at, has_said = time.monotonic(), False
            except LostError as problem:
                why = str(problem)
            if time.monotonic() - heard_at > self._team.wait_s:
                raise _nobody_leads(leader, why, self._team.wait_s)
            if not has_said and time.monotonic() - heard_at > SAY_S:
                has_said = True
                self._say(_waiting(self._hall.place, leader, why, wait_s=self._team.wait_s))
            time.sleep(_RETRY_S)

    def _has_led(self) -> bool:
        """Lead if nobody does; return whether the run is completed so."""
        if not self._hall.address:
            return False
        with self._hall.place.leading(f"process {os.getpid()} at {self._hall.address}") as leads:
            if not leads:
                return False
            self.leads = True
            self._wait_for_last_ranks()
            job = self._job.with_variables(interface_variables(interface_of(self._hall.address)))
            run = self._hall.place.run.absolute()
            resume = Resume(str(run), launch=self._launch().resume_words)
            leader = Leader(self._hall, self._team, resume)
            with leader.receiving():
                run_ranks(
                    job,
                    leader,
                    max_restarts=self._team.scale.max_restarts,
                    resume_words=resume.launch,
                    control=self._control,
                )
        return True

    def _launch(self) -> LaunchParams:
        interface = interface_of(self._hall.address)
        team = self._team
        return LaunchParams.of(team.scale, interface=interface, wait_for_nodes=team.wait_s)

    def _has_followed(self, leader: LeaderAddress) -> bool:
        """Work for a leader; return whether the run is completed, or False if the leader was lost.

        Raises:
            LostError: It cannot be reached.
        """
        connection = connect(leader.address, leader.port, leader.token, timeout_s=_CONNECT_S)
        try:
            self._team = team_of(welcome(connection))
            self._hall = replace(self._hall, address=connection.own_address)
            job = self._job.with_variables(
                interface_variables(interface_of(connection.own_address))
            )
            try:
                follow(connection, job, self._hall.preflight, control=self._control)
            except LostError as problem:
                sentence = f"The machine that led the run, {connection.address}, {problem}."
                logger.warning("%s", sentence)
                self._control.tell(Notice("warning", sentence))
                return False
        finally:
            connection.close()
        return True

    def _say(self, sentence: str) -> None:
        logger.info("%s", sentence)
        self._control.tell(Notice("info", sentence))

    def _wait_for_last_ranks(self) -> None:
        """Wait for ranks of an earlier leader that still save; two must not write the run."""
        give_up = time.monotonic() + _LAST_RANKS_S
        while self._hall.run.is_written and time.monotonic() < give_up:
            self._control.raise_if_cancelled()
            time.sleep(_RETRY_S)


def _waiting(place: MeetingPlace, leader: LeaderAddress | None, why: str, *, wait_s: float) -> str:
    """Return for whom this machine waits; the lock tells whether a leader lives."""
    if leader is None:
        return f"Waiting for a machine that leads {place.run}."
    where = f"{leader.address}:{leader.port}"
    if not place.is_led:
        return f"Waiting for a machine that leads {place.run}; none is at {where} now: {why}."
    return (
        f"The machine that leads {place.run} cannot be reached at {where}: {why}. "
        f"Trying for {wait_s:g} s in all."
    )


def _nobody_leads(leader: LeaderAddress | None, why: str, wait_s: float) -> TimeoutOccuredError:
    where = "" if leader is None else f" at {leader.address}:{leader.port}"
    return TimeoutOccuredError(
        f"The machine that leads the run{where} did not answer for {wait_s:g} s: {why}.",
        hint="Does it still run? Is its address right, and does no firewall stand in between?",
        reason="no-leader",
    )

"""The machine that leads a run: it says which machine starts which ranks and hears how they end."""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence

from imageloom.errors import EnvironmentUnsuitableError, TimeoutOccuredError
from imageloom.events import Control, Notice
from imageloom.files.temporary import own_folder
from imageloom.launch.cluster.agent_command import Ended, brought_agents
from imageloom.launch.cluster.door import Door
from imageloom.launch.cluster.member import Member
from imageloom.launch.cluster.members import Members, Round
from imageloom.launch.cluster.notices import Notices
from imageloom.launch.cluster.team import Hall, Team
from imageloom.launch.local.attempts import RankJob
from imageloom.launch.local.blame import RankEnd, first_failure
from imageloom.launch.local.watch import RANKS_FOLDER, Start, watch
from imageloom.resume_command import Resume
from imageloom.system.wording import count

logger = logging.getLogger(__name__)


class Leader:
    """A crew of several machines, this one among them.

    Ranks are numbered from this machine's on, then machine by machine in the order in which they
    joined.

    Args:
        hall: Where they meet.
        team: How many they are.
        resume: How the run goes on when too few came.
    """

    def __init__(self, hall: Hall, team: Team, resume: Resume) -> None:
        self._hall = hall
        self._team = team
        self._resume = resume
        self._notices = Notices()
        self._members = Members(team, self._notices)
        self._join_command = ""
        self._agents_ended: Ended = lambda: ""
        self._change = ""

    @contextlib.contextmanager
    def receiving(self) -> Iterator[None]:
        """Let machines join while the body runs, and tell them how it ended."""
        door = Door(self._hall, self._team, self._members, self._notices)
        with (
            contextlib.ExitStack() as agents,  # who leave once they heard of the end
            self._telling_the_end(),
            door.opened() as self._join_command,
        ):
            command = brought_agents(self._hall.agents, self._hall.place.run)
            self._agents_ended = agents.enter_context(command)
            yield

    @contextlib.contextmanager
    def _telling_the_end(self) -> Iterator[None]:
        try:
            yield
        except BaseException as problem:
            self._members.end(problem)
            raise
        else:
            self._members.end(None)
            self._hall.place.forget()

    def start(self, job: RankJob, control: Control) -> list[RankEnd]:
        """Wait for enough machines and start all ranks; return how each ended.

        Raises:
            TimeoutOccuredError: Too few machines came.
            EnvironmentUnsuitableError: Likewise, and no more will come.
            RunInterruptedError: Somebody asked to stop while we waited.
        """
        round_ = self._wait_for_members(control)
        own_share = round_.shares[0]
        names = ", ".join(["this machine", *[member.name for member in round_.members]])
        logger.info("Starting %s on %s.", count(own_share.world_size, "rank"), names)
        with (
            self._hall.store(self._hall.address) as place,
            own_folder(RANKS_FOLDER) as folder,
        ):
            round_.start(place)
            start = Start(
                command=job.command,
                share=own_share,
                folder=folder,
                logs=job.logs,
                environment={**job.environment, **place},
            )
            own = watch(
                start,
                control=Control(control.on_event, round_.token),
                patience=job.patience,
                elsewhere=round_,
            )
            others = self._members.ends_of(round_, job.patience.others_s)
        self._change = round_.change
        return sorted([*own, *others], key=lambda end: end.rank)

    def change(self, ends: Sequence[RankEnd]) -> str:
        """Return which machine came or went, so that the ranks must start anew; empty if none."""
        if not self._team.scale.is_elastic:
            return ""
        failure = first_failure(ends)
        return self._change if failure is None else failure.lost_with

    def _wait_for_members(self, control: Control) -> Round:
        began, asked = time.monotonic(), False
        while True:
            control.raise_if_cancelled()
            here = self._members.here
            if round_ := self._members.next_round(began, control):
                return round_
            if not asked:
                asked = True
                missing = count(self._team.scale.max_nodes - 1 - len(here), "more machine")
                waiting = f"Waiting for {missing}{_until_when(self._team)}."
                logger.info("%s", waiting)  # without the token, which is a key
                control.tell(Notice("info", f"{waiting} {self._how_to_join()}"))
            self._notices.tell(control)
            if how := self._agents_ended():
                raise _nobody_comes(self._team, here, how)
            if time.monotonic() - began > self._team.wait_s:
                raise _too_few(self._team, here, self._resume)

    def _how_to_join(self) -> str:
        if self._hall.agents:  # nobody need type it
            return f"{self._hall.agents[0]} starts it on each."
        return f"On each: {self._join_command}"


def _until_when(team: Team) -> str:
    if not team.scale.is_elastic:
        return ""
    enough = f", at least {team.scale.min_nodes:,}," if team.scale.min_nodes > 1 else ""
    return (
        f", or training starts with those that are there{enough} when none came for "
        f"{team.settle_s:g} s"
    )


def _too_few(team: Team, here: Sequence[Member], resume: Resume) -> TimeoutOccuredError:
    came = ", ".join(["this machine", *[member.name for member in here]])
    return TimeoutOccuredError(
        f"{1 + len(here):,} of at least {count(team.scale.min_nodes, 'machine')} were there "
        f"after {team.wait_s:g} s: {came}.",
        # Without the token: this is written into the run directory, for all to read.
        hint="When you go on, type the command that is printed on each of the others; "
        "--wait-for-nodes gives them more time.",
        reason="too-few-nodes",
        resume=resume,
    )


def _nobody_comes(team: Team, here: Sequence[Member], how: str) -> EnvironmentUnsuitableError:
    return EnvironmentUnsuitableError(
        f"{1 + len(here):,} of at least {count(team.scale.min_nodes, 'machine')} were there "
        f"when no more could come: {how}.",
        hint="What it said stands in the log of the job.",
        reason="no-agents",
    )

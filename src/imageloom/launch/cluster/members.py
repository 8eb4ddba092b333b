"""The other machines of a run: who is here, who trains, who was lost.

All that the threads share which listen to them is in here, behind one lock, so that each sees what
another did either not at all or with all that followed from it. What is sent meanwhile is so short
that the system takes it without waiting for the other side.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

from imageloom.errors import ImageloomError
from imageloom.events import CancelToken, Control
from imageloom.launch.cluster.connection import Message
from imageloom.launch.cluster.member import Member
from imageloom.launch.cluster.notices import Notices
from imageloom.launch.cluster.team import Team
from imageloom.launch.local.blame import RankEnd
from imageloom.launch.local.watch import Elsewhere, Share

logger = logging.getLogger(__name__)

_GOODBYE_S: Final = 2.0
_POLL_S: Final = 0.1


class Round(Elsewhere):
    """Which machines train in one start, and what becomes of it.

    Args:
        number: Of this start, from 1.
        members: Those that take part.
        processes: Ranks on each machine.
        lock: That of the members; it may be held by the caller.
        control: Is told what threads say; asks all ranks to save and stop.
        notices: What threads say.

    Attributes:
        members: The other machines that take part, in the order of their ranks.
        shares: Which ranks each machine has, this one first.
        token: Asks the ranks of this machine to save and stop.
        change: Which machine came or left meanwhile; empty if none.
    """

    def __init__(
        self,
        number: int,
        members: Sequence[Member],
        processes: int,
        *,
        lock: threading.Condition,
        control: Control,
        notices: Notices,
    ) -> None:
        super().__init__()
        self.members = tuple(members)
        world_size = processes * (1 + len(members))
        self.shares = [
            Share(processes, world_size, first_rank=node * processes, node_rank=node)
            for node in range(1 + len(members))
        ]
        self.token = CancelToken()
        self.change = ""
        self._number = number
        self._lock = lock
        self._control = control
        self._notices = notices
        self._passed_on = 0  # how often somebody asked to stop, as far as the others know

    def start(self, place: Mapping[str, str]) -> None:
        """Let the other machines start their ranks, which find each other by these variables."""
        with self._lock:
            for member, share in zip(self.members, self.shares[1:], strict=True):
                member.start(self._number, share, place)
            if self.token.is_set:  # a machine joined before the others could be asked
                self.ask_to_stop(self.token.asked, self.token.reason, is_end=False)
            if not all(member.is_here for member in self.members):  # whom nobody missed yet
                self.fail(blames_others=False)

    def fail(self, *, blames_others: bool, by: Member | None = None) -> None:
        """Note that ranks of another machine failed, and tell the others."""
        with self._lock:
            super().fail(blames_others=blames_others)
            self._tell("failed", but=by, blames_others=blames_others)

    def ask_to_stop(self, asked: int, reason: str, *, is_end: bool) -> None:
        """Have all ranks save and stop, until they were asked so often: twice ends them at once."""
        with self._lock:
            self.token.reach(asked, reason)
            self._tell("stop", reason=reason, asked=asked, is_end=is_end)

    def hear(self, end: RankEnd) -> None:
        """Tell the other machines of a rank of ours that failed."""
        if end.failed:
            with self._lock:
                self._tell("failed", blames_others=end.blames_others)

    def look(self) -> None:
        """Pass on what happened: that a machine came or went, that somebody asked to stop."""
        self._notices.tell(self._control)
        cancel = self._control.cancel
        asked = cancel.asked
        if asked > self._passed_on:
            self._passed_on = asked
            self.ask_to_stop(asked, cancel.reason, is_end=True)
            logger.info("%s was passed on to the other machines.", cancel.reason)

    def _tell(self, kind: str, *, but: Member | None = None, **content: object) -> None:
        for member in self.members:
            if member is not but and not member.is_done:
                member.tell(kind, **content)


class Members:
    """The other machines of a run, as the one that leads sees them.

    Args:
        team: How many they are.
        notices: Hears who comes and goes.
    """

    def __init__(self, team: Team, notices: Notices) -> None:
        self._team = team
        self._notices = notices
        self._changed = threading.Condition()
        self._members: list[Member] = []
        self._round: Round | None = None
        self._num_rounds = 0
        self._changed_at = time.monotonic()
        self._last_words: dict[str, object] = {}  # empty until the run has ended

    @property
    def here(self) -> list[Member]:
        """Those that can take part in the next start, in the order in which they joined."""
        with self._changed:
            return [member for member in self._members if member.is_here]

    @property
    def is_full(self) -> bool:
        """Whether a machine that joins now only stands by for one that is lost."""
        return 1 + len(self.here) >= self._team.scale.max_nodes

    def join(self, member: Member) -> None:
        """Take in a machine, for which the ranks that run may have to start anew."""
        with self._changed:
            self._members.append(member)
            self._note_change()
            if self._last_words:
                member.connection.send("finished", **self._last_words)
                return
            self._notices.say("info", f"{member.name} joined.")
            round_ = self._round
            if round_ and len(round_.shares) < self._team.scale.max_nodes:
                round_.change = f"{member.name} joined"
                # Once, however many join: to be asked twice would end the ranks at once.
                round_.ask_to_stop(1, "a machine that joined", is_end=False)

    def hear(self, member: Member, message: Message) -> None:
        """Note what a machine says, and let the others know what follows from it.

        Raises:
            LostError: It is no message of ours.
        """
        with self._changed:
            was_leaving = bool(member.leaving)  # it says so again when its ranks ended
            end = member.hear(message)
            if member.leaving and not was_leaving:
                self._see_off(member)
            if end is not None and end.failed and self._round:
                self._round.fail(blames_others=end.blames_others, by=member)
            self._changed.notify_all()

    def lose(self, member: Member, why: str) -> None:
        """Note that a machine can no longer be reached, once, and close the connection to it."""
        with self._changed:
            if member.lost:
                return
            round_ = self._round_of(member) if not member.is_done else None
            member.lost = why
            self._members.remove(member)
            self._note_change()
            member.connection.close()
            if self._last_words or (member.leaving and round_ is None):
                return
            self._notices.say("warning", f"{member.title} {why}.")
            if round_ is not None:
                round_.fail(blames_others=False, by=member)

    def next_round(self, waiting_since: float, control: Control) -> Round | None:
        """Begin the next start if there are enough machines; otherwise wait a moment for a change.

        Args:
            waiting_since: When that began, by ``time.monotonic``.
            control: For ``Round``.
        """
        scale = self._team.scale
        with self._changed:
            here = self.here
            quiet_s = time.monotonic() - max(waiting_since, self._changed_at)
            wanted = scale.min_nodes if quiet_s > self._team.settle_s else scale.max_nodes
            if 1 + len(here) < wanted:
                self._changed.wait(_POLL_S)
                return None
            self._num_rounds += 1
            self._round = Round(
                self._num_rounds,
                here[: scale.max_nodes - 1],
                scale.processes_per_node,
                lock=self._changed,
                control=control,
                notices=self._notices,
            )
            return self._round

    def ends_of(self, round_: Round, patience_s: float) -> list[RankEnd]:
        """Return how the ranks of the others ended, once all told or their time is up.

        Args:
            round_: The start, whose ranks here have ended.
            patience_s: How long others may take then.
        """
        give_up_s = patience_s + _GOODBYE_S
        with self._changed:
            self._changed.wait_for(lambda: all(one.is_done for one in round_.members), give_up_s)
            for member in round_.members:
                if not member.is_done:
                    self.lose(member, f"did not end its ranks in {give_up_s:g} s")
            self._round = None
            return [end for member in round_.members for end in member.all_ends()]

    def end(self, problem: BaseException | None) -> None:
        """Tell all how the run ended, also who joins from now on, and wait for them to leave."""
        error = problem.to_json() if isinstance(problem, ImageloomError) else None
        state = "completed" if problem is None else "stopped"
        with self._changed:
            self._last_words = {"state": state, "error": error}
            for member in self._members:
                member.connection.send("finished", **self._last_words)
            # A side that closes first, with something unread, takes back what it said last.
            self._changed.wait_for(lambda: not self._members, _GOODBYE_S)
            for member in self._members:
                member.connection.close()

    def _see_off(self, member: Member) -> None:
        if (round_ := self._round_of(member)) is None:
            self._notices.say("info", f"{member.name} left ({member.leaving}).")
            return
        round_.change = f"{member.name} left ({member.leaving})"
        then = "go on without it" if self._team.scale.is_elastic else "stop"
        self._notices.say(
            "info", f"{member.title} leaves ({member.leaving}), so all save and {then}."
        )

    def _round_of(self, member: Member) -> Round | None:
        """Return the start that goes on, if a machine takes part in it."""
        return self._round if self._round and member in self._round.members else None

    def _note_change(self) -> None:
        self._changed_at = time.monotonic()
        self._changed.notify_all()

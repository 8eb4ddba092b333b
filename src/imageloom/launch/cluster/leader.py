"""The machine that leads a run: it says which machine starts which ranks and hears how they end."""

import contextlib
import logging
import queue
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from imageloom.errors import EnvironmentUnsuitableError, ImageloomError, TimeoutOccuredError
from imageloom.events import CancelToken, Control, Notice
from imageloom.files.temporary import own_folder
from imageloom.launch.cluster.agent_command import Ended, brought_agents
from imageloom.launch.cluster.connection import Connection, LostError, listen
from imageloom.launch.cluster.member import Member
from imageloom.launch.cluster.rendezvous import LeaderAddress
from imageloom.launch.cluster.team import Hall, Team, mapping_of
from imageloom.launch.local.attempts import RankJob
from imageloom.launch.local.blame import RankEnd, first_failure
from imageloom.launch.local.watch import RANKS_FOLDER, Elsewhere, Share, Start, watch
from imageloom.system.wording import count

logger = logging.getLogger(__name__)

PORT: Final = 29400  # torchrun's; another free one when it is taken
_GOODBYE_S: Final = 2.0
_POLL_S: Final = 0.1
_AGAIN_S: Final = 1.0


class Leader(Elsewhere):
    """A crew of several machines, this one among them.

    Ranks are numbered from this machine's on, then machine by machine in the order in which they
    joined.

    Args:
        hall: Where they meet.
        team: How many they are.
    """

    def __init__(self, hall: Hall, team: Team) -> None:
        super().__init__()
        self._hall = hall
        self._team = team
        # Threads put in what a person should see; the caller's thread tells it.
        self._said: queue.SimpleQueue[Notice] = queue.SimpleQueue()
        self._control = Control()
        self._changed = threading.Condition()
        self._members: list[Member] = []
        self._round: list[Member] = []
        self._is_training = False
        self._has_ended = False
        self._problem: BaseException | None = None
        self._started = 0
        self._changed_at = time.monotonic()
        self._who_changed = ""
        self._token = CancelToken()
        self._passed_on = 0  # how often somebody asked to stop, as far as the others know
        self._listener: socket.socket | None = None
        self._facts: dict[str, object] = {}
        self._join_command = ""
        self._agents_ended: Ended = lambda: ""

    @contextlib.contextmanager
    def receiving(self) -> Iterator[None]:
        """Let machines join while the body runs, and tell them how it ended."""
        self._hall.preflight.lead()
        self._facts = dict(self._hall.preflight.facts())
        known = self._hall.place.find()
        token = secrets.token_hex(16) if known is None else known.token
        self._listener = listen(self._hall.address, PORT)
        port = self._listener.getsockname()[1]
        self._hall.place.announce(LeaderAddress(address=self._hall.address, port=port, token=token))
        self._join_command = f"imageloom agent join {self._hall.address}:{port} --token {token}"
        threading.Thread(target=self._accept, args=(self._listener, token), daemon=True).start()
        try:
            agents = brought_agents(self._hall.agents, self._hall.place.run)
            with agents as self._agents_ended, self._telling_the_end():
                yield
        except BaseException as problem:
            if not self._has_ended:  # the agents could not be started
                self._end(problem)
            raise

    @contextlib.contextmanager
    def _telling_the_end(self) -> Iterator[None]:
        """Tell the machines how the body ended, before anybody waits for them to leave."""
        try:
            yield
        except BaseException as problem:
            self._end(problem)
            raise
        else:
            self._end(None)
            self._hall.place.forget()

    def start(self, job: RankJob, control: Control) -> list[RankEnd]:
        """Wait for enough machines and start all ranks; return how each ended.

        Raises:
            TimeoutOccuredError: Too few machines came.
            EnvironmentUnsuitableError: Likewise, and no more will come.
            RunInterruptedError: Somebody asked to stop while we waited.
        """
        self._control = control
        members = self._wait_for_members(control)
        size = self._team.processes_per_node
        world_size = size * (1 + len(members))
        with self._changed:
            self.failed_at, self.all_blame_others = None, True
            self._token, self._passed_on = CancelToken(), 0
            self._started += 1
            self._round, self._who_changed, self._is_training = members, "", True
        names = ", ".join(["this machine", *[member.name for member in members]])
        logger.info("Starting %s on %s.", count(world_size, "rank"), names)
        with (
            self._hall.store(self._hall.address) as place,
            own_folder(RANKS_FOLDER) as folder,
        ):
            shares = [
                Share(size, world_size, first_rank=node * size, node_rank=node)
                for node in range(1 + len(members))
            ]
            for member, share in zip(members, shares[1:], strict=True):
                member.start(self._started, share, place)
            self._fail_for_the_lost(members)
            start = Start(
                command=job.command,
                share=shares[0],
                folder=folder,
                logs=job.logs,
                environment={**job.environment, **place},
            )
            own = watch(
                start,
                control=Control(control.on_event, self._token),
                patience=job.patience,
                elsewhere=self,
            )
            self._wait_for_ends(members, job.patience.others_s)
        with self._changed:
            self._round, self._is_training = [], False
        others = [end for member in members for end in member.all_ends()]
        return sorted([*own, *others], key=lambda end: end.rank)

    def _fail_for_the_lost(self, members: Sequence[Member]) -> None:
        """Note machines that went before their ranks were to start, when nobody missed them yet."""
        if not all(member.is_here for member in members):
            self.fail(blames_others=False)
            self._tell("failed", blames_others=False)

    def change(self, ends: Sequence[RankEnd]) -> str:
        """Return which machine came or went, so that the ranks must start anew; empty if none."""
        if not self._team.is_elastic:
            return ""
        failure = first_failure(ends)
        if failure is not None:
            return failure.lost_with
        return self._who_changed

    def hear(self, end: RankEnd) -> None:
        """Tell the other machines of a rank of ours that failed."""
        if end.failed:
            self._tell("failed", blames_others=end.blames_others)

    def look(self) -> None:
        """Pass on what happened: that somebody asked to stop, that a machine came or went."""
        while not self._said.empty():
            self._control.tell(self._said.get())
        asked = self._control.cancel.asked
        if asked > self._passed_on:
            self._passed_on = asked
            self._token.reach(asked, self._control.cancel.reason)
            self._tell("stop", reason=self._control.cancel.reason, asked=asked, is_end=True)
            logger.info("%s was passed on to the other machines.", self._control.cancel.reason)

    def _stop_to_grow(self) -> None:
        """Have all ranks save and stop, once: to be asked twice would end them at once."""
        reason = "a machine that joined"
        self._token.reach(1, reason)
        self._tell("stop", reason=reason, asked=1, is_end=False)

    def _tell(self, kind: str, *, but: Member | None = None, **content: object) -> None:
        for member in self._round:
            if member is not but and not member.is_done:
                member.tell(kind, **content)

    def _wait_for_members(self, control: Control) -> list[Member]:
        team, began, asked = self._team, time.monotonic(), False
        while True:
            control.raise_if_cancelled()
            with self._changed:
                here = [member for member in self._members if member.is_here]
                now = time.monotonic()
                is_settled = now - max(began, self._changed_at) > team.settle_s
                if 1 + len(here) >= team.max_nodes or (
                    1 + len(here) >= team.min_nodes and is_settled
                ):
                    return here[: team.max_nodes - 1]
                self._changed.wait(_POLL_S)
            if not asked:
                asked = True
                missing = count(team.max_nodes - 1 - len(here), "more machine")
                waiting = f"Waiting for {missing}{self._until_when()}."
                logger.info("%s", waiting)  # without the token, which is a key
                control.tell(Notice("info", f"{waiting} {self._how_to_join()}"))
            self.look()
            if how := self._agents_ended():
                raise self._nobody_comes(here, how)
            if now - began > team.wait_s:
                raise self._too_few(here)

    def _until_when(self) -> str:
        if not self._team.is_elastic:
            return ""
        fewest = self._team.min_nodes
        enough = f", at least {fewest:,}," if fewest > 1 else ""
        return (
            f", or training starts with those that are there{enough} when none came for "
            f"{self._team.settle_s:g} s"
        )

    def _how_to_join(self) -> str:
        if self._hall.agents:  # nobody need type it
            return f"{self._hall.agents[0]} starts it on each."
        return f"On each: {self._join_command}"

    def _too_few(self, here: Sequence[Member]) -> TimeoutOccuredError:
        came = ", ".join(["this machine", *[member.name for member in here]])
        return TimeoutOccuredError(
            f"{1 + len(here):,} of at least {count(self._team.min_nodes, 'machine')} were there "
            f"after {self._team.wait_s:g} s: {came}.",
            # Without the token: this is written into the run directory, for all to read.
            hint="Go on with --resume and the same options, and type the command that is printed "
            "then on each of the others; --wait-for-nodes gives them more time.",
            reason="too-few-nodes",
        )

    def _nobody_comes(self, here: Sequence[Member], how: str) -> EnvironmentUnsuitableError:
        return EnvironmentUnsuitableError(
            f"{1 + len(here):,} of at least {count(self._team.min_nodes, 'machine')} were there "
            f"when no more could come: {how}.",
            hint="What it said stands in the log of the job.",
            reason="no-agents",
        )

    def _wait_for_ends(self, members: Sequence[Member], patience_s: float) -> None:
        """Wait until all machines told how their ranks ended; they had their time already."""
        give_up = time.monotonic() + patience_s + _GOODBYE_S
        with self._changed:
            while not all(member.is_done for member in members) and time.monotonic() < give_up:
                self._changed.wait(_POLL_S)
        for member in members:
            if not member.is_done:
                self._lose(member, f"did not end its ranks in {patience_s + _GOODBYE_S:g} s")

    def _accept(self, listener: socket.socket, token: str) -> None:
        while not self._has_ended:
            try:
                stream, (address, *_) = listener.accept()
                work = threading.Thread(target=self._receive, args=(stream, address, token))
                work.daemon = True
                work.start()
            except (OSError, RuntimeError) as problem:  # no file or thread is left; or it is closed
                if not self._has_ended:
                    logger.warning("A machine could not be let in: %s.", problem)
                    time.sleep(_AGAIN_S)

    def _receive(self, stream: socket.socket, address: str, token: str) -> None:
        try:
            connection = Connection(stream, token, is_server=True)
        except LostError as problem:
            logger.warning("%s, which tried to join, was turned away: %s.", address, problem)
            return
        try:
            run = str(self._hall.place.run)
            connection.send("welcome", run=run, team=self._team.model_dump())
            hello = connection.receive() or {}  # it may look at a million pictures before
            if hello.get("kind") == "bye":  # it only asked which run this is
                return
            facts = mapping_of(hello, "facts")
            host = str(facts.get("host", "?"))
            try:
                warnings = self._hall.preflight.compare(
                    self._facts, facts, processes=self._team.processes_per_node
                )
            except ImageloomError as problem:
                connection.send("refused", error=problem.to_json())
                self._say("warning", f"{host} ({connection.address}) cannot take part: {problem}")
                return
            connection.send("accepted", is_spare=self._is_full())
            for sentence in warnings:
                self._say("warning", sentence)
            self._listen_to(Member(connection, host))
        except LostError as problem:
            logger.warning("%s left before it took part: %s.", connection.address, problem)

    def _is_full(self) -> bool:
        """Whether a machine that joins now only stands by for one that is lost."""
        with self._changed:
            here = [member for member in self._members if member.is_here]
        return 1 + len(here) >= self._team.max_nodes

    def _listen_to(self, member: Member) -> None:
        with self._changed:
            if self._has_ended:
                self._tell_the_end(member)
                return
            self._members.append(member)
            self._changed_at = time.monotonic()
            may_grow = 1 + len(self._round) < self._team.max_nodes
            grows = self._is_training and may_grow and self._team.is_elastic
            if grows:
                self._who_changed = f"{member.name} joined"
            self._changed.notify_all()
        self._say("info", f"{member.name} joined.")
        if grows:
            self._stop_to_grow()
        try:
            while True:
                message = member.connection.receive()
                assert message is not None, "without a time limit there is one"
                with self._changed:
                    was_leaving = bool(member.leaving)  # it says so again when its ranks ended
                    end = member.hear(message)
                    leaves = bool(member.leaving) and not was_leaving
                    trains = member in self._round
                    if leaves and trains:
                        self._who_changed = f"{member.name} left ({member.leaving})"
                    self._changed.notify_all()
                if leaves:
                    self._say("info", self._farewell(member, trains=trains))
                if end is not None and end.failed:
                    self.fail(blames_others=end.blames_others)
                    self._tell("failed", but=member, blames_others=end.blames_others)
        except LostError as problem:
            self._lose(member, str(problem))

    def _farewell(self, member: Member, *, trains: bool) -> str:
        if not trains:
            return f"{member.name} left ({member.leaving})."
        then = "go on without it" if self._team.is_elastic else "stop"
        return f"{member.title} leaves ({member.leaving}), so all save and {then}."

    def _lose(self, member: Member, why: str) -> None:
        with self._changed:
            if member.lost:
                return
            trains = member in self._round and not member.is_done
            member.lost = why
            self._members = [one for one in self._members if one is not member]
            self._changed_at = time.monotonic()
            self._changed.notify_all()
        member.connection.close()
        if self._has_ended or (member.leaving and not trains):
            return
        self._say("warning", f"{member.title} {why}.")
        if trains:
            self.fail(blames_others=False)
            self._tell("failed", but=member, blames_others=False)

    def _end(self, problem: BaseException | None) -> None:
        assert self._listener is not None
        with self._changed:
            self._has_ended, self._problem = True, problem
            members = [member for member in self._members if not member.lost]
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._listener.close()
        for member in members:
            self._tell_the_end(member)
        # A side that closes first, with something unread, takes back what it said last.
        give_up = time.monotonic() + _GOODBYE_S
        while not all(member.lost for member in members) and time.monotonic() < give_up:
            time.sleep(0.01)
        for member in members:
            member.connection.close()

    def _tell_the_end(self, member: Member) -> None:
        problem = self._problem
        error = problem.to_json() if isinstance(problem, ImageloomError) else None
        state = "completed" if problem is None else "stopped"
        member.connection.send("finished", state=state, error=error)

    def _say(self, level: Literal["info", "warning"], sentence: str) -> None:
        logger.log(logging.INFO if level == "info" else logging.WARNING, "%s", sentence)
        self._said.put(Notice(level, sentence))

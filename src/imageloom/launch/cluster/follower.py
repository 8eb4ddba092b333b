"""A machine that works for the leader of a run."""

import logging
import queue
import threading
import time
from typing import Final

from pydantic import TypeAdapter, ValidationError

from imageloom.errors import (
    EnvironmentUnsuitableError,
    ImageloomError,
    RunInterruptedError,
)
from imageloom.events import CancelToken, Control, Notice
from imageloom.files.temporary import own_folder
from imageloom.launch.cluster.connection import Connection, LostError, Message
from imageloom.launch.cluster.member import name_ranks
from imageloom.launch.cluster.team import Preflight, end_to_message, mapping_of, number_of, text_of
from imageloom.launch.local.attempts import RankJob
from imageloom.launch.local.blame import RankEnd
from imageloom.launch.local.report import Answer, error_of
from imageloom.launch.local.watch import RANKS_FOLDER, Elsewhere, Share, Start, watch

logger = logging.getLogger(__name__)

_SHARE: Final = TypeAdapter(Share)
_WELCOME_S: Final = 30.0
_POLL_S: Final = 0.2


def welcome(connection: Connection) -> Message:
    """Return what the leader says to everybody who comes: which run it is, and its team.

    Raises:
        LostError: It says something else.
    """
    message = connection.receive(_WELCOME_S)
    if message is None or message.get("kind") != "welcome":
        raise LostError("did not say for which run")
    return message


def follow(connection: Connection, job: RankJob, preflight: Preflight, *, control: Control) -> None:
    """Start ranks when the leader says so, until the run is completed.

    Args:
        connection: To the leader, which has said welcome.
        job: What the ranks do.
        preflight: Says what this machine has.
        control: Hears what becomes of this machine's part; saves and leaves the run.

    Raises:
        LostError: The leader is gone.
        RunInterruptedError: Somebody asked this machine, or the whole run, to stop.
        ImageloomError: This machine cannot take part, or the run failed; the error is the leader's.
    """
    connection.send("hello", facts=preflight.facts())
    _Follower(connection, job, control).work()


class _Follower(Elsewhere):
    def __init__(self, connection: Connection, job: RankJob, control: Control) -> None:
        super().__init__()
        self._connection = connection
        self._job = job
        self._control = control
        self._token = CancelToken()
        self._start = 0
        self._ended_by = ""  # who stopped the whole run, if somebody did
        self._orders: queue.SimpleQueue[Message | LostError] = queue.SimpleQueue()

    def work(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            if self._control.cancel.is_set:
                self._leave()
            try:
                order = self._orders.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if isinstance(order, LostError):
                raise self._interruption() or order
            match order.get("kind"):
                case "accepted":
                    self._say_joined(is_spare=order.get("is_spare") is True)
                case "refused":
                    raise _error(order)
                case "start":
                    self._train(order)
                case "finished":
                    if order.get("state") == "completed":
                        return
                    raise _error(order)

    def hear(self, end: RankEnd) -> None:
        """Tell the leader how a rank of ours ended."""
        self._connection.send("end", start=self._start, **end_to_message(end))

    def look(self) -> None:
        """Pass on that somebody asked this machine to stop."""
        if self._control.cancel.is_set and not self._token.is_set:
            self._connection.send("leaving", reason=self._control.cancel.reason)
        self._token.reach(self._control.cancel.asked, self._control.cancel.reason)

    def _train(self, order: Message) -> None:
        try:
            share = _SHARE.validate_python(order["share"])
        except (ValidationError, KeyError) as problem:
            raise LostError("sent something that is no message of ours") from problem
        place = {name: str(value) for name, value in mapping_of(order, "place").items()}
        self._say(f"Training as {name_ranks(share)}.")
        with own_folder(RANKS_FOLDER) as folder:
            start = Start(
                command=self._job.command,
                share=share,
                folder=folder,
                logs=self._job.logs,
                environment={**self._job.environment, **place},
            )
            try:
                watch(
                    start,
                    control=Control(cancel=self._token),
                    patience=self._job.patience,
                    elsewhere=self,
                )
            except ImageloomError as problem:  # a process could not be started
                answer = Answer.model_validate(
                    {"state": "failed", "time": time.time(), "error": problem.to_json()}
                )
                self.hear(RankEnd(share.first_rank, time.time(), 1, answer))
        self._connection.send("over", start=self._start)

    def _listen(self) -> None:
        """Hear the leader, also while ranks run."""
        try:
            while True:
                self._hear_leader()
        except LostError as problem:
            self.fail(blames_others=False)
            self._orders.put(problem)

    def _hear_leader(self) -> None:
        message = self._connection.receive()
        assert message is not None, "without a time limit there is one"
        kind, is_current = message.get("kind"), message.get("start") == self._start
        match kind:
            case "stop" if is_current:
                reason = text_of(message, "reason")
                self._ended_by = reason if message.get("is_end") is True else self._ended_by
                self._token.reach(number_of(message, "asked"), reason)
            case "failed" if is_current:
                self.fail(blames_others=message.get("blames_others") is True)
            case "start":
                # Before anything else of this start can be heard.
                self._start = number_of(message, "start")
                self.failed_at, self.all_blame_others = None, True
                self._token = CancelToken()
                self._orders.put(message)
            case "finished":
                self.fail(blames_others=False)  # what still runs here is of no use
                self._orders.put(message)
            case _:
                self._orders.put(message)

    def _interruption(self) -> RunInterruptedError | None:
        """Return what ends us with a leader that was stopped and did not wait for us, if it was."""
        if not self._ended_by:
            return None
        return RunInterruptedError.stopped_by(
            self._ended_by,
            "on the machine that led the run, which is gone",
            hint="What came after the last checkpoint may be lost.",
        )

    def _leave(self) -> None:
        self._connection.send("leaving", reason=self._control.cancel.reason)
        raise RunInterruptedError(
            f"Stopped by {self._control.cancel.reason}: this machine no longer takes part.",
            reason="cancelled",
        )

    def _say_joined(self, *, is_spare: bool) -> None:
        waits = "waiting for the other machines"
        if is_spare:
            waits = "there are enough machines, so this one waits until one is lost"
        self._say(f"Joined {self._connection.address}; {waits}.")

    def _say(self, sentence: str) -> None:
        logger.info("%s", sentence)
        self._control.tell(Notice("info", sentence))


def _error(message: Message) -> ImageloomError:
    answer = Answer.model_validate(
        {"state": "failed", "time": time.time(), "error": mapping_of(message, "error") or None}
    )
    if answer.error is None:
        return EnvironmentUnsuitableError(
            "The machine that leads the run was stopped.", reason="leader-stopped"
        )
    return error_of(answer, rank_name="")

"""This process as one of several ranks that torchrun, srun or mpirun started.

The first rank prepares the run and the others wait for it; then all train. Nobody watches them all
as our launcher does, so they watch each other: by a board on which each says what it knows.
"""

import contextlib
import logging
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imageloom.distributed.board import Board
from imageloom.distributed.group import existing_place
from imageloom.distributed.ranks import (
    Ranks,
    StartedRank,
    placed,
    require_own_local_ranks,
    started_rank,
)
from imageloom.errors import (
    EnvironmentUnsuitableError,
    ImageloomError,
    RunInterruptedError,
    TimeoutOccuredError,
    WorkerLostError,
)
from imageloom.events import Control, Notice
from imageloom.launch.external.roll_call import (
    RollEntry,
    absent,
    machines_of,
    require_launch,
    require_same_task,
    who_is_where,
)
from imageloom.launch.external.store import store_of_ranks
from imageloom.launch.external.surroundings import on_network, on_own_cores, own_cores, this_machine
from imageloom.launch.external.verdict import (
    ANSWER,
    BYE,
    answer_of,
    first_error,
    has_rank_0_answered,
    see_off,
    tell_answer,
    wait_for_end_of_rank_0,
)
from imageloom.launch.external.waits import Waits
from imageloom.launch.launch import LAUNCHER_LOG, leading_alone, record_end
from imageloom.launch.local.report import (
    FOLDER_VARIABLE,
    TOLD_BY,
    Answer,
    answer_to,
    completed,
    error_of,
    write_error_file,
)
from imageloom.launch.params import LaunchParams
from imageloom.launch.preflight.compare import require_room
from imageloom.launch.preflight.run import RunPreflight
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import driver_log
from imageloom.training.train import TrainResult, continue_run, read_result

if TYPE_CHECKING:
    from imageloom.distributed.store import Store

logger = logging.getLogger(__name__)

_NOTICE_S: Final = 10.0  # until a person is told that ranks are waited for

Prepare = Callable[[int], Path]


def rank_started_elsewhere(environment: Mapping[str, str]) -> StartedRank | None:
    """Return this process's place among ranks that something else than our launcher started.

    Returns:
        None where this process is alone, or our launcher started it.

    Raises:
        EnvironmentUnsuitableError: The variables that say so contradict each other.
    """
    if FOLDER_VARIABLE in environment:
        return None
    found = started_rank(environment)
    place = existing_place()
    if found is None and place is not None and place[1] > 1:
        return StartedRank("torch.distributed", *place)
    return found


def is_new_start(started: StartedRank, environment: Mapping[str, str]) -> bool:
    """Whether what started this rank has started it before, and so may find its run there."""
    name = {"torchrun": "TORCHELASTIC_RESTART_COUNT", "srun": "SLURM_RESTART_COUNT"}
    return environment.get(name.get(started.starter, ""), "0") not in ("", "0")


def train_as_rank(
    started: StartedRank,
    asked: Mapping[str, str],
    prepare: Prepare,
    *,
    launch: LaunchParams,
    control: Control,
) -> TrainResult:
    """Do this rank's part of a training, from the beginning to the end.

    Args:
        started: Which rank this is.
        asked: What it was asked to do, by names that a person knows; ``out`` is the run directory.
        prepare: Makes or finds the run, for so many processes; called in rank 0 alone.
        launch: What was asked of our launcher; it must be what is there.
        control: Hears progress, metrics and notices, in rank 0 alone; stops all ranks at the same
            step, in whichever it is asked.

    Raises:
        ImageloomError: As ``train``, in all ranks: that of the rank that failed first in rank 0,
            in which ``details`` has the rank and its log. ``details["told_by_rank"]`` is there
            where another rank tells a person of it.
    """
    out = Path(asked["out"])
    if started.rank:
        control = Control(cancel=control.cancel)  # a person hears rank 0 alone
    with store_of_ranks(started, out, launch, control.cancel) as (store, address):
        board = Board(store, started.rank, started.world_size)
        member = _Member(started, board, launch, control, address=address)
        return member.work(asked, prepare)


class _Member:
    """One rank, on its way through a training.

    Attributes:
        run: The run directory, once this rank knows that there is one.
    """

    def __init__(
        self,
        started: StartedRank,
        board: Board,
        launch: LaunchParams,
        control: Control,
        *,
        address: str = "",
    ) -> None:
        self._address = address
        self.run: RunDirectory | None = None
        self._started = started
        self._board = board
        self._launch = launch
        self._control = control
        self._waits = Waits(board, control.cancel)
        self._is_preparing = False
        self._parent = os.getppid()

    def work(self, asked: Mapping[str, str], prepare: Prepare) -> TrainResult:
        with self._board.living(self._look):
            try:
                roll = self._call_roll(asked)
                run = self._prepared(prepare)
                self._train(run, roll)
                return self._completed(run)
            except Exception as problem:
                raise self._end(problem) from problem

    def _look(self) -> None:
        """Ask to stop when this rank must not go on; called each second in a thread."""
        if os.getppid() != self._parent and not self._control.cancel.is_set:
            self._control.cancel.set("the end of the process that started it")
        if self._is_preparing and self._board.told(ANSWER) and not self._control.cancel.is_set:
            self._control.cancel.set("the end of another rank")

    def _call_roll(self, asked: Mapping[str, str]) -> list[RollEntry]:
        """Return what all ranks say of themselves, in the order of ranks, once all are there."""
        entry = RollEntry(
            asked={**asked, "WORLD_SIZE": f"{self._started.world_size}"},
            host=platform.node(),
            machine=this_machine(self._started),
            cores=own_cores(),
            local_rank=self._started.local_rank,
        )
        self._board.tell("here", entry.model_dump(mode="json"))
        began, is_told = time.monotonic(), False
        while self._board.told("here") < self._board.world_size:
            self._waits.go_on()
            waited_s = time.monotonic() - began
            if waited_s > self._launch.wait_for_nodes:
                raise self._not_all_came()
            if waited_s > _NOTICE_S and not is_told:
                is_told = True
                self._control.tell(Notice("info", self._waits_for()))
        found = [self._board.heard("here", rank) for rank in range(self._board.world_size)]
        roll = [RollEntry.model_validate(one) for one in found]
        if self._started.rank == 0:  # once is enough
            require_own_local_ranks([one.hosted for one in roll])
            require_same_task(roll, self._started.starter)
            require_launch(self._launch, roll, self._started.starter)
        return roll

    def _waits_for(self) -> str:
        who = absent(self._board.silent("here"), self._board.world_size)
        return (
            f"Waiting for other processes that {self._started.starter} starts: {who} did not come "
            "yet. To train in this process alone, unset the variables that number it."
        )

    def _not_all_came(self) -> TimeoutOccuredError:
        return TimeoutOccuredError(
            f"{absent(self._board.silent('here'), self._board.world_size)} did not come for "
            f"{self._launch.wait_for_nodes:g} s.",
            hint=f"The output of {self._started.starter} says what became of it. --wait-for-nodes "
            "sets how long to wait.",
            reason="rank-absent",
        )

    def _prepared(self, prepare: Prepare) -> Path:
        """Make the run, or wait until rank 0 has made it; return its directory."""
        if self._started.rank == 0:
            self._is_preparing = True
            run = prepare(self._started.world_size)
            self._is_preparing = False
            self._board.tell("prepared", {"run": str(run)})
        else:
            while (told := self._board.heard("prepared", 0)) is None:
                self._waits.go_on()
            run = Path(str(told["run"]))
            if not RunDirectory(run).record.is_file():
                raise EnvironmentUnsuitableError(
                    f"The run directory {run} is not there on {platform.node()}.",
                    hint="Put the run, and the pictures, on storage that all machines mount at the "
                    "same path.",
                    reason="run-not-shared",
                )
        self.run = RunDirectory(run)
        return run

    def _train(self, run: Path, roll: list[RollEntry]) -> None:
        ranks = placed(self._started, [entry.hosted for entry in roll])
        with contextlib.ExitStack() as stack:
            if ranks.is_first:
                stack.enter_context(leading_alone(run))
                log = RunDirectory(run).log.with_name(LAUNCHER_LOG)
                with driver_log(log):
                    where = who_is_where(roll)
                    logger.info("%s started the ranks: %s.", self._started.starter, where)
            self._compare(run, ranks, roll)
            is_one_machine = len(machines_of(roll)) == 1
            towards = "127.0.0.1" if is_one_machine else self._address
            stack.enter_context(on_network(self._launch.interface, towards))
            stack.enter_context(on_own_cores(ranks))
            continue_run(
                run,
                ranks=ranks,
                meet=self._meet,
                control=self._control,
            )

    def _compare(self, run: Path, ranks: Ranks, roll: list[RollEntry]) -> None:
        """Compare what the machines have, as our own launcher does before it starts ranks."""
        preflight, here = RunPreflight(run), machines_of(roll)[roll[ranks.rank].machine]
        if ranks.is_first:
            require_room(run, processes=len(here))
            preflight.lead()
        self._waits.meet_at("marked", {})
        facts = preflight.facts() if here[0] == ranks.rank else {}
        # How many processes have room there was for what started them to know.
        self._waits.meet_at("facts", {**facts, "processing_units": len(here)})
        if not ranks.is_first:
            return
        for others in list(machines_of(roll).values())[1:]:
            other = self._board.heard("facts", others[0]) or {}
            for warning in preflight.compare(
                self._board.heard("facts", 0) or {}, other, processes=len(others)
            ):
                self._control.tell(Notice("warning", warning))

    def _meet(self) -> "Store":
        self._waits.meet_at("ready", {})
        return self._board.part("group")

    def _completed(self, run: Path) -> TrainResult:
        """Return what the run found, once rank 0 has written it."""
        while self._started.rank and answer_of(self._board, 0) is None:
            self._waits.go_on()
        if self._started.rank:
            self._waits.raise_for_answers()  # rank 0 may have failed when it was alone
        result = read_result(run)
        tell_answer(self._board, completed())
        self._leave()
        return result

    def _end(self, problem: Exception) -> Exception:
        """Tell the others how this rank ended; return what to raise."""
        answer = answer_to(problem, reason=self._control.cancel.reason)
        with contextlib.suppress(WorkerLostError):
            tell_answer(self._board, answer)
        if answer.state == "failed" and not answer.blames_others:
            write_error_file(answer, os.environ)
        error = self._error(problem, answer)
        self._leave()
        if isinstance(error, ImageloomError) and TOLD_BY in error.details:
            # What started the ranks takes the one that ends first for the one that failed.
            wait_for_end_of_rank_0(self._board)
        return error

    def _error(self, problem: Exception, answer: Answer) -> Exception:
        rank, world_size = self._started.rank, self._started.world_size
        if isinstance(problem, RunInterruptedError):
            self._record(problem)
            if self.run is not None:
                problem.hint = f"Go on with it started by {self._started.starter} as before."
                problem.resume = self.run.resume
            return self._told_by_rank_0(problem)
        if rank and has_rank_0_answered(self._board):
            error = error_of(answer, rank_name=f"Rank {rank} of {world_size}")
            return self._told_by_rank_0(error) if answer.blames_others else error
        if self.run is None and not answer.blames_others:
            return problem  # of what was asked, which is no more this rank's than another's
        error = first_error(self._board, answer, self.run) or error_of(answer, rank_name="")
        self._record(error)
        return error

    def _told_by_rank_0(self, error: ImageloomError) -> ImageloomError:
        if self._started.rank:
            error.details[TOLD_BY] = 0
        return error

    def _record(self, error: ImageloomError) -> None:
        """Write how the run ended into its record; others than rank 0 only where that could not."""
        if self.run is None or self.run.disappearance() is not None:
            return
        state = self.run.read().state
        if state == "running" or (self._started.rank == 0 and state != "completed"):
            record_end(self.run, error)

    def _leave(self) -> None:
        with contextlib.suppress(WorkerLostError):
            if self._started.rank == 0:
                see_off(self._board)
            else:
                self._board.tell(BYE, {})

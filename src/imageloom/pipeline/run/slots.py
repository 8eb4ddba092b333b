"""How many jobs may run side by side on each target, and on this machine whatever their run.

The slots of this machine are locks, which a worker inherits as it does that of its key: a slot is
free when the worker is gone, whatever became of the process that started it. Whoever waits asks
again and again, and people take turns (``turns.py``).
"""

import contextlib
import itertools
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.files.locks import holder, is_locked, release, try_lock
from imageloom.pipeline.run.turns import Turns
from imageloom.pipeline.run_record import Wait
from imageloom.registry import Registry
from imageloom.spec.component import Demand
from imageloom.spec.target import Limits, Target

_LOOK_S: Final = 0.05  # many nodes may wait for the same, and one look is enough for all
_NAMES_S: Final = 1.0
_NOTE: Final = re.compile(r"run (\S+) \(node '(\S+)'\)")


@dataclass(frozen=True)
class SlotHolder:
    """Who has a slot that others wait for.

    Attributes:
        message: Says so, as a sentence.
        wait: The same as values.
    """

    message: str
    wait: Wait


@dataclass(frozen=True)
class Need:
    """What a node takes while it runs.

    Attributes:
        target: Where it runs.
        demand: Heavy and light jobs do not take each other's slots.
        processes: How many processes it has on a machine; a heavy one takes a slot for each, as
            far as there are so many.
    """

    target: str
    demand: Demand
    processes: int


class Slots:
    """The slots that the jobs of one execution take.

    Args:
        targets: Whose limits hold; each is asked once.
        run_id: The run that is executed.
        person: Who asked for it.
    """

    def __init__(self, targets: Registry[Target], *, run_id: str, person: str = "") -> None:
        self._targets = targets
        self._run_id = run_id
        self._person = person
        self._turns: dict[tuple[Path, Demand], Turns] = {}
        self._limits: dict[str, Limits] = {}
        self._taken: Counter[tuple[str, Demand]] = Counter()
        self._busy_until: dict[Need, float] = {}
        self._told: dict[Need, tuple[float, SlotHolder | None]] = {}

    def is_free(self, need: Need) -> bool:
        """Whether one more job may start; another run may be quicker."""
        limits = self._limits_of(need)
        limit = limits.heavy_jobs if need.demand == "heavy" else limits.light_jobs
        now = time.monotonic()
        if self._taken[need.target, need.demand] >= limit or now < self._busy_until.get(need, 0.0):
            return False
        wanted = self._num_wanted(need)
        turns = self._turns_for(need)
        free = (file for file in self._files(need) if not is_locked(file))
        are_free = len(list(itertools.islice(free, wanted))) == wanted
        if are_free and (turns is None or turns.is_mine(wanted, lambda: self._num_free(need))):
            return True
        if turns is not None:
            turns.wait(wanted)
        self._busy_until[need] = now + _LOOK_S
        return False

    @contextlib.contextmanager
    def held(self, need: Need, node_id: str) -> Iterator[Mapping[Path, int] | None]:
        """Hold slots of this machine while a job starts, which keeps copies of the descriptors.

        Yields:
            The descriptors by the files of the slots, none for a target that is not this machine;
            None when others were quicker.

        Raises:
            FailedToWriteOutputsError: A lock cannot be made.
        """
        note = f"run {self._run_id} (node {node_id!r})"
        wanted, held = self._num_wanted(need), dict[Path, int]()
        try:
            for file in self._files(need):
                if len(held) == wanted:
                    break
                if (lock := try_lock(file, note)) is not None:
                    held[file] = lock
            is_served = len(held) == wanted
            turns = self._turns_for(need)
            if is_served and turns is not None:
                turns.serve()
                turns.leave()
            yield held if is_served else None
        finally:
            for lock in held.values():
                release(lock)

    def waits_for(self, need: Need) -> SlotHolder | None:
        """Say for whom a job waits; None where nobody is known, or light jobs of this run."""
        until, who = self._told.get(need, (0.0, None))
        if time.monotonic() < until:
            return who
        who = self._who(need)
        self._told[need] = (time.monotonic() + _NAMES_S, who)
        return who

    def take(self, need: Need) -> None:
        """Count one more job, also one too many that an earlier execution left running."""
        self._taken[need.target, need.demand] += 1

    def give_back(self, need: Need) -> None:
        """Count one job less."""
        self._taken[need.target, need.demand] -= 1

    def _who(self, need: Need) -> SlotHolder | None:
        files = self._files(need)
        holders = [who for file in files if (who := holder(file))]
        if need.demand == "light":  # these may change many times a second, so nodes are not named
            runs = [who.partition(" (")[0] for who in holders]
            holders = [who for who in runs if who != f"run {self._run_id}"]
        if not holders:
            return None
        which = "the only slot" if len(files) == 1 else f"one of the {len(files)} slots"
        what = "training" if need.demand == "heavy" else "light nodes"
        message = f"waiting for {holders[0]}, which uses {which} for {what} of this machine"
        found = _NOTE.fullmatch(holders[0])
        run, node = found.groups() if found else (holders[0].removeprefix("run "), "")
        return SlotHolder(message, Wait(kind="slot", run=run, node=node))

    def stop_waiting(self) -> None:
        """Let others go first: nothing of the run waits for a slot any more."""
        for turns in self._turns.values():
            turns.leave()

    def _turns_for(self, need: Need) -> Turns | None:
        files = self._files(need)
        if not files:
            return None
        key = files[0].parent, need.demand
        if key not in self._turns:
            self._turns[key] = Turns(*key, run_id=self._run_id, person=self._person)
        return self._turns[key]

    def _num_free(self, need: Need) -> int:
        return sum(not is_locked(file) for file in self._files(need))

    def _limits_of(self, need: Need) -> Limits:
        if need.target not in self._limits:
            self._limits[need.target] = self._targets.get(need.target).limits
        return self._limits[need.target]

    def _files(self, need: Need) -> tuple[Path, ...]:
        return self._limits_of(need).slots.get(need.demand, ())

    def _num_wanted(self, need: Need) -> int:
        return min(need.processes if need.demand == "heavy" else 1, len(self._files(need)))

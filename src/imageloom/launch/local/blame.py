"""Which rank failed first, and so made the others fail. Values in, values out."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass

from imageloom.launch.local.report import Answer


@dataclass(frozen=True)
class RankEnd:
    """How one rank ended, as seen from outside.

    Attributes:
        rank: Its number.
        time: When that was seen, in seconds since 1970.
        exit_code: As ``subprocess`` gives it: minus the signal that killed it; None when it had to
            be ended by us.
        answer: What it said itself, if anything.
        hangs: Whether it was ended because it did not go on; an answer that it then gave says how
            it was woken, not what it did.
        lost_with: The machine that it was on, if that can no longer be reached.
        gave_up_waiting: Whether it was aborted because another rank did not answer, without a word
            of its own: so NCCL ends a rank that it cannot wake.
        fell_silent: Whether it left no answer and shows no life: all that other ranks know of one
            that something else than our launcher had started.
    """

    rank: int
    time: float
    exit_code: int | None
    answer: Answer | None
    hangs: bool = False
    lost_with: str = ""
    gave_up_waiting: bool = False
    fell_silent: bool = False

    @property
    def failed(self) -> bool:
        """Whether it neither did its work nor stopped when asked to, of its own fault or not."""
        if self.answer is None or self.hangs:
            is_gone = self.exit_code is not None or bool(self.lost_with) or self.fell_silent
            return self.hangs or is_gone
        return self.answer.state == "failed"

    @property
    def blames_others(self) -> bool:
        """Whether all it says is that another rank did not answer."""
        if self.answer is None or self.hangs:
            return self.gave_up_waiting and not self.hangs
        return self.answer.blames_others

    @property
    def is_own_error(self) -> bool:
        """Whether it raised an error that has nothing to do with other ranks."""
        if self.answer is None or self.hangs:
            return False
        return self.failed and not self.answer.blames_others


def first_failure(ends: Sequence[RankEnd]) -> RankEnd | None:
    """Return the rank that failed before the others and not because of them, or None if none did.

    A rank that dies takes the others with it: their next exchange of gradients fails within
    milliseconds, and some end sooner than the one that died is seen to be dead. So what a rank says
    counts more than the order in which ends are seen:

    1. errors of a rank's own, ranks that a signal killed, and ranks that did not answer;
    2. ranks that aborted themselves (SIGABRT), which is how NCCL answers the end of another rank;
    3. ranks that say that another one did not answer.

    Within the first of these that is not empty it is the earliest: an error by the time that its
    rank noted, a death by the time it was seen.
    """
    return min((end for end in ends if end.failed), key=_order, default=None)


def _order(end: RankEnd) -> tuple[int, float]:
    if end.answer is not None and not end.hangs:
        return (3 if end.answer.blames_others else 1), end.answer.time
    return (2 if end.exit_code == -signal.SIGABRT else 1), end.time

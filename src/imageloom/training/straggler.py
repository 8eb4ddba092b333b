"""How fast each process of a run works by itself, so that the one all wait for can be found."""

import logging
import platform
import statistics
from collections.abc import Sequence
from typing import Final

from imageloom.events import Notice
from imageloom.training.session import Session

logger = logging.getLogger(__name__)

_SLOW_FRACTION: Final = 0.8  # of what the others reach at the median
_FIRST_STEPS: Final = 2  # of a process: they allocate, and libraries choose their algorithms
_ENOUGH_STEPS: Final = 10  # to call a process slow


class Pace:
    """Measures this process over an epoch and compares it with the others at its end.

    Pictures per second of the whole step are the same in all processes, for each step ends when the
    slowest has its gradients. So the time spent waiting for gradients is left out; waiting for
    pictures, copying and computing are a process's own.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._clock = session.stepper.exchange
        self._steps_to_pass_over = _FIRST_STEPS
        self._steps, self._images, self._seconds, self._waited = 0, 0, 0.0, 0.0

    def after_step(self, images: int, seconds: float) -> None:
        """Note a step of this process: the pictures it passed through the network, and its time."""
        if self._clock is None:
            return
        waited, self._waited = self._clock.seconds - self._waited, self._clock.seconds
        if self._steps_to_pass_over > 0:
            self._steps_to_pass_over -= 1
            return
        self._steps += 1
        self._images += images
        self._seconds += seconds - waited

    def end_epoch(self, epoch: int) -> list[float]:
        """Say what was measured since the last epoch's end; all processes call it together.

        Returns:
            Pictures per second of each process's own work, by rank; empty where there is one
            process or too little was measured.
        """
        steps, images, seconds = self._steps, self._images, self._seconds
        self._steps, self._images, self._seconds = 0, 0, 0.0
        if steps == 0:
            return []
        group = self._session.group
        own = images / max(1e-9, seconds)
        logger.info(
            "Epoch %d: this process trained %.1f images/s, not counting its waits for others.",
            epoch,
            own,
        )
        speeds = [row[0] for row in group.gather([own])]
        slowest = slow_rank(speeds) if steps >= _ENOUGH_STEPS else None
        if slowest is not None:
            hosts = group.gather_bytes(platform.node().encode("utf-8"))
            text = _sentence(speeds, slowest, epoch, host=hosts[slowest].decode("utf-8"))
            self._session.reporter.notice(Notice("warning", text))
        return speeds


def slow_rank(speeds: Sequence[float]) -> int | None:
    """Return the slowest process if it is clearly slower than the others, else None.

    Args:
        speeds: Of two processes or more, by rank.
    """
    slowest = min(range(len(speeds)), key=lambda rank: speeds[rank])
    return slowest if speeds[slowest] < _SLOW_FRACTION * _of_others(speeds, slowest) else None


def _of_others(speeds: Sequence[float], rank: int) -> float:
    return statistics.median_low([*speeds[:rank], *speeds[rank + 1 :]])


def _sentence(speeds: Sequence[float], rank: int, epoch: int, *, host: str) -> str:
    others = _of_others(speeds, rank)
    return (
        f"Rank {rank} of {len(speeds)}, on {host}, held up the others in epoch {epoch}: "
        f"{speeds[rank]:.1f} images/s where they reach {others:.1f} (median, waits for other "
        "processes not counted). Is that machine or its disk busy, or the GPU another kind?"
    )

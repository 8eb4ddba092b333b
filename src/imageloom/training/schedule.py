"""The learning rate of each step. Numbers only."""

from dataclasses import dataclass
from typing import Final

from imageloom.errors import LessThanOrEqualToError

WARMUP_START: Final = 1e-4
FLOOR: Final = 1e-7
POWER: Final = 2


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up, then polynomial decay of power 2.

    Attributes:
        peak: Highest rate.
        warmup_steps: Steps of the rise; a fraction of an epoch is allowed.
        total_steps: Optimizer steps of the whole run.
    """

    peak: float
    warmup_steps: int
    total_steps: int

    def rate(self, step: int) -> float:
        """Return the rate of one step, counted from 0.

        During warm-up it rises from 1e-4 to the peak; afterwards it is
        ``(peak - 1e-7) * (1 - t)**2 + 1e-7`` with t from 0 to almost 1. A peak below these
        constants replaces them.

        Source:
            The old designer's rule (docs/decisions/0005-schedule.md), there stepped once per
            epoch, here at every step.
        """
        if step < self.warmup_steps:
            start = min(WARMUP_START, self.peak)
            return start + (self.peak - start) * step / self.warmup_steps
        floor = min(FLOOR, self.peak)
        t = (step - self.warmup_steps) / (self.total_steps - self.warmup_steps)
        return float((self.peak - floor) * (1 - t) ** POWER + floor)


def make_schedule(
    *, peak: float, epochs: int, warmup_epochs: float, steps_per_epoch: int
) -> Schedule:
    """Return the schedule of a run.

    A warm-up as long as the run is allowed: the rate then rises to the end.

    Raises:
        LessThanOrEqualToError: The warm-up is longer than the run.
    """
    if warmup_epochs > epochs:
        raise LessThanOrEqualToError(
            f"warmup_epochs is {warmup_epochs:g}, but the run has {epochs} epochs.",
            hint=f"Use --warmup-epochs {epochs} or less, or more --epochs.",
            details={"parameter": "warmup_epochs", "value": warmup_epochs, "bound": epochs},
        )
    return Schedule(
        peak=peak,
        warmup_steps=round(warmup_epochs * steps_per_epoch),
        total_steps=epochs * steps_per_epoch,
    )

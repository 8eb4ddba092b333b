"""The learning rate of each step. Numbers only."""

import math
from dataclasses import dataclass
from typing import Final

from imageloom.errors import LessThanOrEqualToError
from imageloom.training.params import Decay, TrainParams

WARMUP_START: Final = 1e-4
FLOOR: Final = 1e-7
POWER: Final = 2


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up, then decay to almost nothing.

    Attributes:
        peak: Highest rate.
        warmup_steps: Steps of the rise; a fraction of an epoch is allowed.
        total_steps: Optimizer steps of the whole run.
        decay: Which curve follows the warm-up.
    """

    peak: float
    warmup_steps: int
    total_steps: int
    decay: Decay = "polynomial"

    def rate(self, step: int) -> float:
        """Return the rate of one step, counted from 0.

        During warm-up it rises from 1e-4 to the peak; afterwards it is ``(peak - 1e-7) * f(t) +
        1e-7`` with t from 0 to almost 1, where f is ``(1 - t)**2`` or ``(1 + cos(pi t)) / 2``. A
        peak below these constants replaces them.

        Source:
            The old designer's rule (docs/decisions/0005-schedule.md), there stepped once per
            epoch, here at every step. The cosine is that of Loshchilov and Hutter 2017, SGDR,
            equation 5, without restarts.
        """
        if step < self.warmup_steps:
            start = min(WARMUP_START, self.peak)
            return start + (self.peak - start) * step / self.warmup_steps
        floor = min(FLOOR, self.peak)
        t = (step - self.warmup_steps) / (self.total_steps - self.warmup_steps)
        left = (1 - t) ** POWER if self.decay == "polynomial" else (1 + math.cos(math.pi * t)) / 2
        return float((self.peak - floor) * left + floor)


def make_schedule(params: TrainParams, *, peak: float, steps_per_epoch: int) -> Schedule:
    """Return the schedule of a run.

    A warm-up as long as the run is allowed: the rate then rises to the end.

    Raises:
        LessThanOrEqualToError: The warm-up is longer than the run.
    """
    if params.warmup_epochs > params.epochs:
        raise LessThanOrEqualToError(
            f"warmup_epochs is {params.warmup_epochs:g}, but the run has {params.epochs} epochs.",
            hint=f"Use --warmup-epochs {params.epochs} or less, or more --epochs.",
            details={
                "parameter": "warmup_epochs",
                "value": params.warmup_epochs,
                "bound": params.epochs,
            },
        )
    return Schedule(
        peak=peak,
        warmup_steps=round(params.warmup_epochs * steps_per_epoch),
        total_steps=params.epochs * steps_per_epoch,
        decay=params.learning_rate_decay,
    )

"""Which epoch is the best, and when to stop waiting for a better one."""

import math
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class EarlyStop:
    """What validation has shown so far.

    Attributes:
        best_loss: Lowest validation loss; None before the first.
        best_epoch: Epoch that had it, from 1; 0 before the first.
        epochs_since_best: Epochs after it.
    """

    best_loss: float | None = None
    best_epoch: int = 0
    epochs_since_best: int = 0

    def after_epoch(self, epoch: int, loss: float) -> Self:
        """Return the state after one more epoch.

        Only a strictly lower loss is progress: of equal epochs the first stays the best, and NaN
        or infinity never counts.
        """
        if math.isfinite(loss) and (self.best_loss is None or loss < self.best_loss):
            return type(self)(best_loss=loss, best_epoch=epoch)
        return type(self)(self.best_loss, self.best_epoch, self.epochs_since_best + 1)

    def is_over(self, patience: int) -> bool:
        """Whether ``patience`` epochs have passed since the best."""
        return self.epochs_since_best >= patience

"""Whether a training has steps enough for BatchNorm, whose running statistics begin at nothing."""

from typing import Final

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from imageloom.events import Notice
from imageloom.system.wording import count
from imageloom.training.session import Session

# Variances begin at 1, where those of features are often a tenth of that or less: a twentieth of
# the beginning then weighs half as much as what was measured. With torch's momentum, 0.1, it is
# reached after 29 steps.
_MOST_FRACTION: Final = 0.05


def initial_fraction(network: nn.Module, updates: int) -> float:
    """Return how much of the initial values BatchNorm's running statistics hold after a training.

    Each batch moves them by the momentum m towards its own, so (1 - m)^n is left after n batches.

    Args:
        network: In the mode in which it trains.
        updates: Batches that pass it.

    Returns:
        The largest over all layers that learn statistics; 0 without any.
    """
    return max(
        (
            (1 - layer.momentum) ** updates
            for layer in network.modules()
            if isinstance(layer, _BatchNorm)
            and layer.training
            and layer.track_running_stats
            and layer.momentum is not None  # None: the plain mean of all batches
        ),
        default=0.0,
    )


def tell_few_steps(session: Session) -> None:
    """Say that validation will mislead, where a network begins anew and takes too few steps.

    A network that begins with published weights begins with their statistics, which are of use.
    """
    if session.run.read().model.initial_weights.kind != "random":
        return
    session.set_training_mode()
    steps = session.steps_per_epoch * session.params.epochs
    left = initial_fraction(session.stepper.network, steps * session.params.accumulation_steps)
    if left <= _MOST_FRACTION:
        return
    session.run.update(batch_norm_initial_fraction=left)  # for its report
    epochs = count(session.params.epochs, "epoch")
    session.reporter.notice(
        Notice(
            "warning",
            f"{count(steps, 'step')} in {epochs} are too few for BatchNorm: {100 * left:.0f} % of "
            "its statistics will be what they began with, so the validation loss may be huge. More "
            "--epochs, a smaller --batch-size or --weights imagenet help.",
        )
    )

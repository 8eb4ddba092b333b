"""What the loop tells after each step and each epoch: metrics, one line per epoch, time left."""

import logging
import math
import time
from collections.abc import Mapping
from typing import Final

from imageloom.events import Notice, Progress
from imageloom.metrics import LabelSetSums
from imageloom.training.checkpoints.loop_state import LoopState
from imageloom.training.label_kinds import ValidationSums
from imageloom.training.params import TrainParams
from imageloom.training.run.events import RunReporter

logger = logging.getLogger(__name__)

# What is measured of each epoch, with its unit; fractions have none.
EPOCH_UNITS: Final = {
    "Train loss": "nats",
    "Train error": "",
    "Train images per second": "images/s",
    "Waiting for data fraction": "",
    "Valid loss": "nats",
    "Top-1 validation accuracy": "",
    "Top-5 validation accuracy": "",
}
# The same with several labels per picture, each given where its probability is at least 0.5.
LABEL_SET_EPOCH_UNITS: Final = {
    "Train loss": "nats",
    "Train error": "",
    "Train images per second": "images/s",
    "Waiting for data fraction": "",
    "Valid loss": "nats",
    "Validation exact match": "",
    "Validation micro F1": "",
}


def epoch_figures(state: LoopState, validation: ValidationSums) -> Mapping[str, float]:
    """Return the figures of an epoch by the names of ``EPOCH_UNITS``, finite or not.

    With several labels per picture they have those of ``LABEL_SET_EPOCH_UNITS``.

    Args:
        state: After the last step of the epoch.
        validation: Over every validation picture once.
    """
    several = isinstance(validation, LabelSetSums)
    values = (
        state.sums.mean_loss,
        1 - state.sums.top1_fraction,
        state.sums.images / max(1e-9, state.epoch_seconds),
        _waiting_fraction(state),
        validation.mean_loss,
        *_fractions(validation),
    )
    return dict(zip(LABEL_SET_EPOCH_UNITS if several else EPOCH_UNITS, values, strict=True))


def _fractions(validation: ValidationSums) -> tuple[float, float]:
    if isinstance(validation, LabelSetSums):
        return validation.exact_fraction, validation.micro_f1
    return validation.top1_fraction, validation.top5_fraction


class Figures:
    """Turns the loop's states into what people and charts read.

    Args:
        reporter: Where the figures go.
        params: The run's parameters.
        steps_per_epoch: Optimizer steps of one epoch.
        first_step: Steps that were done before this process began; they say nothing of its speed.
        has_several_labels: Whether each picture may have several, so that words are others.
    """

    def __init__(
        self,
        reporter: RunReporter,
        params: TrainParams,
        steps_per_epoch: int,
        first_step: int,
        *,
        has_several_labels: bool = False,
    ) -> None:
        self._words = ("exact", "micro F1") if has_several_labels else ("top-1", "top-5")
        self._reporter = reporter
        self._params = params
        self._steps_per_epoch = steps_per_epoch
        self._first_step = first_step
        self._began = time.monotonic()

    def after_step(self, state: LoopState, rate: float, waits: str) -> bool:
        """Show the step, and record figures every ``print_frequency`` steps and at the end.

        Args:
            state: After the step.
            rate: Learning rate of the step.
            waits: What this process waits for, in a few words.

        Returns:
            Whether figures were recorded, so that a new interval begins.
        """
        self._show(state, waits)
        ends_epoch = state.steps_in_epoch == self._steps_per_epoch
        if state.steps_in_epoch % self._params.print_frequency and not ends_epoch:
            return False
        epoch = state.step / self._steps_per_epoch
        if not ends_epoch:  # the epoch's own loss stands at its end
            loss = state.interval.mean_loss
            self._reporter.metric("Train loss", loss, epoch=epoch, step=state.step)
        self._reporter.metric("learning rate", rate, epoch=epoch, step=state.step)
        return True

    def after_epoch(self, state: LoopState, validation: ValidationSums, *, is_best: bool) -> None:
        """Record an epoch's figures and say them in one line.

        Args:
            state: After the last step of the epoch.
            validation: Over every validation picture once.
            is_best: Whether no earlier epoch had a validation loss as low.
        """
        epoch = state.epoch + 1
        figures = epoch_figures(state, validation)
        for name, value in figures.items():
            if math.isfinite(value):
                self._reporter.metric(name, value, epoch=epoch, step=state.step)
        first, second = _fractions(validation)
        # For the log; a screen makes its own line of the metrics.
        logger.info(
            "Epoch %d of %d: train loss %.4f, valid loss %.4f, %s %.2f %%, %s %.2f %%, "
            "%.1f images/s%s",
            epoch,
            self._params.epochs,
            state.sums.mean_loss,
            validation.mean_loss,
            self._words[0],
            100 * first,
            self._words[1],
            100 * second,
            figures["Train images per second"],
            ", best so far" if is_best else "",
        )
        if not math.isfinite(validation.mean_loss):
            text = f"The validation loss of epoch {epoch} is {validation.mean_loss}: no progress."
            self._reporter.notice(Notice("warning", text))

    def _show(self, state: LoopState, waits: str) -> None:
        per_step = (time.monotonic() - self._began) / (state.step - self._first_step)
        self._reporter.progress(
            Progress(
                stage=f"Epoch {state.epoch + 1}/{self._params.epochs}",
                done=state.steps_in_epoch,
                total=self._steps_per_epoch,
                unit="steps",
                text=(
                    f"loss {state.sums.mean_loss:.3f}  "
                    f"{self._words[0]} {state.sums.top1_fraction:.1%}  "
                    f"{state.sums.images / max(1e-9, state.epoch_seconds):.0f} images/s  {waits}"
                ),
                # Validation passes lie in the elapsed time, so they are in the time left too.
                time_left_s=per_step * (self._steps_per_epoch * self._params.epochs - state.step),
            )
        )


def _waiting_fraction(state: LoopState) -> float:
    return state.waiting_seconds / max(1e-9, state.epoch_seconds)

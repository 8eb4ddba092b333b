"""One line per epoch, made of the metrics that a run sends."""

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from imageloom.events import Event, Metric

TRAIN_LOSS: Final = "Train loss"
VALID_LOSS: Final = "Valid loss"
TOP1: Final = "Top-1 validation accuracy"
TOP5: Final = "Top-5 validation accuracy"
EXACT: Final = "Validation exact match"
MICRO_F1: Final = "Validation micro F1"
SPEED: Final = "Train images per second"

HEADER: Final = "epoch  train loss  valid loss    top-1    top-5  images/s"
SEVERAL_LABELS_HEADER: Final = "epoch  train loss  valid loss    exact  microF1  images/s"


class EpochTable:
    """Gathers the metrics of an epoch and gives its line once they are complete.

    Values at the end of an epoch have a whole ``epoch``; those inside one have fractions and are
    left alone. The line comes with the first event after the validation figures, because metrics
    are sent one at a time.
    """

    def __init__(self) -> None:
        self._best = float("inf")
        self._epoch = 0
        self._values: dict[str, float] = {}
        self._header_due = True

    def lines(self, event: Event) -> Iterator[Text]:
        """Take an event; yield the lines that are complete before it."""
        same_epoch = isinstance(event, Metric) and event.epoch == self._epoch
        if self._is_complete and not same_epoch:
            yield from self.rest()
        if isinstance(event, Metric) and event.epoch == int(event.epoch) and event.epoch > 0:
            self._take(event)

    def rest(self) -> Iterator[Text]:
        """Yield the line of the epoch that is pending, if its validation is done."""
        if not self._is_complete:
            return
        if self._header_due:
            self._header_due = False
            several = EXACT in self._values
            yield Text(SEVERAL_LABELS_HEADER if several else HEADER, style="bold")
        is_best = self._values.get(VALID_LOSS, float("inf")) < self._best
        if is_best:
            self._best = self._values[VALID_LOSS]
        yield Text(epoch_line(self._epoch, self._values, is_best=is_best))
        self._values = {}

    @property
    def _is_complete(self) -> bool:
        return TOP1 in self._values or VALID_LOSS in self._values

    def _take(self, metric: Metric) -> None:
        if int(metric.epoch) != self._epoch:
            self._epoch = int(metric.epoch)
            self._values = {}
        self._values[metric.name] = metric.value


def epoch_line(epoch: int, values: dict[str, float], *, is_best: bool) -> str:
    """Return the figures of one epoch under ``HEADER``; what is not known is a dash.

    With several labels per picture they stand under ``SEVERAL_LABELS_HEADER``.
    """
    first, second = (EXACT, MICRO_F1) if EXACT in values else (TOP1, TOP5)

    def cell(name: str, width: int, form: str) -> str:
        return f"{form.format(values[name]) if name in values else '-':>{width}}"

    cells = [
        f"{epoch:>5}",
        cell(TRAIN_LOSS, 10, "{:.4f}"),
        cell(VALID_LOSS, 10, "{:.4f}"),
        cell(first, 7, "{:.1%}"),
        cell(second, 7, "{:.1%}"),
        cell(SPEED, 8, "{:,.1f}"),
    ]
    return "  ".join(cells) + ("  best" if is_best else "")

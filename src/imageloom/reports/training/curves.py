"""The curves of a training run, from its metrics."""

import math
from collections.abc import Sequence

from imageloom.events import Metric
from imageloom.reports.charts import Mark, Markup, Series, element, join, line_chart
from imageloom.reports.page import Section, paragraph
from imageloom.reports.tables import Cell, table
from imageloom.reports.training.record import RecordedRun
from imageloom.reports.words import decimals, percent, whole_percent

_TOP = 5
Points = tuple[tuple[float, float], ...]

_EPOCH_FIGURES = {
    "Train loss": decimals,
    "Valid loss": decimals,
    "Train error": percent,
    "Top-1 validation accuracy": percent,
    "Top-5 validation accuracy": percent,
    "Validation exact match": percent,
    "Validation micro F1": percent,
    "Train images per second": decimals,
    "Waiting for data fraction": percent,
}


class Curves:
    """The metrics of a run by name.

    Args:
        metrics: In the order in which they were taken; values that are not finite are left out.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._points: dict[str, dict[float, float]] = {}
        for metric in metrics:
            if math.isfinite(metric.value) and math.isfinite(metric.epoch):
                # A resumed run takes some again: the later value is the one that counts.
                self._points.setdefault(metric.name, {})[metric.epoch] = metric.value

    def points(self, name: str) -> Points:
        """Return epoch and value of a metric, by epoch."""
        return tuple(sorted(self._points.get(name, {}).items()))

    def at_epochs(self, name: str) -> dict[int, float]:
        """Return the values that were taken at the end of an epoch."""
        points = self._points.get(name, {})
        return {int(at): points[at] for at in sorted(points) if at == int(at) and at >= 1}


def curves_section(curves: Curves, run: RecordedRun, *, num_classes: int) -> Section | None:
    """Return the section with the curves, or None when nothing was recorded.

    Args:
        curves: Metrics of the run.
        run: Its record; the best epoch is marked in the charts.
        num_classes: With five classes or fewer, top-5 is always right and not drawn.
    """
    accuracies = {"Top-1 validation accuracy": "top-1 accuracy"}
    if num_classes > _TOP:
        accuracies["Top-5 validation accuracy"] = "top-5 accuracy"
    # Of pictures with several labels each; a run has these or those.
    has_several = bool(curves.points("Validation micro F1"))
    accuracies["Validation micro F1"] = "micro F1"
    accuracies["Validation exact match"] = "exact match"
    mark = Mark(run.best_epoch, f"best: epoch {run.best_epoch}") if run.best_epoch else None
    charts = [
        _chart(
            curves,
            "Loss",
            "How wrong the network is: lower is better",
            {"Train loss": "training loss", "Valid loss": "validation loss"},
            mark=mark,
        ),
        _chart(
            curves,
            "Validation labels" if has_several else "Validation accuracy",
            "How rightly labels are given to pictures kept apart, at a probability of 0.5"
            if has_several
            else "Right answers on pictures kept apart",
            accuracies,
            mark=mark,
        ),
        _chart(
            curves,
            "Learning rate",
            "How far one step moves",
            {"learning rate": "learning rate"},
            from_zero=True,
        ),
        _chart(
            curves,
            "Images per second",
            "How fast training was",
            {"Train images per second": "images per second"},
            from_zero=True,
        ),
    ]
    drawn = [chart for chart in charts if chart]
    if not drawn:
        return None
    notes = [_precision_note(run), _limit_note(run)]
    body = [element("div", *drawn, class_="pair"), *notes, _numbers(curves)]
    return Section("training", "How training went", join(body))


def _precision_note(run: RecordedRun) -> Markup:
    precision = run.text("resolved", "precision")
    if precision in ("", "float32"):
        return Markup()
    return paragraph(
        f"During training the network computed in {precision}. The other figures of this report "
        "come from the published model in float32, so they can differ by a few pictures.",
        style="note",
    )


def _limit_note(run: RecordedRun) -> Markup:
    text = run.text("speed_limit", "text")
    if not text:
        return Markup()
    return paragraph(f"Speed, in epoch {run.text('speed_limit', 'epoch')}: {text}", style="note")


def _chart(
    curves: Curves,
    title: str,
    words: str,
    names: dict[str, str],
    *,
    mark: Mark | None = None,
    from_zero: bool = False,
) -> Markup:
    lines = [
        Series(legend, curves.points(name), style)
        for style, (name, legend) in enumerate(names.items())
        if curves.points(name)
    ]
    if not lines:
        return Markup()
    is_share = title.endswith("accuracy")
    chart = line_chart(
        lines,
        title=title,
        show=percent if is_share else decimals,
        tick=whole_percent if is_share else decimals,
        mark=mark,
        from_zero=from_zero,
    )
    caption = element("figcaption", title, element("span", words, class_="note"))
    return element("figure", caption, chart)


def _numbers(curves: Curves) -> Markup:
    """Return the figures of every epoch as a table, for those who want digits."""
    columns = {name: curves.at_epochs(name) for name in _EPOCH_FIGURES}
    columns = {name: values for name, values in columns.items() if values}
    epochs = sorted({epoch for values in columns.values() for epoch in values})
    if not epochs:
        return Markup()
    rows = [
        [
            Cell(f"{epoch}"),
            *(
                Cell(_EPOCH_FIGURES[name](values[epoch]) if epoch in values else "", style="number")
                for name, values in columns.items()
            ),
        ]
        for epoch in epochs
    ]
    whole = table(["Epoch", *columns], rows, caption="Figures at the end of each epoch")
    return element("details", element("summary", "Show the numbers"), whole)

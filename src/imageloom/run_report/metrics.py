"""What the nodes of a run measured while they worked, as curves."""

from typing import Final

from imageloom.reports.charts import Markup, element, join
from imageloom.reports.page import Section, name
from imageloom.reports.training.curves import Curves, curves_section
from imageloom.reports.training.record import RecordedRun
from imageloom.run_report.view import RunView

_TOP_5: Final = 5


def metrics_section(view: RunView) -> Section | None:
    """Return the section with the curves of every node that has some, or None."""
    parts = [
        join([element("h3", name(node)), curves])
        for node in view.wanted
        if (curves := _curves(view, node))
    ]
    return Section("metrics", "How training went", join(parts)) if parts else None


def _curves(view: RunView, node_id: str) -> Markup:
    files = view.files.get(node_id)
    curves = Curves(files.metrics if files else ())
    top5 = [value for _, value in curves.points("Top-5 validation accuracy")]
    # With five classes or fewer it is always right, and no chart worth looking at.
    num_classes = _TOP_5 + 1 if min(top5, default=1.0) < 1.0 else _TOP_5
    section = curves_section(curves, RecordedRun({}), num_classes=num_classes)
    return section.body if section else Markup()

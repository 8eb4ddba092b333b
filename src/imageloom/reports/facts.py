"""The facts of a run or a table, so that a report can be understood without its folder."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from imageloom.reports.charts import Markup, element
from imageloom.reports.page import Section
from imageloom.reports.training.record import RecordedRun
from imageloom.scoring.evaluate import AnyEvaluation
from imageloom.scoring.label_set_evaluation import LabelSetEvaluation
from imageloom.system.wording import count, duration

# Long and shown elsewhere in the report.
_LEFT_OUT = frozenset({"classes", "images_per_class", "metrics", "resume_command"})

_GROUPS = (
    ("Parameters", ("asked",)),
    ("What they became", ("resolved",)),
    ("Network", ("model",)),
    ("Training pictures", ("data", "training")),
    ("Validation pictures", ("data", "validation")),
    ("Versions", ("versions",)),
)


def run_facts_section(run: RecordedRun, evaluation: AnyEvaluation) -> Section:
    """Return the section with everything that went into a run."""
    course = {
        "state": run.text("state"),
        "started": run.text("started"),
        "ended": run.text("ended"),
        "time": duration(run.number("seconds")) if run.number("seconds") else "",
        "epochs": f"{run.epochs_done} of {run.epochs_asked}" if run.epochs_asked else "",
        "best epoch": str(run.best_epoch or ""),
        "model": evaluation.model_digest,
    }
    groups = [("Run", course), *((title, run.mapping(*path)) for title, path in _GROUPS)]
    return _section(groups)


def table_facts_section(evaluations: Sequence[tuple[AnyEvaluation, Path | None]]) -> Section:
    """Return the section with what is known of one or two scored tables."""
    groups = [
        (
            evaluation.name,
            {
                _counted(evaluation): f"{evaluation.images:,}",
                "classes": f"{len(evaluation.classes):,}",
                "pictures lie in": "" if root is None else str(root),
                "model": evaluation.model_digest,
                "left out": count(sum(evaluation.left_out.values()), "file"),
                "left out because it": evaluation.left_out,
            },
        )
        for evaluation, root in evaluations
    ]
    return _section(groups)


def _counted(evaluation: AnyEvaluation) -> str:
    """Return which pictures count: of several labels also those that have none."""
    several = isinstance(evaluation, LabelSetEvaluation)
    return "pictures" if several else "pictures with a label"


def _section(groups: Sequence[tuple[str, Mapping[str, object]]]) -> Section:
    tables = [_facts(title, list(_rows(content))) for title, content in groups]
    body = element("div", *(one for one in tables if one), class_="facts")
    return Section("facts", "Facts", body)


def _facts(title: str, rows: list[tuple[str, str]]) -> Markup:
    if not rows:
        return Markup()
    lines = [
        element("tr", element("th", key, scope="row"), element("td", element("bdi", value)))
        for key, value in rows
    ]
    head = element("h3", element("bdi", title))
    return element("div", head, element("table", element("tbody", *lines)))


def _rows(content: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if key in _LEFT_OUT and isinstance(value, Mapping | list | tuple):
            continue
        name = f"{prefix}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _rows(value, f"{name}: ")
        elif value not in (None, "", []):
            yield name, _words(value)


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(_item(one) for one in value)
    return str(value)


def _item(value: object) -> str:
    """Return a list's item; an operation reads ``center crop (size 224)``."""
    if not isinstance(value, Mapping):
        return _words(value)
    kind = str(value.get("kind", "")).replace("_", " ")
    others = [
        f"{key.replace('_', ' ')} {_words(one)}" for key, one in value.items() if key != "kind"
    ]
    return f"{kind} ({', '.join(others)})" if others else kind

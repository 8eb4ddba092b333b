"""The report of a study: what was best, how it was found, and what each parameter did."""

import time
from collections.abc import Callable, Sequence

from imageloom.errors import printable
from imageloom.files.publish import writing_file
from imageloom.params import value_text
from imageloom.reports.charts import Dot, DotAxis, Markup, dot_chart, element, join
from imageloom.reports.page import Heading, Section, name, page, paragraph, strong
from imageloom.reports.tables import Cell, table
from imageloom.reports.words import decimals, whole_percent
from imageloom.system.wording import count, duration
from imageloom.tuning.trials import Trial
from imageloom.tuning.tuned import TunedStudy
from imageloom.tuning.vary import ChoiceList, Varied
from imageloom.tuning.words import changes_text, metric_text, short_value

_BEST, _OTHERS = 1, 0  # styles of dots


def write_study_report(study: TunedStudy) -> None:
    """Publish ``report.html`` of a study as it stands now.

    Raises:
        FailedToWriteOutputsError: The file cannot be written.
    """
    with writing_file(study.folder.report) as partial:
        partial.write_text(study_page(study), encoding="utf-8")


def study_page(study: TunedStudy) -> str:
    """Return the whole report as an HTML document."""
    done = [one for one in study.trials if one.state == "completed"]
    began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(study.record.created))
    facts = [
        count(len(study.trials), "trial"),
        f"{len(done):,} completed",
        began,
        duration(sum(one.seconds for one in study.trials)),
    ]
    sections = [Section("short", "In short", _short(study))]
    if done:
        charts = [_history(study, done)]
        charts += [_parameter(study, done, one) for one in study.question.varied]
        body = element("div", *charts, class_="pair")
        sections.append(Section("found", "How it was found", body))
    sections.append(Section("trials", "All trials", _trials(study)))
    sections.append(Section("facts", "Facts", _facts(study)))
    return page(Heading("Study report", study.folder.name, " \u00b7 ".join(facts)), sections)


def _short(study: TunedStudy) -> Markup:
    best, objective = study.best, study.question.objective
    if best is None or best.value is None:
        return paragraph("No trial is complete yet.", style="lead")
    options = [changes_text([one]) for one in study.changes(best)]
    kind = "Highest" if objective.direction == "maximize" else "Lowest"
    parts = [
        paragraph(
            f"{kind} {objective.metric}: ",
            strong(metric_text(objective, best.value)),
            f", trial {best.number}, run {best.run}.",
            style="lead",
        ),
        paragraph("Its values, for ", element("code", "imageloom run"), ":"),
        element("ul", *(element("li", element("code", one)) for one in options)),
    ]
    return join(parts)


def _history(study: TunedStudy, done: Sequence[Trial]) -> Markup:
    objective = study.question.objective
    steps: list[tuple[float, float]] = []
    values: list[float] = []
    for one in done:
        values.append(_value(one))
        best = objective.best(values)
        if steps:
            steps.append((one.number, steps[-1][1]))
        steps.append((one.number, best))
    chart = dot_chart(
        _dots(study, done, lambda one: one.number),
        DotAxis("trial"),
        title=f"{objective.metric} of each trial",
        tick=whole_percent if objective.is_fraction else decimals,
        steps=steps,
    )
    words = "trial by trial; the line is the best so far"
    caption = element("figcaption", objective.metric, element("span", words, class_="note"))
    return element("figure", caption, chart)


def _parameter(study: TunedStudy, done: Sequence[Trial], varied: Varied) -> Markup:
    space, objective = varied.space, study.question.objective
    if isinstance(space, ChoiceList):
        names = tuple(value_text(one) for one in space.ends)
        dots = _dots(study, done, lambda one: names.index(value_text(one.values[varied.name])))
        axis = DotAxis(varied.parameter, names)
    else:
        dots = _dots(study, done, lambda one: _number(one, varied))
        axis = DotAxis(varied.parameter, is_log=space.is_log)
    chart = dot_chart(
        dots,
        axis,
        title=f"{objective.metric} over {varied.name}",
        tick=whole_percent if objective.is_fraction else decimals,
    )
    return element("figure", element("figcaption", name(varied.name)), chart)


def _number(trial: Trial, varied: Varied) -> float:
    value = trial.values[varied.name]
    assert isinstance(value, int | float)
    return value


def _dots(study: TunedStudy, done: Sequence[Trial], x: Callable[[Trial], float]) -> list[Dot]:
    """Return a dot for each trial, that of the best above the others."""
    dots = [_dot(study, one, x(one)) for one in done]
    return sorted(dots, key=lambda one: one.style == _BEST)


def _dot(study: TunedStudy, trial: Trial, x: float) -> Dot:
    words = ", ".join(f"{key} {short_value(value)}" for key, value in trial.values.items())
    text = f"trial {trial.number}: {metric_text(study.question.objective, _value(trial))}; {words}"
    is_best = study.best is not None and trial.number == study.best.number
    return Dot(x, _value(trial), text, _BEST if is_best else _OTHERS)


def _value(trial: Trial) -> float:
    assert trial.value is not None, "a completed trial has a number"
    return trial.value


def _trials(study: TunedStudy) -> Markup:
    objective = study.question.objective
    rows = []
    for one in study.trials:
        text = "" if one.value is None else metric_text(objective, one.value)
        rows.append(
            [
                Cell(f"{one.number}", float(one.number)),
                Cell(text, one.value, "number"),
                *(_value_cell(one, varied) for varied in study.question.varied),
                Cell(f"{one.state}: {printable(one.why)}" if one.why else one.state),
                Cell(duration(one.seconds), one.seconds, "number"),
                Cell(_run_link(one)),
            ]
        )
    varied_names = [varied.name for varied in study.question.varied]
    columns = ["Trial", objective.metric, *varied_names, "State", "Time", "Run"]
    return table(columns, rows, caption="In the order in which they began", sortable=True)


def _run_link(trial: Trial) -> Markup:
    """Return the run's id, which leads to its report in the same workspace."""
    if not trial.run:
        return Markup()
    return element("a", trial.run, href=f"../../runs/{trial.run}/report.html")


def _value_cell(trial: Trial, varied: Varied) -> Cell:
    if varied.name not in trial.values:
        return Cell("", style="number")
    value = trial.values[varied.name]
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    return Cell(short_value(value), number, "number")


def _facts(study: TunedStudy) -> Markup:
    record, objective = study.record, study.question.objective
    rows = {
        "study": record.name,
        "pipeline": study.question.pipeline.name,
        "metric": f"{objective.name}, {objective.direction}",
        "varied": ", ".join(record.vary),
        "changes": ", ".join(record.changes),
        "stop at": ", ".join(record.only),
        "target": record.target,
        "pruning": record.prune,
        "seed": str(record.seed),
        "trials asked for": f"{record.trials:,}",
        "command": record.command,
        "relative paths start at": record.base,
        "kept by Optuna in": str(study.folder.storage),
    }
    lines = [
        element("tr", element("th", key, scope="row"), element("td", name(value)))
        for key, value in rows.items()
        if value
    ]
    return element("div", element("table", element("tbody", *lines)), class_="facts")

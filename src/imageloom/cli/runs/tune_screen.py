"""What a person sees of a search: a line for each trial, bars below, and a table at the end."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rich.console import RenderableType
from rich.text import Text

from imageloom.cli.progress import ProgressDisplay
from imageloom.cli.screen import Column, Fitting, line, table
from imageloom.errors import printable
from imageloom.events import Notice, Progress
from imageloom.system.wording import count, duration

if TYPE_CHECKING:
    from imageloom.pipeline.run.events import RunEvent
    from imageloom.tuning.study_folder import StudyRecord
    from imageloom.tuning.trials import Trial
    from imageloom.tuning.tune import TrialChanged, TrialTold
    from imageloom.tuning.tuned import TunedStudy

_STYLES: Final = {
    "completed": "green",
    "pruned": "dim",
    "failed": "bold red",
    "running": "yellow",
}
_SHOWN: Final = 10


class TuneScreen:
    """Hears of a search and draws it.

    Args:
        reporter: Where it is drawn.
        record: What was asked.
    """

    def __init__(self, reporter: ProgressDisplay, record: "StudyRecord") -> None:
        from imageloom.tuning.metric import Objective

        self._reporter = reporter
        self._objective = Objective(record.metric, record.node, record.direction)
        self._total = record.trials
        self._parts: dict[str, ProgressDisplay] = {}
        self._began = time.monotonic()
        self._done_before: int | None = None
        self._current: int | None = None

    def __call__(self, event: "TrialChanged | TrialTold") -> None:
        """Draw one event."""
        from imageloom.tuning.tune import TrialTold

        if isinstance(event, TrialTold):
            self._told(event.event)
        else:
            self._changed(event)

    def _changed(self, event: "TrialChanged") -> None:
        if self._done_before is None:
            self._done_before = event.done
        has_begun = self._current == event.trial.number
        self._close_parts()
        if has_begun:
            self._reporter.tell(self._trial_line(event))
            self._current = None
        else:
            self._current = event.trial.number
            if event.trial.run:
                words = f"Trial {event.trial.number} goes on with run {event.trial.run}"
                self._reporter.tell(Text(words, style="dim"))
        self._reporter(self._progress(event))

    def _trial_line(self, event: "TrialChanged") -> Text:
        from imageloom.tuning.words import short_value

        trial, best = event.trial, event.best
        values = ", ".join(f"{name} {short_value(one)}" for name, one in trial.values.items())
        state = "stopped" if trial.state == "running" else trial.state
        result = self._number(trial) or (f"{state}: {trial.why}" if trial.why else state)
        known = ""
        if best is not None:
            known = f", best {self._number(best)} (trial {best.number})"
            known = ", the best so far" if best.number == trial.number else known
        return Text.assemble(
            (f"Trial {trial.number:<3} ", "bold"),
            f"{printable(values)}  ",
            (printable(result.partition("\n")[0]), _STYLES[trial.state]),
            f"{known}  ",
            (duration(trial.seconds), "dim"),
        )

    def _progress(self, event: "TrialChanged") -> Progress:
        made = event.done - (self._done_before or 0)
        left = self._total - event.done
        rate = (time.monotonic() - self._began) / made if made and left else None
        return Progress(
            "Trials",
            event.done,
            self._total,
            "trials",
            text=f"best {self._number(event.best)}" if event.best else "",
            time_left_s=None if rate is None else rate * left,
        )

    def _number(self, trial: "Trial") -> str:
        from imageloom.tuning.words import metric_text

        return "" if trial.value is None else metric_text(self._objective, trial.value)

    def _told(self, event: "RunEvent") -> None:
        """Draw the bars of a run and its warnings; its own lines would hide those of the trials."""
        from imageloom.pipeline.run.events import NodeChanged, NodeEvent

        if isinstance(event, NodeChanged):
            if event.facts.state.is_ended and event.node_id in self._parts:
                self._parts.pop(event.node_id).close()
        elif isinstance(event, NodeEvent):
            if isinstance(event.event, Progress):
                self._part(event.node_id)(event.event)
        elif event.notice.level == "warning":
            self._reporter(Notice("warning", f"Trial {self._current}: {event.notice.message}"))

    def _part(self, node_id: str) -> ProgressDisplay:
        if node_id not in self._parts:
            label = f"Trial {self._current}, {node_id}  "
            self._parts[node_id] = self._reporter.part(label)
        return self._parts[node_id]

    def _close_parts(self) -> None:
        while self._parts:
            self._parts.popitem()[1].close()


def tuned_screen(study: "TunedStudy") -> Iterator[RenderableType]:
    """Yield the best trials, what they say, and how to use the best."""
    from imageloom.tuning.words import changes_text, metric_text

    objective, best = study.question.objective, study.best
    if best is not None:
        yield _table(study)
    done = sum(one.is_finished for one in study.trials)
    states = [one.state for one in study.trials]
    kinds = [
        f"{states.count(kind):,} {kind}"
        for kind in ("completed", "pruned", "failed")
        if kind in states
    ]
    total = count(study.record.trials, "trial")
    counted = f": {', '.join(kinds)}" if kinds else ""
    yield line("Study", f"{study.folder.name}, {done:,} of {total}{counted}")
    yield line("Report", str(study.folder.report))
    if best is not None and best.value is not None:
        text = metric_text(objective, best.value)
        yield line("Best", f"{objective.metric} {text}, trial {best.number}, run {best.run}")
        yield line("Values", changes_text(study.changes(best)))


def _table(study: "TunedStudy") -> RenderableType:
    from imageloom.tuning.trials import ranked
    from imageloom.tuning.words import metric_text, short_value

    objective = study.question.objective
    best = ranked(study.trials, objective.direction)[:_SHOWN]
    names = [one.name for one in study.question.varied]
    rows = [
        [
            str(one.number),
            metric_text(objective, one.value or 0.0),
            *(short_value(one.values[name]) for name in names),
            duration(one.seconds),
            one.run,
        ]
        for one in best
    ]
    columns: list[Column] = [
        ("Trial", "right"),
        (objective.metric, "right"),
        *((name, "right") for name in names),
        ("Time", "right"),
        ("Run", "left"),
    ]
    narrow = table(columns[:-2], [row[:-2] for row in rows])
    return Fitting(table(columns, rows), narrow)


def tuned_to_json(study: "TunedStudy") -> dict[str, object]:
    """Return what ``--json`` says of a search."""
    best, objective = study.best, study.question.objective
    return {
        "study": study.folder.name,
        "folder": str(study.folder.path),
        "report": str(study.folder.report),
        "storage": str(study.folder.storage),
        "metric": objective.metric,
        "node": objective.node,
        "direction": objective.direction,
        "seed": study.record.seed,
        "trials_asked": study.record.trials,
        "trials": [_trial_to_json(one) for one in study.trials],
        "best": None if best is None else {**_trial_to_json(best), "set": study.changes(best)},
    }


def _trial_to_json(trial: "Trial") -> dict[str, object]:
    return {
        "number": trial.number,
        "state": trial.state,
        "value": trial.value,
        "values": dict(trial.values),
        "run": trial.run,
        "seconds": trial.seconds,
        "why": trial.why,
    }

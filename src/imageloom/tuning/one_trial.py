"""One trial: a run of the engine, watched epoch by epoch, and stopped where it is hopeless."""

import dataclasses
import time
from dataclasses import dataclass
from typing import Final

from imageloom.app import Engine, RunOutcome
from imageloom.events import CancelToken, Metric
from imageloom.pipeline.run.events import NodeEvent, RunEvent, RunSink
from imageloom.pipeline.run_folder import RunFolder
from imageloom.run_report.node_files import told_so_far
from imageloom.spec.node_state import NodeState, RunState
from imageloom.tuning.metric import value_of
from imageloom.tuning.question import Question
from imageloom.tuning.trials import StudyTrials, Trial

# Errors that the values themselves brought about: the search is to keep away from there.
_OF_THE_VALUES: Final = ("NaNError", "InfinityError", "ModuleOutOfMemoryError")


class TrialCancel(CancelToken):
    """Stops one trial: it alone, or as part of all.

    Args:
        whole: Set by whoever wants the whole search to stop.
    """

    def __init__(self, whole: CancelToken) -> None:
        self._whole = whole
        self._own_asked = 0
        super().__init__()

    @property
    def is_set(self) -> bool:
        """Whether the trial is to stop."""
        return super().is_set or self._whole.is_set

    @property
    def asked(self) -> int:
        """How often it was asked, by whoever asked more often."""
        return max(self._own_asked, self._whole.asked)

    @asked.setter
    def asked(self, times: int) -> None:
        """Count how often it alone was asked."""
        self._own_asked = times


@dataclass(frozen=True)
class Search:
    """What all trials of a study have in common.

    Attributes:
        engine: Runs them.
        trials: Where they are kept.
        question: What they are to answer.
    """

    engine: Engine
    trials: StudyTrials
    question: Question


def run_trial(search: Search, trial: Trial, on_event: RunSink, cancel: CancelToken) -> Trial:
    """Make one trial, or go on with one that a lost process left behind.

    Args:
        search: What it belongs to.
        trial: What ``StudyTrials.next`` returned.
        on_event: Hears of its run.
        cancel: Stops it, after it saved.

    Returns:
        How it stands: still ``running`` where ``cancel`` was set before it ended.

    Raises:
        ParameterParsingError: Its run is complete, but nothing or too much told the number.
        FailedToWriteOutputsError: The disk is full, or the like.
        OutputInUseError: Another process executes its run.
    """
    if trial.is_hopeless:
        return search.trials.prune(trial.number, "hopeless beside the others")
    run = _run_of(search, trial)
    listener = _Listener(search, trial.number, on_event, TrialCancel(cancel))
    began = time.monotonic()
    try:
        outcome = search.engine.outcome(run)
        if outcome.state is not RunState.COMPLETED:
            for node, metric in told_so_far(run):
                listener.hear(node, metric)
            outcome = search.engine.resume(run, on_event=listener, cancel=listener.cancel)
    finally:
        search.trials.spend(trial.number, time.monotonic() - began)
    return _end(search, trial, outcome, is_stopped=cancel.is_set and not listener.is_hopeless)


def _run_of(search: Search, trial: Trial) -> RunFolder:
    """Return the run of a trial, made where there is none yet, or none any more."""
    if trial.run and (run := search.engine.workspace.run(trial.run)).exists():
        return run
    changes = [one.change(trial.values[one.name]) for one in search.question.varied]
    run = search.engine.create(
        dataclasses.replace(
            search.question.pipeline, name=f"{search.question.name} trial {trial.number}"
        ),
        dataclasses.replace(
            search.question.asked, changes=(*search.question.asked.changes, *changes)
        ),
    )
    search.trials.begin(trial.number, run.id)
    return run


def _end(search: Search, trial: Trial, outcome: RunOutcome, *, is_stopped: bool) -> Trial:
    """Write down how a trial ended."""
    trials, number = search.trials, trial.number
    if outcome.state is RunState.COMPLETED:
        return trials.complete(
            number, value_of(outcome.run, outcome.nodes, search.question.objective)
        )
    if is_stopped:
        return trials.all()[number]
    if outcome.state is RunState.CANCELLED:
        hopeless = trials.all()[number].is_hopeless
        return trials.prune(number, "hopeless beside the others" if hopeless else "cancelled")
    failed = [
        (node, facts.error or {})
        for node, facts in outcome.nodes.items()
        if facts.state is NodeState.FAILED
    ]
    why = "; ".join(f"{node}: {error.get('message', 'failed')}" for node, error in failed)
    if failed and all(error.get("type") in _OF_THE_VALUES for _, error in failed):
        return trials.prune(number, why)
    return trials.fail(number, why or "the run failed before a node could start")


class _Listener:
    """Passes events of a run on, and stops it once its number is hopeless."""

    def __init__(self, search: Search, number: int, on_event: RunSink, cancel: TrialCancel) -> None:
        self.cancel = cancel
        self.is_hopeless = False
        self._search = search
        self._number = number
        self._on_event = on_event

    def __call__(self, event: RunEvent) -> None:
        self._on_event(event)
        if isinstance(event, NodeEvent) and isinstance(event.event, Metric):
            self.hear(event.node_id, event.event)

    def hear(self, node: str, metric: Metric) -> None:
        """Take what a node told, where it is the number at the end of an epoch."""
        if self.is_hopeless or not self._search.question.objective.tells(node, metric):
            return
        number, epoch = self._number, int(metric.epoch)
        if self._search.trials.report(number, metric.value, epoch):
            self.is_hopeless = True
            self.cancel.set("a search that found it hopeless")

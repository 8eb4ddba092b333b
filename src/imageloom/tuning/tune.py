"""Search for the best parameters of a pipeline: propose, run, compare, until there are enough."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from imageloom.app import Engine
from imageloom.errors import ImageloomError, NodeFailedError, OutputInUseError, RunInterruptedError
from imageloom.events import CancelToken
from imageloom.files.locks import holder, release, try_lock
from imageloom.pipeline.run.events import RunEvent
from imageloom.tuning.one_trial import Search, run_trial
from imageloom.tuning.question import read_question
from imageloom.tuning.report import write_study_report
from imageloom.tuning.study_folder import StudyFolder, StudyRecord
from imageloom.tuning.trials import StudyTrials, Trial, require_optuna
from imageloom.tuning.tuned import TunedStudy

_MOST_FAILURES: Final = 3  # in a row: the cause is then hardly in the values


@dataclass(frozen=True)
class TrialChanged:
    """A trial began, or ended.

    Attributes:
        trial: How it stands.
        done: How many of those that were asked for are finished.
        best: The best so far; None before there is any.
    """

    trial: Trial
    done: int
    best: Trial | None


@dataclass(frozen=True)
class TrialTold:
    """Something happened in the run of the trial that is going on.

    Attributes:
        number: Of the trial.
        event: What happened.
    """

    number: int
    event: RunEvent


TuneSink = Callable[[TrialChanged | TrialTold], None]


def begin_study(engine: Engine, asked: StudyRecord) -> StudyFolder:
    """Write down a search, or more trials of one that asks the same; nothing is started.

    Everything is checked that can be before the first trial runs.

    Args:
        engine: Of the workspace where the study is to lie.
        asked: What to search.

    Raises:
        EnvironmentUnsuitableError: Optuna is not installed.
        ParameterError: What is to be varied cannot be; the message names parameter and bound.
        UnknownNameError: A change, a node or a target names what is not there.
        InvalidPipelineError: The pipeline cannot run; the message lists every problem.
        FailedToWriteOutputsError: The study cannot be written.
    """
    require_optuna()
    read_question(engine, asked)
    folder = StudyFolder(engine.workspace.studies / asked.name)
    folder.begin(asked)
    return folder


def tune(
    engine: Engine,
    folder: StudyFolder,
    *,
    on_event: TuneSink,
    cancel: CancelToken | None = None,
) -> TunedStudy:
    """Make the trials of a study that are still to be made, and write its report.

    A trial whose process was lost goes on where it was. The same seed proposes the same values,
    whether the study was stopped in between or not, as long as the results are the same.

    Args:
        engine: Runs the trials, one after the other.
        folder: What ``begin_study`` returned, or ``find_study``.
        on_event: Hears of every trial, and of all that happens in its run.
        cancel: Stops after the trial that is going on has saved; it goes on with the next call.

    Raises:
        EnvironmentUnsuitableError: Optuna is not installed.
        OutputInUseError: Another process makes trials of this study.
        ParameterParsingError: A run is complete, but nothing or too much told the number.
        StoreCorruptError: The study's record is damaged.
        FailedToWriteOutputsError: The disk is full, or the like.
    """
    require_optuna()
    cancel = cancel or CancelToken()
    with _alone(folder):
        record = folder.record()
        question = read_question(engine, record)
        trials = StudyTrials(folder, record, question.varied)
        search, failure = Search(engine, trials, question), None
        try:
            failure = _make_trials(search, record.trials, on_event, cancel)
        finally:
            done = TunedStudy(
                folder=folder,
                record=record,
                question=question,
                trials=trials.all(),
                best=trials.best(),
                failure=failure,
            )
            write_study_report(done)
    return done


def _make_trials(
    search: Search, wanted: int, on_event: TuneSink, cancel: CancelToken
) -> ImageloomError | None:
    """Make trials until there are enough; return why there are not, or None."""
    failures = 0
    while (done := sum(one.is_finished for one in search.trials.all())) < wanted:
        if cancel.is_set:
            return RunInterruptedError.stopped_by(cancel.reason)
        trial = search.trials.next()
        on_event(TrialChanged(trial, done, search.trials.best()))
        trial = run_trial(search, trial, partial(_pass_on, on_event, trial.number), cancel)
        on_event(TrialChanged(trial, done + trial.is_finished, search.trials.best()))
        failures = failures + 1 if trial.state == "failed" else 0
        if failures == _MOST_FAILURES:
            return NodeFailedError(
                f"The last {failures} trials failed. Trial {trial.number}: {trial.why}",
                hint=f"See why: imageloom runs show {trial.run}. Trials that failed are not "
                "counted, so the search goes on once the cause is gone.",
                reason="trials-failed",
                details={"run": trial.run, "failed": failures},
            )
    return None


def _pass_on(on_event: TuneSink, number: int, event: RunEvent) -> None:
    on_event(TrialTold(number, event))


@contextmanager
def _alone(folder: StudyFolder) -> Iterator[None]:
    """Let nobody else make trials of the study meanwhile."""
    lock = try_lock(folder.lock_file, f"process {os.getpid()}")
    if lock is None:
        raise OutputInUseError(
            f"The study {folder.name} is being made by {holder(folder.lock_file) or 'others'}.",
            hint="Wait until it has ended, or stop it.",
            reason="study-in-use",
        )
    try:
        yield
    finally:
        release(lock)

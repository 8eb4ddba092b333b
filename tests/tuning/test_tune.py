"""A search finds what was planted, goes on where it was stopped, and keeps all in Optuna's file."""

import json
from statistics import median

import optuna
import pytest
from sqlalchemy.engine import URL

from imageloom.errors import (
    EnvironmentUnsuitableError,
    FailedToWriteOutputsError,
    NodeFailedError,
    OutputInUseError,
    ParameterParsingError,
    RunInterruptedError,
    StoreCorruptError,
    UnknownNameError,
)
from imageloom.events import CancelToken, Metric
from imageloom.files.locks import release, try_lock
from imageloom.pipeline.run.events import NodeEvent
from imageloom.spec.node_state import RunState
from imageloom.tuning.question import read_question
from imageloom.tuning.study_folder import StudyFolder, find_study, studies_of
from imageloom.tuning.trials import StudyTrials
from imageloom.tuning.tune import TrialChanged, TrialTold, begin_study, tune

BOTH = ("hill.rate=1e-4..1:log", "hill.width=1..100")


def made(engine, record, on_event=lambda _event: None, cancel=None):
    return tune(engine, begin_study(engine, record), on_event=on_event, cancel=cancel)


def kept(folder: StudyFolder) -> optuna.Study:
    """Return the study as Optuna itself reads it."""
    url = URL.create("sqlite", database=str(folder.storage)).render_as_string()
    return optuna.load_study(study_name=folder.name, storage=url)


def metric_in(event) -> Metric | None:
    """Return the metric that an event of the search tells of, if it does."""
    inner = event.event if isinstance(event, TrialTold) else None
    told = inner.event if isinstance(inner, NodeEvent) else None
    return told if isinstance(told, Metric) else None


def values_of(study) -> list:
    return [dict(one.values) for one in study.trials]


@pytest.mark.slow
def test_the_planted_optimum_is_found_in_30_trials(engine, asked):
    study = made(engine, asked(*BOTH, "hill.shape=round,square", trials=30))
    assert study.failure is None
    assert len(study.trials) == 30
    best = study.best.values
    assert best["hill.shape"] == "round"
    assert 1e-3 < best["hill.rate"] < 9e-3  # planted at 3e-3, of four powers of ten
    assert 28 < best["hill.width"] < 68  # planted at 48
    assert study.best.value < 0.2


def test_each_trial_is_a_run_whose_name_says_so_and_what_is_equal_comes_from_the_cache(
    engine, asked
):
    study = made(engine, asked(trials=3, name="hills"))
    runs = [engine.workspace.run(one.run) for one in study.trials]
    assert [run.record().name for run in runs] == [f"hills trial {n}" for n in range(3)]
    assert [run.state() for run in runs] == [RunState.COMPLETED] * 3
    assert [run.states()["one"].state.value for run in runs] == ["completed", "cached", "cached"]
    assert all("words" not in run.states() for run in runs), "trials stop where the metric is told"
    assert {one.id for one in engine.index.list(limit=9)} == {run.id for run in runs}
    assert runs[0].record().changes == study.changes(study.trials[0])


def test_optuna_reads_back_what_was_tried(engine, asked):
    study = made(engine, asked(*BOTH, params={"epochs": 2}, trials=4))
    there = kept(study.folder)
    assert [one.params for one in there.trials] == values_of(study)
    assert [one.value for one in there.trials] == [one.value for one in study.trials]
    assert there.best_trial.number == study.best.number
    assert there.direction == optuna.study.StudyDirection.MINIMIZE
    for one in there.trials:
        assert list(one.intermediate_values) == [1, 2]
        assert one.intermediate_values[2] == one.value


@pytest.mark.slow
def test_the_same_seed_proposes_the_same_and_another_does_not(engine, asked):
    first = made(engine, asked(*BOTH, trials=13, name="first"))
    second = made(engine, asked(*BOTH, trials=13, name="second"))
    other = made(engine, asked(*BOTH, trials=2, name="other", seed=1))
    assert values_of(first) == values_of(second)
    assert values_of(other) != values_of(first)[:2]


@pytest.mark.slow
def test_stopped_after_each_trial_it_proposes_what_it_would_have_proposed(engine, asked):
    whole = made(engine, asked(*BOTH, trials=13, name="whole"))
    for trials in range(1, 14):
        parts = made(engine, asked(*BOTH, trials=trials, name="parts"))
    assert values_of(parts) == values_of(whole)


@pytest.mark.slow
def test_a_finished_study_has_nothing_to_do_until_more_trials_are_asked_for(engine, asked):
    record = asked(trials=2)
    made(engine, record)
    heard = []
    assert len(made(engine, record, heard.append).trials) == 2
    assert heard == []
    assert len(made(engine, record.model_copy(update={"trials": 3})).trials) == 3


def test_whoever_stops_it_stops_the_trial_which_goes_on_with_its_run(engine, asked, tmp_path):
    record = asked(params={"epochs": 3, "gate": "open"}, trials=1)
    cancel = CancelToken()

    def stop(event):
        if (metric := metric_in(event)) and metric.epoch == 2:
            cancel.set("Ctrl+C")

    stopped = made(engine, record, stop, cancel)
    assert isinstance(stopped.failure, RunInterruptedError)
    assert "Ctrl+C" in stopped.failure.message
    (trial,) = stopped.trials
    run = engine.workspace.run(trial.run)
    assert (trial.state, run.state()) == ("running", RunState.CANCELLED)
    (tmp_path / "open").touch()
    study = made(engine, record)
    assert study.failure is None
    assert [(one.state, one.run) for one in study.trials] == [("completed", run.id)]
    output = run.node_folder("hill") / "outputs" / "value" / "value.txt"
    assert output.read_text() == "began at epoch 2"
    assert kept(study.folder).trials[0].intermediate_values.keys() == {1, 2, 3}


@pytest.mark.slow
def test_a_run_that_ended_just_before_its_process_was_lost_counts_as_it_is(engine, asked):
    record = asked(trials=1)
    folder = begin_study(engine, record)
    study = made(engine, record)
    run_id = study.trials[0].run
    folder.storage.unlink()  # as if nothing of the trial had been told
    trials = StudyTrials(folder, record, read_question(engine, record).varied)
    trials.begin(trials.next().number, run_id)
    heard = []
    again = tune(engine, folder, on_event=heard.append)
    assert [one.run for one in again.trials] == [run_id]
    assert not any(isinstance(one, TrialTold) for one in heard)
    assert again.trials[0].value == study.trials[0].value


def test_a_trial_whose_run_was_deleted_is_run_anew(engine, asked):
    record = asked(trials=1)
    folder = begin_study(engine, record)
    trials = StudyTrials(folder, record, read_question(engine, record).varied)
    trials.begin(trials.next().number, "20260101-000000-0000")
    study = tune(engine, folder, on_event=lambda _event: None)
    assert study.trials[0].state == "completed"
    assert study.trials[0].run != "20260101-000000-0000"


@pytest.mark.slow
def test_hopeless_trials_are_stopped_before_their_end(engine, asked, tmp_path):
    """The gate before the last epoch opens only for those that the median rule lets go on."""
    gate = tmp_path / "open"
    completed: list[float] = []  # losses at epoch 2 of the completed trials

    def hear(event):
        if isinstance(event, TrialChanged):
            gate.unlink(missing_ok=True)
        elif metric := metric_in(event):
            hopeless = len(completed) >= 5 and metric.value > median(completed)
            if metric.epoch == 2 and not hopeless:
                gate.touch()
        if isinstance(event, TrialChanged) and event.trial.state == "completed":
            completed.append(event.trial.value + 1)  # the toy's loss falls by 1 in each epoch

    vary, params = ("hill.rate=1e-4..1:log",), {"epochs": 3, "gate": "open"}
    study = made(engine, asked(*vary, params=params, prune="median", trials=12), hear)
    there = kept(study.folder).trials
    pruned = [one.number for one in study.trials if one.state == "pruned"]
    assert pruned
    assert {there[n].state for n in pruned} == {optuna.trial.TrialState.PRUNED}
    assert {study.trials[n].why for n in pruned} == {"hopeless beside the others"}
    assert all(3 not in there[n].intermediate_values for n in pruned)
    runs = [engine.workspace.run(study.trials[n].run) for n in pruned]
    assert {run.state() for run in runs} == {RunState.CANCELLED}


@pytest.mark.slow
def test_values_that_lead_astray_count_as_hopeless_and_the_search_goes_on(engine, asked):
    study = made(engine, asked(params={"trouble": "nan"}, trials=6))
    states = {one.state for one in study.trials}
    assert states == {"completed", "pruned"}
    for one in study.trials:
        assert (one.state == "pruned") == (one.values["hill.rate"] > 0.1)
        assert one.why in ("", "hill: The loss is not a number.")


def test_three_failures_in_a_row_end_the_search_and_do_not_count(engine, asked):
    study = made(engine, asked(params={"trouble": "data"}, trials=9))
    assert isinstance(study.failure, NodeFailedError)
    assert "The last 3 trials failed. Trial 2: hill: There is nothing to climb." in str(
        study.failure
    )
    assert [one.state for one in study.trials] == ["failed"] * 3
    assert study.best is None
    assert study.folder.report.is_file()


def test_a_run_that_somebody_cancels_ends_its_trial_alone(engine, asked):
    record = asked(params={"epochs": 3, "gate": "never"}, trials=1)

    def cancel_run(event):
        if metric_in(event):
            engine.request_cancel(engine.find_run("last"))

    study = made(engine, record, cancel_run)
    assert [(one.state, one.why) for one in study.trials] == [("pruned", "cancelled")]
    assert study.failure is None


def test_events_tell_each_trial_at_its_begin_and_end(engine, asked):
    heard = []
    made(engine, asked(trials=2), heard.append)
    changes = [one for one in heard if isinstance(one, TrialChanged)]
    assert [(one.trial.number, one.trial.state, one.done) for one in changes] == [
        (0, "running", 0),
        (0, "completed", 1),
        (1, "running", 1),
        (1, "completed", 2),
    ]
    assert changes[-1].best is not None


def test_only_one_process_makes_trials_of_a_study(engine, asked):
    folder = begin_study(engine, asked())
    lock = try_lock(folder.lock_file, "process 42")
    with pytest.raises(OutputInUseError, match="is being made by process 42"):
        tune(engine, folder, on_event=lambda _event: None)
    release(lock)


def test_without_optuna_nothing_begins_and_the_extra_is_named(engine, asked, monkeypatch):
    from imageloom.tuning import trials

    monkeypatch.setattr(trials, "_PACKAGE", "optuna_that_is_not_there")
    with pytest.raises(EnvironmentUnsuitableError, match="needs the package optuna") as caught:
        begin_study(engine, asked())
    assert caught.value.hint == "Install it: pip install 'imageloom[tune]'"
    assert studies_of(engine.workspace) == ()


@pytest.mark.parametrize(
    ("others", "error", "message"),
    [
        ({"vary": ("words.x=1..2",)}, UnknownNameError, "no parameter of 'words' called 'x'"),
        ({"changes": ("hill.rate=1",)}, ParameterParsingError, "hill.rate cannot be varied: --set"),
        ({"only": ("one",)}, ParameterParsingError, "for each stops at one"),
        ({"target": "moon"}, UnknownNameError, "no target called 'moon'"),
        ({"changes": ("hill.wide=1",)}, UnknownNameError, "called 'wide'"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_does(engine, asked, others, error, message):
    record = asked().model_copy(update=others)
    with pytest.raises(error, match=message):
        begin_study(engine, record)
    assert engine.workspace.run_ids() == ()
    assert studies_of(engine.workspace) == ()


def test_another_question_under_the_same_name_is_refused(engine, asked):
    begin_study(engine, asked(name="hills"))
    with pytest.raises(ParameterParsingError, match="hills asks something else: vary, seed") as no:
        begin_study(engine, asked("hill.rate=1e-3..1", name="hills", seed=3))
    assert "--resume hills" in no.value.hint


def test_a_study_is_found_by_its_name_or_as_the_last(engine, asked):
    first = begin_study(engine, asked(name="first"))
    begin_study(engine, asked(name="second"))
    assert find_study(engine.workspace, "first") == first
    assert find_study(engine.workspace, "last").name == "second"
    with pytest.raises(UnknownNameError, match="no study called 'firts'") as caught:
        find_study(engine.workspace, "firts")
    assert "Did you mean first?" in caught.value.hint


def test_the_name_is_made_of_the_pipeline_and_the_question(asked):
    assert asked().name.startswith("a-toy-hill-")
    assert asked().name == asked(trials=99).name
    assert asked().name != asked(seed=1).name
    with pytest.raises(ParameterParsingError, match="cannot be the name of a study"):
        asked(name="../x")


def test_the_report_shows_how_it_was_found(engine, asked):
    study = made(engine, asked(*BOTH, "hill.shape=round,square", trials=4, name="hills"))
    text = study.folder.report.read_text()
    assert text.count("<svg") == 4  # the history and three parameters
    assert "<title>Valid loss over hill.rate</title>" in text
    assert "hill.rate" in text
    assert f"trial {study.best.number}, run {study.best.run}" in text
    for change in study.changes(study.best):
        assert change in text
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_the_report_of_no_complete_trial_says_so(engine, asked):
    study = made(engine, asked(params={"trouble": "data"}))
    assert "No trial is complete yet." in study.folder.report.read_text()


def trials_of(engine, record) -> StudyTrials:
    folder = begin_study(engine, record)
    return StudyTrials(folder, record, read_question(engine, record).varied)


def test_halving_lets_the_best_quarter_go_on(engine, asked):
    trials = trials_of(engine, asked(prune="halving"))
    first = trials.next().number
    assert [trials.report(first, 0.1, epoch) for epoch in (1, 2, 3)] == [False] * 3
    trials.complete(first, 0.1)
    verdicts = []
    for loss in (5.0, 0.05, 0.07):
        number = trials.next().number
        verdicts.append(trials.report(number, loss, 1))
        trials.prune(number, "enough seen") if verdicts[-1] else trials.complete(number, loss)
    assert verdicts == [True, False, True], "of four a quarter is one"


def test_a_trial_found_hopeless_is_not_trained_on_when_its_process_is_lost(engine, asked):
    record = asked(prune="median", trials=7)
    trials = trials_of(engine, record)
    for _ in range(5):
        number = trials.next().number
        trials.report(number, 1.0, 1)
        trials.complete(number, 1.0)
    lost = trials.next().number
    assert trials.report(lost, 2.0, 1)
    assert trials.next().number == lost
    study = made(engine, record)
    assert (study.trials[lost].state, study.trials[lost].run) == ("pruned", "")
    assert study.trials[lost + 1].state == "completed"


def test_a_trial_lost_while_its_values_were_proposed_does_not_count(engine, asked):
    record = asked(trials=1)
    trials = trials_of(engine, record)
    trials._study.ask()  # no value was stored yet
    study = made(engine, record)
    assert [one.state for one in study.trials] == ["failed", "completed"]


def test_a_metric_that_nobody_tells_ends_the_search_and_names_those_that_are_told(engine, asked):
    with pytest.raises(ParameterParsingError, match="tell 'Train loss', but a trial") as caught:
        made(engine, asked(metric="Train loss"))
    assert "hill.Valid loss" in caught.value.hint


def test_a_file_of_trials_that_cannot_be_used_is_named(engine, asked):
    folder = begin_study(engine, asked())
    folder.storage.write_bytes(b"no database" * 1000)
    with pytest.raises(FailedToWriteOutputsError, match=r"optuna\.sqlite could not be written"):
        tune(engine, folder, on_event=lambda _event: None)


@pytest.mark.parametrize(("key", "value"), [("seed", "x"), ("format_version", 2)])
def test_a_damaged_or_newer_record_is_named_with_what_is_wrong(engine, asked, key, value):
    folder = begin_study(engine, asked())
    record = json.loads(folder.record_file.read_text(encoding="utf-8"))
    folder.record_file.write_text(json.dumps({**record, key: value}), encoding="utf-8")
    with pytest.raises(StoreCorruptError, match=rf"study\.json is damaged or newer than we: {key}"):
        tune(engine, folder, on_event=lambda _event: None)

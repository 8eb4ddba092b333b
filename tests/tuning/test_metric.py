"""The number by which trials are compared, its direction, and where it is read."""

import json

import pytest

from imageloom.errors import ParameterParsingError
from imageloom.events import Metric
from imageloom.pipeline.run.events import ignore_run_events
from imageloom.pipeline.run.request import Asked
from imageloom.tuning.metric import Objective, read_objective, value_of


def test_the_direction_follows_from_a_metric_that_we_know(hill):
    assert read_objective("", "", hill()) == Objective("Top-1 validation accuracy", "", "maximize")
    assert read_objective("hill.Valid loss", "", hill()) == Objective(
        "Valid loss", "hill", "minimize"
    )
    assert read_objective("Log_Loss", "", hill()).direction == "minimize"


def test_a_direction_that_is_given_holds(hill):
    assert read_objective("Valid loss", "maximize", hill()).direction == "maximize"


def test_a_metric_of_others_needs_its_direction(hill):
    with pytest.raises(ParameterParsingError, match="high or a low 'height' is better"):
        read_objective("height", "", hill())
    assert read_objective("other.height", "minimize", hill()).metric == "other.height"


def test_only_the_ends_of_epochs_count():
    objective = Objective("Valid loss", "hill", "minimize")
    assert objective.tells("hill", Metric("Valid loss", 1.0, epoch=2.0, step=9))
    assert not objective.tells("hill", Metric("Valid loss", 1.0, epoch=1.5, step=9))
    assert not objective.tells("hill", Metric("Train loss", 1.0, epoch=2.0, step=9))
    assert not objective.tells("other", Metric("Valid loss", 1.0, epoch=2.0, step=9))


def test_the_best_epoch_counts_and_a_node_that_tells_nothing_is_named(engine, hill, tmp_path):
    outcome = engine.run(
        hill(rate=0.3, width=48, epochs=4), Asked(base=tmp_path), on_event=ignore_run_events
    )
    lowest = Objective("Valid loss", "", "minimize")
    assert value_of(outcome.run, outcome.nodes, lowest) == pytest.approx(4.0)  # log10(0.3/0.003)^2
    highest = Objective("Valid loss", "hill", "maximize")
    assert value_of(outcome.run, outcome.nodes, highest) == pytest.approx(7.0)
    with pytest.raises(ParameterParsingError, match=r"0 nodes of run .* tell 'words.Valid loss'"):
        value_of(outcome.run, outcome.nodes, Objective("Valid loss", "words", "minimize"))


def test_a_figure_of_an_evaluation_is_taken_from_its_file(engine, hill, tmp_path):
    outcome = engine.run(hill(), Asked(base=tmp_path), on_event=ignore_run_events)
    figures = {"Overall_Accuracy": 0.75, "Macro_F1": 0.5, "Log_Loss": 0.25}
    first = {"name": "a", "images": 4, "accuracy_interval_95": [0.5, 0.9], "figures": figures}
    second = {**first, "name": "b", "figures": {**figures, "Macro_F1": 0.9}}
    file = outcome.output("words", "text") / "evaluation.json"
    file.write_text(json.dumps({"evaluations": [first, second]}), encoding="utf-8")
    for name, value in figures.items():
        objective = read_objective(name, "", hill())
        assert value_of(outcome.run, outcome.nodes, objective) == value
    assert read_objective("words.Macro_F1", "", hill()).node == "words"

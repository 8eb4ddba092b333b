"""Each rule speaks when its numbers are there, and is silent when they are not."""

import re

import pytest

from imageloom.events import Metric
from imageloom.reports.evaluation.advice import MOST_ADVICE, advice, advice_section
from imageloom.reports.training.curves import Curves
from imageloom.reports.training.record import RecordedRun
from imageloom.scoring.evaluate import evaluate

from .made_tables import table_of

ABC = ("ant", "bee", "cat")


def good():
    """A table that gives no reason for advice: 600 pictures, 90 % right, as sure as right."""
    rows = []
    for n in range(600):
        label = ABC[n % 3]
        wrong = ABC[(n + 1 + n // 3 % 2) % 3]
        rows.append((f"{n}", label, wrong if n % 30 in (0, 13, 26) else label, 0.9))
    return evaluate(table_of(ABC, rows))


def titles(evaluation=None, metrics=(), **run):
    found = advice(evaluation or good(), Curves(list(metrics)), RecordedRun(run))
    return [one.title for one in found]


def words(evaluation=None, metrics=(), **run):
    found = advice(evaluation or good(), Curves(list(metrics)), RecordedRun(run))
    return re.sub("<[^>]+>", "", " ".join(one.text for one in found))


def series(name, *values):
    return [Metric(name, value, float(epoch), epoch) for epoch, value in enumerate(values, 1)]


def test_good_scores_get_no_advice():
    assert titles() == []
    assert "Nothing stands out" in advice_section(good()).body


def test_a_flat_training_loss_is_told():
    assert titles(metrics=series("Train loss", 1.1, 1.09)) == ["The network hardly learnt"]
    assert "1.1 after the first epoch and 1.09" in words(metrics=series("Train loss", 1.1, 1.09))
    assert titles(metrics=series("Train loss", 1.1, 0.5)) == []


def test_a_rising_validation_loss_far_above_the_training_loss_is_overfitting():
    metrics = series("Train loss", 1.0, 0.5, 0.1) + series("Valid loss", 1.0, 0.8, 1.2)
    run = {"best_epoch": 2, "epochs_done": 3, "asked": {"epochs": 3}}
    assert titles(metrics=metrics, **run) == ["It learnt the training pictures by heart"]
    text = words(metrics=metrics, **run)
    assert "training loss was 0.1" in text
    assert "from 0.8 to 1.2" in text


def test_losses_that_fall_together_are_no_overfitting():
    metrics = series("Train loss", 1.0, 0.5, 0.4) + series("Valid loss", 1.0, 0.6, 0.61)
    assert titles(metrics=metrics, best_epoch=2, epochs_done=3) == []


def test_when_the_best_epoch_is_the_last_more_epochs_are_advised():
    run = {"best_epoch": 5, "epochs_done": 5, "asked": {"epochs": 5}}
    assert titles(**run) == ["It was still getting better"]
    assert "--epochs 10" in words(**run)
    assert titles(**(run | {"best_epoch": 4})) == []


@pytest.mark.parametrize(
    ("kind", "images", "size", "advised"),
    [
        ("random", 244, 224, True),
        ("published", 244, 224, False),
        ("random", 60_000, 224, False),
        ("random", 244, 32, False),
    ],
)
def test_pretrained_weights_are_advised_for_few_pictures_from_scratch(kind, images, size, advised):
    run = {
        "model": {"initial_weights": {"kind": kind}},
        "data": {"training": {"images": images}},
        "resolved": {"image_size": size},
    }
    assert ("Few pictures, from scratch" in titles(**run)) is advised


def test_waiting_for_data_is_told_with_its_share():
    assert titles(metrics=series("Waiting for data fraction", 0.9, 0.71)) == [
        "Training waited for pictures"
    ]
    assert "71.0" in words(metrics=series("Waiting for data fraction", 0.9, 0.71))
    assert titles(metrics=series("Waiting for data fraction", 0.9, 0.1)) == []


def test_what_limited_the_speed_is_told_where_something_can_be_changed():
    waiting = series("Waiting for data fraction", 0.9)
    limit = {"limit": "decoding", "text": "Waited 38% of the time.", "epoch": 1}
    assert titles(metrics=waiting, speed_limit=limit) == ["The network was not the limit"]
    assert "Waited 38% of the time." in words(metrics=waiting, speed_limit=limit)
    assert titles(metrics=waiting, speed_limit=limit | {"limit": "network"}) == []


def test_a_model_no_better_than_a_constant_answer_is_told():
    rows = [(f"{n}", "ant" if n % 10 else "bee", "ant", 0.9) for n in range(1000)]
    found = evaluate(table_of(ABC, rows))
    assert "Not clearly better than a constant answer" in titles(found)
    assert "Some classes are never named" in titles(found)
    assert "No picture was scored as bee." in words(found)


def test_a_pair_that_makes_many_of_the_mistakes_is_named():
    rows = [(f"{n}", "ant", "bee" if n < 20 else "ant", 0.9) for n in range(200)]
    rows += [(f"b{n}", "bee", "bee", 0.9) for n in range(200)]
    found = evaluate(table_of(ABC, rows))
    assert "ant and bee are taken for each other 20 times, 100.0" in words(found)


def test_a_model_that_is_surer_than_right_is_told_and_the_reverse():
    sure = [(f"{n}", ABC[n % 2], ABC[n % 2 ^ (n % 4 == 0)], 0.97) for n in range(400)]
    assert "It is surer than it is right" in titles(evaluate(table_of(ABC, sure)))
    modest = [(f"{n}", ABC[n % 2], ABC[n % 2], 0.6) for n in range(400)]
    assert titles(evaluate(table_of(ABC, modest))) == ["It is right more often than it says"]


def test_very_sure_mistakes_point_to_wrong_labels():
    rows = [(f"{n}", ABC[n % 3], ABC[n % 3], 0.999) for n in range(600)]
    rows += [(f"x{n}", "ant", ABC[1 + n % 2], 0.999) for n in range(4)]
    assert titles(evaluate(table_of(ABC, rows))) == ["Some mistakes are very sure"]


def test_few_pictures_are_told_with_the_interval():
    rows = [(f"{n}", ABC[n % 3], ABC[n % 3], 0.95) for n in range(20)]
    assert titles(evaluate(table_of(ABC, rows))) == ["Few pictures to measure with"]


def test_the_section_lists_the_most_important_only_and_escapes_names():
    odd = ("<img>", "b", "c")
    rows = [(f"{n}", odd[n % 2], "<img>", 0.999) for n in range(30)]
    metrics = series("Train loss", 1, 1) + series("Waiting for data fraction", 0.9)
    run = RecordedRun({"best_epoch": 2, "epochs_done": 2, "asked": {"epochs": 2}})
    body = advice_section(evaluate(table_of(odd, rows)), Curves(metrics), run).body
    assert body.count("<li>") == MOST_ADVICE
    assert "<img>" not in body

import numpy as np
import pytest

from imageloom.events import Metric
from imageloom.reports.evaluation.confusion import most_confused_block
from imageloom.reports.evaluation.headline import headline
from imageloom.reports.tables import Cell, bar_cell, count_cell, table, text_cell
from imageloom.reports.training.curves import Curves
from imageloom.reports.training.record import RecordedRun
from imageloom.reports.words import decimals, percent, points
from imageloom.scoring.evaluation import evaluate_table
from imageloom.scoring.params import EvaluateParams
from imageloom.system.wording import count, duration

from .made_tables import make_table


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0, "0.0 %"),
        (0.0001, "< 0.1 %"),
        (0.5, "50.0 %"),
        (0.99949, "99.9 %"),
        (0.9999, "> 99.9 %"),
        (1.0, "100.0 %"),
    ],
)
def test_percent_is_never_nought_or_a_hundred_unless_it_is(fraction, text):
    assert percent(fraction).replace("\xa0", " ") == text


def test_numbers_read_well():
    assert [decimals(x) for x in (0, 12345.6, 1.2345, 0.00001)] == [
        "0",
        "12,346",
        "1.23",
        "1.0e-05",
    ]
    assert (count(1, "picture"), count(1234, "picture")) == ("1 picture", "1,234 pictures")
    assert count(2, "class", "classes") == "2 classes"
    assert [duration(s) for s in (42, 185, 7620)] == ["42 s", "3 min 05 s", "2 h 07 min"]
    assert points(-0.012).replace("\xa0", " ") == "\N{MINUS SIGN}1.2 points"


def test_the_block_holds_the_classes_that_are_confused_with_each_other():
    confusion = np.diag([50] * 40)
    confusion[3, 17] = 9
    confusion[17, 30] = 8
    confusion[5, 6] = 2
    assert most_confused_block(confusion, 3).tolist() == [3, 17, 30]
    assert {3, 5, 6, 17, 30} <= set(most_confused_block(confusion, 5).tolist())


def test_the_block_of_a_perfect_model_is_the_first_classes():
    assert most_confused_block(np.diag([5] * 40), 4).tolist() == [0, 1, 2, 3]
    assert most_confused_block(np.diag([5, 5]), 4).tolist() == [0, 1]


def test_curves_take_the_later_of_two_values_of_one_epoch():
    curves = Curves([Metric("Valid loss", 0.5, 2.0, 20), Metric("Valid loss", 0.4, 2.0, 20)])
    assert curves.points("Valid loss") == ((2.0, 0.4),)
    assert curves.points("nothing") == ()


def test_only_whole_epochs_stand_in_the_table_of_numbers():
    curves = Curves([Metric("Train loss", 0.5, epoch, 1) for epoch in (0.5, 1.0, 1.5, 2.0)])
    assert curves.at_epochs("Train loss") == {1: 0.5, 2: 0.5}


def test_cells_sort_by_number_and_not_by_text():
    made = table(["Class", "Pictures"], [[text_cell("<a>"), count_cell(1234)]], caption="All")
    assert 'data-value="1234">1,234</td>' in made
    assert "<bdi>&lt;a&gt;</bdi>" in made


def test_a_bar_is_as_long_as_its_share_and_weak_ones_differ():
    assert "width: 25.0%" in bar_cell(0.25).content
    assert 'class="bar weak"' in bar_cell(0.25).content
    assert 'class="bar"' in bar_cell(0.75).content


def test_a_table_without_rows_has_its_heads():
    assert table(["Class", "Pictures"], [], caption="All").count("<th") == 3  # with <thead>
    assert Cell("x").value is None


def test_what_was_noted_before_a_training_stands_with_its_figures():
    record = RecordedRun({"notices": ["6 of 6 validation <pictures>"]})
    evaluation = evaluate_table(make_table(rows=9), params=EvaluateParams(), name="scores")
    assert "6 of 6 validation &lt;pictures&gt;" in str(headline(evaluation, record.notices))
    assert RecordedRun({}).notices == RecordedRun({"notices": "odd"}).notices == ()

import pytest

from imageloom.errors import InvalidDatasetError
from imageloom.scoring.comparison import compare_tables
from imageloom.scoring.evaluation import evaluate_table
from imageloom.scoring.params import EvaluateParams

from .made_tables import table_of

AB = ("a", "b")
LEFT = [
    ("1", "a", "a", 0.9),  # both right
    ("2", "a", "b", 0.8),  # only the second
    ("3", "b", "a", 0.7),  # only the second
    ("4", "b", "b", 0.6),  # only the first
    ("5", "b", "a", 0.9),  # neither
]
RIGHT = [
    ("5", "b", "a", 0.9),
    ("4", "b", "a", 0.6),
    ("3", "b", "b", 0.7),
    ("2", "a", "a", 0.8),
    ("1", "a", "a", 0.9),
]


def compared(left, right, mistakes=10):
    params = EvaluateParams()
    evaluations = (
        evaluate_table(left, params=params, name="left.csv"),
        evaluate_table(right, params=params, name="right.csv"),
    )
    return compare_tables(left, right, evaluations, mistakes=mistakes)


def test_pictures_are_matched_by_file_in_whatever_order_they_stand():
    found = compared(table_of(AB, LEFT), table_of(AB, RIGHT))
    assert (found.both_right, found.only_left, found.only_right, found.neither) == (1, 1, 2, 1)
    assert found.joined == 5
    assert found.notices == ()
    assert found.chance == pytest.approx(1.0)  # 1 against 2: 2 * (1 + 3) / 8


def test_classes_are_matched_by_name_in_whatever_order_they_stand():
    found = compared(table_of(AB, LEFT), table_of(("b", "a"), RIGHT))
    assert (found.both_right, found.only_left, found.only_right, found.neither) == (1, 1, 2, 1)
    assert found.notices == ()


def test_the_first_table_stands_left():
    found = compared(table_of(AB, LEFT), table_of(AB, RIGHT))
    assert (found.left.name, found.left.right) == ("left.csv", 2)
    assert (found.right.name, found.right.right) == ("right.csv", 3)


def test_pictures_that_tell_the_models_apart_are_listed_surest_first():
    found = compared(table_of(AB, LEFT), table_of(AB, RIGHT))
    assert [one.file for one in found.mistakes_of_left] == ["2", "3"]
    assert [one.file for one in found.mistakes_of_right] == ["4"]
    assert len(compared(table_of(AB, LEFT), table_of(AB, RIGHT), 1).mistakes_of_left) == 1


def test_other_pictures_are_told_with_all_three_numbers():
    found = compared(table_of(AB, LEFT), table_of(AB, RIGHT[:2]))
    assert "2 labelled pictures are in both, 3 only in the first, 0 only in" in found.notices[0]
    assert found.joined == 2


def test_other_labels_of_the_same_picture_are_told():
    relabelled = [("5", "a", "a", 0.9), *RIGHT[1:]]
    found = compared(table_of(AB, LEFT), table_of(AB, relabelled))
    assert found.notices == ("Pictures with another label in the second table: 1.",)


def test_tables_of_one_model_are_told():
    left = table_of(AB, LEFT, model_digest="ab")
    assert compared(left, left).notices == ("Both tables were scored by the same model.",)


def test_unlabelled_pictures_are_not_compared():
    left = table_of(AB, [*LEFT, ("6", None, "a", 0.9)])
    right = table_of(AB, [*RIGHT, ("6", "a", "a", 0.9)])
    assert compared(left, right).joined == 5


def test_other_classes_are_refused_by_name():
    with pytest.raises(InvalidDatasetError, match="second table's scores lack the class 'c'"):
        compared(table_of(("a", "b", "c"), LEFT), table_of(AB, RIGHT))


def test_a_file_that_stands_twice_is_refused_by_name():
    twice = table_of(AB, [*RIGHT, RIGHT[0]])
    with pytest.raises(InvalidDatasetError, match=r"right\.csv holds the file '5' 2 times"):
        compared(table_of(AB, LEFT), twice)


def test_json_holds_counts_and_chance():
    content = compared(table_of(AB, LEFT), table_of(AB, RIGHT)).to_json()
    assert (content["images_in_both"], content["only_right_right"]) == (5, 2)
    assert content["mcnemar_p_value"] == pytest.approx(1.0)

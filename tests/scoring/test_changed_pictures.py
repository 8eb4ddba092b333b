import numpy as np
import pytest

from imageloom.errors import InvalidDatasetError, NotScoredDatasetError
from imageloom.events import CancelToken
from imageloom.scoring.changed_pictures import changed_pictures
from imageloom.scoring.evaluate import compare
from imageloom.scoring.picture_table import write_pictures

from .made_tables import make_table, table_of

FILES = [f"{number}.png" for number in range(60)]


def written(tmp_path, table, name):
    place = tmp_path / name / "pictures.sqlite"
    place.parent.mkdir()
    write_pictures(table, place, root=None, cancel=CancelToken())
    return place


def test_the_counts_are_those_of_a_comparison_of_the_tables(tmp_path):
    draw = np.random.default_rng(1)
    names = ["ant", "bee", "cat"]
    labels = [names[one] for one in draw.integers(0, 3, 60)]
    left = make_table(tuple(names), files=FILES, labels=labels, seed=1)
    # The other has its classes in another order, and other pictures too.
    right = make_table(
        ("cat", "bee", "ant"), files=[*FILES[20:], "new.png"], labels=[*labels[20:], "ant"], seed=2
    )
    expected = compare(left, right)
    found = changed_pictures(written(tmp_path, left, "a"), written(tmp_path, right, "b"))
    assert (found.both_right, found.lost, found.won, found.neither) == (
        expected.both_right,
        expected.only_left,
        expected.only_right,
        expected.neither,
    )
    assert found.lost > 0
    assert found.won > 0
    assert (found.only_left, found.only_right, found.relabelled) == (20, 1, 0)
    assert found.total == len(found.pictures) == found.lost + found.won
    for one in found.pictures:
        assert one.left.file == one.right.file
        assert one.left.correct is not one.right.correct
        assert one.left.label == one.right.label
    sure = [one.right.probability for one in found.pictures]
    assert sure == sorted(sure, reverse=True)


def test_one_kind_is_shown_page_by_page(tmp_path):
    labels = ["ant"] * 60
    left = written(tmp_path, make_table(files=FILES, labels=labels, seed=1), "a")
    right = written(tmp_path, make_table(files=FILES, labels=labels, seed=2), "b")
    every = changed_pictures(left, right, side="won")
    assert all(one.right.correct and not one.left.correct for one in every.pictures)
    pages = [changed_pictures(left, right, side="won", offset=at, limit=3) for at in (0, 3)]
    assert [one for page in pages for one in page.pictures] == list(every.pictures[:6])
    assert {page.total for page in pages} == {every.won}
    lost = changed_pictures(left, right, side="lost")
    assert all(one.left.correct and not one.right.correct for one in lost.pictures)


def test_pictures_that_were_relabelled_are_counted_and_unlabelled_ones_play_no_part(tmp_path):
    left = table_of(("ant", "bee"), [("1", "ant", "ant", 0.9), ("2", None, "ant", 0.9)])
    right = table_of(("ant", "bee"), [("1", "bee", "ant", 0.9), ("2", "ant", "ant", 0.9)])
    found = changed_pictures(written(tmp_path, left, "a"), written(tmp_path, right, "b"))
    assert (found.relabelled, found.lost, found.won, found.only_right) == (1, 1, 0, 1)


def test_evaluations_that_cannot_be_matched_are_refused(tmp_path):
    whole = written(tmp_path, make_table(files=["a", "b"]), "whole")
    twice = written(tmp_path, make_table(files=["a", "a"]), "twice")
    with pytest.raises(InvalidDatasetError, match="holds the file 'a' 2 times"):
        changed_pictures(whole, twice)
    with pytest.raises(NotScoredDatasetError, match="does not hold the pictures"):
        changed_pictures(whole, tmp_path / "gone.sqlite")

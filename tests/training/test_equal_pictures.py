"""Pictures that stand in training and validation both, and copies, are told before training."""

import hashlib
import json
from pathlib import Path

import pytest
from networks import TINY

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import IndexRow, index_from_rows
from imageloom.events import Control, Notice
from imageloom.training.equal_pictures import notices_on_equal_pictures
from imageloom.training.params import TrainParams
from imageloom.training.train import NewRun, prepare_run

PARAMS = TrainParams(batch_size=2, epochs=1, device="cpu")


def images_of(labels, contents):
    """Pictures a/0.png, a/1.png and so on, of which only labels and bytes play a part."""
    classes = tuple(sorted(set(labels)))
    rows = []
    for number, (label, content) in enumerate(zip(labels, contents, strict=True)):
        digest = hashlib.sha256(str(content).encode()).digest()
        name = f"{label}/{number}.png".encode()
        rows.append(IndexRow(name, classes.index(label), 8, 8, 1, "PNG", 100, digest))
    return ImageDirectory(classes=classes, index=index_from_rows(rows), root=Path("/pictures"))


def test_c11_pictures_in_both_are_counted_with_their_share_and_three_names():
    training = images_of(["a"] * 6, contents=range(6))
    validation = images_of(["a"] * 8, contents=[5, 10, 4, 3, 11, 2, 1, 12])
    (notice,) = notices_on_equal_pictures(training, validation)
    assert notice.startswith(
        "5 of 8 validation pictures (62.5 %) are training pictures too, byte for byte: a/0.png, "
        "a/2.png, a/3.png and 2 more. "
    )


def test_c11_the_same_million_pictures_twice_take_one_line():
    images = images_of(["a"] * 5000, range(5000))
    (notice,) = notices_on_equal_pictures(images, images)
    assert "5,000 of 5,000 validation pictures (100 %)" in notice
    assert len(notice) < 450


def test_pictures_that_all_differ_are_no_matter_for_a_notice():
    assert notices_on_equal_pictures(images_of("aaa", "pqr"), images_of("aaa", "stu")) == ()


def test_copies_are_told_of_the_side_they_stand_on():
    training = images_of(["a"] * 3, contents=["p", "p", "q"])
    validation = images_of(["a"] * 12, contents=["same"] * 12)
    assert [notice[:60] for notice in notices_on_equal_pictures(training, validation)] == [
        "Among those for training, 2 of 3 pictures stand more than on",
        "Among those for validation, 12 of 12 pictures stand more tha",
    ]


def test_c14_a_picture_under_two_labels_is_told_again_before_training():
    training = images_of(["a", "b", "b"], contents=["p", "p", "q"])
    (notice,) = notices_on_equal_pictures(training, images_of("a", "z"))
    assert notice.startswith(
        "Among those for training, 1 picture stands under more than one label with equal bytes: "
        "a/0.png as 'a', b/1.png as 'b'."
    )


def prepared(training, validation, run):
    heard = []
    prepare_run(
        NewRun(TINY, training, validation, run, params=PARAMS), control=Control(heard.append)
    )
    told = [event.message for event in heard if isinstance(event, Notice)]
    return told, json.loads((run / "run.json").read_text())["notices"]


@pytest.mark.slow
def test_c11_it_is_told_when_training_begins_and_stands_in_the_record(make_pictures, tmp_path):
    images = make_pictures(per_class=2)
    told, recorded = prepared(images, images, tmp_path / "run")
    assert told == recorded
    assert "6 of 6 validation pictures (100 %) are training pictures too" in told[0]


@pytest.mark.slow
@pytest.mark.parametrize("source", ["folder", "image directory"])
def test_copies_are_told_once_also_where_the_pictures_are_converted_first(
    make_pictures, tmp_path, source
):
    training, validation = make_pictures(per_class=2), make_pictures(per_class=2, seed=1)
    (training.root / "red" / "copy.png").write_bytes(
        (training.root / "red" / "000.png").read_bytes()
    )
    place = training.root
    if source == "image directory":
        from imageloom.data.convert import convert

        convert(place, tmp_path / "images")
        place = tmp_path / "images"
    told, recorded = prepared(place, validation, tmp_path / "run")
    sentence = "2 of 7 pictures stand more than once, with equal bytes: red/000.png (2 times)"
    assert sum(sentence in message for message in told) == 1
    assert sum(sentence in message for message in recorded) == 1

import hashlib

import numpy as np
import pytest

from imageloom.data.convert import convert
from imageloom.data.corrections import Correction, parse_corrections
from imageloom.data.images.correct import correct
from imageloom.data.images.directory import load_image_directory
from imageloom.errors import (
    CouldNotOpenFileError,
    InvalidDatasetError,
    ParameterParsingError,
    UnknownNameError,
)

from .made_index import images_of
from .made_pictures import png

LABELS = ["a", "a", "a", "b", "b", "c"]


def files_and_labels(images):
    return {
        images.file(row): images.classes[label] for row, label in enumerate(images.labels.tolist())
    }


def test_a_picture_gets_another_class_and_another_one_is_left_out():
    images = images_of(LABELS)
    corrected = correct(images, [Correction("a/0.png", "b"), Correction("a/2.png", None)])
    assert files_and_labels(corrected) == {
        "a/0.png": "b",
        "a/1.png": "a",
        "b/3.png": "b",
        "b/4.png": "b",
        "c/5.png": "c",
    }
    assert corrected.classes == images.classes
    (left_out,) = corrected.rejected
    assert (left_out.file, left_out.label) == ("a/2.png", "a")
    assert corrected.notices == (
        "Corrected: 1 picture got another class (a/0.png); 1 picture got no place any more "
        "(a/2.png).",
    )
    assert images.counts == {"a": 3, "b": 2, "c": 1}


def test_no_correction_gives_the_same_pictures():
    images = images_of(LABELS)
    assert correct(images, []) is images


def test_the_order_groups_and_transforms_stay():
    images = images_of(LABELS, groups=list("uvwxyz"))
    corrected = correct(images, [Correction("a/1.png", None)])
    assert corrected.index.column("group").to_pylist() == list("uwxyz")


def test_files_stay_as_they_are(tree, sealed, tmp_path):
    images = convert(
        tree.write({"a/1.png": png(1), "a/2.png": png(2), "b/3.png": png(3)}), tmp_path / "images"
    )
    with sealed():
        correct(images, [Correction("a/1.png", "b")]).save(tmp_path / "out")
    opened = load_image_directory(tmp_path / "out")
    assert opened.counts == {"a": 1, "b": 2}


def test_a_name_that_is_not_utf_8_is_found_as_it_is_shown(tree, tmp_path):
    files = {b"a/\xff.png": png(1), "a/2.png": png(2), "b/3.png": png(3)}
    images = convert(tree.write(files), tmp_path / "images")
    shown = next(images.file(row) for row in range(3) if "\\" in images.file(row))
    assert len(correct(images, [Correction(shown, None)])) == 2


def test_a_picture_that_is_not_there_is_named():
    with pytest.raises(CouldNotOpenFileError, match=r"no picture 'a/9.png' among the 6") as caught:
        correct(images_of(LABELS), [Correction("a/9.png", None)])
    assert caught.value.reason == "no-picture"


def test_a_class_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"no class called 'bees'\. Did you mean bee\?"):
        correct(images_of(["ant", "ant", "bee"]), [Correction("ant/0.png", "bees")])


def test_a_picture_that_was_replaced_since_is_refused_with_both_digests():
    images = images_of(LABELS)
    found = images.index.column("sha256")[0].as_py().hex()
    other = hashlib.sha256(b"another").hexdigest()
    with pytest.raises(InvalidDatasetError, match=f"SHA-256 {found}, but .* had {other}"):
        correct(images, [Correction("a/0.png", None, sha256=other)])
    assert len(correct(images, [Correction("a/0.png", None, sha256=found)])) == 5


def test_two_corrections_of_one_picture_are_refused():
    twice = [Correction("a/0.png", "b"), Correction("a/0.png", None)]
    with pytest.raises(InvalidDatasetError, match="corrected twice: labelled 'b', and left out"):
        correct(images_of(LABELS), twice)


@pytest.mark.parametrize("label", [None, "a"])
def test_a_class_may_not_be_left_empty(label):
    with pytest.raises(InvalidDatasetError, match=r"the class 'c' without a picture; it had 1"):
        correct(images_of(LABELS), [Correction("c/5.png", label)])


def test_not_all_pictures_may_be_left_out():
    images = images_of([None, None])
    gone = [Correction(images.file(row), None) for row in range(2)]
    with pytest.raises(InvalidDatasetError, match="leave out all 2 pictures"):
        correct(images, gone)


def test_a_picture_without_a_label_may_get_one():
    images = images_of([None, "a"], classes=["a"])
    corrected = correct(images, [Correction("None/0.png", "a")])
    assert np.array_equal(corrected.labels, [0, 0])


def test_lines_come_back_as_they_were_written():
    made = [
        Correction("a/ü.png", "x y"),
        Correction('a/".png', None, "ab" * 32),
        Correction("a/1.png", "", "cd" * 32),
    ]
    assert parse_corrections([one.to_line() for one in made]) == tuple(made)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[1]", "is no JSON object"),
        ('{"file": "a"}', 'must have either a "label"'),
        ('{"file": "a", "label": "b", "exclude": true}', 'must have either a "label"'),
        ('{"file": "a", "exclude": "yes"}', 'must have either a "label"'),
        ('{"file": "a", "label": 3}', 'must have either a "label"'),
        ('{"file": "", "label": "b"}', "must name one"),
        ('{"file": "a", "label": "b", "sha256": "12"}', "needs 64 hexadecimal digits"),
        ('{"file": "a", "label": "b", "lable": "b"}', "unknown key 'lable'"),
    ],
)
def test_a_line_that_is_no_correction_is_refused_with_its_number(line, message):
    good = '{"file": "a", "label": "b"}'
    with pytest.raises(ParameterParsingError, match=rf"Correction 3 .*{message}"):
        parse_corrections([good, "", line])

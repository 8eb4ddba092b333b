"""What is said of pictures before they are published or trained on."""

from pathlib import Path

import pytest

from imageloom.data.images.directory import Rejected
from imageloom.data.images.findings import notices_on, notices_on_copies, refuse_losses
from imageloom.data.images.split import split
from imageloom.errors import InvalidDatasetError

from .made_index import images_of


def test_six_thousand_equal_pictures_take_one_line():
    images = images_of(["ants"] * 6000, contents=["same"] * 6000)
    (notice,) = notices_on(images)
    assert notice == (
        "6,000 of 6,000 pictures stand more than once, with equal bytes: ants/0.png (6,000 times). "
        "Each copy counts as a picture of its own; leave one of each."
    )
    parts = split(images)
    assert max(len(notice) for part in parts for notice in part.notices) < 300


def test_a_picture_under_several_labels_is_shown_with_two_of_them():
    labels = ["ants"] * 3000 + ["bees"] * 3000
    images = images_of(labels, contents=["same"] * 6000)
    (notice,) = notices_on(images)
    assert notice == (
        "1 picture stands under more than one label with equal bytes: ants/0.png as 'ants', "
        "bees/3000.png as 'bees', ants/1.png as 'ants' and 5,997 more. 'imageloom data check' "
        "says more."
    )


def test_class_names_in_notices_show_the_white_space_that_they_end_in():
    (notice,) = notices_on(images_of(["ants "] * 2 + ["bees"] * 2, contents=["p", "q", "p", "r"]))
    assert "ants /0.png as 'ants ', bees/2.png as 'bees'" in notice


def test_a_repeated_picture_is_noted_with_its_number():
    images = images_of(["a"] * 12, contents=["same"] * 12)
    (notice,) = notices_on_copies(images)
    assert notice.startswith("12 of 12 pictures stand more than once")


def test_only_three_repeated_pictures_are_named():
    images = images_of(["a"] * 10 + ["b"], contents=[*"ppqqrrsstt", "alone"])
    (notice,) = notices_on(images)
    assert "10 of 11 pictures stand more than once" in notice
    assert "a/0.png (2 times), a/2.png (2 times), a/4.png (2 times) and 2 more." in notice


def test_pictures_that_all_differ_are_no_matter_for_a_notice():
    assert notices_on(images_of(["a", "b"])) == ()


def test_unlabelled_copies_are_noted_too():
    images = images_of([None] * 3, contents=["p", "q", "p"])
    (notice,) = notices_on(images)
    assert "2 of 3 pictures stand more than once" in notice


@pytest.mark.parametrize(
    ("hints", "told"),
    [
        (["Save it as JPEG, PNG, BMP, PPM, TIFF or WebP."], "Save them as JPEG, PNG"),
        (
            ["Save it as JPEG, PNG, BMP, PPM, TIFF or WebP.", "Copy it again."],
            "Save those of other",
        ),
        (["Copy it again."], "Repair, replace or remove them, or allow"),
    ],
)
def test_what_to_do_about_lost_pictures_fits_why_they_were_lost(hints, told):
    lost = [Rejected(f"a/{hint[:4]}.heic", "is not read", hint, "a") for hint in hints]
    with pytest.raises(InvalidDatasetError, match="cannot be used") as refused:
        refuse_losses({"a": 1}, lost, 0.01, num_images=1, place=Path("/pictures"))
    assert refused.value.hint.startswith(told)

"""What a network sees, asked of a real process that loads torch and may be killed."""

import base64
import io
import os
import signal

import numpy as np
import pytest
from PIL import Image

from imageloom.data.loading.transforms import apply_transforms
from imageloom.data.previews.seen import SeenHelper
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError, TimeoutOccuredError
from imageloom.preprocessing import CenterCrop, RandomHorizontalFlip, RandomRotation, Resize

pytestmark = [pytest.mark.slow, pytest.mark.processes]
CARRIED = (Resize(size=40), CenterCrop(size=32), RandomHorizontalFlip(), RandomRotation(degrees=30))


@pytest.fixture(scope="module")
def images(make_pictures, tmp_path_factory):
    made = make_pictures(per_class=2, classes=("red", "green"), size=48)
    place = tmp_path_factory.mktemp("seen")
    made.save(place / "plain")
    made.with_transforms(CARRIED).save(place / "carrying")
    return made, place


@pytest.fixture(scope="module")
def helper(images):
    made, place = images
    helper = SeenHelper(roots=[made.root, place])
    yield helper
    helper.close()


def pixels_of(seen):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(seen.png))))


def test_the_pixels_are_those_that_training_reads(helper, images):
    import torch

    made, place = images
    seen = helper.see(place / "carrying", 1, seed=7)
    decoded = np.array(Image.open(os.fsdecode(made.path(1))))
    expected = apply_transforms(torch.from_numpy(decoded).permute(2, 0, 1), CARRIED, 7)
    assert np.array_equal(pixels_of(seen), expected.permute(1, 2, 0).numpy())
    kinds = [one["kind"] for one in seen.operations]
    assert kinds == ["resize", "center_crop", "random_horizontal_flip", "random_rotation"]
    assert (seen.is_random, seen.is_default) == (True, False)


def test_pictures_that_carry_nothing_are_seen_as_the_training_says(helper, images):
    _, place = images
    params = {"image_size": 36, "augmentation": "none", "fit": "letterbox"}
    seen = helper.see(place / "plain", 0, seed=1, training=params)
    assert (seen.width, seen.height, seen.is_random, seen.is_default) == (36, 36, False, True)
    assert [one["kind"] for one in seen.operations] == ["letterbox"]


def test_a_row_that_is_not_there_is_a_named_error(helper, images):
    _, place = images
    with pytest.raises(CouldNotOpenFileError, match="no picture 4: the image directory has 4"):
        helper.see(place / "plain", 4, seed=1)


def test_s01_pictures_outside_the_roots_are_not_read(images, tmp_path):
    _, place = images
    outside = SeenHelper(roots=[place])
    try:
        with pytest.raises(CouldNotOpenFileError, match="lies outside the folders"):
            outside.see(place / "plain", 0, seed=1)
    finally:
        outside.close()


def test_a_picture_that_was_replaced_is_not_shown(helper, images):
    made, place = images
    path = os.fsdecode(made.path(3))
    with open(path, "rb") as file:  # noqa: PTH123
        before = file.read()
    Image.new("RGB", (48, 48)).save(path)
    try:
        with pytest.raises(InvalidDatasetError, match="is not what it was"):
            helper.see(place / "plain", 3, seed=1)
    finally:
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(before)


def test_one_that_hangs_is_ended_and_the_next_call_is_answered(helper, images):
    _, place = images
    helper.see(place / "plain", 0, seed=1)
    (process,) = helper.pool.running
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(TimeoutOccuredError, match="did not finish its work in time"):
        helper.see(place / "plain", 0, seed=1, timeout_s=0.2)
    assert helper.see(place / "plain", 0, seed=1).width > 0

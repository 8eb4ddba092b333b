import imagehash
import numpy as np
import pytest
from made_scenes import scene
from PIL import Image

from imageloom.data.similar.miniature import (
    HEIGHT,
    WIDTH,
    are_flat,
    brightness_of,
    difference_hashes,
    miniature_of,
)


def miniatures(images):
    made = b"".join(miniature_of(np.asarray(image)) for image in images)
    return np.frombuffer(made, dtype=np.uint8).reshape(-1, HEIGHT, WIDTH)


def test_hashes_are_those_of_imagehash():
    images = [scene(seed, size) for seed in range(8) for size in ((160, 120), (80, 240), (40, 30))]
    hashes = difference_hashes(miniatures(images))
    assert [f"{one:016x}" for one in hashes.tolist()] == [
        str(imagehash.dhash(image)) for image in images
    ]


@pytest.mark.parametrize(("level", "expected"), [(0, 0), (100, 100), (255, 255)])
def test_brightness_is_the_mean_grey_value(level, expected):
    image = Image.new("RGB", (20, 30), (level,) * 3)
    assert brightness_of(miniatures([image])).tolist() == [expected]


def test_a_plain_picture_is_flat_and_a_scene_is_not():
    plain = Image.new("RGB", (50, 50), (90, 120, 30))
    assert are_flat(miniatures([plain, scene(1)])).tolist() == [True, False]


def test_no_pictures_have_no_hashes():
    none = np.zeros((0, HEIGHT, WIDTH), dtype=np.uint8)
    assert len(difference_hashes(none)) == len(are_flat(none)) == len(brightness_of(none)) == 0

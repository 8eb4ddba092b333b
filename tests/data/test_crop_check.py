"""Sizes alone tell which crop does not fit into which picture."""

import dataclasses
import random

import pyarrow as pa
import pytest
import torch

from imageloom.data.images.crop_check import require_crops_fit
from imageloom.data.loading.transforms import apply_transforms
from imageloom.errors import InvalidDatasetError
from imageloom.preprocessing import (
    CenterCrop,
    Grayscale,
    Letterbox,
    Pad,
    RandomCrop,
    RandomResizedCrop,
    RandomRotation,
    Resize,
    Squash,
)

from .made_index import images_of


def pictures(*sizes):
    images = images_of(["ants"] * len(sizes))
    index = images.index
    for side, values in zip(("width", "height"), zip(*sizes, strict=True), strict=True):
        column = index.schema.get_field_index(side)
        index = index.set_column(column, index.field(column), pa.array(values, pa.int32()))
    return dataclasses.replace(images, index=index)


def test_the_message_has_the_crop_the_count_three_pictures_and_their_sizes():
    images = pictures((50, 64), (64, 64), (63, 99), (99, 3), (1, 1), (70, 80))
    with pytest.raises(
        InvalidDatasetError,
        match=r"A center crop of 64 pixels does not fit into 4 of the 6 training pictures in "
        r"/pictures: ants/0.png \(50 x 64\), ants/2.png \(63 x 99\), ants/3.png \(99 x 3\) and "
        r"1 more\.",
    ) as caught:
        require_crops_fit(images, (CenterCrop(size=64),), "training pictures")
    assert caught.value.reason == "crop-too-large"
    assert caught.value.details == {"size": 64, "pictures": 4, "images": 6}


def test_what_was_done_before_the_crop_counts():
    images = pictures((50, 64), (200, 300))
    require_crops_fit(images, (Resize(size=64), CenterCrop(size=64)), "pictures")
    require_crops_fit(images, (Pad(padding=7), CenterCrop(size=64)), "pictures")
    require_crops_fit(images, (RandomCrop(size=64, padding=7),), "pictures")
    with pytest.raises(InvalidDatasetError, match=r"\(50 x 64, 62 on its shorter side by then\)"):
        require_crops_fit(images, (Pad(padding=6), CenterCrop(size=64)), "pictures")
    with pytest.raises(InvalidDatasetError, match="random crop of 64 pixels with a padding of 6"):
        require_crops_fit(images, (RandomCrop(size=64, padding=6),), "pictures")
    with pytest.raises(InvalidDatasetError, match="2 of the 2 pictures"):
        require_crops_fit(images, (Resize(size=32), CenterCrop(size=64)), "pictures")


@pytest.mark.parametrize("seed", range(60))
def test_it_says_what_applying_the_transforms_says(seed):
    draw = random.Random(seed)
    kinds = [
        lambda size: Resize(size=size),
        lambda size: Squash(size=size),
        lambda size: Letterbox(size=size),
        lambda size: CenterCrop(size=size),
        lambda size: RandomCrop(size=size, padding=draw.choice([0, 1, 3])),
        lambda size: RandomResizedCrop(size=size),
        lambda size: Pad(padding=size // 4),
        lambda _: Grayscale(),
        lambda _: RandomRotation(),
    ]
    transforms = tuple(draw.choice(kinds)(draw.randint(4, 12)) for _ in range(draw.randint(1, 5)))
    width, height = draw.randint(4, 12), draw.randint(4, 12)

    def outcome(do) -> str:
        try:
            do()
        except InvalidDatasetError as error:
            return error.reason
        return "fits"

    image_CHW = torch.zeros(3, height, width, dtype=torch.uint8)
    assert outcome(
        lambda: require_crops_fit(pictures((width, height)), transforms, "pictures")
    ) == outcome(lambda: apply_transforms(image_CHW, transforms, 0))

"""Copies are as large as the transforms need them."""

import pytest

from imageloom.data.loading.copy_size import copy_side
from imageloom.errors import ParameterParsingError
from imageloom.preprocessing import (
    CenterCrop,
    ColorJitter,
    Letterbox,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    Resize,
    Squash,
)


@pytest.mark.parametrize(
    ("transforms", "side"),
    [
        ((RandomResizedCrop(size=224), RandomHorizontalFlip()), 256),
        ((RandomResizedCrop(size=225),), 258),  # 257.14
        ((Squash(size=224),), 256),
        ((Letterbox(size=96), RandomCrop(size=96, padding=12)), 110),  # 109.7
        ((RandomResizedCrop(size=300), CenterCrop(size=224)), 300),
        ((RandomHorizontalFlip(), ColorJitter(), RandomResizedCrop(size=7)), 8),
        ((Resize(size=224), RandomCrop(size=224, padding=28)), 224),
        ((Resize(size=292), CenterCrop(size=224)), 292),
    ],
)
def test_copies_are_an_eighth_larger_than_the_input_or_what_the_first_resize_makes(
    transforms, side
):
    assert copy_side(transforms) == side


@pytest.mark.parametrize(
    ("transforms", "what"),
    [
        ((RandomCrop(size=224),), "random_crop comes before they scale"),
        ((CenterCrop(size=300), Resize(size=224), CenterCrop(size=224)), "center_crop comes"),
        ((Pad(padding=4), Squash(size=224)), "pad comes before"),
        ((), "nothing in them scales"),
    ],
)
def test_transforms_that_count_pixels_of_the_original_are_refused(transforms, what):
    with pytest.raises(ParameterParsingError, match=f"picture_cache is 'resized', but .*{what}"):
        copy_side(transforms)

"""Torchvision's own transforms, which draw from the global generator, are the reference."""

import functools

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from imageloom import preprocessing as records
from imageloom.data.loading.transforms import apply_transforms

BILINEAR = v2.InterpolationMode.BILINEAR
SEEDS = range(12)


def random_crop(op):
    return v2.RandomCrop(op.size, padding=op.padding or None)


def random_affine(op):
    shift = (op.translate, op.translate) if op.translate else None
    return v2.RandomAffine(
        op.degrees,
        translate=shift,
        scale=(op.min_scale, op.max_scale),
        shear=op.shear or None,
        interpolation=BILINEAR,
    )


def random_resized_crop(op):
    return v2.RandomResizedCrop(
        op.size, scale=(op.min_scale, 1.0), interpolation=BILINEAR, antialias=True
    )


def rand_augment(op):
    return v2.RandAugment(op.num_ops, op.magnitude, interpolation=BILINEAR)


CASES = [
    (records.ColorJitter(), lambda _: v2.ColorJitter(0.4, 0.4, 0.4, 0.1)),
    (records.ColorJitter(hue=0.0), lambda _: v2.ColorJitter(0.4, 0.4, 0.4, 0.0)),
    (
        records.ColorJitter(brightness=0.0, contrast=1.0, hue=0.5),
        lambda _: v2.ColorJitter(0.0, 1.0, 0.4, 0.5),
    ),
    (records.RandomResizedCrop(size=40), random_resized_crop),
    (records.RandomResizedCrop(size=40, min_scale=1.0), random_resized_crop),
    (records.RandomCrop(size=30), random_crop),
    (records.RandomCrop(size=33, padding=4), random_crop),
    (records.RandomCrop(size=20, padding=90), random_crop),  # may hold no pixel of the picture
    (records.RandomCrop(size=200, padding=90), random_crop),  # may hold all of them
    (records.RandomHorizontalFlip(), lambda op: v2.RandomHorizontalFlip(op.p)),
    (records.RandomVerticalFlip(p=0.3), lambda op: v2.RandomVerticalFlip(op.p)),
    (
        records.RandomRotation(degrees=30.0),
        lambda op: v2.RandomRotation(op.degrees, interpolation=BILINEAR),
    ),
    (records.RandomAffine(degrees=45.0), random_affine),
    (
        records.RandomAffine(degrees=5.0, translate=0.3, min_scale=0.5, max_scale=1.5, shear=20.0),
        random_affine,
    ),
    (records.RandomGrayscale(p=0.5), lambda op: v2.RandomGrayscale(op.p)),
    (records.RandomPerspective(), lambda op: v2.RandomPerspective(op.distortion, p=op.p)),
    (
        records.RandomPerspective(p=1.0, distortion=1.0),
        lambda op: v2.RandomPerspective(op.distortion, p=op.p),
    ),
    (records.RandomErasing(p=0.8), lambda op: v2.RandomErasing(op.p, value=0.0)),
    (records.TrivialAugment(), lambda _: v2.TrivialAugmentWide(interpolation=BILINEAR)),
    (records.RandAugment(), rand_augment),
    (records.RandAugment(num_ops=5, magnitude=30), rand_augment),
]


def test_every_random_operation_is_compared():
    compared = {type(op) for op, _ in CASES}
    assert compared == {kind for kind in records_of_operations() if kind.is_random}


def records_of_operations():
    import typing

    return typing.get_args(typing.get_args(records.Operation)[0])


@pytest.mark.parametrize("layout", ["planes", "channels last"])
@pytest.mark.parametrize(
    ("op", "torchvisions"), CASES, ids=[f"{n} {op.kind}" for n, (op, _) in enumerate(CASES)]
)
def test_the_pixels_are_those_of_torchvisions_transform(op, torchvisions, layout):
    transform = torchvisions(op)
    for height, width in ((60, 80), (33, 120), (64, 33)):
        image_CHW = picture(height, width)
        laid_out = in_layout(image_CHW, layout)
        for seed in SEEDS:
            # Followed by another, so that a number too few or too many is seen.
            ours = apply_transforms(laid_out, (op, records.RandomHorizontalFlip()), seed)
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(seed)
                expected = v2.RandomHorizontalFlip()(transform(image_CHW))
            assert torch.equal(ours, expected)


@functools.cache
def picture(height, width):
    generator = np.random.default_rng(height * width)
    return torch.from_numpy(generator.integers(0, 256, (3, height, width), dtype=np.uint8))


def in_layout(image_CHW, layout):
    if layout == "planes":
        return image_CHW
    return image_CHW.permute(1, 2, 0).contiguous().permute(2, 0, 1)

import typing

import numpy as np
import pytest
import torch
from PIL import Image

from imageloom import preprocessing as records
from imageloom.data.loading.random_numbers import seed_of_sample
from imageloom.data.loading.transforms import apply_transforms
from imageloom.errors import InvalidDatasetError

OPERATIONS = typing.get_args(typing.get_args(records.Operation)[0])


def colourful_picture(height=90, width=120):
    """Different in each corner and channel, so that no operation can pass unseen."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (3, height, width), dtype=np.uint8)
    pixels[0, : height // 2] //= 4
    pixels[1, :, : width // 3] //= 2
    return torch.from_numpy(pixels)


# A setting at which each operation must change a picture.
STRONG = {
    "pad": {"padding": 3},
    "random_rotation": {"degrees": 45.0},
    "random_affine": {"degrees": 45.0},
    "random_grayscale": {"p": 1.0},
    "random_perspective": {"p": 1.0},
    "random_erasing": {"p": 1.0},
    "random_horizontal_flip": {"p": 1.0},
    "random_vertical_flip": {"p": 1.0},
    "random_crop": {"size": 64},
    "center_crop": {"size": 64},
}


@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.__name__)
def test_every_operation_really_does_something(kind):
    name = kind.model_fields["kind"].default
    picture = colourful_picture()
    operation = kind(**STRONG.get(name, {}))
    # Several: among what a policy may draw is that nothing is done.
    for changed in (apply_transforms(picture, (operation,), seed) for seed in range(3, 9)):
        assert changed.dtype == torch.uint8
        assert changed.shape[0] == 3
        if changed.shape != picture.shape or not torch.equal(changed, picture):
            return
    raise AssertionError(f"{name} changes nothing")


@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.__name__)
def test_random_operations_follow_their_seed_and_leave_the_global_generator_alone(kind):
    operation = kind(**STRONG.get(kind.model_fields["kind"].default, {}))
    picture = colourful_picture()
    before = torch.get_rng_state()
    results = [apply_transforms(picture, (operation,), seed) for seed in (1, 1, 2, 3, 4)]
    assert torch.equal(results[0], results[1])
    assert torch.equal(torch.get_rng_state(), before)
    fixed = ("random_horizontal_flip", "random_vertical_flip", "random_grayscale")
    differ = any(a.shape != results[0].shape or not torch.equal(a, results[0]) for a in results[2:])
    assert differ == (kind.is_random and operation.kind not in fixed)


@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.__name__)
def test_the_picture_given_is_not_changed(kind):
    picture = colourful_picture()
    copy = picture.clone()
    apply_transforms(picture, (kind(**STRONG.get(kind.model_fields["kind"].default, {})),), 1)
    assert torch.equal(picture, copy)


def test_output_size_predicts_the_real_size():
    lists = [
        (records.Resize(size=40), records.CenterCrop(size=32)),
        (records.RandomResizedCrop(size=48),),
        (records.Letterbox(size=50), records.Pad(padding=3)),
        (records.Squash(size=20), records.Resize(size=30)),
        (records.Resize(size=40), records.RandomCrop(size=40, padding=4)),
    ]
    for transforms in lists:
        size = records.output_size(transforms)
        assert apply_transforms(colourful_picture(), transforms, 1).shape == (3, size, size)
    assert records.output_size((records.Resize(size=40),)) is None


def test_letterbox_keeps_proportions_and_fills_with_grey():
    boxed = apply_transforms(
        torch.full((3, 50, 100), 200, dtype=torch.uint8), (records.Letterbox(size=64, fill=10),), 1
    )
    rows = boxed[0, :, 32]
    # 100 x 50 becomes 64 x 32: 16 rows of bars above and below.
    assert rows.tolist() == [10] * 16 + [200] * 32 + [10] * 16


def test_resize_is_close_to_pillows_own():
    pixels = np.asarray(Image.effect_mandelbrot((120, 90), (-2, -1, 1, 1), 50).convert("RGB"))
    ours = apply_transforms(
        torch.from_numpy(pixels.copy()).permute(2, 0, 1), (records.Squash(size=40),), 1
    )
    reference = Image.fromarray(pixels).resize((40, 40), Image.Resampling.BILINEAR)
    difference = np.abs(ours.permute(1, 2, 0).numpy().astype(int) - np.asarray(reference))
    assert difference.max() <= 2


def test_a_crop_larger_than_the_picture_is_refused_where_torchvision_pads_with_black():
    from torchvision.transforms import v2

    small = torch.full((3, 20, 20), 255, dtype=torch.uint8)
    assert (v2.CenterCrop(30)(small) == 0).any()
    with pytest.raises(InvalidDatasetError, match=r"center crop of 30 pixels .* 20 x 20"):
        apply_transforms(small, (records.CenterCrop(size=30),), 1)
    with pytest.raises(InvalidDatasetError, match="random crop of 22 pixels"):
        apply_transforms(small, (records.RandomCrop(size=30, padding=4),), 1)


def test_seeds_of_samples_do_not_repeat():
    seeds = {
        seed_of_sample(seed, epoch, position)
        for seed in (-1, 0, 1)
        for epoch in range(20)
        for position in range(200)
    }
    assert len(seeds) == 3 * 20 * 200
    assert all(0 <= seed < 2**63 for seed in seeds)

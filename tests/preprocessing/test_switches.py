"""Every switch of a transform list does what it says, and nothing else."""

import pytest
import torch

from imageloom import preprocessing as records
from imageloom.data.loading.transforms import apply_transforms
from imageloom.params import describe
from imageloom.preprocessing.switches import TransformationParams, chosen_transforms

SWITCHES = [one.name for one in describe(TransformationParams) if one.kind == "bool"]
ALL_OFF = TransformationParams.parse(dict.fromkeys(SWITCHES, False))
SIZES = ALL_OFF.replace(
    resize_size=20,
    center_crop_size=24,
    padding=3,
    random_resized_crop_size=20,
    random_crop_size=24,
    random_grayscale_probability=1.0,
)


def test_the_switches_stand_in_the_order_of_the_old_designer():
    assert SWITCHES == [
        "resize",
        "center_crop",
        "pad",
        "color_jitter",
        "grayscale",
        "random_resized_crop",
        "random_crop",
        "random_horizontal_flip",
        "random_vertical_flip",
        "random_rotation",
        "random_affine",
        "random_grayscale",
        "random_perspective",
        "random_erasing",
        "trivial_augment",  # from here on what it had not
        "rand_augment",
    ]


def test_the_defaults_are_those_of_the_old_designer():
    assert chosen_transforms(TransformationParams()) == (
        records.Resize(size=256),
        records.CenterCrop(size=224),
        records.RandomHorizontalFlip(p=0.5),
    )
    params = TransformationParams()
    assert params.padding == 0
    assert params.random_resized_crop_size == 256
    assert params.random_crop_size == 224
    assert params.random_grayscale_probability == 0.1
    assert params.random_perspective_probability == 0.5


def test_nothing_is_done_when_all_are_off():
    assert chosen_transforms(ALL_OFF) == ()


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_adds_the_operation_of_its_name(switch):
    (operation,) = chosen_transforms(ALL_OFF.replace(**{switch: True}))
    assert operation.kind == switch


@pytest.mark.parametrize("switch", SWITCHES)
def test_d07_a_switch_changes_pictures(switch):
    """In the old designer some switches did nothing."""
    transforms = chosen_transforms(SIZES.replace(**{switch: True}))
    generator = torch.Generator().manual_seed(0)
    image_CHW = torch.randint(0, 256, (3, 32, 32), generator=generator, dtype=torch.uint8)
    changed = [apply_transforms(image_CHW, transforms, seed) for seed in range(20)]
    assert any(not torch.equal(one, image_CHW) for one in changed)


@pytest.mark.parametrize(
    ("switch", "parameter", "field"),
    [
        ("resize", "resize_size", "size"),
        ("center_crop", "center_crop_size", "size"),
        ("pad", "padding", "padding"),
        ("random_resized_crop", "random_resized_crop_size", "size"),
        ("random_crop", "random_crop_size", "size"),
        ("random_rotation", "random_rotation_degrees", "degrees"),
        ("random_affine", "random_affine_degrees", "degrees"),
        ("random_grayscale", "random_grayscale_probability", "p"),
        ("random_perspective", "random_perspective_probability", "p"),
    ],
)
def test_a_size_or_strength_reaches_its_operation(switch, parameter, field):
    (operation,) = chosen_transforms(ALL_OFF.replace(**{switch: True, parameter: 1}))
    assert getattr(operation, field) == 1


def test_operations_keep_their_order():
    everything = TransformationParams.parse(dict.fromkeys(SWITCHES, True))
    assert [operation.kind for operation in chosen_transforms(everything)] == SWITCHES

"""A transform list chosen by switches, in the fixed order that users of the old designer know.

What the old designer had not comes last.
"""

import functools

from imageloom.params import Params, ShownWhen, parameter
from imageloom.preprocessing.operations import (
    MAX_SIZE,
    CenterCrop,
    ColorJitter,
    Grayscale,
    Operation,
    Pad,
    RandAugment,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomPerspective,
    RandomResizedCrop,
    RandomRotation,
    RandomVerticalFlip,
    Resize,
    Transforms,
    TrivialAugment,
)

_pixels = functools.partial(parameter, unit="pixels", ge=1, le=MAX_SIZE)
_degrees = functools.partial(parameter, unit="degrees", ge=0, le=180)
_probability = functools.partial(parameter, ge=0, le=1)


class TransformationParams(Params):
    """Which operations are applied, in this order, and their sizes and strengths."""

    resize: bool = parameter(
        True,
        help="Scale so that the shorter side has the resize size; the proportions stay.",
        section="Size",
    )
    resize_size: int = _pixels(
        256,
        help="Shorter side after the resize.",
        section="Size",
        shown_when=ShownWhen("resize"),
    )
    center_crop: bool = parameter(True, help="Cut a square out of the middle.", section="Size")
    center_crop_size: int = _pixels(
        224,
        help="Side of the square.",
        section="Size",
        shown_when=ShownWhen("center_crop"),
    )
    pad: bool = parameter(False, help="Add black pixels on each side.", section="Size")
    padding: int = _pixels(
        0,
        help="Pixels added on each side.",
        ge=0,
        section="Size",
        shown_when=ShownWhen("pad"),
    )
    color_jitter: bool = parameter(
        False,
        help="Change brightness, contrast, saturation and hue a little, at random.",
        section="Colour",
    )
    grayscale: bool = parameter(False, help="Remove the colour.", section="Colour")
    random_resized_crop: bool = parameter(
        False,
        help="Cut out a random part of any size and scale it to a square.",
        section="Random parts",
    )
    random_resized_crop_size: int = _pixels(
        256,
        help="Side of the square.",
        section="Random parts",
        shown_when=ShownWhen("random_resized_crop"),
    )
    random_crop: bool = parameter(
        False, help="Cut a square out at a random place.", section="Random parts"
    )
    random_crop_size: int = _pixels(
        224,
        help="Side of the square.",
        section="Random parts",
        shown_when=ShownWhen("random_crop"),
    )
    random_horizontal_flip: bool = parameter(
        True,
        help="Mirror left and right in half of the cases.",
        section="Random mirroring and turning",
    )
    random_vertical_flip: bool = parameter(
        False,
        help="Mirror top and bottom in half of the cases.",
        section="Random mirroring and turning",
    )
    random_rotation: bool = parameter(
        False,
        help="Turn by a random angle; corners become black.",
        section="Random mirroring and turning",
    )
    random_rotation_degrees: float = _degrees(
        10.0,
        help="Largest angle, to either side.",
        section="Random mirroring and turning",
        shown_when=ShownWhen("random_rotation"),
    )
    random_affine: bool = parameter(
        False,
        help="Turn by a random angle once more, as an affine map.",
        section="Random mirroring and turning",
    )
    random_affine_degrees: float = _degrees(
        10.0,
        help="Largest angle, to either side.",
        section="Random mirroring and turning",
        shown_when=ShownWhen("random_affine"),
    )
    random_grayscale: bool = parameter(
        False, help="Remove the colour at random.", section="Random changes"
    )
    random_grayscale_probability: float = _probability(
        0.1,
        help="How often the colour is removed.",
        section="Random changes",
        shown_when=ShownWhen("random_grayscale"),
    )
    random_perspective: bool = parameter(
        False, help="Tilt the picture at random.", section="Random changes"
    )
    random_perspective_probability: float = _probability(
        0.5,
        help="How often the picture is tilted.",
        section="Random changes",
        shown_when=ShownWhen("random_perspective"),
    )
    random_erasing: bool = parameter(
        False, help="Black out a random rectangle in half the cases.", section="Random changes"
    )
    trivial_augment: bool = parameter(
        False,
        help="Change shape or colour by one operation of any strength (TrivialAugment).",
        section="Random changes",
    )
    rand_augment: bool = parameter(
        False,
        help="Change shape or colour by some operations of one strength (RandAugment).",
        section="Random changes",
    )
    rand_augment_operations: int = parameter(
        2,
        help="How many operations, one after the other.",
        ge=1,
        le=16,
        section="Random changes",
        shown_when=ShownWhen("rand_augment"),
    )
    rand_augment_magnitude: int = parameter(
        9,
        help="Their strength, from 0, none, to 30.",
        ge=0,
        le=30,
        section="Random changes",
        shown_when=ShownWhen("rand_augment"),
    )


def chosen_transforms(params: TransformationParams) -> Transforms:
    """Return the operations that are switched on, in the order of the parameters."""
    rand_augment = RandAugment(
        num_ops=params.rand_augment_operations, magnitude=params.rand_augment_magnitude
    )
    operations: tuple[tuple[bool, Operation], ...] = (
        (params.resize, Resize(size=params.resize_size)),
        (params.center_crop, CenterCrop(size=params.center_crop_size)),
        (params.pad, Pad(padding=params.padding)),
        (params.color_jitter, ColorJitter()),
        (params.grayscale, Grayscale()),
        (params.random_resized_crop, RandomResizedCrop(size=params.random_resized_crop_size)),
        (params.random_crop, RandomCrop(size=params.random_crop_size)),
        (params.random_horizontal_flip, RandomHorizontalFlip()),
        (params.random_vertical_flip, RandomVerticalFlip()),
        (params.random_rotation, RandomRotation(degrees=params.random_rotation_degrees)),
        (params.random_affine, RandomAffine(degrees=params.random_affine_degrees)),
        (params.random_grayscale, RandomGrayscale(p=params.random_grayscale_probability)),
        (params.random_perspective, RandomPerspective(p=params.random_perspective_probability)),
        (params.random_erasing, RandomErasing()),
        (params.trivial_augment, TrivialAugment()),
        (params.rand_augment, rand_augment),
    )
    return tuple(operation for is_on, operation in operations if is_on)

"""A transform list chosen by switches, in the fixed order that users of the old designer know."""

from imageloom.params import Params, parameter
from imageloom.preprocessing.operations import (
    MAX_SIZE,
    CenterCrop,
    ColorJitter,
    Grayscale,
    Operation,
    Pad,
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
)


class TransformationParams(Params):
    """Which operations are applied, in this order, and their sizes and strengths."""

    resize: bool = parameter(
        True, help="Scale so that the shorter side has the resize size; the proportions stay."
    )
    resize_size: int = parameter(
        256, help="Shorter side after the resize.", unit="pixels", ge=1, le=MAX_SIZE
    )
    center_crop: bool = parameter(True, help="Cut a square out of the middle.")
    center_crop_size: int = parameter(
        224, help="Side of the square.", unit="pixels", ge=1, le=MAX_SIZE
    )
    pad: bool = parameter(False, help="Add black pixels on each side.")
    padding: int = parameter(0, help="Pixels added on each side.", unit="pixels", ge=0, le=MAX_SIZE)
    color_jitter: bool = parameter(
        False, help="Change brightness, contrast, saturation and hue a little, at random."
    )
    grayscale: bool = parameter(False, help="Remove the colour.")
    random_resized_crop: bool = parameter(
        False, help="Cut out a random part of any size and scale it to a square."
    )
    random_resized_crop_size: int = parameter(
        256, help="Side of the square.", unit="pixels", ge=1, le=MAX_SIZE
    )
    random_crop: bool = parameter(False, help="Cut a square out at a random place.")
    random_crop_size: int = parameter(
        224, help="Side of the square.", unit="pixels", ge=1, le=MAX_SIZE
    )
    random_horizontal_flip: bool = parameter(
        True, help="Mirror left and right in half of the cases."
    )
    random_vertical_flip: bool = parameter(
        False, help="Mirror top and bottom in half of the cases."
    )
    random_rotation: bool = parameter(False, help="Turn by a random angle; corners become black.")
    random_rotation_degrees: float = parameter(
        10.0, help="Largest angle, to either side.", unit="degrees", ge=0, le=180
    )
    random_affine: bool = parameter(
        False, help="Turn by a random angle once more, as an affine map."
    )
    random_affine_degrees: float = parameter(
        10.0, help="Largest angle, to either side.", unit="degrees", ge=0, le=180
    )
    random_grayscale: bool = parameter(False, help="Remove the colour at random.")
    random_grayscale_probability: float = parameter(
        0.1, help="How often the colour is removed.", ge=0, le=1
    )
    random_perspective: bool = parameter(False, help="Tilt the picture at random.")
    random_perspective_probability: float = parameter(
        0.5, help="How often the picture is tilted.", ge=0, le=1
    )
    random_erasing: bool = parameter(False, help="Black out a random rectangle in half the cases.")


def chosen_transforms(params: TransformationParams) -> Transforms:
    """Return the operations that are switched on, in the order of the parameters."""
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
    )
    return tuple(operation for is_on, operation in operations if is_on)

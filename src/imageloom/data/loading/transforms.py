"""Apply a transform list to one picture.

The functions that change pixels are torchvision's; this file and its neighbour say which one each
record of ``imageloom.preprocessing`` stands for. Random numbers come from a seed of the picture's
own, so that its pixels depend on seed, epoch and picture and on nothing else.

Legend: C channels, H height, W width.
"""

from collections.abc import Callable
from typing import Any, Final

import torch

from imageloom import preprocessing as records
from imageloom.data.loading import augmentation_policies as policies
from imageloom.data.loading import random_operations as random
from imageloom.data.loading.pixel_functions import F
from imageloom.data.loading.random_numbers import Draw
from imageloom.data.loading.resize import resized


def apply_transforms(
    image_CHW: torch.Tensor, transforms: records.Transforms, sample_seed: int
) -> torch.Tensor:
    """Return the picture after all operations, in order.

    Args:
        image_CHW: uint8, 0 to 255, C = 3. It is not changed.
        transforms: The operations.
        sample_seed: Start of this picture's random numbers (``seed_of_sample``). Torch's global
            generator is left as it was.

    Returns:
        uint8, C = 3; it may share its memory with ``image_CHW``.

    Raises:
        InvalidDatasetError: A crop is larger than the picture.
    """
    return apply_drawn(image_CHW, transforms, Draw(sample_seed))


def apply_drawn(
    image_CHW: torch.Tensor, transforms: records.Transforms, draw: Draw
) -> torch.Tensor:
    """Do as ``apply_transforms``, with random numbers of which some may have been drawn before.

    Args:
        image_CHW: As there.
        transforms: As there.
        draw: What random operations draw from.

    Raises:
        InvalidDatasetError: A crop is larger than the picture.
    """
    for operation in transforms:
        if operation.is_random:
            image_CHW = _RANDOM[operation.kind](operation, image_CHW, draw)
        else:
            image_CHW = _FIXED[operation.kind](operation, image_CHW)
    return image_CHW


def _resize(operation: records.Resize, image_CHW: torch.Tensor) -> torch.Tensor:
    return resized(image_CHW, [operation.size])


def _squash(operation: records.Squash, image_CHW: torch.Tensor) -> torch.Tensor:
    return resized(image_CHW, [operation.size, operation.size])


def _letterbox(operation: records.Letterbox, image_CHW: torch.Tensor) -> torch.Tensor:
    height, width = image_CHW.shape[-2:]
    scale = operation.size / max(height, width)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    left, top = (operation.size - new_width) // 2, (operation.size - new_height) // 2
    right, bottom = operation.size - new_width - left, operation.size - new_height - top
    padded: torch.Tensor = F.pad(
        resized(image_CHW, [new_height, new_width]),
        [left, top, right, bottom],
        fill=[float(operation.fill)],
    )
    return padded


def _center_crop(operation: records.CenterCrop, image_CHW: torch.Tensor) -> torch.Tensor:
    # torchvision pads a picture that is too small with black and says nothing.
    random.require_size(image_CHW, operation.size, "center crop")
    cropped: torch.Tensor = F.center_crop(image_CHW, [operation.size, operation.size])
    return cropped


def _pad(operation: records.Pad, image_CHW: torch.Tensor) -> torch.Tensor:
    padded: torch.Tensor = F.pad(image_CHW, [operation.padding] * 4, fill=operation.fill)
    return padded


def _grayscale(_: records.Grayscale, image_CHW: torch.Tensor) -> torch.Tensor:
    grey: torch.Tensor = F.rgb_to_grayscale(image_CHW, 3)
    return grey


# One entry per record; a test over the registry of records fails when one is missing.
_FIXED: Final[dict[str, Callable[..., torch.Tensor]]] = {
    "resize": _resize,
    "squash": _squash,
    "letterbox": _letterbox,
    "center_crop": _center_crop,
    "pad": _pad,
    "grayscale": _grayscale,
}
_RANDOM: Final[dict[str, Callable[[Any, torch.Tensor, Draw], torch.Tensor]]] = {
    "color_jitter": random.color_jitter,
    "random_resized_crop": random.random_resized_crop,
    "random_crop": random.random_crop,
    "random_horizontal_flip": random.random_horizontal_flip,
    "random_vertical_flip": random.random_vertical_flip,
    "random_rotation": random.random_rotation,
    "random_affine": random.random_affine,
    "random_grayscale": random.random_grayscale,
    "random_perspective": random.random_perspective,
    "random_erasing": random.random_erasing,
    "trivial_augment": policies.trivial_augment,
    "rand_augment": policies.rand_augment,
}

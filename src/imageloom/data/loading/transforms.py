"""Apply a transform list to one picture.

The operations are torchvision's; this file says which one each record of
``imageloom.preprocessing`` stands for, and draws their random numbers from a seed of their own, so
that a picture's pixels depend on seed, epoch and picture and on nothing else.

Legend: C channels, H height, W width.
"""

import functools
import hashlib
import struct
from collections.abc import Callable
from typing import Final

import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from imageloom import preprocessing as records
from imageloom.errors import InvalidDatasetError

Apply = Callable[[torch.Tensor], torch.Tensor]
_BILINEAR: Final = v2.InterpolationMode.BILINEAR


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
        uint8, C = 3, contiguous.

    Raises:
        InvalidDatasetError: A crop is larger than the picture.
    """
    if not any(operation.is_random for operation in transforms):
        return _apply_all(image_CHW, transforms)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(sample_seed)
        return _apply_all(image_CHW, transforms)


def seed_of_sample(seed: int, epoch: int, position: int) -> int:
    """Return the start of one picture's random numbers in one epoch, 0 to 2**63 - 1.

    A cryptographic hash keeps neighbouring epochs and positions unrelated.
    """
    key = struct.pack("<QQQ", seed & (2**64 - 1), epoch, position)
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") >> 1


def _apply_all(image_CHW: torch.Tensor, transforms: records.Transforms) -> torch.Tensor:
    for operation in transforms:
        image_CHW = _callable_for(operation)(image_CHW)
    return image_CHW.contiguous()


@functools.lru_cache(maxsize=256)
def _callable_for(operation: records.Operation) -> Apply:
    return _BUILDERS[operation.kind](operation)


def _letterbox(operation: records.Letterbox) -> Apply:
    def apply(image_CHW: torch.Tensor) -> torch.Tensor:
        height, width = image_CHW.shape[-2:]
        scale = operation.size / max(height, width)
        new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
        image_CHW = F.resize(
            image_CHW, [new_height, new_width], interpolation=_BILINEAR, antialias=True
        )
        left, top = (operation.size - new_width) // 2, (operation.size - new_height) // 2
        right, bottom = operation.size - new_width - left, operation.size - new_height - top
        padded: torch.Tensor = F.pad(
            image_CHW, [left, top, right, bottom], fill=[float(operation.fill)]
        )
        return padded

    return apply


def _center_crop(operation: records.CenterCrop) -> Apply:
    crop = v2.CenterCrop(operation.size)

    def apply(image_CHW: torch.Tensor) -> torch.Tensor:
        # torchvision pads a picture that is too small with black and says nothing.
        _require_size(image_CHW, operation.size, "center crop")
        cropped: torch.Tensor = crop(image_CHW)
        return cropped

    return apply


def _random_crop(operation: records.RandomCrop) -> Apply:
    crop = v2.RandomCrop(operation.size, padding=operation.padding or None)

    def apply(image_CHW: torch.Tensor) -> torch.Tensor:
        _require_size(image_CHW, operation.size - 2 * operation.padding, "random crop")
        cropped: torch.Tensor = crop(image_CHW)
        return cropped

    return apply


def _require_size(image_CHW: torch.Tensor, size: int, what: str) -> None:
    height, width = image_CHW.shape[-2:]
    if min(height, width) < size:
        raise InvalidDatasetError(
            f"A {what} of {size} pixels does not fit into a picture of {width} x {height}.",
            hint="Put a resize before the crop, or make the crop smaller.",
            reason="crop-too-large",
        )


def _random_affine(operation: records.RandomAffine) -> Apply:
    shift = (operation.translate, operation.translate) if operation.translate else None
    affine: Apply = v2.RandomAffine(
        operation.degrees,
        translate=shift,
        scale=(operation.min_scale, operation.max_scale),
        shear=operation.shear or None,
        interpolation=_BILINEAR,
    )
    return affine


# One entry per record; a test over the registry of records fails when one is missing.
_BUILDERS: Final[dict[str, Callable[..., Apply]]] = {
    "resize": lambda op: v2.Resize(op.size, interpolation=_BILINEAR, antialias=True),
    "squash": lambda op: v2.Resize((op.size, op.size), interpolation=_BILINEAR, antialias=True),
    "letterbox": _letterbox,
    "center_crop": _center_crop,
    "pad": lambda op: v2.Pad(op.padding, fill=op.fill),
    "color_jitter": lambda op: v2.ColorJitter(op.brightness, op.contrast, op.saturation, op.hue),
    "grayscale": lambda _: v2.Grayscale(num_output_channels=3),
    "random_resized_crop": lambda op: v2.RandomResizedCrop(
        op.size, scale=(op.min_scale, 1.0), interpolation=_BILINEAR, antialias=True
    ),
    "random_crop": _random_crop,
    "random_horizontal_flip": lambda op: v2.RandomHorizontalFlip(op.p),
    "random_vertical_flip": lambda op: v2.RandomVerticalFlip(op.p),
    "random_rotation": lambda op: v2.RandomRotation(op.degrees, interpolation=_BILINEAR),
    "random_affine": _random_affine,
    "random_grayscale": lambda op: v2.RandomGrayscale(op.p),
    "random_perspective": lambda op: v2.RandomPerspective(op.distortion, p=op.p),
    "random_erasing": lambda op: v2.RandomErasing(op.p, value=0.0),
}

"""A file of a stranger as a network sees it: decoded with care, then through the transforms.

Legend: C channels, H height, W width.
"""

from pathlib import Path

import torch

from imageloom.data.decoding.decode import UnreadablePictureError, decode_rgb, examine_picture
from imageloom.data.decoding.pixel_limits import PILLOW_MAX_PIXELS
from imageloom.data.loading.transforms import apply_transforms
from imageloom.errors import InvalidDatasetError
from imageloom.preprocessing import Transforms


def seen_file(path: Path, transforms: Transforms) -> torch.Tensor:
    """Return a file's pixels after the transforms: uint8 [3, H, W].

    Raises:
        InvalidDatasetError: It is no plain file, cannot be read or decoded, or is smaller than a
            crop.
    """
    if path.exists() and not path.is_file():  # a pipe would be waited for, perhaps for ever
        raise InvalidDatasetError(
            f"{path} is no plain file.",
            hint="'imageloom score' scores whole folders, with --labels none also nested ones."
            if path.is_dir()
            else "",
            reason="not-a-plain-file",
        )
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        raise InvalidDatasetError(
            f"{path} cannot be read: {getattr(problem, 'strerror', problem)}.", reason="unreadable"
        ) from problem
    return seen_content(content, str(path), transforms)


def seen_content(
    content: bytes, name: str, transforms: Transforms, *, max_pixels: int = PILLOW_MAX_PIXELS
) -> torch.Tensor:
    """Return the pixels of a file's content after the transforms: uint8 [3, H, W].

    Args:
        content: Of a file that nobody has looked at before.
        name: What the file is called in messages.
        transforms: Those of a trained model; none is random.
        max_pixels: Width times height above which it is refused from its header alone.

    Raises:
        InvalidDatasetError: It cannot be decoded, or is smaller than a crop.
    """
    try:
        examine_picture(content, max_pixels=max_pixels)
        decoded_CHW = decode_rgb(content)
    except OSError as problem:
        raise InvalidDatasetError(
            f"{name} cannot be read: {getattr(problem, 'strerror', problem)}.", reason="unreadable"
        ) from problem
    except UnreadablePictureError as problem:
        raise InvalidDatasetError(
            f"{name} {problem.reason}.", hint=problem.hint, reason="unreadable"
        ) from problem
    return apply_transforms(decoded_CHW, transforms, 0)

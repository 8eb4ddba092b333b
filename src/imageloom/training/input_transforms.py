"""The transforms of a training run: those the pictures carry, or a default for their size."""

from typing import Final

import numpy as np

from imageloom.data.images.directory import ImageDirectory
from imageloom.errors import InvalidDatasetError, ParameterParsingError
from imageloom.preprocessing import (
    CenterCrop,
    Letterbox,
    Operation,
    RandAugment,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    Resize,
    Squash,
    Transforms,
    TrivialAugment,
    inference_form,
    output_size,
)
from imageloom.training.params import TrainParams

DEFAULT_SIZE: Final = 224
LEAST_DEFAULT_SIZE: Final = 32
_POLICIES: Final[dict[str, Transforms]] = {
    "trivialaugment": (TrivialAugment(),),
    "randaugment": (RandAugment(),),
}
SMALL: Final = 64  # up to here a picture's border matters too much to be cut away


def choose_transforms(
    training: ImageDirectory, validation: ImageDirectory, params: TrainParams
) -> tuple[Transforms, Transforms]:
    """Return the transforms for training and for inference.

    Transforms that the training pictures carry win over ``image_size``, ``fit`` and
    ``augmentation``. Validation uses the inference form of those its own pictures carry, else of
    the training pictures'.

    Raises:
        InvalidDatasetError: A carried list ends in no fixed size, or the two end in different
            sizes.
        ParameterParsingError: ``image_size`` is given and the training pictures carry transforms.
    """
    if training.transforms is None:
        size = params.image_size or default_size(training)
        return _default_training(size, params), _default_inference(size, params)
    if params.image_size is not None:
        raise ParameterParsingError(
            f"image_size is {params.image_size}, but the training pictures carry transforms of "
            "their own.",
            hint="Leave --image-size (image_size) out, or train on pictures without transforms.",
            details={"parameter": "image_size", "value": params.image_size},
        )
    carried = training.transforms
    inference = inference_form(carried if validation.transforms is None else validation.transforms)
    sizes = output_size(carried), output_size(inference)
    if sizes[0] is None or sizes[1] is None or sizes[0] != sizes[1]:
        raise InvalidDatasetError(
            "The transforms must end in one size for training and validation, but end in "
            f"{_size_text(sizes[0])} and {_size_text(sizes[1])}.",
            hint="End both lists with a crop, letterbox or squash of the same size.",
            reason="open-size",
        )
    return carried, inference


def default_size(images: ImageDirectory) -> int:
    """Return the input size for pictures that ask for none.

    It is 224, or the median of the pictures' shorter sides when that is smaller, but at least 32.
    """
    shorter = np.minimum(
        images.index.column("width").to_numpy(), images.index.column("height").to_numpy()
    )
    return int(min(DEFAULT_SIZE, max(LEAST_DEFAULT_SIZE, np.median(shorter))))


def _size_text(size: int | None) -> str:
    return "no fixed size" if size is None else f"{size} pixels"


def _default_inference(size: int, params: TrainParams) -> Transforms:
    if params.fit == "letterbox":
        return (Letterbox(size=size),)
    if params.fit == "squash":
        return (Squash(size=size),)
    # 256 and 224 are the published pair (He et al. 2015, section 3.4); others keep its ratio.
    resized = size if size <= SMALL else round(size * 256 / 224)
    return (Resize(size=resized), CenterCrop(size=size))


def _default_training(size: int, params: TrainParams) -> Transforms:
    if params.augmentation == "none":
        return _default_inference(size, params)
    # After the crop, as in torchvision's training script, so that fewer pixels are changed.
    return (*_random_parts(size, params), *_POLICIES.get(params.augmentation, ()))


def _random_parts(size: int, params: TrainParams) -> Transforms:
    """Return which part of a picture is seen, and whether it is mirrored."""
    mirrors = params.augmentation != "light"
    if mirrors and params.fit == "crop" and size > SMALL:
        return (RandomResizedCrop(size=size, min_scale=0.25), RandomHorizontalFlip())
    # Shifts by an eighth: Lee et al. 2014, Deeply-Supervised Nets (4 of 32 pixels).
    fitted: dict[str, Operation] = {
        "crop": Resize(size=size),
        "letterbox": Letterbox(size=size),
        "squash": Squash(size=size),
    }
    operations = [fitted[params.fit]]
    operations.append(RandomCrop(size=size, padding=max(1, size // 8)))
    if mirrors:
        operations.append(RandomHorizontalFlip())
    return tuple(operations)

"""What turns a picture into a network's input, as data: class list, transforms, normalisation.

These records travel together from the image directory through the checkpoint to the score table
and the export, so that training, scoring and a page preview cannot disagree. Nothing here touches
a pixel: ``imageloom.data.transforms`` applies the operations.
"""

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from imageloom.errors import ImageloomError, InvalidDatasetError

MIN_SIZE: Final = 1
MAX_SIZE: Final = 8192

Size = Annotated[int, Field(ge=MIN_SIZE, le=MAX_SIZE)]
Probability = Annotated[float, Field(ge=0, le=1, strict=False)]
Fraction = Annotated[float, Field(ge=0, le=1, strict=False)]


class _Operation(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    is_random: ClassVar[bool] = False


class Resize(_Operation):
    """Scale so that the shorter side has ``size`` pixels; the proportions stay."""

    kind: Literal["resize"] = "resize"
    size: Size = 256


class Squash(_Operation):
    """Scale to ``size`` x ``size`` pixels; the proportions change, nothing is cut off."""

    kind: Literal["squash"] = "squash"
    size: Size = 224


class Letterbox(_Operation):
    """Scale so that the longer side has ``size`` pixels and fill up to a square.

    ``fill`` is the grey level of the bars, 0 to 255.
    """

    kind: Literal["letterbox"] = "letterbox"
    size: Size = 224
    fill: Annotated[int, Field(ge=0, le=255)] = 114


class CenterCrop(_Operation):
    """Cut ``size`` x ``size`` pixels out of the middle."""

    kind: Literal["center_crop"] = "center_crop"
    size: Size = 224


class Pad(_Operation):
    """Add ``padding`` pixels of grey level ``fill`` on each side."""

    kind: Literal["pad"] = "pad"
    padding: Annotated[int, Field(ge=0, le=MAX_SIZE)] = 0
    fill: Annotated[int, Field(ge=0, le=255)] = 0


class ColorJitter(_Operation):
    """Change brightness, contrast, saturation and hue by random amounts.

    Factors are drawn from [1 - x, 1 + x]; the hue shift from [-hue, hue] turns of the colour
    circle, so at most 0.5.
    """

    is_random: ClassVar[bool] = True
    kind: Literal["color_jitter"] = "color_jitter"
    brightness: Fraction = 0.4
    contrast: Fraction = 0.4
    saturation: Fraction = 0.4
    hue: Annotated[float, Field(ge=0, le=0.5, strict=False)] = 0.1


class Grayscale(_Operation):
    """Remove the colour; the picture keeps three channels."""

    kind: Literal["grayscale"] = "grayscale"


class RandomResizedCrop(_Operation):
    """Cut out a random part and scale it to ``size`` x ``size`` pixels.

    The part covers a share of the area between ``min_scale`` and 1, with proportions between
    3:4 and 4:3.

    Source:
        Szegedy et al. 2015, Going Deeper with Convolutions, section 6.
    """

    is_random: ClassVar[bool] = True
    kind: Literal["random_resized_crop"] = "random_resized_crop"
    size: Size = 256
    min_scale: Annotated[float, Field(gt=0, le=1, strict=False)] = 0.08


class RandomCrop(_Operation):
    """Cut out ``size`` x ``size`` pixels at a random place, after padding each side."""

    is_random: ClassVar[bool] = True
    kind: Literal["random_crop"] = "random_crop"
    size: Size = 224
    padding: Annotated[int, Field(ge=0, le=MAX_SIZE)] = 0


class RandomHorizontalFlip(_Operation):
    """Mirror left and right with probability ``p``."""

    is_random: ClassVar[bool] = True
    kind: Literal["random_horizontal_flip"] = "random_horizontal_flip"
    p: Probability = 0.5


class RandomVerticalFlip(_Operation):
    """Mirror top and bottom with probability ``p``."""

    is_random: ClassVar[bool] = True
    kind: Literal["random_vertical_flip"] = "random_vertical_flip"
    p: Probability = 0.5


class RandomRotation(_Operation):
    """Turn by an angle drawn from [-degrees, degrees]; corners become black."""

    is_random: ClassVar[bool] = True
    kind: Literal["random_rotation"] = "random_rotation"
    degrees: Annotated[float, Field(ge=0, le=180, strict=False)] = 10.0


class RandomAffine(_Operation):
    """Turn, shift, scale and shear by random amounts; corners become black.

    ``translate`` is a share of the side length, ``shear`` is in degrees.
    """

    is_random: ClassVar[bool] = True
    kind: Literal["random_affine"] = "random_affine"
    degrees: Annotated[float, Field(ge=0, le=180, strict=False)] = 10.0
    translate: Fraction = 0.0
    min_scale: Annotated[float, Field(gt=0, le=10, strict=False)] = 1.0
    max_scale: Annotated[float, Field(gt=0, le=10, strict=False)] = 1.0
    shear: Annotated[float, Field(ge=0, le=80, strict=False)] = 0.0


class RandomGrayscale(_Operation):
    """Remove the colour with probability ``p``."""

    is_random: ClassVar[bool] = True
    kind: Literal["random_grayscale"] = "random_grayscale"
    p: Probability = 0.1


class RandomPerspective(_Operation):
    """Tilt the picture with probability ``p``; ``distortion`` is how far corners may move."""

    is_random: ClassVar[bool] = True
    kind: Literal["random_perspective"] = "random_perspective"
    p: Probability = 0.5
    distortion: Fraction = 0.5


class RandomErasing(_Operation):
    """Black out a random rectangle of 2 to 33 % of the area with probability ``p``.

    Source:
        Zhong et al. 2017, Random Erasing Data Augmentation.
    """

    is_random: ClassVar[bool] = True
    kind: Literal["random_erasing"] = "random_erasing"
    p: Probability = 0.5


Operation = Annotated[
    Resize
    | Squash
    | Letterbox
    | CenterCrop
    | Pad
    | ColorJitter
    | Grayscale
    | RandomResizedCrop
    | RandomCrop
    | RandomHorizontalFlip
    | RandomVerticalFlip
    | RandomRotation
    | RandomAffine
    | RandomGrayscale
    | RandomPerspective
    | RandomErasing,
    Field(discriminator="kind"),
]

Transforms = tuple[Operation, ...]
_TRANSFORMS: TypeAdapter[Transforms] = TypeAdapter(Transforms)


def transforms_to_json(transforms: Transforms) -> list[dict[str, object]]:
    """Return a transform list as plain JSON values."""
    return [operation.model_dump() for operation in transforms]


def transforms_from_json(content: object, error: type[ImageloomError]) -> Transforms:
    """Read a transform list that may come from a stranger.

    Raises:
        ImageloomError: Of class ``error``: not a list, an unknown operation, or a value out of
            range; the message names the operation and the field.
    """
    try:
        # JSON has lists where we have tuples, so the outer container is read leniently.
        return _TRANSFORMS.validate_python(content, strict=False)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise error(
            f"The transform list cannot be used: {where}: {first['msg']}.",
            hint="Make it with 'Init Image Transformation'; see docs/reference/transforms.md.",
            reason="bad-transforms",
        ) from problem


def output_size(transforms: Transforms) -> int | None:
    """Return the side of the square that the list always ends with, or None if sizes can vary."""
    size: int | None = None
    for operation in transforms:
        if isinstance(operation, Resize):
            size = operation.size if size is not None else None
        elif isinstance(operation, Pad) and size is not None:
            size += 2 * operation.padding
        elif isinstance(
            operation, Squash | Letterbox | CenterCrop | RandomResizedCrop | RandomCrop
        ):
            size = operation.size
    return size


def inference_form(transforms: Transforms) -> Transforms:
    """Return the list without its random operations, ending in the same size.

    A random crop decides the size of its output, so it cannot just be dropped: it becomes the
    crop of the middle. ``RandomResizedCrop`` becomes a resize to 256/224 of the size and a crop of
    the middle, which is how networks trained with it are tested (He et al. 2015, section 3.4,
    uses 256 and 224); at 64 pixels and below, where the border matters, a plain resize.
    """
    kept: list[Operation] = []
    for operation in transforms:
        if isinstance(operation, RandomResizedCrop):
            size = operation.size
            kept.append(Resize(size=size if size <= 64 else round(size * 256 / 224)))
            kept.append(CenterCrop(size=size))
        elif isinstance(operation, RandomCrop):
            kept.append(CenterCrop(size=operation.size))
        elif not operation.is_random:
            kept.append(operation)
    return tuple(kept)


class Normalisation(BaseModel):
    """Mean and standard deviation per RGB channel, for pixel values scaled to 0..1."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[
        Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]
    ] = (0.229, 0.224, 0.225)


IMAGENET_NORMALISATION: Final = Normalisation()


class Preprocessing(BaseModel):
    """How a trained network's input is made from a decoded picture.

    Attributes:
        transforms: The inference form: no random operation, always ending in one square size.
        normalisation: Applied after the transforms, on the device.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    transforms: Transforms
    normalisation: Normalisation

    @property
    def input_size(self) -> int:
        """Side of the network's square input, in pixels."""
        size = output_size(self.transforms)
        assert size is not None, "preprocessing_from_json and train() refuse open sizes"
        return size

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "transforms": transforms_to_json(self.transforms),
            "normalisation": {
                "mean": list(self.normalisation.mean),
                "std": list(self.normalisation.std),
            },
        }


def preprocessing_from_json(content: object, error: type[ImageloomError]) -> Preprocessing:
    """Read a preprocessing record that may come from a stranger.

    Raises:
        ImageloomError: Of class ``error``: a part is missing or wrong, an operation is random, or
            the list does not end in one size.
    """
    if not isinstance(content, Mapping) or set(content) != {"transforms", "normalisation"}:
        raise error(
            "The preprocessing record needs exactly 'transforms' and 'normalisation'.",
            reason="bad-preprocessing",
        )
    transforms = transforms_from_json(content["transforms"], error)
    try:
        normalisation = Normalisation.model_validate(content["normalisation"])
    except ValidationError as problem:
        raise error(
            f"The normalisation cannot be used: {problem.errors()[0]['msg']}.",
            reason="bad-preprocessing",
        ) from problem
    if output_size(transforms) is None or inference_form(transforms) != transforms:
        raise error(
            "The preprocessing record must end in one size and hold no random operation.",
            reason="bad-preprocessing",
        )
    return Preprocessing(transforms=transforms, normalisation=normalisation)


def check_class_names(names: Sequence[str], error: type[ImageloomError]) -> tuple[str, ...]:
    """Return class names as a tuple, or say what is wrong with them.

    Names are text for ever: ``007``, ``NA`` and ``1e5`` stay as they are.

    Raises:
        ImageloomError: Of class ``error``: an empty or blank name, ``.`` or ``..``, a name that
            stands twice, or two that a person cannot tell apart (``Cat`` and ``cat``, or one
            name in two Unicode forms).
    """
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str) or not name.strip() or name in (".", ".."):
            raise error(
                f"{name!r} cannot be the name of a class.",
                hint="Give every class a name with at least one visible character.",
                reason="bad-class-name",
            )
        twin = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if twin != name:
            raise error(
                f"The classes {twin!r} and {name!r} differ only in {_difference(twin, name)}.",
                hint="Rename one of the two, or merge them.",
                reason="twin-classes",
                details={"classes": [twin, name]},
            )
    if len(set(names)) != len(names):
        repeated = sorted(name for name, count in Counter(names).items() if count > 1)
        raise error(f"Class names stand twice: {repeated[:5]}.", reason="repeated-class")
    return tuple(names)


def _difference(one: str, other: str) -> str:
    same_form = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    return "their Unicode form (NFC and NFD)" if same_form else "upper and lower case"


def check_same_classes(training: Sequence[str], other: Sequence[str], *, what: str) -> None:
    """Refuse a second class list that is not the same set as the training one.

    Args:
        training: Classes of the training pictures, or of a model.
        other: Classes of the other pictures.
        what: What the other pictures are, as in ``the validation pictures``.

    Raises:
        InvalidDatasetError: The sets differ; the message names the classes.
    """
    missing = sorted(set(training) - set(other))
    extra = sorted(set(other) - set(training))
    if not missing and not extra:
        return
    parts = []
    if missing:
        parts.append(f"lack {_some(missing)}")
    if extra:
        parts.append(f"have {_some(extra)}, which training lacks")
    raise InvalidDatasetError(
        f"{what[0].upper()}{what[1:]} {' and '.join(parts)}.",
        hint="Both need the same classes: add pictures, remove the class, or split one folder "
        "with 'imageloom data split', which keeps every class on both sides.",
        reason="classes-differ",
        details={"missing": missing[:100], "extra": extra[:100]},
    )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"the class{'es' if len(names) > 1 else ''} {shown}{more}"


def digest_of_json(content: object) -> str:
    """Return the SHA-256 of a JSON value in canonical form, as 64 hexadecimal digits."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()

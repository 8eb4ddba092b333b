"""The operations of a transform list, as data. ``imageloom.data.loading`` applies them."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

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


class TrivialAugment(_Operation):
    """Change the picture by one operation, drawn with its strength from a wide space.

    The operations are shears, shifts, turns, brightness, saturation, contrast, sharpness, fewer
    grey levels, solarisation, automatic contrast, equalisation, or none.

    Source:
        Mueller and Hutter 2021, TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation.
    """

    is_random: ClassVar[bool] = True
    kind: Literal["trivial_augment"] = "trivial_augment"


class RandAugment(_Operation):
    """Change the picture by ``num_ops`` operations of one strength, one after the other.

    They are those of ``TrivialAugment``, less wide; ``magnitude`` is from 0, none, to 30.

    Source:
        Cubuk et al. 2020, RandAugment: Practical Automated Data Augmentation with a Reduced Search
        Space.
    """

    is_random: ClassVar[bool] = True
    kind: Literal["rand_augment"] = "rand_augment"
    num_ops: Annotated[int, Field(ge=1, le=16)] = 2
    magnitude: Annotated[int, Field(ge=0, le=30)] = 9


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
    | RandomErasing
    | TrivialAugment
    | RandAugment,
    Field(discriminator="kind"),
]

Transforms = tuple[Operation, ...]

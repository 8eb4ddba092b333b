"""How a trained network's input is made: inference transforms and normalisation, as one record."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imageloom.errors import ImageloomError
from imageloom.preprocessing.operations import Transforms
from imageloom.preprocessing.transform_list import (
    inference_form,
    output_size,
    transforms_from_json,
    transforms_to_json,
)


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

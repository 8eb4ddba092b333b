"""Transform lists: to and from JSON, the size they end in, and their inference form."""

from pydantic import TypeAdapter, ValidationError

from imageloom.errors import ImageloomError, form_problem
from imageloom.preprocessing.operations import (
    CenterCrop,
    Letterbox,
    Operation,
    Pad,
    RandomCrop,
    RandomResizedCrop,
    Resize,
    Squash,
    Transforms,
)

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
        raise error(
            f"The transform list cannot be used: {form_problem(problem)}.",
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

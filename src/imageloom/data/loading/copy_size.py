"""The size of scaled copies that fit a transform list."""

from typing import Final

from imageloom.errors import ParameterParsingError
from imageloom.preprocessing import (
    CenterCrop,
    Letterbox,
    Pad,
    RandomCrop,
    RandomResizedCrop,
    Resize,
    Squash,
    Transforms,
    output_size,
)

_SCALING: Final = (Resize, Squash, Letterbox, RandomResizedCrop)
_COUNTING_PIXELS: Final = (CenterCrop, RandomCrop, Pad)


def copy_side(transforms: Transforms) -> int:
    """Return the shorter side, in pixels, of copies that stand in for the pictures.

    Where the list begins with a resize it is that one's size, and no pixel changes. Else it is
    8/7 of the network's input size, rounded up (256 for 224, the published pair of He et al. 2015,
    section 3.4), and not less than what the first operation scales to.

    Raises:
        ParameterParsingError: Before the first operation that scales, one counts pixels of the
            original, which in a copy are others.
    """
    first = next((one for one in transforms if isinstance(one, _SCALING + _COUNTING_PIXELS)), None)
    if isinstance(first, Resize):
        return first.size
    if isinstance(first, _SCALING):
        return max(first.size, -(-8 * (output_size(transforms) or first.size) // 7))
    what = "nothing in them scales" if first is None else f"{first.kind} comes before they scale"
    raise ParameterParsingError(
        "picture_cache is 'resized', but the transforms of the training pictures depend on how "
        f"many pixels the originals have: {what}.",
        hint="Begin the transforms with resize, squash, letterbox or random_resized_crop, or leave "
        "--picture-cache (picture_cache) off.",
        details={"parameter": "picture_cache", "value": "resized"},
    )

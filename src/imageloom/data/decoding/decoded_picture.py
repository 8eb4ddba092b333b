"""What decoding a file gives: a picture, facts about it, or the reason why not.

Legend: C channels, H height, W width.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class UnreadablePictureError(Exception):
    """One file cannot be used; its caller puts it into a report or names it in an error.

    Args:
        reason: What is wrong, as the rest of a sentence that begins with the file's name.
        hint: What to do about it; may be empty.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint

    def __reduce__(self) -> tuple[type["UnreadablePictureError"], tuple[str, str]]:
        """Survive the way back from a worker process."""
        return type(self), (self.reason, self.hint)


@dataclass(frozen=True)
class PictureFacts:
    """What is known of a picture that was decoded once.

    Attributes:
        width: Pixels, after orientation.
        height: Pixels, after orientation.
        format: JPEG, PNG, BMP, PPM, TIFF or WEBP.
        orientation: EXIF, 1 to 8.
        frames: Frames or pages in the file.
        notices: What else a person should know, as rests of sentences, without numbers.
    """

    width: int
    height: int
    format: str
    orientation: int
    frames: int
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        pixels_HWC: uint8, RGB, 0 to 255, orientation applied; owned by the caller.
        format: JPEG, PNG, BMP, PPM, TIFF or WEBP.
        orientation: EXIF, 1 to 8, already applied.
        frames: Frames or pages in the file; the pixels are the first's.
        notices: What a person should know, as rests of sentences.
    """

    pixels_HWC: "npt.NDArray[np.uint8]"
    format: str
    orientation: int
    frames: int
    notices: tuple[str, ...]

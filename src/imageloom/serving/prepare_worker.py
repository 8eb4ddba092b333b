"""A process that makes pictures of strangers ready for a network, so that one costs one request.

Its parent is ``imageloom.serving.preparing``; how the two speak, ``system.helper_answers`` says.
The setup is ``{"transforms": [...], "max_pixels": N}``; bytes travel in base64.

Legend: C channels, H height, W width.
"""

import base64
import time
from collections.abc import Callable
from typing import Any, Final

import torch

from imageloom.data.loading.transforms import apply_transforms
from imageloom.errors import ImageloomError, InvalidDatasetError, InvalidModelDirectoryError
from imageloom.preprocessing import Transforms, transforms_from_json
from imageloom.scoring.seen import seen_content
from imageloom.system.helper_answers import Answer, answer_parent

MAX_MEMORY_BYTES: Final = 4 * 1024**3
"""torch itself takes 1; a picture of 50 million pixels 0.6, a few times."""


class Preparing:
    """Answers requests; each public method is one that a parent may name.

    Args:
        transforms: Those of the model; none is random.
        max_pixels: Width times height above which a file is refused.
    """

    def __init__(self, transforms: Transforms, max_pixels: int) -> None:
        self._transforms = transforms
        self._max_pixels = max_pixels

    def file(self, content: str, name: str) -> torch.Tensor:
        """Return a file of a stranger as the network takes it: uint8 [3, H, W]."""
        decoded = base64.b64decode(content)
        return seen_content(decoded, name, self._transforms, max_pixels=self._max_pixels)

    def pixels(self, pixels: str, height: int, width: int, name: str) -> torch.Tensor:
        """Return pixels, uint8 [H, W, 3], as the network takes them: uint8 [3, H, W]."""
        if height * width > self._max_pixels:
            raise InvalidDatasetError(
                f"{name} has {height * width:,} pixels, above the limit of {self._max_pixels:,}.",
                hint="Make it smaller, or raise --max-pixels.",
                reason="unreadable",
            )
        found = torch.frombuffer(bytearray(base64.b64decode(pixels)), dtype=torch.uint8)
        image_CHW = found.view(height, width, 3).permute(2, 0, 1)
        try:
            return apply_transforms(image_CHW, self._transforms, 0)
        except ImageloomError as error:
            raise InvalidDatasetError(
                f"{name}: {error.message}", hint=error.hint, reason=error.reason
            ) from error


def _prepare(setup: dict[str, Any]) -> Answer:
    torch.set_num_threads(1)
    work = Preparing(
        transforms_from_json(setup["transforms"], InvalidModelDirectoryError), setup["max_pixels"]
    )
    known: dict[str, Callable[..., torch.Tensor]] = {"file": work.file, "pixels": work.pixels}

    def answer(name: str, arguments: dict[str, Any]) -> object:
        began = time.perf_counter()
        image_HWC = known[name](**arguments).permute(1, 2, 0).contiguous()
        pixels = base64.b64encode(image_HWC.numpy().tobytes()).decode("ascii")
        return {"pixels": pixels, "seconds": time.perf_counter() - began}

    return answer


if __name__ == "__main__":
    answer_parent(_prepare, memory_bytes=MAX_MEMORY_BYTES)

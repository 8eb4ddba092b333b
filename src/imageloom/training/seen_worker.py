"""A process that shows pictures as a network sees them: decoded and transformed as in a training.

Its parent is ``imageloom.data.previews.seen``, which must not load torch; its setup is ``{"roots":
[FOLDER, ...]}``.

Legend: C channels, H height, W width.
"""

import base64
import dataclasses
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from PIL import Image

from imageloom.data.decoding.decode import decode_rgb
from imageloom.data.decoding.decoded_picture import UnreadablePictureError
from imageloom.data.images.directory import ImageDirectory
from imageloom.data.loading.transforms import apply_transforms
from imageloom.data.previews.look_into import require_row
from imageloom.data.previews.opened import OpenedDirectories
from imageloom.data.previews.reach import Reach
from imageloom.data.previews.read_row import read_row
from imageloom.data.previews.seen import NetworkInput, Purpose
from imageloom.errors import InvalidDatasetError
from imageloom.preprocessing import Transforms, inference_form, transforms_to_json
from imageloom.system.helper_answers import Answer, answer_parent
from imageloom.training.input_transforms import choose_transforms
from imageloom.training.params import TrainParams

_MAX_MEMORY_BYTES: Final = 6 * 1024**3  # torch itself takes 1; 50 million pixels 0.6 a few times


class Seeing:
    """Answers requests.

    Args:
        reach: Which pictures may be read.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._opened = OpenedDirectories()

    def see(
        self,
        path: str,
        row: int,
        seed: int,
        purpose: Purpose,
        training: Mapping[str, object] | None,
    ) -> NetworkInput:
        """Return a picture of an image directory after all operations."""
        images = self._opened.open(self._reach.source(path))
        require_row(images, row)
        transforms = _transforms(images, purpose, TrainParams.parse(training or {}))
        seen_CHW = apply_transforms(self._decoded(images, row), transforms, seed)
        file = io.BytesIO()
        Image.fromarray(seen_CHW.permute(1, 2, 0).contiguous().numpy()).save(file, "PNG")
        height, width = seen_CHW.shape[-2:]
        return NetworkInput(
            png=base64.b64encode(file.getvalue()).decode("ascii"),
            width=width,
            height=height,
            operations=transforms_to_json(transforms),
            is_random=any(one.is_random for one in transforms),
            is_default=images.transforms is None,
        )

    def _decoded(self, images: ImageDirectory, row: int) -> torch.Tensor:
        content = read_row(self._reach, images, row)
        try:
            return decode_rgb(content)
        except UnreadablePictureError as problem:
            raise InvalidDatasetError(
                f"{images.file(row)} {problem.reason}.",
                hint=problem.hint,
                reason="unreadable-picture",
            ) from problem


def _transforms(images: ImageDirectory, purpose: Purpose, params: TrainParams) -> Transforms:
    """Return what a training applies to these pictures, or what it is tested with."""
    if images.transforms is not None:
        carried = images.transforms
        return inference_form(carried) if purpose == "inference" else carried
    for_training, for_inference = choose_transforms(images, images, params)
    return for_inference if purpose == "inference" else for_training


def _prepare(setup: dict[str, Any]) -> Answer:
    torch.set_num_threads(1)
    seeing = Seeing(Reach(tuple(map(Path, setup["roots"]))))
    return lambda _name, arguments: dataclasses.asdict(seeing.see(**arguments))


if __name__ == "__main__":
    answer_parent(_prepare, memory_bytes=_MAX_MEMORY_BYTES)

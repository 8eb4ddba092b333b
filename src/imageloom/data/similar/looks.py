"""How every picture of an image directory looks in small.

Legend: N pictures, H height, W width.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.data.decoding.decode import decode_pixels
from imageloom.data.decoding.decoded_picture import UnreadablePictureError
from imageloom.data.decoding.listed_file import ChangedFileError, UnreadableFileError
from imageloom.data.images.converted_files import (
    HOW_TO_MEND,
    ConvertedFile,
    content_of,
    turns_of_files,
)
from imageloom.data.images.directory import ImageDirectory, Rejected
from imageloom.data.images.index import file_name
from imageloom.data.similar.kept_looks import KeptLooks, open_looks
from imageloom.data.similar.miniature import HEIGHT, NUM_BYTES, WIDTH, miniature_of
from imageloom.events import Control, Progress

_MAX_THREADS: Final = 16
STAGE: Final = "Looking at pictures"


@dataclass(frozen=True)
class Looks:
    """What the pictures of an image directory look like.

    Attributes:
        miniatures_NHW: uint8 [N, 8, 9], in index order; zeros where ``is_known_N`` is false.
        is_known_N: bool [N], whether the picture could be read.
        unread: Those that could not, with reasons.
    """

    miniatures_NHW: npt.NDArray[np.uint8]
    is_known_N: npt.NDArray[np.bool_]
    unread: tuple[Rejected, ...]


def look_at_pictures(images: ImageDirectory, kept: Path, *, control: Control) -> Looks:
    """Look at every picture whose look is not kept yet, and keep it.

    What was looked at is kept also when the work is stopped, so that it goes on from there.

    Args:
        images: Their files are only read, and only as the index has them.
        kept: File of the looks.
        control: Told how many were looked at; stops between two turns.

    Raises:
        FailedToWriteOutputsError: ``kept`` cannot be written.
        RunInterruptedError: Somebody asked to stop.
    """
    miniatures_NB = np.zeros((len(images), NUM_BYTES), dtype=np.uint8)
    is_known_N = np.zeros(len(images), dtype=np.bool_)
    unread: list[Rejected] = []
    threads = min(_MAX_THREADS, os.cpu_count() or 1)
    with open_looks(kept) as looks, ThreadPoolExecutor(threads) as pool:
        done = 0
        for turn in turns_of_files(images):
            control.raise_if_cancelled()
            found, problems = _look_at(images, turn, looks, pool.map)
            for row, picture in enumerate(turn, start=done):
                if picture.sha256 in found:
                    miniatures_NB[row] = np.frombuffer(found[picture.sha256], dtype=np.uint8)
                    is_known_N[row] = True
                else:
                    what = problems[picture.path]
                    unread.append(Rejected(file_name(picture.path), what, HOW_TO_MEND))
            done += len(turn)
            control.tell(Progress(STAGE, done, len(images), "images"))
    return Looks(miniatures_NB.reshape(-1, HEIGHT, WIDTH), is_known_N, tuple(unread))


def _look_at(
    images: ImageDirectory,
    turn: list[ConvertedFile],
    looks: KeptLooks,
    spread: Callable[..., Iterator[bytes | str]],
) -> tuple[dict[bytes, bytes], dict[bytes, str]]:
    """Return the miniatures of a turn by digest, and by path what is wrong with the others."""
    found = looks.find([picture.sha256 for picture in turn])
    missing = [one for one in turn if one.sha256 not in found]
    made, problems = {}, {}
    for picture, answer in zip(
        missing, spread(lambda one: _miniature(images, one), missing), strict=True
    ):
        if isinstance(answer, bytes):
            made[picture.sha256] = answer
        else:
            problems[picture.path] = answer
    looks.keep(list(made.items()))
    return found | made, problems


def _miniature(images: ImageDirectory, picture: ConvertedFile) -> bytes | str:
    """Return a picture's miniature, or what is wrong with its file."""
    try:
        return miniature_of(decode_pixels(content_of(images, picture)))
    except (ChangedFileError, UnreadableFileError) as problem:
        return str(problem)
    except UnreadablePictureError as problem:
        return problem.reason

"""``POST /predict``: a picture as it is, or a form with some; answered by the names of classes.

Legend: N pictures, K classes.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from imageloom.errors import InvalidRequestError
from imageloom.scoring.predict import most_probable
from imageloom.serving.multipart import files_of
from imageloom.serving.preparing import SentFile
from imageloom.serving.served_model import ServedModel

_TOP: Final = 5
_FORM: Final = "multipart/form-data"
_NO_PICTURES: Final = ("application/json", "text/", "application/xml")


def pictures_in(content_type: str, body: bytes) -> list[SentFile]:
    """Return the pictures of a request.

    Args:
        content_type: The header. curl says that a file is a form where nothing else is asked of it,
            so that only what can be no picture is refused.
        body: The whole body.

    Raises:
        InvalidRequestError: It is text, a damaged form, or empty.
    """
    kind = content_type.lower().strip()
    if kind.startswith(_NO_PICTURES):
        raise InvalidRequestError(
            f"The body is of type {content_type[:80]!r}, which is no picture.",
            hint="Send the file itself: curl --data-binary @photo.jpg ADDRESS/predict. JSON is "
            "for /v2/models/NAME/infer.",
            reason="wrong-type",
        )
    if kind.startswith(_FORM):
        return files_of(content_type, body)
    if not body:
        raise InvalidRequestError(
            "The body is empty.",
            hint="Send a picture: curl --data-binary @photo.jpg ADDRESS/predict",
            reason="malformed",
        )
    return [SentFile(body, "The picture")]


def top_of(text: str | None) -> int:
    """Return how many classes ``?top=`` asks for.

    Raises:
        InvalidRequestError: It is no number above 0.
    """
    if text is None:
        return _TOP
    if not text.isascii() or not text.isdecimal() or len(text) > 6 or int(text) < 1:
        raise InvalidRequestError(
            f"top is {text[:40]!r}, but must be a whole number above 0.", reason="malformed"
        )
    return int(text)


def ranked_pictures(
    pictures: Sequence[SentFile],
    rows_NK: npt.NDArray[np.float32],
    model: ServedModel,
    top: int,
) -> list[dict[str, object]]:
    """Return for each picture its most probable classes, as ``imageloom predict --json`` does."""
    named = (
        most_probable(picture.name, torch.from_numpy(row_K), model.used.model, top)
        for picture, row_K in zip(pictures, rows_NK, strict=True)
    )
    return [{"file": one.file, **one.named} for one in named]

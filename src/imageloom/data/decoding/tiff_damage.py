"""Whether all pixels of a TIFF file are there, as far as libtiff can tell.

An error of libtiff while it reads pixels means that some are wrong or missing, also where Pillow
goes on without a word, as it does with fax codes. What the codes of a file do not say is not seen:
see docs/guides/pictures.md.
"""

from typing import Final

from PIL import Image

from imageloom.data.decoding.decoded_picture import UnreadablePictureError
from imageloom.data.decoding.libtiff import LibtiffErrors
from imageloom.errors import printable

NO_LIBTIFF: Final = "was not looked into for damage, because Pillow's libtiff is out of reach"
_libtiff: Final = LibtiffErrors()


def load_tiff(image: Image.Image) -> tuple[str, ...]:
    """Decode all pixels of the first page of a TIFF file.

    Returns:
        What is notable about it, as rests of sentences.

    Raises:
        UnreadablePictureError: libtiff has met an error.
    """
    with _libtiff() as errors:
        try:
            image.load()
        except OSError as problem:  # Pillow's has no more than a number
            if not errors:
                raise
            raise _damaged(errors[0]) from problem
    if errors:
        raise _damaged(errors[0])
    return (NO_LIBTIFF,) if errors is None else ()


def _damaged(error: str) -> UnreadablePictureError:
    return UnreadablePictureError(
        f"is damaged: libtiff says of it: {printable(error)}",
        "Restore the file from its source; if it looks right, save it anew.",
    )

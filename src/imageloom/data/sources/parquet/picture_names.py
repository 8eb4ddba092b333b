"""Names for pictures that lie in rows: numbers first, so that none depends on what a file says."""

import re
from typing import Final

NAME_CHARS: Final = 80
_SUFFIXES: Final = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG", ".png"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
    (b"RIFF", ".webp"),
    (b"P4", ".pbm"),
    (b"P5", ".pgm"),
    (b"P6", ".ppm"),
)


def end_of_name(path: str, content: bytes) -> str:
    r"""Return what stands behind the number: the last part of the row's path, made harmless.

    Only letters, digits, ``_``, ``-`` and ``.`` stay, so that it names no folder and no other file.

    Args:
        path: What the row says of where the picture came from; may be empty.
        content: The picture, whose first bytes give the suffix where there is no path.
    """
    last = re.split(r"[/\\]", path)[-1]
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", last)[-NAME_CHARS:].strip("_.-")
    if plain:
        return f"-{plain}"
    start = content[:4]
    return next((suffix for mark, suffix in _SUFFIXES if start.startswith(mark)), "")

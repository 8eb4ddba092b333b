"""Names that labelling programs give to pictures, as files below a folder of this machine.

Label Studio calls an upload ``/data/upload/PROJECT/HASH-NAME``, a file of its storage
``/data/local-files/?d=PATH``, and anything else by its address. Nothing is asked for at an address.

Source: Label Studio, "Import and upload data" and "Local storage".
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_UPLOAD: Final = re.compile(r"/data/(upload/\d+/(?:[0-9a-f]{8}-)?([^/]+))")
_LOCAL: Final = "/data/local-files/?d="
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def is_name_of_others(name: str) -> bool:
    """Whether a name is one that Label Studio gives to an upload or a file of its storage."""
    return name.startswith(_LOCAL) or _UPLOAD.fullmatch(name) is not None


def name_here(name: str, root: Path) -> str:
    """Return the name of a picture from ``root``, as it lies there.

    Of an upload, that is its place in Label Studio's folder ``media``, or its last part with or
    without the hash that stands before it; of an address, its longest end that lies there.

    Args:
        name: As the program wrote it.
        root: Where file names start.

    Returns:
        A name that lies there if one does; never one that leads up, if the given one does not.
    """
    return first_that_lies(root, possible_names(name))


def first_that_lies(root: Path, names: Iterable[str]) -> str:
    """Return the first name that is a file below ``root``, or the first where none is."""
    given = list(names)
    for name in given:
        parts = name.split("/")
        # os.path, since pathlib raises for a name that is too long.
        if ".." not in parts and "\0" not in name and os.path.isfile(root / name):  # noqa: PTH113
            return name
    return given[0]


def possible_names(name: str) -> Iterator[str]:
    """Yield the names that a picture may have here, the likeliest first; at least one."""
    upload = _UPLOAD.fullmatch(name)
    if upload is not None:
        yield from (upload[1], name.rpartition("/")[2], upload[2])
        return
    if name.startswith(_LOCAL):
        yield unquote(name.removeprefix(_LOCAL)).lstrip("/")
        return
    if not _ADDRESS.match(name):
        yield name
        return
    address = urlsplit(name)
    path = unquote(address.path).strip("/")
    parts = path.split("/")
    if address.scheme not in ("http", "https"):
        yield f"{address.netloc}/{path}"  # of a bucket, which may be a folder here
    yield from ("/".join(parts[start:]) for start in range(len(parts)))

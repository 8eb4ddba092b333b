"""Image directories of the old designer, which people still have.

``_meta.yaml`` says what the folder is; ``images.lst`` has one JSON object per line with
``image_info.file_name``, ``category`` (absent when unlabelled) and ``id``; files lie in ``image/``.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from imageloom.data.params import ConvertParams
from imageloom.data.sources.kind import OLD_RECORD
from imageloom.data.sources.listing import Listing
from imageloom.data.sources.table.json_lines import read_json_text
from imageloom.data.sources.table.problems import ProblemList
from imageloom.data.sources.table.rows import ManifestRow, listing_of_rows
from imageloom.data.sources.table.text_lines import text_lines
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control

_TYPE: Final = "ImageDirectory"
_FILES: Final = "image"
_DEFAULT_LIST: Final = "images.lst"


def read_old_directory(folder: Path, params: ConvertParams, *, control: Control) -> Listing:
    """List the pictures of an old image directory, without changing it.

    Args:
        folder: The folder with ``_meta.yaml``.
        params: What to do with classes without pictures.
        control: Told how many rows were read; stops between two rows.

    Raises:
        InvalidDatasetError: It is another kind of directory, or rows are wrong.
    """
    record = _read_record(folder / OLD_RECORD)
    kind = record.get("type", "")
    if kind != _TYPE:
        raise InvalidDatasetError(
            f"{folder} is a directory of the old designer of type {kind!r}, not {_TYPE!r}.",
            hint="Give an image directory, or the folder with the pictures.",
            reason="wrong-kind",
            details={"kind": kind},
        )
    name = record.get("image_list", _DEFAULT_LIST)
    if Path(name).name != name:
        raise InvalidDatasetError(
            f"{folder / OLD_RECORD} has image_list {name!r}, which leads out of the folder.",
            hint="Put the list beside it.",
            reason="unsafe-path",
        )
    return listing_of_rows(
        _rows(folder, folder / name),
        manifest=folder / name,
        root=folder,
        params=params,
        control=control,
    )


def _read_record(path: Path) -> dict[str, str]:
    """Return the plain ``key: value`` lines at the top level; that is all we need of YAML."""
    record: dict[str, str] = {}
    for line in text_lines(path):
        key, colon, value = line.partition(":")
        if colon and key == key.strip() and not key.startswith(("#", "-")):
            record[key] = value.split(" #")[0].strip().strip("'\"")
    return record


def _rows(folder: Path, listing: Path) -> Iterator[ManifestRow]:
    problems = ProblemList(listing)
    seen: dict[str, int] = {}
    for number, line in enumerate(text_lines(listing), 1):
        if not line.strip():
            continue
        try:
            row, identity = _row(number, line)
        except ValueError as problem:
            problems.add(f"line {number:,}", str(problem))
            continue
        if identity is not None and seen.setdefault(identity, number) != number:
            problems.add(f"line {number:,}", f"has the id {identity!r} of line {seen[identity]:,}")
            continue
        yield row._replace(file=_place(folder, row.file))
    problems.raise_if_any()


def _row(number: int, line: str) -> tuple[ManifestRow, str | None]:
    """Return one row and its id.

    Raises:
        ValueError: It is not what it must be; the text says why.
    """
    content = read_json_text(line)
    image = content.get("image_info") if isinstance(content, dict) else None
    file = image.get("file_name") if isinstance(image, dict) else None
    if not isinstance(content, dict) or not isinstance(file, str):
        raise ValueError("has no image_info.file_name")
    category, identity = content.get("category"), content.get("id")
    if not isinstance(category, str | None):
        raise ValueError("has a category that is neither text nor a number")
    return ManifestRow(number, file, category), identity if isinstance(identity, str) else None


def _place(folder: Path, file: str) -> str:
    """Return the path from the folder; some lists name files from there, most from ``image/``."""
    inside = f"{_FILES}/{file}"
    if not os.path.lexists(folder / inside) and file.startswith(f"{_FILES}/"):
        return file
    return inside

"""COCO annotation files, used for classification: the categories of a picture are its classes.

Source: https://cocodataset.org/#format-data, the keys ``images``, ``annotations``, ``categories``.
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from imageloom.data.params import ConvertParams
from imageloom.data.sources.json_manifest import read_json_manifest
from imageloom.data.sources.listing import Listing
from imageloom.data.sources.table.problems import ProblemList
from imageloom.data.sources.table.rows import (
    ManifestRow,
    listing_of_rows,
    root_of_manifest,
)
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control
from imageloom.system.wording import count, some

_KEYS: Final = ("images", "annotations", "categories")
_SHOWN: Final = 3
_CHARS: Final = 60  # of a value, in a message

Item = dict[str, object]
Id = int | str


def read_coco(manifest: Path, params: ConvertParams, *, control: Control) -> Listing:
    """List the pictures of a COCO file; a picture has the category that its boxes have.

    Where each may have several labels it has all categories of its boxes, and none without boxes.

    Args:
        manifest: The file; ``file_name`` starts from its folder, or from ``params.folder``.
        params: ``group_column`` names a key of ``images``; and whether there may be several labels.
        control: Told how many pictures were read; stops between two pictures.

    Raises:
        InvalidDatasetError: No COCO file, repeated or unknown ids; with one label each, a picture
            with several categories, or with none while others have one.
        CouldNotOpenFileError: It cannot be read.
    """
    images, annotations, categories = _read(manifest)
    if params.labels == "none":
        annotations = []
    problems = ProblemList(manifest)
    names = _category_names(categories, problems)
    problems.raise_if_any()
    labels = _labels(images, annotations, names, problems)
    problems.raise_if_any()
    if params.labels != "several":
        _refuse_several(labels, _image_ids(images, problems), manifest)
    return listing_of_rows(
        _rows(images, labels, params),
        manifest=manifest,
        root=root_of_manifest(manifest, params),
        unit="image",
        declared=sorted(names.values()) if annotations else (),
        params=params,
        control=control,
    )


def _read(manifest: Path) -> tuple[list[Item], list[Item], list[Item]]:
    content = read_json_manifest(manifest, _no_coco)
    lists: list[list[Item]] = []
    for key in _KEYS:
        found = content.get(key, []) if isinstance(content, dict) else None
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise _no_coco(manifest, f"has no list {key!r} of objects")
        lists.append(found)
    if not lists[0]:
        raise _no_coco(manifest, "has no 'images'")
    return lists[0], lists[1], lists[2]


def _category_names(categories: list[Item], problems: ProblemList) -> dict[Id, str]:
    names: dict[Id, str] = {}
    plain_names: set[str | None] = set()
    for number, category in enumerate(categories, 1):
        where = f"category {number}"
        identity, name = _id(category.get("id")), category.get("name")
        plain = name.strip() if isinstance(name, str) else None
        if identity is None or not isinstance(name, str):
            problems.add(where, f"needs an 'id' and a 'name' that is text, not {_short(category)}")
        elif identity in names:
            problems.add(where, f"has the id {identity!r} of another category")
        elif plain in plain_names:
            problems.add(where, f"has the name {plain!r} of another category")
        else:
            names[identity] = name
            plain_names.add(plain)
    return names


def _labels(
    images: list[Item],
    annotations: list[Item],
    names: dict[Id, str],
    problems: ProblemList,
) -> dict[Id, set[str]]:
    """Return the classes of each image that has any, by the image's id."""
    known = _image_ids(images, problems)
    found: dict[Id, set[str]] = {}
    for number, annotation in enumerate(annotations, 1):
        image, category = _id(annotation.get("image_id")), _id(annotation.get("category_id"))
        if image is None or image not in known:
            problems.add(f"annotation {number}", _unknown("image_id", annotation))
        elif category is None or category not in names:
            problems.add(f"annotation {number}", _unknown("category_id", annotation))
        else:
            found.setdefault(image, set()).add(names[category])
    return found


def _image_ids(images: list[Item], problems: ProblemList) -> dict[Id, str]:
    """Return the file name of each image by its id."""
    files: dict[Id, str] = {}
    for number, image in enumerate(images, 1):
        identity, file = _id(image.get("id")), image.get("file_name")
        if identity is None or not isinstance(file, str):
            what = f"needs an 'id' and a 'file_name' that is text, not {_short(image)}"
            problems.add(f"image {number}", what)
        elif identity in files:
            problems.add(f"image {number}", f"has the id {identity!r} of another image")
        else:
            files[identity] = file
    return files


def _refuse_several(found: dict[Id, set[str]], files: dict[Id, str], manifest: Path) -> None:
    several = {image: labels for image, labels in found.items() if len(labels) > 1}
    if several:
        shown = [
            f"{files[image]!r} has {some(list(map(repr, sorted(labels))))}"
            for image, labels in islice(several.items(), _SHOWN)
        ]
        raise InvalidDatasetError(
            f"{manifest} has {count(len(several), 'picture')} with several categories: "
            f"{some(shown, total=len(several))}.",
            hint="Take all categories of a picture for its labels, with --labels several; or cut "
            "the objects out, keep the pictures with one category, or take all without labels, "
            "with --labels none.",
            reason="several-labels",
            details={
                "option": "--labels several",
                "files": [files[image] for image in list(several)[:100]],
            },
        )


def _rows(
    images: list[Item], labels: dict[Id, set[str]], params: ConvertParams
) -> Iterator[ManifestRow]:
    for number, image in enumerate(images, 1):
        identity = _id(image.get("id"))
        group = image.get(params.group_column) if params.group_column else None
        own = () if identity is None else tuple(sorted(labels.get(identity, ())))
        yield ManifestRow(
            number=number,
            file=str(image.get("file_name")),
            label=next(iter(own), None),
            group=None if group is None else str(group),
            labels=own,
        )


def _id(value: object) -> Id | None:
    """Return an id; some programs write whole numbers as 1.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _unknown(key: str, annotation: Item) -> str:
    if key not in annotation:
        return f"has no {key!r}"
    return f"has the unknown {key} {_short(annotation[key])}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _CHARS else f"{text[:_CHARS]}..."


def _no_coco(manifest: Path, what: str) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"{manifest} {what}.",
        hint="A .json manifest is a COCO file with 'images', 'annotations' and 'categories'. "
        "A file with one JSON object per line must be named .jsonl.",
        reason="not-coco",
    )

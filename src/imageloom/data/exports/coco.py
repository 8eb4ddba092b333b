"""Pictures in a folder, and a COCO file beside it in which each has the category of its class.

Source: https://cocodataset.org/#format-data. A picture's class, and each of several labels, is an
annotation whose box is the whole picture: readers of COCO ask each annotation for ``bbox``,
``area`` and ``iscrowd``.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final

from imageloom.data.exports.file_names import FileNames
from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import UNLABELLED, label_pairs
from imageloom.system.wording import count

_FIRST_ID: Final = 1  # 0 is what detectors call the background
GROUP: Final = "group"


def write_coco(
    images: ImageDirectory, contents: Iterable[bytes], into: Path, *, part: str
) -> tuple[str, ...]:
    """Write ``instances_train.json`` and the folder ``train`` that its file names start with.

    Ids count from 1: of pictures and annotations in index order, of categories in the order of the
    classes. A picture's group is its key ``group``.

    Args:
        images: The pictures.
        contents: Their bytes, in index order.
        into: An empty folder.
        part: The name of the folder, and the last word of the file's.

    Returns:
        What a person should know.
    """
    names = FileNames()
    (into / part).mkdir()
    # Written as it comes: of a million pictures, the whole would take gigabytes as Python objects.
    with (into / f"instances_{part}.json").open("x", encoding="utf-8") as file:
        file.write("{\n")
        _write_list(file, "images", _images(images, contents, into, part, names))
        file.write(",\n")
        _write_list(file, "annotations", _annotations(images))
        file.write(",\n")
        _write_list(file, "categories", _categories(images))
        file.write("\n}\n")
    if not names.renamed:
        return ()
    return (
        f"{count(names.renamed, 'picture has', 'pictures have')} another name than before, since "
        "all lie in one folder, or no picture is called so.",
    )


def _images(
    images: ImageDirectory, contents: Iterable[bytes], into: Path, part: str, names: FileNames
) -> Iterator[dict[str, object]]:
    index = images.index
    for row, content in enumerate(contents):
        path = f"{part}/{names.choose(part, images, row)}"
        with (into / path).open("xb") as file:
            file.write(content)
        group = index.column("group")[row].as_py()
        yield {
            "id": row + _FIRST_ID,
            "file_name": path,
            "width": index.column("width")[row].as_py(),
            "height": index.column("height")[row].as_py(),
            **({} if group is None else {GROUP: group}),
        }


def _annotations(images: ImageDirectory) -> Iterator[dict[str, object]]:
    index = images.index
    rows, labels = label_pairs(index)
    pairs = zip(rows.tolist(), labels.tolist(), strict=True)
    labelled = ((row, label) for row, label in pairs if label != UNLABELLED)
    for number, (row, label) in enumerate(labelled, _FIRST_ID):
        width, height = index.column("width")[row].as_py(), index.column("height")[row].as_py()
        yield {
            "id": number,
            "image_id": row + _FIRST_ID,
            "category_id": label + _FIRST_ID,
            "bbox": [0, 0, width, height],
            "area": width * height,
            "iscrowd": 0,
        }


def _categories(images: ImageDirectory) -> Iterator[dict[str, object]]:
    for number, name in enumerate(images.classes, _FIRST_ID):
        yield {"id": number, "name": name, "supercategory": ""}


def _write_list(file: IO[str], key: str, items: Iterable[dict[str, object]]) -> None:
    file.write(f"{json.dumps(key)}: [")
    for number, item in enumerate(items):
        file.write(f"{',' if number else ''}\n{json.dumps(item, ensure_ascii=True)}")
    file.write("\n]")

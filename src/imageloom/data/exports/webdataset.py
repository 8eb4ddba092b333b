"""Pictures in tar files as WebDataset reads them.

Source: WebDataset, "The WebDataset Format": files that have one name up to the first point are one
sample; ``.cls`` holds the number of its class. The names of the classes stand in ``classnames.txt``
beside the shards, one a line, as in those of CLIP benchmark.
"""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from imageloom.data.exports.file_names import SUFFIX_OF_FORMAT
from imageloom.data.exports.shards import plan_shards
from imageloom.data.images.directory import ImageDirectory
from imageloom.data.names import CLASS_NAMES
from imageloom.errors import InvalidDatasetError
from imageloom.preprocessing.similar_names import quoted

_ROW_BYTES: Final = 2048  # two headers, the label, and what fills up blocks


def write_webdataset(
    images: ImageDirectory, contents: Iterator[bytes], into: Path, *, part: str, max_bytes: int
) -> None:
    """Write shards named ``train-000000.tar``, and the class names beside them.

    Args:
        images: The pictures.
        contents: Their bytes, in index order.
        into: An empty folder.
        part: The first word of the names.
        max_bytes: Most of a shard.

    Raises:
        InvalidDatasetError: A class name has several lines.
    """
    for name in images.classes:
        if len(name.splitlines()) > 1:
            raise InvalidDatasetError(
                f"The class {quoted(name)} has a name of several lines, which {CLASS_NAMES} cannot "
                "hold.",
                hint="Use --to parquet, which takes any name.",
                reason="bad-class-name",
            )
    sizes = images.index.column("size_bytes").to_pylist()
    formats = images.index.column("format")
    shards = plan_shards((size + _ROW_BYTES for size in sizes), max_bytes)
    for number, rows in enumerate(shards):
        with tarfile.open(
            into / f"{part}-{number:06}.tar", "x", format=tarfile.USTAR_FORMAT
        ) as tar:
            for row, content in zip(rows, contents, strict=False):
                key = f"{row:08}"
                _add(tar, f"{key}.{SUFFIX_OF_FORMAT[formats[row].as_py()]}", content)
                if images.classes:
                    _add(tar, f"{key}.cls", str(images.labels[row]).encode())
    if images.classes:
        lines = "".join(f"{name}\n" for name in images.classes)
        (into / CLASS_NAMES).write_text(lines, encoding="utf-8")


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(
        name
    )  # of no time and no user, so that equal pictures make equal files
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))

"""Image directories made of rows alone: no picture lies behind them."""

import hashlib
from pathlib import Path

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import UNLABELLED, IndexRow, index_from_rows


def images_of(labels, *, classes=None, groups=None, contents=None):
    """Rows with these labels (class names or None), one picture each.

    ``contents`` gives each picture a stand-in for its bytes; by default all differ.
    """
    names = tuple(classes or sorted({label for label in labels if label is not None}))
    rows = []
    for number, label in enumerate(labels):
        content = contents[number] if contents else f"{label} {number}"
        rows.append(
            IndexRow(
                path=f"{label}/{number}.png".encode(),
                label=UNLABELLED if label is None else names.index(label),
                width=10 + number,
                height=5,
                orientation=1,
                format="PNG",
                size_bytes=100,
                sha256=hashlib.sha256(str(content).encode()).digest(),
                group=groups[number] if groups else None,
            )
        )
    return ImageDirectory(classes=names, index=index_from_rows(rows), root=Path("/pictures"))

"""Which folders belong to the pictures of an image directory, so that no output goes there.

Its root alone does not say: a manifest in a folder of work makes that folder the root of pictures
that lie somewhere below.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imageloom.files.output_places import misplaced


def refuse_among_pictures(
    outputs: Sequence[Path],
    *,
    root: Path,
    files: pa.ChunkedArray | pa.Array,
    labels_N: npt.NDArray[np.int32],
    classes: Sequence[str],
) -> None:
    """Refuse outputs in folders that belong to pictures.

    A folder does that directly holds one of them; and so does a folder whose sub-folders are the
    pictures' classes, for what is new there would be taken for a class.

    Args:
        outputs: Every place that will be written.
        root: Where the names of the files start.
        files: N names, binary or text, with ``/`` between their parts.
        labels_N: Positions in ``classes``; negative where unlabelled.
        classes: Names of the classes.

    Raises:
        FailedToWriteOutputsError: The message names the output and the folder.
    """
    real_root = os.path.realpath(root)
    for out in outputs:
        place = os.path.realpath(out)
        if not Path(place).is_relative_to(real_root):
            continue
        names = files.cast(pa.binary())
        parts = os.fsencode(os.path.relpath(place, real_root)).split(b"/")
        parent = _parent_of_classes(names, labels_N, classes)
        for depth in range(len(parts)):
            folder = b"/".join(parts[:depth])
            if folder == parent or _holds(names, folder, depth):
                inside = Path(os.fsdecode(os.path.join(os.fsencode(root), folder)))  # noqa: PTH118
                raise misplaced(
                    out,
                    inside,
                    "where the pictures lie, which are only read",
                    reason="inside-source",
                )


def _holds(names: pa.ChunkedArray | pa.Array, folder: bytes, depth: int) -> bool:
    """Whether a picture lies in a folder, which is ``depth`` folders below the root, directly."""
    within = pc.equal(pc.count_substring(names, b"/"), depth)
    if folder:
        within = pc.and_(within, pc.starts_with(names, folder + b"/"))
    return bool(pc.any(within).as_py())


def _parent_of_classes(
    names: pa.ChunkedArray | pa.Array, labels_N: npt.NDArray[np.int32], classes: Sequence[str]
) -> bytes | None:
    """Return the folder that has a folder for each class, or None if they lie otherwise."""
    parents = set()
    for label, row in zip(*np.unique(labels_N, return_index=True), strict=True):
        if label < 0:
            continue
        folder = b"/" + os.path.dirname(names[int(row)].as_py())  # noqa: PTH120 - bytes
        name = b"/" + os.fsencode(classes[label])
        parents.add(folder[: -len(name)].lstrip(b"/") if folder.endswith(name) else None)
    return parents.pop() if len(parents) == 1 else None

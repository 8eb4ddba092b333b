"""Another version of an image directory: some pictures of another class, some left out.

Legend: N pictures.
"""

import dataclasses
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imageloom.data.corrections import Correction
from imageloom.data.images.directory import ImageDirectory, Rejected
from imageloom.data.images.index import SCHEMA, file_name
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError, unknown_name
from imageloom.preprocessing.similar_names import quoted
from imageloom.system.wording import count, some

EXCLUDED: Final = "was left out by a correction"


def correct(images: ImageDirectory, corrections: Sequence[Correction]) -> ImageDirectory:
    """Return the pictures with corrections applied, in the same order; no file is touched.

    The class list stays as it is. A picture that is left out is listed among the rejected, and a
    notice says how many were corrected.

    Args:
        images: The pictures, with or without labels.
        corrections: At most one for each picture.

    Raises:
        CouldNotOpenFileError: A correction names a picture that is not there.
        UnknownNameError: A correction names a class that is not there.
        InvalidDatasetError: A picture has changed since it was looked at, two corrections are of
            one picture, a class or the whole would be left without pictures, or each picture may
            have several labels.
    """
    if not corrections:
        return images
    images.require_one_label(
        "correcting labels ('imageloom data correct')",
        hint="Change the source that their labels come from, and convert it again.",
    )
    rows = _rows_of(images, corrections)
    _refuse_repeated(images, corrections, rows)
    _refuse_changed(images, corrections, rows)
    labels_N = images.labels.copy()
    is_kept_N = np.ones(len(images), dtype=np.bool_)
    for row, one in zip(rows, corrections, strict=True):
        if one.label is None:
            is_kept_N[row] = False
        elif one.label in images.classes:
            labels_N[row] = images.classes.index(one.label)
        else:
            raise unknown_name("class", one.label, images.classes)
    _refuse_emptied(images, labels_N[is_kept_N])
    column = SCHEMA.get_field_index("label")
    index = images.index.set_column(column, SCHEMA.field(column), pa.array(labels_N))
    corrected = dataclasses.replace(
        images,
        index=index,
        rejected=(*images.rejected, *_left_out(images, np.flatnonzero(~is_kept_N))),
        notices=(*images.notices, _notice(images, labels_N, is_kept_N)),
    )
    return corrected.select(np.flatnonzero(is_kept_N))


def _rows_of(images: ImageDirectory, corrections: Sequence[Correction]) -> list[int]:
    paths = images.index.column("path").combine_chunks()
    wanted = pa.array([one.file.encode("utf-8", "surrogateescape") for one in corrections])
    found = pc.index_in(wanted.cast(pa.binary()), value_set=paths).to_pylist()
    by_text: dict[str, int] | None = None
    rows = []
    for one, row in zip(corrections, found, strict=True):
        if row is None and "\\" in one.file:  # a name that is not UTF-8 is shown escaped
            if by_text is None:
                by_text = {file_name(path.as_py()): row for row, path in enumerate(paths)}
            row = by_text.get(one.file)
        if row is None:
            raise CouldNotOpenFileError(
                f"There is no picture {one.file!r} among the {len(images):,} of this image "
                "directory.",
                hint="Names start at the folder of the pictures. Was it left out before?",
                reason="no-picture",
                details={"file": one.file},
            )
        rows.append(row)
    return rows


def _refuse_repeated(
    images: ImageDirectory, corrections: Sequence[Correction], rows: Sequence[int]
) -> None:
    seen: dict[int, Correction] = {}
    for row, one in zip(rows, corrections, strict=True):
        if row in seen:
            raise InvalidDatasetError(
                f"{images.file(row)!r} is corrected twice: {_what(seen[row])}, and {_what(one)}.",
                hint="Leave one correction of each picture.",
                reason="corrected-twice",
                details={"file": images.file(row)},
            )
        seen[row] = one


def _refuse_changed(
    images: ImageDirectory, corrections: Sequence[Correction], rows: Sequence[int]
) -> None:
    digests = images.index.column("sha256")
    for row, one in zip(rows, corrections, strict=True):
        found = digests[row].as_py().hex()
        if one.sha256 not in ("", found):
            raise InvalidDatasetError(
                f"{one.file!r} has the SHA-256 {found}, but the picture that was to be corrected "
                f"had {one.sha256}.",
                hint="The picture was replaced since. Look at it again, and correct it anew.",
                reason="changed-pictures",
                details={"file": one.file, "found": found, "expected": one.sha256},
            )


def _refuse_emptied(images: ImageDirectory, labels_M: npt.NDArray[np.int32]) -> None:
    left = np.bincount(labels_M[labels_M >= 0], minlength=len(images.classes)).tolist()
    for (name, before), after in zip(images.counts.items(), left, strict=True):
        if before and not after:
            raise InvalidDatasetError(
                f"The corrections leave the class {quoted(name)} without a picture; it had "
                f"{before:,}.",
                hint="Keep a picture of it, or take the whole class out of the source.",
                reason="class-without-images",
                details={"class": name, "images": before},
            )
    if not len(labels_M):
        raise InvalidDatasetError(
            f"The corrections leave out all {count(len(images), 'picture')}.",
            hint="Keep some.",
            reason="no-pictures",
        )


def _left_out(images: ImageDirectory, rows: npt.NDArray[np.int64]) -> list[Rejected]:
    labels = images.labels[rows].tolist()
    return [
        Rejected(
            images.file(row),
            EXCLUDED,
            label=images.classes[label] if label >= 0 else None,
        )
        for row, label in zip(rows.tolist(), labels, strict=True)
    ]


def _notice(
    images: ImageDirectory, labels_N: npt.NDArray[np.int32], is_kept_N: npt.NDArray[np.bool_]
) -> str:
    moved = np.flatnonzero((labels_N != images.labels) & is_kept_N)
    parts = []
    for rows, what in ((moved, "another class"), (np.flatnonzero(~is_kept_N), "no place any more")):
        if len(rows):
            named = some([images.file(row) for row in rows[:3].tolist()], total=len(rows))
            parts.append(f"{count(len(rows), 'picture')} got {what} ({named})")
    return f"Corrected: {'; '.join(parts) or 'nothing that was not so before'}."


def _what(one: Correction) -> str:
    return "left out" if one.label is None else f"labelled {quoted(one.label)}"

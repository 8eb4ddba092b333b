"""What a search for duplicates found, kept as a file for pages that show it.

Legend: N pictures.
"""

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.previews.found_duplicates import SCHEMA
from imageloom.data.similar.find import Duplicates, label_of

_BRIGHTNESS_BINS: Final = 16
_UNREAD_KEPT: Final = 1_000
_Member = tuple[ImageDirectory, int, int]  # where, its row, in how many bits it differs
_Set = tuple[str, bool, list[_Member]]


def keep_duplicates(found: Duplicates, file: Path) -> None:
    """Write what was found, whole or not at all; what was there before is replaced.

    Raises:
        OSError: It cannot be written.
        sqlite3.Error: Likewise.
    """
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(partial)) as table:
            table.executescript(SCHEMA)
            with table:
                table.execute("INSERT INTO about VALUES (?)", (json.dumps(_about(found)),))
                for number, one in enumerate(_sets(found)):
                    _write(table, number, one, found)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _write(table: sqlite3.Connection, number: int, one: _Set, found: Duplicates) -> None:
    kind, contradicts, members = one
    largest = max(bits for _, _, bits in members)
    table.execute("INSERT INTO sets VALUES (?, ?, ?, ?)", (number, kind, largest, contradicts))
    table.executemany(
        "INSERT INTO members VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (number, place, row, where is not found.images, where.file(row), label, bits)
            for place, (where, row, bits) in enumerate(members)
            for label in (label_of(where, row),)
        ),
    )


def _sets(found: Duplicates) -> Iterator[_Set]:
    for kind, sets in (("equal", found.equal), ("similar", found.similar)):
        for one in sets:
            pairs = zip(one.rows, one.distances, strict=True)
            yield kind, one.is_contradiction, [(found.images, row, bits) for row, bits in pairs]
    other = found.against
    for leak in found.leaks if other is not None else ():
        assert other is not None
        contradicts = label_of(found.images, leak.here) != label_of(other, leak.there)
        here, there = (found.images, leak.here, 0), (other, leak.there, leak.distance)
        yield "leak", contradicts, [here, there]


def _about(found: Duplicates) -> dict[str, object]:
    known_N = found.brightness_N[~np.isnan(found.brightness_N)]
    counts, _ = np.histogram(known_N, bins=_BRIGHTNESS_BINS, range=(0, 256))
    inside = (*found.equal, *found.similar)
    return {
        "images": len(found.images),
        "equal": len(found.equal),
        "similar": len(found.similar),
        "leaks": len(found.leaks),
        "contradictions": sum(one.is_contradiction for one in inside),
        "flat": found.num_flat,
        "unread": [(one.file, one.reason) for one in found.unread[:_UNREAD_KEPT]],
        "unread_total": len(found.unread),
        "brightness_counts": counts.tolist(),
    }

"""Pictures with equal bytes, found by their SHA-256."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def equal_groups(index: pa.Table) -> Iterator[list[int]]:
    """Yield the rows of each set of pictures with equal bytes, in the order of their first rows.

    Args:
        index: One or more tables of ``imageloom.data.images.index.SCHEMA``, one after the other.
    """
    if not index.num_rows:
        return
    sha256 = index.column("sha256").combine_chunks()
    starts = first_words(index)
    order = np.argsort(starts, kind="stable")
    same = starts[order][1:] == starts[order][:-1]
    groups: dict[bytes, list[int]] = {}
    # Few rows reach Python: those that share the first 64 bits with another.
    for row in np.sort(order[np.concatenate([[False], same]) | np.concatenate([same, [False]])]):
        groups.setdefault(sha256[int(row)].as_py(), []).append(int(row))
    for rows in groups.values():
        if len(rows) > 1:
            yield rows


def first_words(index: pa.Table) -> npt.NDArray[np.uint64]:
    """Return the first 64 bits of each picture's SHA-256, shape [N]; the same on any machine."""
    sha256 = index.column("sha256").combine_chunks()
    words = np.frombuffer(sha256.buffers()[1], dtype="<u8").reshape(-1, 4)
    return words[sha256.offset : sha256.offset + len(sha256), 0]

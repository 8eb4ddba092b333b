"""Which pictures go into which shard, known before the first is written, for its name says it."""

from collections.abc import Iterable
from typing import Final

BYTES_PER_MB: Final = 1_000_000


def plan_shards(sizes: Iterable[int], max_bytes: int) -> tuple[range, ...]:
    """Return the rows of each shard, in order; none is empty.

    Args:
        sizes: Bytes that each row takes.
        max_bytes: Most of a shard; one row that takes more has a shard of its own.
    """
    shards: list[range] = []
    first = filled = row = 0
    for row, size in enumerate(sizes):
        if row > first and filled + size > max_bytes:
            shards.append(range(first, row))
            first, filled = row, 0
        filled += size
    shards.append(range(first, row + 1))
    return tuple(shards)

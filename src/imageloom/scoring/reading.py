"""By what pictures are read, for a device."""

from typing import Final

import torch

from imageloom.data.loading.loader import Reading
from imageloom.models.compute import Compute
from imageloom.system.machine import host_memory

_MOST_THREADS: Final = 16
# Enough for 50,000 pictures of 32 px; 1,700 of 224 px.
_MOST_HELD_BYTES: Final = 256 * 2**20
_HELD_SHARE: Final = 1 / 16  # of the memory that is there


def reading_by(workers: int, compute: Compute, *, passes: int = 1, holders: int = 1) -> Reading:
    """Return how pictures are read.

    Args:
        workers: Processes that read ahead, as chosen; with 0 threads of this one read.
        compute: Where the network computes.
        passes: How often each picture is read; those read once are not kept.
        holders: How many loaders on this machine keep pictures.
    """
    memory = host_memory()
    available = 0 if memory is None else memory.available_bytes
    return Reading(
        workers=workers,
        threads=min(_MOST_THREADS, torch.get_num_threads()),
        hold_bytes=min(_MOST_HELD_BYTES, int(available * _HELD_SHARE)) // holders
        if passes > 1
        else 0,
        pin_memory=compute.is_gpu,
    )

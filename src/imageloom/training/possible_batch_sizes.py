"""Which batch sizes may be found for a number of pictures. Integers only."""

from typing import Final

MOST: Final = 1024
_LEAST: Final = 8
_STEPS_OF_EPOCH: Final = 10  # at least; a network that takes few steps learns little


def possible_batch_sizes(num_images: int, processes: int, *, most: int = MOST) -> list[int]:
    """Return the batch sizes that may be chosen, the largest first; all are powers of two.

    Args:
        num_images: Training pictures.
        processes: How many train together.
        most: No size is above it.
    """
    of_process = num_images // processes
    most = min(most, of_process, max(_LEAST, of_process // _STEPS_OF_EPOCH))
    largest = max(1, most).bit_length() - 1
    least = min(_LEAST.bit_length() - 1, largest)
    return [2**power for power in range(largest, least - 1, -1)]

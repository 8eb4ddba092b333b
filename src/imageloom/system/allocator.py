"""What the C library does with memory that is given back."""

import contextlib
import ctypes
from collections.abc import Iterator
from typing import Final

# Source: malloc.h of glibc, and mallopt(3).
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_LARGEST: Final = 2**30  # of a tensor
_NEVER: Final = 2**31 - 1
_AS_IT_GREW: Final = 32 * 2**20  # as far as glibc raises the threshold by itself


@contextlib.contextmanager
def kept_for_the_next() -> Iterator[None]:
    """Keep memory that is given back for what asks next, instead of returning it to the kernel.

    Every step of a training asks for the same large tensors again. As a rule glibc takes those
    above 32 MiB from the kernel each time, which fills them with zeros page by page: a step of
    resnet18 with 16 pictures of 224 px took 6 % longer on 2 cores
    (benchmarks/results/pieces_cpu2_202611.md). Other C libraries are left alone.
    """
    glibc = _glibc()
    if glibc is None:
        yield
        return
    glibc.mallopt(_M_MMAP_THRESHOLD, _LARGEST)
    glibc.mallopt(_M_TRIM_THRESHOLD, _NEVER)
    try:
        yield
    finally:
        glibc.mallopt(_M_MMAP_THRESHOLD, _AS_IT_GREW)
        glibc.mallopt(_M_TRIM_THRESHOLD, 2 * _AS_IT_GREW)
        glibc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - others have no such function
    except (AttributeError, OSError, TypeError):  # Windows takes no None
        return None
    return library

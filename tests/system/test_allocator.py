import ctypes
import resource

import pytest

from imageloom.system.allocator import kept_for_the_next

LARGE = 48 * 2**20


def pages_taken_by(times):
    """Return how often the kernel had to give a page while large memory was asked for."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        ctypes.create_string_buffer(LARGE)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="needs glibc")
def test_large_memory_is_taken_from_the_kernel_once_inside_and_each_time_outside():
    once = LARGE // resource.getpagesize()
    with kept_for_the_next():
        pages_taken_by(1)
        assert pages_taken_by(5) < once
    assert pages_taken_by(5) > 3 * once

import ctypes
import subprocess
import sys

import pytest

# In a process of its own: in one that has run other tests, free memory of that size may lie in the
# middle of the heap, which glibc takes before it asks the kernel.
PROGRAM = """
import ctypes, resource

from imageloom.system.allocator import kept_for_the_next

LARGE = 48 * 2**20


def pages_taken_by(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        ctypes.create_string_buffer(LARGE)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


with kept_for_the_next():
    pages_taken_by(1)
    inside = pages_taken_by(5)
print(inside, pages_taken_by(5), LARGE // resource.getpagesize())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="needs glibc")
def test_large_memory_is_taken_from_the_kernel_once_inside_and_each_time_outside():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    inside, outside, once = map(int, done.stdout.split())
    assert inside < once
    assert outside > 3 * once

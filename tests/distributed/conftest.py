"""Waiting for threads and processes."""

import time

import pytest

DEADLINE_S = 60.0


@pytest.fixture
def wait_until():
    """Return a function that waits for a condition, and fails when it does not come true."""

    def wait(is_so, what=""):
        deadline = time.monotonic() + DEADLINE_S
        while not is_so():
            assert time.monotonic() < deadline, what
            time.sleep(0.01)

    return wait

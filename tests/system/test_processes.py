"""Killed processes leave nothing in shared memory."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from imageloom.system.processes import end_but_resource_trackers

# Shares memory and a semaphore with nobody, as a process that was killed does.
SHARER = """
import multiprocessing, time
from multiprocessing.shared_memory import SharedMemory
memory = SharedMemory(create=True, size=8)
semaphore = multiprocessing.get_context("spawn").Semaphore()
print(memory.name, "sem." + semaphore._semlock.name[1:], flush=True)
time.sleep(60)
"""


SHARED = Path("/dev/shm")


@pytest.mark.skipif(not SHARED.is_dir(), reason="there is no /dev/shm to look into")
def test_what_killed_processes_shared_is_gone():
    with subprocess.Popen([sys.executable, "-c", SHARER], stdout=subprocess.PIPE) as process:
        shared = [SHARED / name for name in process.stdout.readline().decode().split()]
        assert all(file.exists() for file in shared)
        children = psutil.Process(process.pid).children()
        end_but_resource_trackers([psutil.Process(process.pid), *children])
        assert process.wait() == -9
    assert not any(file.exists() for file in shared)

"""Steps on ready tensors in a process of their own; says how fast they were and what memory cost.

    python step_memory.py NETWORK kept|returned

What a step gives back is kept for the next one, as in Imageloom's trainings on a CPU, or goes to
the kernel as the C library does it by itself.
"""

import contextlib
import json
import resource
import sys

import torch
from networks import JOBS
from steps import step_speed

from imageloom.system.allocator import kept_for_the_next

STEPS = 5
UNTIMED = 3  # in step_speed


def main(name, way):
    before = resource.getrusage(resource.RUSAGE_SELF)
    with kept_for_the_next() if way == "kept" else contextlib.nullcontext():
        speed, _ = step_speed(
            JOBS[name], torch.device("cpu"), STEPS, precision="float32", fused=True
        )
    after = resource.getrusage(resource.RUSAGE_SELF)
    steps = STEPS + UNTIMED
    found = {
        "speed": speed,
        "faults": (after.ru_minflt - before.ru_minflt) / steps,
        "kernel": (after.ru_stime - before.ru_stime) / steps,
        "memory": after.ru_maxrss * 1024,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

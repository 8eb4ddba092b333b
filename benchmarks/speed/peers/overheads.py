"""Trains with Imageloom and writes down where the seconds beside the training went.

    python overheads.py OUT ARGUMENTS...

The arguments are those of 'imageloom'. Clocks are put around functions of the training; OUT gets
their seconds as JSON.
"""

import collections
import json
import sys
import time
from pathlib import Path

SECONDS = collections.Counter()
_running = []


def clocked(owner, name, what):
    """Add up the time in a function of a module or class, its calls of other such left out."""
    plain = getattr(owner, name)

    def function(*arguments, **options):
        if _running and what != "epochs" and _running[-1] != "epochs":
            return plain(*arguments, **options)
        _running.append(what)
        began = time.perf_counter()
        try:
            return plain(*arguments, **options)
        finally:
            SECONDS[what] += time.perf_counter() - began
            _running.pop()

    setattr(owner, name, function)


def train(arguments):
    from imageloom.__main__ import main
    from imageloom.training import fit
    from imageloom.training.checkpoints import saver
    from imageloom.training.curves import StepCurves
    from imageloom.training.run.events import RunReporter

    clocked(fit, "_train_epoch", "epochs")
    clocked(saver, "save_checkpoint", "checkpoints")
    for name in ("metric", "notice"):
        clocked(RunReporter, name, "events and curves")
    for name in ("after_step", "after_epoch", "flush"):
        clocked(StepCurves, name, "events and curves")
    clocked(RunReporter, "progress", "progress")
    sys.argv = ["imageloom", *arguments]
    main()


def main(out, *arguments):
    try:
        train(arguments)
    finally:
        Path(out).write_text(json.dumps(SECONDS))


if __name__ == "__main__":
    main(*sys.argv[1:])

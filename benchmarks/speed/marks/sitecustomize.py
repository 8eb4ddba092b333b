"""Notes when an epoch of training begins and when a step ends, whatever system trains.

Python imports a module of this name by itself where its folder is on PYTHONPATH, so the commands
that are compared are those that a person types. Every system puts its network into training mode
when an epoch begins, and takes its steps with an optimizer of torch; nothing else is touched, and
a note is one short write (2 microseconds). Where SPEED_MARKS names no folder nothing happens.
"""

import importlib.abc
import os
import sys
import time

FOLDER = os.environ.get("SPEED_MARKS")
_notes = []


def note(word):
    if not _notes:
        path = os.path.join(FOLDER, f"{os.getpid()}.txt")  # noqa: PTH118 - pathlib takes long to import
        _notes.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    # The same clock in all processes of a Linux machine.
    os.write(_notes[0], f"{word} {time.monotonic():.6f}\n".encode())


def note_epochs(module):
    """Note each call of ``train()`` on a whole network, not those that it makes on its parts."""
    plain, depth = module.Module.train, [0]

    def train(self, mode=True):
        if mode and depth[0] == 0:
            note("epoch")
        depth[0] += 1
        try:
            return plain(self, mode)
        finally:
            depth[0] -= 1

    module.Module.train = train


def note_steps(module):
    module.register_optimizer_step_post_hook(lambda *_: note("step"))


AFTER_IMPORT = {"torch.nn.modules.module": note_epochs, "torch.optim.optimizer": note_steps}


class Finder(importlib.abc.MetaPathFinder):
    """Finds nothing itself; adds to the two modules when they have been read."""

    def find_spec(self, name, path, target=None):
        add = AFTER_IMPORT.get(name)
        if add is None:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (one.find_spec(name, path, target) for one in others)))
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            add(module)

        spec.loader.exec_module = exec_module
        return spec


if FOLDER:
    sys.meta_path.insert(0, Finder())

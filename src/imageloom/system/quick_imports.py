"""Imports of a process of our own that take less of the processor."""

import contextlib
import gc
import importlib.util
import sys
from collections.abc import Callable, Iterator
from types import ModuleType


@contextlib.contextmanager
def garbage_left_alone() -> Iterator[None]:
    """Import modules inside without looking for garbage, of which modules that come make none.

    Python would pass over all of torch several times meanwhile: of what a training imports, 2.81
    instead of 3.37 s of a processor (torch 2.15, Python 3.11, 2 cores, least of 5).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextlib.contextmanager
def imported_when_used(name: str, load: Callable[[], ModuleType]) -> Iterator[None]:
    """Let libraries be imported inside that import another one for what they may never do.

    They find a module that imports the other one when something of it is asked for. A library that
    is not installed is not found, as ever.

    Args:
        name: Of the other one.
        load: Imports and returns it.
    """
    if name in sys.modules or importlib.util.find_spec(name) is None:
        yield
        return
    stand_in = _WhenUsed(name, load)
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]


class _WhenUsed(ModuleType):
    """Stands in for a module until something of it is asked for."""

    def __init__(self, name: str, load: Callable[[], ModuleType]) -> None:
        super().__init__(name)
        self._load = load

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # Python asks for some of them when it imports a module
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(self._load(), name)

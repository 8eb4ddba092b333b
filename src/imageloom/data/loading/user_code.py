"""Starts processes of ``multiprocessing`` in which nothing of the user's runs.

As a rule such a process runs the script of the one that starts it once more, because what is sent
to it may be of a class of that script. Nothing that we send is, and a script without a ``__main__``
guard would start over in each process. Its helpers, which Python starts with ``-c``, even take a
``random.py`` in the folder that a person happens to stand in for Python's own.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from multiprocessing import spawn, util
from types import ModuleType
from typing import Final

_ONE_AT_A_TIME: Final = threading.Lock()


@contextlib.contextmanager
def user_code_left_out() -> Iterator[None]:
    """Keep main module and present folder out of the processes that this thread starts meanwhile.

    Those that other threads start are as ever. Forked processes import nothing anyway.

    Source:
        ``multiprocessing`` of Python 3.11 to 3.14. A new process imports main if there is a path
        or a name of it in what ``spawn.get_preparation_data`` returns. All command lines, those of
        the fork server and of the resource tracker too, begin with
        ``util._args_from_interpreter_flags``; ``-P`` is the option that leaves the folder out.
    """
    with (
        _ONE_AT_A_TIME,
        _changed(spawn, "get_preparation_data", _without_main),
        _changed(util, "_args_from_interpreter_flags", lambda flags: [*flags, "-P"]),
    ):
        yield


def _without_main(sent: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in sent.items() if not name.startswith("init_main")}


@contextlib.contextmanager
def _changed(module: ModuleType, name: str, change: Callable[..., object]) -> Iterator[None]:
    """Let a function of a module return something else when this thread calls it."""
    of_python, ours = getattr(module, name), threading.get_ident()

    def function(*arguments: object) -> object:
        returned = of_python(*arguments)
        return change(returned) if threading.get_ident() == ours else returned

    setattr(module, name, function)
    try:
        yield
    finally:
        setattr(module, name, of_python)

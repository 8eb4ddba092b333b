"""Starts processes of ``multiprocessing`` that do not import the user's main module.

Such a process runs the script of the one that starts it once more, because what is sent to it may
be of a class of that script. Nothing that we send is, and a script without a ``__main__`` guard
would start over in each process.
"""

import contextlib
import threading
from collections.abc import Iterator
from multiprocessing import spawn
from typing import Final

_ONE_AT_A_TIME: Final = threading.Lock()


@contextlib.contextmanager
def main_module_left_out() -> Iterator[None]:
    """Leave the main module out of the processes that this thread starts meanwhile.

    Those that other threads start are as ever. Forked processes import nothing anyway.

    Source:
        ``multiprocessing.spawn`` of Python 3.11 to 3.14: all other ways to start a process send it
        what ``get_preparation_data`` returns, and it imports main if a path or a name is in there.
    """
    with _ONE_AT_A_TIME:
        ours, of_python = threading.get_ident(), spawn.get_preparation_data

        def get_preparation_data(name: str) -> dict[str, object]:
            sent = of_python(name)
            if threading.get_ident() == ours:
                sent.pop("init_main_from_path", None)
                sent.pop("init_main_from_name", None)
            return sent

        spawn.get_preparation_data = get_preparation_data
        try:
            yield
        finally:
            spawn.get_preparation_data = of_python

"""Use pyarrow in a process of our own without importing pandas, of which nothing here makes use."""

import importlib.util
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType


def leave_pandas_out(environment: Mapping[str, str]) -> None:
    """Let pyarrow do without pandas in this process, which does no work but ours.

    Where pandas is installed, pyarrow imports it with its first array, to know its values from
    others: 0.3 s of a processor in each process (pandas 3.1, pyarrow 25, 2 cores). Here no such
    values can come, and what pyarrow does with all others is the same. Who imports pandas later has
    it; only that pyarrow takes its ``NaT`` and ``NA`` for objects that it does not know. So nothing
    is changed where extensions are loaded, which may have them, and where pandas is there already.

    Args:
        environment: Tells whether there are extensions.
    """
    if "pandas" in sys.modules or environment.get("IMAGELOOM_EXTENSIONS"):
        return
    if "pyarrow" in sys.modules:
        _ask_for_arrays_without()
    else:
        sys.meta_path.insert(0, _Watch())


def _ask_for_arrays_without() -> None:
    """Have pyarrow look for pandas while there is none; it looks once."""
    from pyarrow import array

    lacks = _Lacks()
    sys.meta_path.insert(0, lacks)
    try:
        array([1]).to_numpy()
    finally:
        sys.meta_path.remove(lacks)


class _Lacks:
    """Says that pandas is not installed, to the thread that made it."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - part of the protocol
        target: ModuleType | None = None,  # noqa: ARG002 - likewise
    ) -> None:
        if name == "pandas" and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class _Watch:
    """Finds pyarrow as the other finders do, and has it do without pandas once it is imported."""

    def __init__(self) -> None:
        self._asks_others = False

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - part of the protocol
        target: ModuleType | None = None,  # noqa: ARG002 - likewise
    ) -> ModuleSpec | None:
        if name != "pyarrow" or self._asks_others:
            return None
        self._asks_others = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._asks_others = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Loading(spec.loader, self)
        return spec


class _Loading(Loader):
    """Loads pyarrow as its own loader does."""

    def __init__(self, loader: Loader, watch: _Watch) -> None:
        self._loader = loader
        self._watch = watch

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        sys.meta_path.remove(self._watch)
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        if "pandas" not in sys.modules:
            _ask_for_arrays_without()

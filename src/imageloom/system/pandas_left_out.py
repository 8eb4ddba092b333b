"""Use pyarrow in a process of our own without importing pandas, of which nothing here makes use."""

import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from types import ModuleType


def leave_pandas_out(environment: Mapping[str, str]) -> None:
    """Let pandas be as if it were not installed in this process, which does no work but ours.

    Where it is installed, pyarrow imports it with its first array, to know its values from others:
    0.25 s of a processor and 50 MB in each process (pandas 3.1, pyarrow 25, 2 cores). No such value
    can come here. Nothing is changed where it is imported already, and where there are extensions,
    which may want it.

    Args:
        environment: Tells whether there are extensions.
    """
    if "pandas" not in sys.modules and not environment.get("IMAGELOOM_EXTENSIONS"):
        sys.meta_path.insert(0, _NoPandas)


class _NoPandas(PathFinder):
    """Says that there is no pandas; asked for anything else, it leaves the others to answer."""

    @classmethod
    def find_spec(
        cls,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG003 - part of the protocol
        target: ModuleType | None = None,  # noqa: ARG003 - likewise
    ) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name=fullname)

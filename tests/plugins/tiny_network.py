"""The network ``tiny`` for tests that start many processes: none of them imports timm for it.

That takes a second and a half of a processor in each process that trains ``timm/test_resnet``.
"""

import contextlib
import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

from imageloom.models.family import FAMILIES

FAMILY = Path(__file__).parents[1] / "faults" / "tiny_family.py"


def tiny_extensions(folder: Path) -> Path:
    """Return a folder of extensions that holds the network, for the variable of processes."""
    families = folder / "extensions" / "families"
    families.mkdir(parents=True)
    shutil.copy(FAMILY, families / "tiny.py")
    return families.parent


@contextlib.contextmanager
def tiny_declared() -> Iterator[None]:
    """Know the network in this process too; other tests do not see it."""
    spec = importlib.util.spec_from_file_location("tiny_family_of_one_test", FAMILY)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    try:
        yield
    finally:
        del FAMILIES._items["tiny"]

"""All files below a folder, with what the system says of each."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def found_files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every file with its state; links are not followed, and what goes meanwhile is not told.

    A folder that is not there has none.
    """
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)  # noqa: PTH118 - a million files
            with contextlib.suppress(OSError):
                yield path, os.lstat(path)

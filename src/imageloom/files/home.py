"""``~`` at the start of a path that a person wrote."""

import os
from pathlib import Path


def expand_home(path: Path | str) -> Path:
    """Return a path whose leading ``~`` or ``~name`` is the home folder.

    Unlike ``Path.expanduser``, which raises ``RuntimeError``, ``~name`` of a user who is not known
    stays as it is, as in a shell: whoever opens the path says that there is nothing.
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111 - the difference is the point

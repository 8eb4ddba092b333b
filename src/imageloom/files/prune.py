"""Folders of things that can be made anew: those not used for longest make room."""

import contextlib
import os
from pathlib import Path


def prune_folder(folder: Path, most_bytes: int) -> int:
    """Remove files until the rest has a limited size, and return how many went.

    Those go first whose time of change is longest ago; whoever uses a file touches it. A file that
    another process removes meanwhile does no harm.

    Args:
        folder: With nothing but such files, none in a folder of its own; need not be there.
        most_bytes: What the rest may have together.
    """
    found = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                facts = entry.stat(follow_symlinks=False)
                found.append((facts.st_mtime_ns, facts.st_size, entry.path))
    total, removed = sum(size for _, size, _ in found), 0
    for _, size, path in sorted(found):
        if total <= most_bytes:
            break
        Path(path).unlink(missing_ok=True)
        total, removed = total - size, removed + 1
    return removed

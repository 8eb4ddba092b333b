"""Keeps the log of a job from filling the disk."""

import os
from pathlib import Path
from typing import Final

_NOTE: Final = b"\n[Imageloom: the log grew too big, so lines are left out here]\n"


def shorten_log(log: Path, *, limit_bytes: int) -> None:
    """Cut a log that grew too big back to its first half; what is still written comes after that.

    So the beginning stays and the end, where the reason of a failure stands. The writers append,
    and need not know.
    """
    try:
        if log.stat().st_size <= limit_bytes:
            return
        os.truncate(log, limit_bytes // 2)
        with log.open("ab") as file:
            file.write(_NOTE)
    except OSError:
        return  # no log yet, or a full disk: the job goes on without

"""Keeps the log of a job from filling the disk."""

import contextlib
import os
from pathlib import Path
from typing import Final

from imageloom.files.log_parts import cuts_file

_NOTE: Final = b"\n[Imageloom: the log grew too big, so lines are left out here]\n"


def shorten_log(log: Path, *, limit_bytes: int) -> None:
    """Cut a log that grew too big back to its first half; what is still written comes after that.

    So the beginning stays and the end, where the reason of a failure stands. The writers append,
    and need not know. Readers are told by ``log_parts.cuts_file``.
    """
    try:
        if log.stat().st_size <= limit_bytes:
            return
        # First, so that who sees the cut log knows of it; on a full disk cutting goes before.
        with contextlib.suppress(OSError), cuts_file(log).open("ab") as cuts:
            cuts.write(b".")
        os.truncate(log, limit_bytes // 2)
        with log.open("ab") as file:
            file.write(_NOTE)
    except OSError:
        return  # no log yet, or a full disk: the job goes on without

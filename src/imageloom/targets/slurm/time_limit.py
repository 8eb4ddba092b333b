"""Time limits as Slurm writes them."""

import re
from typing import Final

_DAYS: Final = re.compile(r"(\d+)-(\d+)(?::(\d+))?(?::(\d+))?")
_HOURS: Final = re.compile(r"(\d+):(\d+):(\d+)")
_MINUTES: Final = re.compile(r"(\d+)(?::(\d+))?")


def seconds_of(time_limit: str) -> int | None:
    """Return a time limit in seconds; None when there is none, or sbatch has to read it.

    Source:
        sbatch(1), option ``--time``.
    """
    text = time_limit.strip()
    if match := _DAYS.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    elif match := _HOURS.fullmatch(text):
        days, (hours, minutes, seconds) = 0, (int(part) for part in match.groups())
    elif match := _MINUTES.fullmatch(text):
        days, hours, (minutes, seconds) = 0, 0, (int(part or 0) for part in match.groups())
    else:
        return None
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds or None

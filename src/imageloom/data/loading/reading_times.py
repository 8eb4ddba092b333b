"""How long each part of reading pictures takes, added up over those who read them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

ReadingPart = Literal["files", "digests", "decoding", "operations", "handover"]
PARTS: Final[tuple[ReadingPart, ...]] = get_args(ReadingPart)
_NOTHING: Final = dict.fromkeys(PARTS, 0.0)


@dataclass(frozen=True)
class ReadingTimes:
    """Seconds that were spent on some pictures.

    The first five are of the threads or processes that read, one after the other for each picture;
    the last two are of the process that waits for them.

    Attributes:
        files: Reading the files.
        digests: Comparing their SHA-256, once for each file.
        decoding: From bytes to pixels.
        operations: Scaling, and random operations.
        handover: Putting pictures into batches.
        passing: Waited for batches that were done, on their way from another process.
        starting: Waited until processes that read had started.
    """

    files: float = 0.0
    digests: float = 0.0
    decoding: float = 0.0
    operations: float = 0.0
    handover: float = 0.0
    passing: float = 0.0
    starting: float = 0.0

    def __add__(self, other: "ReadingTimes") -> "ReadingTimes":
        # Not dataclasses.astuple, which copies deeply: this runs in each step.
        mine, theirs = vars(self).values(), vars(other).values()
        return ReadingTimes(*(one + two for one, two in zip(mine, theirs, strict=True)))

    @classmethod
    def of(cls, clocks: Sequence["PartClock"]) -> "ReadingTimes":
        """Return what several clocks have measured together."""
        return cls(**{part: sum(clock.seconds[part] for clock in clocks) for part in PARTS})


class PartClock:
    """Measures the parts of one picture's way, in one thread.

    It costs about 2 us a picture: 0.3 for each end, 0.5 for itself, 0.5 to add up (Python 3.11, one
    core of 2, which were busy).

    Attributes:
        seconds: Of each part so far.
    """

    def __init__(self) -> None:
        self.seconds = _NOTHING.copy()
        self._at = time.perf_counter()

    def end(self, part: ReadingPart) -> None:
        """Count the time since the last part's end, or since the beginning, to this part."""
        now = time.perf_counter()
        self.seconds[part] += now - self._at
        self._at = now

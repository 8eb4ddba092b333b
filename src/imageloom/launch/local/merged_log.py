"""Logs of several processes as one, in the order of time. Lines in, labelled lines out."""

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

LAUNCHER: Final = "launcher"
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}")
_FILE: Final = re.compile(r"70_(?:driver_log_(?P<rank>\d+)|mpi_log(?:_(?P<place>.+))?)\.txt")


class LabelledLine(NamedTuple):
    """A line and the process that wrote it."""

    label: str
    text: str


class MergedLog:
    """Joins the logs of processes, all at once or as they grow.

    A line without a time, such as one of a traceback, stays behind the line that it follows in its
    own log. Lines of one log keep their order even where its clock was set back. The clocks and
    time zones are those of the machines that wrote.
    """

    def __init__(self) -> None:
        self._reached: dict[str, str] = {}

    def add(self, lines: Mapping[str, Iterable[str]]) -> Iterator[LabelledLine]:
        """Yield the next lines of some logs in the order of time.

        Args:
            lines: By label. Of two lines with the same time, that of the earlier label comes first.
        """
        timed = [self._timed(label, texts) for label, texts in lines.items()]
        for _, line in heapq.merge(*timed, key=itemgetter(0)):
            yield line

    def _timed(self, label: str, texts: Iterable[str]) -> Iterator[tuple[str, LabelledLine]]:
        reached = self._reached.get(label, "")
        for text in texts:
            found = _TIME.match(text)
            if found is not None and found.group() > reached:
                reached = self._reached[label] = found.group()
            yield reached, LabelledLine(label, text)


def logs_of_run(folder: Path) -> dict[str, Path]:
    """Return the logs in a run's folder by what to call them: the launcher's, then each rank's."""
    found = [(match, file) for file in folder.glob("70_*") if (match := _FILE.fullmatch(file.name))]
    launchers = [(match["place"] or "", file) for match, file in found if match["rank"] is None]
    ranks = [(int(match["rank"]), file) for match, file in found if match["rank"] is not None]
    return {
        **{f"{LAUNCHER} {place}".strip(): file for place, file in sorted(launchers)},
        **{label_of_rank(rank): file for rank, file in sorted(ranks)},
    }


def label_of_rank(rank: int) -> str:
    """Return what the log of a rank is called."""
    return f"rank {rank}"

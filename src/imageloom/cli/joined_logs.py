"""The logs of several processes as one text, each line with the name of its process."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from imageloom.cli.tails import Tail, read_log
from imageloom.launch.local.merged_log import MergedLog

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d ")


def joined_text(logs: Mapping[str, Path], *, echo: str = "", num_lines: int | None = None) -> str:
    """Return all lines of some logs, in the order of time; a single log is returned as it is.

    Args:
        logs: By who wrote them.
        echo: Of which log only that is shown that stands in no other: a process whose lines go into
            a log of their own may have printed them as well.
        num_lines: How many of the last lines, or None for all.
    """
    texts = {label: read_log(log, num_lines=num_lines) for label, log in logs.items()}
    if len(texts) == 1:
        return next(iter(texts.values()))
    lines = {label: text.removesuffix("\n").split("\n") for label, text in texts.items() if text}
    own = _Echo(echo).without_repetition(lines)
    joined = [labelled(*line) + "\n" for line in MergedLog().add(own)]
    return "".join(joined if num_lines is None else joined[-num_lines:])


class JoinedTail:
    """The lines that are added to some logs; further logs may appear while one looks.

    Args:
        echo: As of ``joined_text``.
    """

    def __init__(self, *, echo: str = "") -> None:
        self._tails: dict[str, Tail] = {}
        self._echo = _Echo(echo)
        self._merged = MergedLog()

    def read(self, logs: dict[str, Path]) -> list[str]:
        """Return the whole lines that were written since the last call."""
        for label, log in logs.items():
            self._tails.setdefault(label, Tail(log)).log = log
        # The last one first: the log that repeats others is written after them.
        new = {label: self._tails[label].read() for label in reversed(logs)}
        own = self._echo.without_repetition({label: new[label] for label in logs})
        lines = self._merged.add(own)
        if len(self._tails) == 1:
            return [text for _, text in lines]
        return [labelled(*line) for line in lines]


class _Echo:
    """A log that repeats what others say.

    Args:
        label: What it is called; empty when there is none.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._known: set[str] = set()
        self._repeats = False

    def without_repetition(self, lines: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Return the next lines of all logs without those that it repeats."""
        others = {label: texts for label, texts in lines.items() if label != self._label}
        if self._label not in lines:
            return others
        self._known.update(text for texts in others.values() for text in texts)
        own = [text for text in lines[self._label] if not self._stands_elsewhere(text)]
        return {**others, self._label: own}

    def _stands_elsewhere(self, text: str) -> bool:
        # A line without a time, such as one of a traceback, belongs to the one before it.
        if _TIME.match(text):
            self._repeats = text in self._known
        return self._repeats and text in self._known


def labelled(label: str, text: str) -> str:
    """Return a line with the name of its process before it."""
    return f"{label + ':':<9} {text}".rstrip(" ")

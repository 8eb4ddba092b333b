"""The logs of several processes as one text, each line with the name of its process."""

from collections.abc import Mapping
from pathlib import Path

from imageloom.cli.tails import Tail, read_log
from imageloom.launch.merged_log import MergedLog


def joined_text(logs: Mapping[str, Path]) -> str:
    """Return all lines of some logs, in the order of time; a single log is returned as it is."""
    texts = {label: read_log(log) for label, log in logs.items()}
    if len(texts) == 1:
        return next(iter(texts.values()))
    lines = {label: text.removesuffix("\n").split("\n") for label, text in texts.items() if text}
    return "".join(labelled(*line) + "\n" for line in MergedLog().add(lines))


class JoinedTail:
    """The lines that are added to some logs; further logs may appear while one looks."""

    def __init__(self) -> None:
        self._tails: dict[str, Tail] = {}
        self._merged = MergedLog()

    def read(self, logs: Mapping[str, Path]) -> list[str]:
        """Return the whole lines that were written since the last call."""
        for label, log in logs.items():
            self._tails.setdefault(label, Tail(log)).log = log
        new = {label: self._tails[label].read() for label in logs}
        lines = self._merged.add(new)
        if len(self._tails) == 1:
            return [text for _, text in lines]
        return [labelled(*line) for line in lines]


def labelled(label: str, text: str) -> str:
    """Return a line with the name of its process before it."""
    return f"{label + ':':<9} {text}".rstrip(" ")

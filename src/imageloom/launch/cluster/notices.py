"""Sentences for people that several threads have to say, and one thread tells."""

import logging
import queue
from typing import Literal

from imageloom.events import Control, Notice

logger = logging.getLogger(__name__)


class Notices:
    """What threads said that must not call the caller themselves."""

    def __init__(self) -> None:
        self._said: queue.SimpleQueue[Notice] = queue.SimpleQueue()

    def say(self, level: Literal["info", "warning"], sentence: str) -> None:
        """Write a sentence into the log, and keep it for people."""
        logger.log(logging.INFO if level == "info" else logging.WARNING, "%s", sentence)
        self._said.put(Notice(level, sentence))

    def tell(self, control: Control) -> None:
        """Tell the caller, whose thread this is, what was said since the last time."""
        while not self._said.empty():
            control.tell(self._said.get())

"""What a running function tells its caller, and how the caller stops it.

Public functions print nothing. They call an ``EventSink`` with the events below; the command
line draws them, the training run writes them to ``events.jsonl``, a page may stream them.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Self

from imageloom.errors import RunInterruptedError


@dataclass(frozen=True)
class Progress:
    """How far a stage has come.

    Attributes:
        stage: What is being done, as a person would say it: ``Decoding pictures``.
        done: Units finished.
        total: Units in all, or None while that is not known.
        unit: What is counted, in the plural: ``images``, ``bytes``, ``steps``.
        text: Live figures to show beside the bar, such as ``loss 0.31``.
        time_left_s: Seconds to the end of the whole job where the stage knows better than its own
            rate tells (a training epoch is one of many), else None.
    """

    stage: str
    done: int
    total: int | None
    unit: str
    text: str = ""
    time_left_s: float | None = None


@dataclass(frozen=True)
class Metric:
    """One value of a named series, such as ``Valid loss`` at the end of an epoch.

    Attributes:
        name: The name users know (docs/reference/metrics.md).
        value: A finite number.
        epoch: Epochs completed when it was taken; fractions inside an epoch.
        step: Optimizer steps completed when it was taken.
    """

    name: str
    value: float
    epoch: float
    step: int


@dataclass(frozen=True)
class Notice:
    """A sentence a person should see, once.

    Attributes:
        level: ``info`` for facts, ``warning`` for what may not be as intended.
        message: One or two sentences.
    """

    level: Literal["info", "warning"]
    message: str


Event = Progress | Metric | Notice
EventSink = Callable[[Event], None]


def ignore_events(_event: Event) -> None:
    """An event sink for callers who do not want to hear."""


class CancelToken:
    """A flag that one thread or signal handler sets and a running function reads.

    Attributes:
        reason: Why it was set, for the message: ``SIGTERM``, ``Ctrl+C``.
        asked: How often it was set; who waits for others to stop ends them when asked twice.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._reaching = threading.Lock()
        self.reason = ""
        self.asked = 0

    def set(self, reason: str) -> None:
        """Ask the function to stop at the next safe point."""
        self.reason = reason
        self.asked += 1
        self._event.set()

    def reach(self, asked: int, reason: str) -> None:
        """Ask until it was asked that often, with what was asked before, by any thread."""
        with self._reaching:
            while self.asked < asked:
                self.set(reason)

    @property
    def is_set(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def raise_if_set(self) -> None:
        """Raise at a point where stopping loses nothing.

        Raises:
            RunInterruptedError: Somebody asked to stop.
        """
        if self.is_set:
            raise RunInterruptedError.stopped_by(self.reason)


@dataclass(frozen=True)
class Control:
    """How a running function tells its caller of itself, and how the caller stops it.

    Public functions take the two as keywords; all that they call is handed this.

    Attributes:
        on_event: Hears every event.
        cancel: Set by whoever wants the function to stop.
    """

    on_event: EventSink = ignore_events
    cancel: CancelToken = field(default_factory=CancelToken)

    @classmethod
    def of(cls, on_event: EventSink, cancel: CancelToken | None) -> Self:
        """Return that of a public call, whose caller may have no wish to stop it."""
        return cls(on_event, cancel or CancelToken())

    def tell(self, event: Event) -> None:
        """Let the caller hear of it."""
        self.on_event(event)

    def raise_if_cancelled(self) -> None:
        """Raise at a point where stopping loses nothing.

        Raises:
            RunInterruptedError: Somebody asked to stop.
        """
        self.cancel.raise_if_set()

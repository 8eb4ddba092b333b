"""Progress of a command: a moving bar on a terminal, a line now and then anywhere else."""

import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, ProgressColumn, Task, TaskID
from rich.progress import Progress as Bars
from rich.text import Text

from imageloom.cli.epochs import EpochTable
from imageloom.cli.signals import answer
from imageloom.errors import printable
from imageloom.events import CancelToken, Event, Notice, Progress
from imageloom.system.wording import duration

LINE_INTERVAL_S: Final = 5.0


class ProgressDisplay(Protocol):
    """An event sink that draws; ``close`` gives the terminal back."""

    notices: list[dict[str, str]]

    def __call__(self, event: Event) -> None:
        """Draw one event."""

    def tell(self, text: Text) -> None:
        """Write a line above the bars."""

    def part(self, label: str) -> "ProgressDisplay":
        """Return a reporter for one of several things that go on at once.

        Its lines begin with ``label``, and its bar stands beside those of the others.
        """

    def close(self) -> None:
        """Draw what is pending and leave the terminal as it was."""


class NoticeList:
    """Draws nothing, and keeps the notices for the JSON object.

    Args:
        whole: The reporter this one is a part of, which gets its notices.
        label: What its notices begin with.
    """

    def __init__(self, whole: "NoticeList | None" = None, label: str = "") -> None:
        self.notices: list[dict[str, str]] = [] if whole is None else whole.notices
        self._label = label

    def __call__(self, event: Event) -> None:
        """Keep a notice; leave everything else."""
        if isinstance(event, Notice):
            about = f"{self._label.strip()}: " if self._label else ""
            self.notices.append({"level": event.level, "message": f"{about}{event.message}"})

    def tell(self, text: Text) -> None:
        """Leave it."""

    def part(self, label: str) -> ProgressDisplay:
        """Return a list that adds to this one."""
        return NoticeList(self, label)

    def close(self) -> None:
        """There is nothing to give back."""


def open_reporter(console: Console, cancel: CancelToken) -> ProgressDisplay:
    """Return the reporter that fits the console."""
    return BarReporter(console, cancel) if console.is_terminal else LineReporter(console)


class LineReporter(NoticeList):
    """Plain lines for logs: at most one every few seconds per stage, and one per epoch.

    Args:
        console: Where to write.
        clock: Seconds from any start; tests give their own.
        whole: The reporter this one is a part of.
        label: What its lines begin with.
    """

    def __init__(
        self,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
        *,
        whole: NoticeList | None = None,
        label: str = "",
    ) -> None:
        super().__init__(whole, label)
        self._console = console
        self._clock = clock
        self._epochs = EpochTable()
        self._stage = ""
        self._stage_start_s = 0.0
        self._last_line_s = clock()

    def __call__(self, event: Event) -> None:
        """Write what is to stay, and show progress."""
        super().__call__(event)
        for text in self._epochs.lines(event):
            self.tell(text)
        if isinstance(event, Notice):
            self.tell(notice_line(event))
        elif isinstance(event, Progress):
            self._progress(event)

    def tell(self, text: Text) -> None:
        """Write a line, unwrapped, so that a command in it can be copied."""
        self._console.print(Text(self._label) + text, soft_wrap=True)

    def part(self, label: str) -> ProgressDisplay:
        """Return a reporter whose lines begin with ``label``."""
        return LineReporter(self._console, self._clock, whole=self, label=label)

    def close(self) -> None:
        """Write the last epoch."""
        for text in self._epochs.rest():
            self.tell(text)

    def _progress(self, event: Progress) -> None:
        now = self._clock()
        if event.stage != self._stage:
            self._stage, self._stage_start_s = event.stage, now
        if now - self._last_line_s >= LINE_INTERVAL_S:
            self._last_line_s = now
            self.tell(Text(progress_line(event, now - self._stage_start_s)))


class BarReporter(LineReporter):
    """A bar for the present stage at the bottom; notices and epochs stay above it.

    Args:
        console: A terminal.
        cancel: Tells when somebody asked to stop.
        whole: The reporter this one is a part of, which owns the terminal.
        label: What its lines and its bar begin with.
    """

    def __init__(
        self,
        console: Console,
        cancel: CancelToken,
        *,
        whole: "BarReporter | None" = None,
        label: str = "",
    ) -> None:
        super().__init__(console, whole=whole, label=label)
        self._cancel = cancel
        self._is_part = whole is not None
        self._bars: Bars = _open_bars(console, cancel) if whole is None else whole._bars
        self._task: TaskID | None = None

    def part(self, label: str) -> ProgressDisplay:
        """Return a reporter with a bar of its own."""
        return BarReporter(self._console, self._cancel, whole=self, label=label)

    def close(self) -> None:
        """Remove the bar, or give the terminal back if this is the whole; write the last epoch."""
        if self._is_part:
            self._remove_bar()
        else:
            self._bars.stop()
        super().close()

    def _progress(self, event: Progress) -> None:
        self._bars.start()
        words = self._label + printable(event.stage)
        if self._task is None:
            self._task = self._bars.add_task(words, event=event)
        elif event.stage != self._stage:
            self._bars.reset(self._task, description=words)  # in its place among the others
        self._stage = event.stage
        self._bars.update(self._task, completed=event.done, total=event.total, event=event)

    def _remove_bar(self) -> None:
        if self._task is not None:
            if len(self._bars.tasks) == 1:
                self._bars.stop()  # no bars at all would be drawn as an empty line
            self._bars.remove_task(self._task)
            self._bars.refresh()  # or else it would be drawn once more below the next line
            self._task = None


class _AnsweringBars(Bars):
    """Bars, and below several of them the answer to a person who asked to stop.

    What the signal's handler writes would be drawn over: bars go up as many lines as they are.
    """

    def __init__(self, *columns: ProgressColumn, cancel: CancelToken, console: Console) -> None:
        self._cancel = cancel
        super().__init__(
            *columns, console=console, transient=True, expand=True, refresh_per_second=8
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return what is drawn eight times a second."""
        yield from super().get_renderables()
        if self._cancel.is_set and len(self.tasks) > 1:
            yield Text(answer(self._cancel))


def _open_bars(console: Console, cancel: CancelToken) -> Bars:
    return _AnsweringBars(
        _Stage(),
        BarColumn(bar_width=None),
        _Counts(),
        _Figures(),
        _TimeLeft(),
        cancel=cancel,
        console=console,
    )


class _Stage(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(task.description, no_wrap=True)


class _Counts(ProgressColumn):
    def render(self, task: Task) -> Text:
        event = _event_of(task)
        return Text(counts(event.done, event.total, event.unit), no_wrap=True)


class _Figures(ProgressColumn):
    """What the stage itself says, or else the rate."""

    def render(self, task: Task) -> Text:
        event = _event_of(task)
        text = printable(event.text) or rate_text(task.speed, event.unit)
        return Text(text, overflow="ellipsis", no_wrap=True)


class _TimeLeft(ProgressColumn):
    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        left_s = _event_of(task).time_left_s
        return Text(time_left_text(task.time_remaining if left_s is None else left_s), no_wrap=True)


def _event_of(task: Task) -> Progress:
    event = task.fields["event"]
    assert isinstance(event, Progress)
    return event


def progress_line(event: Progress, elapsed_s: float) -> str:
    """Return how far a stage has come, as one line of text.

    Args:
        event: The progress.
        elapsed_s: Seconds since the stage began.
    """
    rate = event.done / elapsed_s if elapsed_s > 0 and event.done else None
    left_s = event.time_left_s
    if left_s is None and rate and event.total is not None:
        left_s = (event.total - event.done) / rate
    parts = [
        counts(event.done, event.total, event.unit),
        printable(event.text) or rate_text(rate, event.unit),
        time_left_text(left_s),
    ]
    return f"{printable(event.stage)}: {', '.join(part for part in parts if part)}"


def counts(done: int, total: int | None, unit: str) -> str:
    """Return ``120/1,260 images``, or ``120 images`` while the total is not known."""
    return f"{done:,}/{total:,} {unit}" if total is not None else f"{done:,} {unit}"


def rate_text(per_s: float | None, unit: str) -> str:
    """Return a rate, or nothing while it is not known."""
    if not per_s:
        return ""
    return f"{per_s:,.0f} {unit}/s" if per_s >= 10 else f"{per_s:.1f} {unit}/s"


def time_left_text(seconds: float | None) -> str:
    """Return the time left, or nothing while it is not known."""
    return "" if seconds is None else f"{duration(seconds)} left"


def notice_line(notice: Notice) -> Text:
    """Return a notice as one line; a warning is marked."""
    if notice.level == "warning":
        return Text.assemble(("Warning: ", "yellow"), printable(notice.message))
    return Text(printable(notice.message))

"""Progress is a moving bar on a terminal and a few plain lines anywhere else."""

import io

import pytest

from imageloom.cli.epochs import HEADER, EpochTable, epoch_line
from imageloom.cli.progress import (
    LINE_INTERVAL_S,
    BarReporter,
    LineReporter,
    NoticeList,
    open_reporter,
    progress_line,
)
from imageloom.cli.screen import PatientConsole, open_console
from imageloom.events import CancelToken, Metric, Notice, Progress


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def epoch(number: int, *, loss: float, top1: float = 0.5) -> list[Metric]:
    names = {
        "Train loss": 0.7,
        "Train error": 0.4,
        "Train images per second": 33.14,
        "Top-1 validation accuracy": top1,
        "Top-5 validation accuracy": 1.0,
        "Valid loss": loss,
    }
    return [Metric(name, value, number, number * 10) for name, value in names.items()]


def lines_of(events) -> list[str]:
    table = EpochTable()
    texts = [text.plain for event in events for text in table.lines(event)]
    return texts + [text.plain for text in table.rest()]


def test_an_epoch_gives_one_line_under_a_header():
    assert lines_of(epoch(1, loss=0.65)) == [
        "epoch  train loss  valid loss    top-1    top-5  images/s",
        "    1      0.7000      0.6500    50.0%   100.0%      33.1  best",
    ]


def test_every_column_ends_below_its_heading():
    line = epoch_line(1, {m.name: m.value for m in epoch(1, loss=0.65)}, is_best=False)
    assert len(line) == len(HEADER)


def test_best_marks_each_lowest_validation_loss_and_ties_do_not_count():
    losses = [0.9, 0.8, 0.8, 0.85, 0.7]
    events = [m for number, loss in enumerate(losses, 1) for m in epoch(number, loss=loss)]
    marks = [line.endswith("best") for line in lines_of(events)[1:]]
    assert marks == [True, True, False, False, True]


def test_an_epoch_without_a_finite_validation_loss_shows_a_dash_and_is_not_best():
    metrics = [metric for metric in epoch(1, loss=0) if metric.name != "Valid loss"]
    line = lines_of(metrics)[1]
    assert line.split()[:3] == ["1", "0.7000", "-"]
    assert not line.endswith("best")


def test_metrics_inside_an_epoch_make_no_line():
    assert lines_of([Metric("Train loss", 0.7, 0.5, 5), Metric("learning rate", 0.1, 1, 10)]) == []


def test_an_epoch_whose_validation_is_still_running_makes_no_line():
    assert lines_of([Metric("Train loss", 0.7, 1, 10), Progress("v", 1, 2, "images")]) == []


def test_a_line_says_stage_counts_rate_and_time_left():
    event = Progress("Decoding pictures", 500, 2000, "images")
    assert progress_line(event, elapsed_s=5) == (
        "Decoding pictures: 500/2,000 images, 100 images/s, 15 s left"
    )


def test_the_stage_knows_better_what_it_shows_and_how_long_the_job_takes():
    event = Progress("Epoch 1 of 9", 5, 10, "steps", text="loss 0.31", time_left_s=7500.0)
    assert progress_line(event, elapsed_s=5) == (
        "Epoch 1 of 9: 5/10 steps, loss 0.31, 2 h 05 min left"
    )


def test_nothing_is_guessed_at_the_start_or_without_a_total():
    assert progress_line(Progress("Listing", 0, None, "files"), 0) == "Listing: 0 files"
    assert progress_line(Progress("Listing", 7, None, "files"), 2) == (
        "Listing: 7 files, 3.5 files/s"
    )


def test_a_log_gets_a_line_only_every_few_seconds():
    stream, clock = io.StringIO(), Clock()
    reporter = LineReporter(open_console(stream), clock)
    for done in range(1, 1001):
        clock.now += 0.1
        reporter(Progress("Decoding", done, 1000, "images"))
    reporter.close()
    assert len(stream.getvalue().splitlines()) == pytest.approx(100 / LINE_INTERVAL_S, abs=1)


def test_a_log_shows_notices_and_epochs_at_once():
    stream = io.StringIO()
    reporter = LineReporter(open_console(stream), Clock())
    reporter(Notice("warning", "3 pictures have several frames."))
    for metric in epoch(1, loss=0.5):
        reporter(metric)
    reporter(Notice("info", "saved\x1b[2J"))
    reporter.close()
    assert stream.getvalue().splitlines() == [
        "Warning: 3 pictures have several frames.",
        HEADER,
        "    1      0.7000      0.5000    50.0%   100.0%      33.1  best",
        "saved\\x1b[2J",
    ]


def terminal() -> tuple[Terminal, PatientConsole]:
    stream = Terminal()
    return stream, PatientConsole(
        file=stream, width=100, force_terminal=True, color_system=None, markup=False
    )


def test_a_terminal_shows_a_bar_and_gets_its_cursor_back():
    stream, console = terminal()
    reporter = BarReporter(console, CancelToken())
    reporter(Progress("Decoding [b]pictures", 50, 200, "images"))
    reporter(Progress("Decoding [b]pictures", 200, 200, "images"))
    reporter.close()
    text = stream.getvalue()
    assert "Decoding [b]pictures" in text
    assert "200/200 images" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "the cursor is shown at the end"


def test_a_command_in_a_notice_can_be_copied_from_a_narrow_terminal():
    stream, console = terminal()
    console.width = 40
    reporter = BarReporter(console, CancelToken())
    command = "imageloom agent join 10.0.0.4:29400 --token 6f1c0a4be2d7439c8d5e01f7a2b36c94"
    reporter(Notice("info", f"Waiting for 1 more machine. On each: {command}"))
    reporter.close()
    assert command in stream.getvalue()


def test_on_a_terminal_epochs_and_notices_stay_above_the_bar():
    stream, console = terminal()
    reporter = BarReporter(console, CancelToken())
    reporter(Progress("Epoch 1 of 2", 1, 10, "steps", text="loss 0.3", time_left_s=60))
    for metric in epoch(1, loss=0.5):
        reporter(metric)
    reporter(Notice("warning", "careful"))
    reporter(Progress("Epoch 2 of 2", 1, 10, "steps"))
    reporter.close()
    lines = [line.split("\x1b[2K")[-1].strip() for line in stream.getvalue().splitlines()]
    assert "1      0.7000      0.5000    50.0%   100.0%      33.1  best" in lines
    assert "Warning: careful" in lines


def test_closing_twice_or_before_anything_happened_is_harmless():
    _, console = terminal()
    reporter = BarReporter(console, CancelToken())
    reporter.close()
    reporter.close()


def test_the_reporter_fits_the_stream():
    assert isinstance(open_reporter(open_console(io.StringIO()), CancelToken()), LineReporter)
    assert isinstance(open_reporter(terminal()[1], CancelToken()), BarReporter)


def test_for_json_only_notices_are_kept():
    reporter = NoticeList()
    reporter(Progress("x", 1, 2, "images"))
    reporter(Notice("warning", "careful"))
    assert reporter.notices == [{"level": "warning", "message": "careful"}]


def test_the_lines_of_a_part_begin_with_its_label_and_its_notices_reach_the_whole():
    stream = io.StringIO()
    whole = LineReporter(open_console(stream), Clock())
    part = whole.part("train  ")
    part(Notice("warning", "careful"))
    for metric in epoch(1, loss=0.5):
        part(metric)
    part.close()
    assert stream.getvalue().splitlines() == [
        "train  Warning: careful",
        f"train  {HEADER}",
        "train      1      0.7000      0.5000    50.0%   100.0%      33.1  best",
    ]
    assert whole.notices == [{"level": "warning", "message": "train: careful"}]


def test_each_part_has_a_bar_of_its_own_that_goes_when_it_closes():
    stream, console = terminal()
    whole = BarReporter(console, CancelToken())
    left, right = whole.part("left  "), whole.part("right  ")
    left(Progress("Decoding", 10, 20, "images"))
    right(Progress("Training", 1, 5, "steps"))
    left.close()
    before = len(stream.getvalue())
    whole.close()
    text = stream.getvalue()
    assert "left  Decoding" in text
    last_frame = text[before:]
    assert "right  Training" in last_frame
    assert "left" not in last_frame


def test_who_asks_to_stop_while_several_bars_are_drawn_sees_the_answer_below_them():
    stream, console = terminal()
    cancel = CancelToken()
    whole = BarReporter(console, cancel)
    for label in ("left  ", "right  "):
        whole.part(label)(Progress("Training", 1, 5, "steps"))
    cancel.set("Ctrl+C")
    whole.close()
    last = stream.getvalue().rsplit("left  Training", 1)[1]
    assert "Ctrl+C: saving, then stopping. Once more stops at once." in last

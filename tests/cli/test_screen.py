"""What people see is neat, copyable, and not moved by file names."""

import io
import shlex

import pytest
from rich.text import Text

from imageloom.cli.screen import command_line, line, open_console, percent, print_all, table
from imageloom.system.wording import duration


def printed(*parts) -> str:
    stream = io.StringIO()
    print_all(open_console(stream), parts)
    return stream.getvalue()


def test_a_line_is_never_wrapped_so_that_it_can_be_copied():
    path = "/a" * 200
    assert printed(line("Wrote", path)) == f"Wrote    {path}\n"


def test_s25_names_are_shown_literally():
    evil = "[red]cat[/red] :smile: \x1b[31m\r\u202e"
    assert printed(line("Wrote", evil)) == (
        "Wrote    [red]cat[/red] :smile: \\x1b[31m\\x0d\\x202e\n"
    )
    cell = printed(table([("Class", "left")], [[evil]]))
    assert "[red]cat[/red] :smile: \\x1b[31m\\x0d\\x202e" in cell
    assert "\x1b" not in cell


def test_a_table_has_its_columns_and_rows():
    text = printed(table([("Class", "left"), ("Pictures", "right")], [["ants", "1,234"]]))
    assert text.split() == ["Class", "Pictures", *text.split()[2:-2], "ants", "1,234"]


def test_a_pipe_gets_no_colour_and_room_enough():
    wide = "x" * 100
    assert wide in printed(table([("Class", "left")], [[wide]]))
    assert "\x1b" not in printed(Text("red", style="red"))


def test_no_color_is_respected_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    for value, has_colour in (("1", False), (None, True)):
        if value is None:
            monkeypatch.delenv("NO_COLOR")
        stream = Terminal()
        open_console(stream).print(Text("bad", style="red"))
        assert ("\x1b[31m" in stream.getvalue()) is has_colour


def test_a_reader_who_has_gone_silences_the_console():
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    console = open_console(Closed())
    console.print("first")
    console.print("second")
    assert console.quiet


def test_s27_a_command_can_be_copied_whatever_the_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evil = "a b; rm -rf $(x)'\""
    words = ("imageloom", "train", "--train", tmp_path / evil, "--out", tmp_path / "-run")
    text = command_line(*words)
    assert shlex.split(text) == ["imageloom", "train", "--train", evil, "--out", "./-run"]


def test_a_path_elsewhere_is_written_in_full(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert command_line(tmp_path / "there") == str(tmp_path / "there")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


def test_percent_has_one_digit():
    assert percent(0.97449) == "97.4 %"

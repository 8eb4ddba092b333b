"""Who reads a growing file goes on where anybody left off, and hears when it was cut."""

import pytest

from imageloom.files import appended_lines
from imageloom.files.appended_lines import read_lines


@pytest.fixture
def file(tmp_path):
    return tmp_path / "lines"


def texts(found) -> list[bytes]:
    return [text for text, _ in found.lines]


def test_every_growth_gives_each_whole_line_once_and_never_half_of_one(file):
    content = b"one\ntwo\n\nthree\n"
    file.write_bytes(b"")
    position, seen = 0, []
    for size in range(len(content) + 1):
        file.write_bytes(content[:size])
        found = read_lines(file, position)
        assert not found.is_cut
        position = found.position
        seen += texts(found)
        assert seen == content[:size].split(b"\n")[:-1]
    assert position == len(content)


def test_the_position_behind_each_line_is_one_to_go_on_from(file):
    file.write_bytes(b"one\ntwo\nthree\n")
    found = read_lines(file, 0)
    assert found.lines == ((b"one", 4), (b"two", 8), (b"three", 14))
    for number, (_, position) in enumerate(found.lines):
        assert texts(read_lines(file, position)) == [b"one", b"two", b"three"][number + 1 :]


def test_nothing_is_opened_where_nothing_changed(file, monkeypatch):
    file.write_bytes(b"one\n")
    found = read_lines(file, 0)

    def refuse(*_):
        raise AssertionError("it was opened")

    monkeypatch.setattr(type(file), "open", refuse)
    again = read_lines(file, found.position, generation=found.generation)
    assert (again.lines, again.position, again.is_cut) == ((), 4, False)
    with pytest.raises(AssertionError, match="it was opened"):
        read_lines(file, 0)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"one\n", [b"one"]),  # shorter
        (b"", []),
        (b"other text, and longer\n", [b"other text, and longer"]),  # inside of a line
    ],
)
def test_a_file_that_was_cut_is_read_from_its_beginning(file, content, expected):
    file.write_bytes(b"one\ntwo\n")
    found = read_lines(file, 0)
    file.write_bytes(content)
    again = read_lines(file, found.position)
    assert (again.is_cut, texts(again), again.position) == (True, expected, len(content))
    assert not read_lines(file, again.position).is_cut


def test_a_file_that_was_replaced_by_one_of_the_same_length_is_known_by_its_generation(file):
    file.write_bytes(b"one\ntwo\n")
    found = read_lines(file, 0)
    other = file.with_name("other")
    other.write_bytes(b"six\nten\n")
    other.replace(file)
    assert read_lines(file, found.position).lines == (), "nothing tells it without"
    again = read_lines(file, found.position, generation=found.generation)
    assert (again.is_cut, texts(again)) == (True, [b"six", b"ten"])


def test_a_file_that_is_not_there_yet_or_no_more(file):
    found = read_lines(file, 0)
    assert (found.lines, found.position, found.is_cut) == ((), 0, False)
    assert read_lines(file, 4).is_cut
    file.write_bytes(b"one\n")
    assert texts(read_lines(file, 0, generation=found.generation)) == [b"one"]


def test_a_long_file_comes_in_parts_and_a_long_line_whole(file, monkeypatch):
    monkeypatch.setattr(appended_lines, "_READ_BYTES", 8)
    file.write_bytes(b"one\ntwo\nthree is longer than a part\nfour\n")
    position, seen, reads = 0, [], 0
    while True:
        found = read_lines(file, position)
        position, reads = found.position, reads + 1
        seen += texts(found)
        if not found.has_more:
            break
    assert seen == [b"one", b"two", b"three is longer than a part", b"four"]
    assert position == file.stat().st_size
    assert reads == 3

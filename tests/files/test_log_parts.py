"""Logs are read in parts and searched, whatever stands in them and whoever writes on."""

import re
import tracemalloc

import pytest

from imageloom.files.log_parts import cuts_file, read_part, search_log, tail_start
from imageloom.pipeline.run.job_log import shorten_log

MIB = 1024 * 1024


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log.txt"


def parts_of(log, max_bytes):
    """Return the texts of all parts, with what stands behind the last one."""
    texts, start = [], 0
    while (part := read_part(log, start, max_bytes=max_bytes)).next > start:
        texts.append(part.text)
        start = part.next
    return [*texts, part.rest]


def found_in(log, what, limit=100):
    return [(one.number, one.offset, one.text) for one in search_log(log, what, limit=limit)]


def test_parts_end_with_whole_lines(log):
    log.write_bytes(b"one\ntwo\nthree\nfour")
    assert parts_of(log, 9) == ["one\ntwo\n", "three\n", "four"]
    part = read_part(log, 4, max_bytes=100)
    assert (part.text, part.start, part.next, part.rest) == ("two\nthree\n", 4, 14, "four")


@pytest.mark.parametrize("max_bytes", range(4, 12))
def test_no_part_cuts_a_character(log, max_bytes):
    text = "äöü€😀é" * 3 + "\nß€\n" + "😀" * 7
    log.write_text(text, encoding="utf-8")
    parts = parts_of(log, max_bytes)
    assert "".join(parts) == text
    assert all("\\x" not in part for part in parts)


def test_a_part_that_is_asked_for_inside_a_character_begins_behind_it(log):
    log.write_text("a😀b\n", encoding="utf-8")
    for start in (2, 3, 4):
        part = read_part(log, start, max_bytes=100)
        assert (part.text, part.start, part.next) == ("b\n", 5, 7)


@pytest.mark.parametrize("max_bytes", [4, 5, 7, 1000])
def test_bytes_that_are_no_utf_8_are_all_shown(log, max_bytes):
    content = b"\x80\x81\n\x80\xffa\xf0\xf0\n\x00\x1b[2J\xbf\xbf\xbf\xbf\xbf\n\xe2\x82"
    log.write_bytes(content)
    shown = content.decode("utf-8", "backslashreplace")
    assert "".join(parts_of(log, max_bytes)) == shown


def test_a_line_that_is_still_written_is_given_apart_until_it_ends(log):
    log.write_bytes(b"one\ntw")
    part = read_part(log, 0, max_bytes=100)
    assert (part.text, part.rest) == ("one\n", "tw")
    with log.open("ab") as file:
        file.write(b"o\nthree")
    after = read_part(log, part.next, max_bytes=100)
    assert (after.text, after.rest, after.generation) == ("two\n", "three", part.generation)


def test_a_log_that_was_cut_back_and_grew_again_has_another_generation(log):
    log.write_bytes(b"x\n" * 600)
    before = read_part(log, 0, max_bytes=2000)
    for _ in range(2):
        shorten_log(log, limit_bytes=1000)
        with log.open("ab") as file:
            file.write(b"y\n" * 600)
        after = read_part(log, before.next, max_bytes=2000)
        assert after.generation != before.generation
        before = after
    assert cuts_file(log).stat().st_size == 2


def test_a_log_in_the_place_of_another_has_another_generation(log):
    log.write_bytes(b"one\n")
    before = read_part(log, 0, max_bytes=100)
    log.rename(log.with_name("old.txt"))
    log.write_bytes(b"two\n")
    assert read_part(log, 0, max_bytes=100).generation != before.generation


def test_a_part_behind_the_end_begins_at_the_end(log):
    log.write_bytes(b"one\n")
    part = read_part(log, 1000, max_bytes=100)
    assert (part.text, part.start, part.next) == ("", 4, 4)


def test_where_there_is_no_log_there_is_nothing(log):
    part = read_part(log, 0, max_bytes=100)
    assert (part.text, part.next, part.generation) == ("", 0, "")
    assert tail_start(log, 3) == 0
    assert found_in(log, "x") == []


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_the_last_lines_are_found_from_the_end(log, end):
    log.write_bytes(b"\n".join(b"%d" % number for number in range(300_000)) + end)
    content = log.read_bytes()
    for num_lines in (1, 3, 250_000):
        lines = content[tail_start(log, num_lines) :].removesuffix(b"\n").split(b"\n")
        assert (len(lines), lines[-1]) == (num_lines, b"299999")
    assert tail_start(log, 300_001) == 0


def test_no_more_than_asked_is_read_for_the_last_lines(log):
    log.write_bytes(b"x" * 3 * MIB)
    assert tail_start(log, 1, max_bytes=MIB) == 2 * MIB


def test_lines_are_found_whatever_the_case_with_their_places(log):
    log.write_text("eins\nZwölf ERROR\n\x00\x1b[31merror\ndrei\nzwei error", encoding="utf-8")
    assert found_in(log, "Error") == [
        (2, 5, "Zwölf ERROR"),
        (3, 18, "\x00\x1b[31merror"),
        (5, 35, "zwei error"),
    ]
    assert found_in(log, "ZWÖLF") == [(2, 5, "Zwölf ERROR")]
    assert found_in(log, re.compile("^[dz].*i")) == [(4, 30, "drei"), (5, 35, "zwei error")]
    assert len(found_in(log, "error", limit=2)) == 2
    assert found_in(log, "eins\nZ") == []


def test_lines_are_found_behind_many_blocks(log):
    line = b"an ordinary line of a log\n"
    log.write_bytes(line * 150_000 + b"the needle\n" + line)
    assert found_in(log, "NEEDLE") == [(150_001, 150_000 * len(line), "the needle")]
    assert log.read_bytes()[150_000 * len(line) :].startswith(b"the needle")


def test_a_line_of_60_mib_is_searched_in_little_memory_and_shown_in_part(log):
    with log.open("wb") as file:
        file.write(b"first\n")
        for _ in range(60):
            file.write(b"x" * MIB)
        file.write(b"needle" + b"y" * 3 * MIB + b"needle\nlast needle\n")
    tracemalloc.start()
    found = found_in(log, "needle")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(number, offset) for number, offset, _ in found] == [(2, 6), (3, 63 * MIB + 19)]
    assert len(found[0][2]) <= 2_002
    assert "needle" in found[0][2]
    assert peak < 24 * MIB


def test_a_text_across_two_pieces_of_a_long_line_is_found(log):
    for place in range(2 * MIB - 5, 2 * MIB + 1):
        log.write_bytes(b"x" * place + b"needle" + b"x" * MIB)
        assert [number for number, *_ in found_in(log, "needle")] == [1]

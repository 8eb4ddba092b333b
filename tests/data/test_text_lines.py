"""Lines end as on any system, and what is no text is named by its line."""

import pytest

from imageloom.data.sources.table.text_lines import text_lines
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [1, 7, 1_048_576])  # the last fills what is read at a time
def test_the_line_that_is_not_utf_8_is_counted_whatever_the_ends(tmp_path, end, size):
    path = tmp_path / "list.csv"
    whole = size // (9 + len(end)) + 1
    path.write_bytes((b"x" * 9 + end) * whole + "é".encode() + b" \xe9" + end)
    with pytest.raises(InvalidDatasetError, match=f"line {whole + 1:,}: is not UTF-8"):
        list(text_lines(path))


def test_lines_are_those_of_python_s_universal_newlines(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(b"\xef\xbb\xbfa\rb\r\nc\n\xe2\x80\xa8d\x0be")
    assert list(text_lines(path)) == ["a\n", "b\n", "c\n", "\u2028d\x0be"]


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CouldNotOpenFileError, match="may not be read"):
        list(text_lines(tmp_path / "none.csv"))

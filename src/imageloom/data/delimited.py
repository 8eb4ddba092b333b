"""Records of CSV text, each with the number of its first line."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from imageloom.data.text_lines import bad_line
from imageloom.errors import InvalidDatasetError
from imageloom.wording import count

_TOO_LONG: Final = "field larger"  # how messages of the csv module begin
_OPEN: Final = "unexpected end"


def records(
    manifest: Path, lines: Iterable[str], delimiter: str, *, is_padded: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of a record's first line and its values; rows without any are passed over.

    Args:
        manifest: For messages.
        lines: Of text, from the first line on.
        delimiter: One character between values.
        is_padded: Whether a blank follows each delimiter, as in ``file, label``.

    Raises:
        InvalidDatasetError: A quote does not close, or text follows the quote that closes.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=is_padded)
    number = 1
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise _bad_record(manifest, number, reader.line_num, str(problem)) from problem
        if any(map(str.strip, values)):  # spreadsheets export empty rows as delimiters alone
            yield number, values
        number = reader.line_num + 1


def _bad_record(manifest: Path, first: int, last: int, problem: str) -> InvalidDatasetError:
    if problem.startswith(_TOO_LONG) and last == first:
        return bad_line(
            manifest, first, f"has a value of more than {csv.field_size_limit():,} characters"
        )
    if problem.startswith((_OPEN, _TOO_LONG)):
        what = "a quote opens here and never closes"
    elif last > first:
        lines = count(last - first, "line")
        what = f"a quote opens here and closes {lines} below, with text right behind it"
    else:
        what = "a quote closes with text right behind it"
    return bad_line(
        manifest,
        first,
        what,
        hint='Close the quote; one inside a quoted value is written twice, as in "5"" screen".',
    )

"""Tables with a column of 0 and 1 for each class, as annotation services export them."""

import shlex
from typing import Final, NamedTuple

from imageloom.data.params import ConvertParams
from imageloom.data.sources.parts import role_of
from imageloom.data.sources.table.columns import file_columns, label_name, part_columns
from imageloom.data.sources.table.delimited import Table
from imageloom.data.sources.table.problems import ProblemList
from imageloom.system.wording import some

_MARKS: Final = {"0": False, "1": True, "0.0": False, "1.0": True}


class OneHot(NamedTuple):
    """The columns of a one-hot table."""

    file: str
    classes: tuple[str, ...]


def one_hot_columns(table: Table, params: ConvertParams) -> OneHot | None:
    """Return the columns of a table that is one-hot, or None when it is not or may not be.

    It is when nothing that was asked for says otherwise, no column is called ``label`` (or, where a
    picture may have several labels, ``labels``), and two or
    more columns, all but those of files, groups and parts, hold nothing but 0 and 1.

    Raises:
        InvalidDatasetError: All that is so, but rows have several classes, or none, and a picture
            may not.
    """
    columns = _candidates(table, params)
    if columns is None:
        return None
    chosen = set(columns.classes)
    places = [place for place, name in enumerate(table.first_row) if name in chosen]
    problems = ProblemList(table.path)
    for number, values in table.rows():
        if len(values) != len(table.first_row):
            return None
        marks = [is_marked(values[place]) for place in places]
        if None in marks:
            return None
        named = [repr(name) for name, mark in zip(columns.classes, marks, strict=True) if mark]
        if len(named) != 1 and params.labels != "several":
            what = f"is of the classes {some(named)}" if named else "is of no class"
            problems.add(f"line {number:,}", what)
    problems.raise_if_any(
        hint="The columns of 0 and 1 look like classes, but a picture can have only one here. "
        "Use 'imageloom data convert' with --labels several where pictures may have several or "
        "none, or leave these rows out; or use --label-column and the name of "
        f"another column, or with --file-column {shlex.quote(columns.file)} --labels none."
    )
    return columns


def is_marked(value: str) -> bool | None:
    """Return what a value of a one-hot column says; None for what does not belong there."""
    return _MARKS.get(value.strip())


def _candidates(table: Table, params: ConvertParams) -> OneHot | None:
    names = table.first_row
    is_asked = params.label_column is not None or params.labels == "none"
    is_asked = is_asked or label_name(names, params) in names
    if not table.has_header or is_asked or len(set(names)) != len(names):
        return None
    files = file_columns(names, params)
    if len(files) != 1 or params.file_column not in (None, *files):
        return None
    others = (*files, params.group_column, *part_columns(names))
    classes = tuple(name for name in names if name not in others)
    are_parts = all(role_of(name.casefold().removeprefix("is_")) for name in classes)
    return None if len(classes) < 2 or "" in classes or are_parts else OneHot(files[0], classes)

"""Tables that name pictures: CSV, lists, JSON Lines. Values are text: ``007``, ``NA``, ``1e5``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from imageloom.data.names import JSON_LINES_SUFFIXES, LIST_SUFFIX
from imageloom.data.params import ConvertParams
from imageloom.data.sources.listing import Listing
from imageloom.data.sources.table.columns import FILE, file_columns, find_columns
from imageloom.data.sources.table.delimited import Table, open_table
from imageloom.data.sources.table.json_lines import json_rows
from imageloom.data.sources.table.one_hot import is_marked, one_hot_columns
from imageloom.data.sources.table.problems import ProblemList
from imageloom.data.sources.table.rows import (
    ManifestRow,
    listing_of_rows,
    root_of_manifest,
)
from imageloom.errors import InvalidDatasetError, NotExpectedLabelColumnError
from imageloom.events import Control
from imageloom.system.wording import count, some

_SEVERAL: Final = '{"choices":'  # how Label Studio writes them into a CSV file


def read_table(manifest: Path, params: ConvertParams, *, control: Control) -> Listing:
    """List the pictures that a CSV, TSV or JSON Lines file names, or a list in a text file.

    Args:
        manifest: The file; file names start from its folder and may not leave it.
        params: Names of the columns or keys.
        control: Told how many rows were read; stops between two rows.

    Raises:
        InvalidDatasetError: The file or a row is wrong; the message has the line numbers.
        NotExpectedLabelColumnError: There is no column of the name asked for; or none was asked
            for, none is called ``label``, and others are there that could be meant.
        CouldNotOpenFileError: The manifest cannot be read.
    """
    root = root_of_manifest(manifest, params)
    notices: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    if manifest.suffix.lower() in JSON_LINES_SUFFIXES:
        rows = json_rows(manifest, params)
    else:
        table = open_table(manifest, root, params.file_column or FILE)
        places = _places(table, root, params)
        rows, notices = _rows(table, places), _notices(table, places, params)
        declared = tuple(places.classes.values())
    listing = listing_of_rows(
        rows, manifest=manifest, root=root, declared=declared, params=params, control=control
    )
    if not listing.classes and params.label_column is not None and params.labels != "none":
        raise NotExpectedLabelColumnError(
            f"No row of {manifest} has a value for {params.label_column!r}.",
            hint="Use 'imageloom data convert' with --label-column and the name of the one that "
            "holds the labels, or with --labels none.",
            reason="missing-column",
        )
    return replace(listing, notices=(*notices, *listing.notices))


@dataclass(frozen=True)
class _Places:
    """Where in a row stands what; None for what no column has.

    Attributes:
        file: The file name.
        label: The class.
        group: The group.
        part: The part of the dataset.
        classes: Of a one-hot table, the class of each column that holds 1 for it.
    """

    file: int
    label: int | None = None
    group: int | None = None
    part: int | None = None
    classes: Mapping[int, str] = field(default_factory=dict)

    def row(self, number: int, values: list[str]) -> ManifestRow:
        """Return what a row's values say."""
        label, group, part = (
            None if place is None else values[place]
            for place in (self.label, self.group, self.part)
        )
        if not self.classes:
            return ManifestRow(number, values[self.file], label, group, part)
        marked = tuple(name for place, name in self.classes.items() if is_marked(values[place]))
        first = next(iter(marked), None)
        return ManifestRow(number, values[self.file], first, group, part, marked)


def _places(table: Table, root: Path, params: ConvertParams) -> _Places:
    if not table.has_header:
        return _first_places(table, params)
    is_list = table.path.suffix.lower() == LIST_SUFFIX
    if is_list and table.first_row and not file_columns(table.first_row, params):
        raise InvalidDatasetError(
            f"The first line of {table.path} names neither columns, such as {FILE!r}, nor a "
            f"picture in {root}, but {some(list(map(repr, table.first_row)))}.",
            hint="Each line needs the path of a picture, ending included, and its class behind "
            "it; --folder names the folder that paths start from.",
            reason="no-header",
        )
    one_hot = one_hot_columns(table, params)
    names, classes = table.first_row, one_hot.classes if one_hot else ()
    if one_hot:
        params = params.replace(file_column=one_hot.file, labels="none")
    is_class = set(classes)
    others = [name for name in names if name not in is_class]
    columns = find_columns(table.path, others, params)
    at = {name: place for place, name in enumerate(names)}
    label, group, part = (
        None if name is None else at[name] for name in (columns.label, columns.group, columns.part)
    )
    return _Places(at[columns.file], label, group, part, {at[name]: name for name in classes})


def _first_places(table: Table, params: ConvertParams) -> _Places:
    """Return where things stand without a header: the file first, then the label."""
    asked = params.file_column or params.label_column or params.group_column
    if params.part is not None:
        asked = asked or "split"
    if asked is not None:
        raise InvalidDatasetError(
            f"{table.path} has no column {asked!r}, for its first line names no columns but the "
            f"picture {table.first_row[0]!r}.",
            hint="Put a line with the names of the columns first; or ask for no column, and the "
            "first is read as the file, the second as the label.",
            reason="missing-column",
            details={"column": asked},
        )
    is_labelled = len(table.first_row) > 1 and params.labels != "none"
    return _Places(0, 1 if is_labelled else None)


def _notices(table: Table, places: _Places, params: ConvertParams) -> tuple[str, ...]:
    if places.classes:
        names = some([repr(name) for name in places.classes.values()])
        ones = "those with a 1 were read as the labels"
        one = "the one with the 1 was read as the label"
        return (
            f"{table.path.name} has a column of 0 and 1 for each class ({names}): "
            f"{ones if params.labels == 'several' else one}.",
        )
    if table.has_header:
        return ()
    others = len(table.first_row) - (1 if places.label is None else 2)
    label = "" if places.label is None else ", the second as the label"
    rest = f"; {count(others, 'other was', 'others were')} not read" if others else ""
    return (
        f"{table.path.name} has no header: the first column was read as the file{label}{rest}.",
    )


def _rows(table: Table, places: _Places) -> Iterator[ManifestRow]:
    width = len(table.first_row)
    problems = ProblemList(table.path)
    for number, values in table.rows():
        if len(values) == width:
            row = places.row(number, values)
            if row.label and row.label.startswith(_SEVERAL):
                problems.add(f"line {number:,}", f"has several labels, {row.label[:100]}")
            yield row
        else:
            first = "header" if table.has_header else "first row"
            problems.add(
                f"line {number:,}",
                f"has {count(len(values), 'value')}, but the {first} has {width}",
            )
    problems.raise_if_any()

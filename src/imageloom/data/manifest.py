"""Tables that name pictures: CSV, lists, JSON Lines. Values are text: ``007``, ``NA``, ``1e5``."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from imageloom.data.columns import FILE, find_columns, may_name_files
from imageloom.data.delimited import Table, open_table
from imageloom.data.json_lines import json_rows
from imageloom.data.listing import Listing
from imageloom.data.manifest_problems import ProblemList
from imageloom.data.manifest_rows import (
    ManifestRow,
    listing_of_rows,
    root_of_manifest,
)
from imageloom.data.names import JSON_LINES_SUFFIXES, LIST_SUFFIX
from imageloom.data.params import ConvertParams
from imageloom.errors import InvalidDatasetError, NotExpectedLabelColumnError
from imageloom.events import CancelToken, EventSink, ignore_events
from imageloom.wording import count, some


def read_table(
    manifest: Path,
    params: ConvertParams,
    *,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> Listing:
    """List the pictures that a CSV, TSV or JSON Lines file names, or a list in a text file.

    Args:
        manifest: The file; file names start from its folder and may not leave it.
        params: Names of the columns or keys.
        on_event: Told how many rows were read.
        cancel: Stops between two rows.

    Raises:
        InvalidDatasetError: The file or a row is wrong; the message has the line numbers.
        NotExpectedLabelColumnError: There is no column of the name asked for; or none was asked
            for, none is called ``label``, and others are there that could be meant.
        CouldNotOpenFileError: The manifest cannot be read.
    """
    root = root_of_manifest(manifest, params)
    notices: tuple[str, ...] = ()
    if manifest.suffix.lower() in JSON_LINES_SUFFIXES:
        rows = json_rows(manifest, params)
    else:
        table = open_table(manifest, root, params.file_column or FILE)
        places = _places(table, root, params)
        rows, notices = _rows(table, places), _notices(table, places)
    listing = listing_of_rows(
        rows, manifest=manifest, root=root, params=params, on_event=on_event, cancel=cancel
    )
    if not listing.classes and params.label_column is not None and params.labels != "none":
        raise NotExpectedLabelColumnError(
            f"No row of {manifest} has a value for {params.label_column!r}.",
            hint="Use 'imageloom data convert' with --label-column and the name of the one that "
            "holds the labels, or with --labels none.",
            reason="missing-column",
        )
    return replace(listing, notices=(*notices, *listing.notices))


class _Places(NamedTuple):
    """Where in a row stands what; None for what no column has."""

    file: int
    label: int | None
    group: int | None
    part: int | None


def _places(table: Table, root: Path, params: ConvertParams) -> _Places:
    if not table.has_header:
        return _first_places(table, params)
    is_list = table.path.suffix.lower() == LIST_SUFFIX
    if is_list and table.first_row and not may_name_files(table.first_row, params):
        raise InvalidDatasetError(
            f"The first line of {table.path} names neither columns, such as {FILE!r}, nor a "
            f"picture in {root}, but {some(list(map(repr, table.first_row)))}.",
            hint="Each line needs the path of a picture, ending included, and its class behind "
            "it; --folder names the folder that paths start from.",
            reason="no-header",
        )
    columns = find_columns(table.path, table.first_row, params)
    at = {name: place for place, name in enumerate(table.first_row)}
    return _Places(
        at[columns.file],
        *(
            None if name is None else at[name]
            for name in (columns.label, columns.group, columns.part)
        ),
    )


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
    return _Places(0, 1 if is_labelled else None, None, None)


def _notices(table: Table, places: _Places) -> tuple[str, ...]:
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
            rest = (None if place is None else values[place] for place in places[1:])
            yield ManifestRow(number, values[places.file], *rest)
        else:
            first = "header" if table.has_header else "first row"
            problems.add(
                f"line {number:,}",
                f"has {count(len(values), 'value')}, but the {first} has {width}",
            )
    problems.raise_if_any()

"""Tables that name pictures: CSV and JSON Lines. Every value is text: ``007``, ``NA``, ``1e5``."""

import csv
from collections.abc import Iterator
from pathlib import Path

from imageloom.data.columns import FILE, find_columns
from imageloom.data.json_lines import json_rows
from imageloom.data.listing import Listing
from imageloom.data.manifest_rows import (
    ManifestRow,
    ProblemList,
    listing_of_rows,
    root_of_manifest,
)
from imageloom.data.params import ConvertParams
from imageloom.data.text_lines import bad_line, text_lines
from imageloom.errors import NotExpectedLabelColumnError
from imageloom.events import CancelToken, EventSink, ignore_events
from imageloom.wording import count


def read_table(
    manifest: Path,
    params: ConvertParams,
    *,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> Listing:
    """List the pictures that a CSV, TSV or JSON Lines file names.

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
    is_csv = manifest.suffix.lower() in (".csv", ".tsv")
    listing = listing_of_rows(
        _csv_rows(manifest, params) if is_csv else json_rows(manifest, params),
        manifest=manifest,
        root=root_of_manifest(manifest, params),
        params=params,
        on_event=on_event,
        cancel=cancel,
    )
    if not listing.classes and params.label_column is not None and not params.unlabelled:
        raise NotExpectedLabelColumnError(
            f"No row of {manifest} has a value for {params.label_column!r}.",
            hint="Use 'imageloom data convert' with --label-column and the name of the one that "
            "holds the labels, or with --unlabelled.",
            reason="missing-column",
        )
    return listing


def _csv_rows(manifest: Path, params: ConvertParams) -> Iterator[ManifestRow]:
    lines = text_lines(manifest)
    first = next(lines, "")
    delimiter = _delimiter(first, manifest, params)
    header = _header(first, delimiter)
    columns = find_columns(manifest, header, params)
    at = {name: place for place, name in enumerate(header)}
    file, label, group = (
        None if name is None else at[name] for name in (columns.file, columns.label, columns.group)
    )
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    problems = ProblemList(manifest)
    try:
        for values in reader:
            number = reader.line_num + 1  # behind the header
            if len(values) == len(header):
                yield ManifestRow(
                    number, _at(values, file) or "", _at(values, label), _at(values, group)
                )
            elif values:
                problems.add(
                    f"line {number:,}",
                    f"has {count(len(values), 'value')}, but the header has {len(header)}",
                )
    except csv.Error as problem:
        raise bad_line(manifest, reader.line_num + 1, str(problem)) from problem
    problems.raise_if_any()


def _at(values: list[str], place: int | None) -> str | None:
    return None if place is None else values[place]


def _header(line: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]


def _delimiter(header: str, manifest: Path, params: ConvertParams) -> str:
    """Return what separates values; spreadsheets write ';' where ',' is the decimal sign."""
    if manifest.suffix.lower() == ".tsv":
        return "\t"
    for delimiter in (",", ";", "\t"):
        if (params.file_column or FILE) in _header(header, delimiter):
            return delimiter
    return ","

"""Tables that name pictures: CSV and JSON Lines. Every value is text: ``007``, ``NA``, ``1e5``."""

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from imageloom.data.columns import FILE, find_columns
from imageloom.data.delimited import records
from imageloom.data.json_lines import json_rows
from imageloom.data.listing import Listing
from imageloom.data.manifest_problems import ProblemList
from imageloom.data.manifest_rows import (
    ManifestRow,
    listing_of_rows,
    root_of_manifest,
)
from imageloom.data.params import ConvertParams
from imageloom.data.text_lines import text_lines
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
    head = list(_until_text(lines))
    first = head[-1] if head else ""
    delimiter = _delimiter(first, manifest, params)
    found = records(manifest, chain(head, lines), delimiter, is_padded=f"{delimiter} " in first)
    header = [name.strip() for name in next(found, (0, []))[1]]
    columns = find_columns(manifest, header, params)
    at = {name: place for place, name in enumerate(header)}
    file, label, group = (
        None if name is None else at[name] for name in (columns.file, columns.label, columns.group)
    )
    problems = ProblemList(manifest)
    for number, values in found:
        if len(values) == len(header):
            yield ManifestRow(
                number, _at(values, file) or "", _at(values, label), _at(values, group)
            )
        else:
            problems.add(
                f"line {number:,}",
                f"has {count(len(values), 'value')}, but the header has {len(header)}",
            )
    problems.raise_if_any()


def _at(values: list[str], place: int | None) -> str | None:
    return None if place is None else values[place]


def _until_text(lines: Iterator[str]) -> Iterator[str]:
    """Yield the first line that is not blank, behind the blank ones before it."""
    for line in lines:
        yield line
        if line.strip():
            return


def _delimiter(first: str, manifest: Path, params: ConvertParams) -> str:
    """Return what separates values; spreadsheets write ';' where ',' is the decimal sign."""
    if manifest.suffix.lower() == ".tsv":
        return "\t"
    for delimiter in (",", ";", "\t"):
        if (params.file_column or FILE) in _header(first, delimiter):
            return delimiter
    return ","


def _header(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:  # whoever reads the line as a record says what is wrong
        return []

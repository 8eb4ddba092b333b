"""Tables that name pictures: CSV and JSON Lines. Every value is text: ``007``, ``NA``, ``1e5``."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from imageloom.data.listing import Listing
from imageloom.data.manifest_rows import (
    ManifestRow,
    ProblemList,
    listing_of_rows,
    root_of_manifest,
)
from imageloom.data.params import ConvertParams
from imageloom.errors import (
    CouldNotOpenFileError,
    InvalidDatasetError,
    NotExpectedLabelColumnError,
)
from imageloom.events import CancelToken, EventSink, ignore_events

_MAX_LINE_BYTES: Final = 1024 * 1024
_DEFAULT_LABEL_COLUMN: Final = "label"


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
        NotExpectedLabelColumnError: There is no column of the name asked for.
        CouldNotOpenFileError: The manifest cannot be read.
    """
    is_csv = manifest.suffix.lower() in (".csv", ".tsv")
    listing = listing_of_rows(
        _csv_rows(manifest, params) if is_csv else _json_rows(manifest, params),
        manifest=manifest,
        root=root_of_manifest(manifest, params),
        params=params,
        on_event=on_event,
        cancel=cancel,
    )
    if not listing.classes and params.label_column != _DEFAULT_LABEL_COLUMN:
        raise NotExpectedLabelColumnError(
            f"No row of {manifest} has a value for {params.label_column!r}.",
            hint="Name the column or key with the classes in label_column.",
            reason="missing-column",
        )
    return listing


def text_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file with their ends, without its byte order mark.

    Raises:
        InvalidDatasetError: It is not UTF-8, or a line has more than a MiB.
        CouldNotOpenFileError: It cannot be read.
    """
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(_MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > _MAX_LINE_BYTES:
                    raise _bad_line(path, number, f"has more than {_MAX_LINE_BYTES:,} bytes")
                yield (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).decode("utf-8")
    except UnicodeDecodeError as problem:
        raise _bad_line(
            path, number, "is not UTF-8; save the file as 'CSV UTF-8' or convert it"
        ) from problem
    except OSError as problem:
        raise CouldNotOpenFileError(
            f"{path} may not be read: {problem.strerror}.", reason="not-readable"
        ) from problem


def _csv_rows(manifest: Path, params: ConvertParams) -> Iterator[ManifestRow]:
    lines = text_lines(manifest)
    first = next(lines, "")
    delimiter = _delimiter(first, manifest, params)
    header = next(csv.reader([first], delimiter=delimiter), [])
    _check_columns(manifest, header, params)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    problems = ProblemList(manifest)
    try:
        for values in reader:
            number = reader.line_num + 1  # behind the header
            if len(values) == len(header):
                yield _row(number, dict(zip(header, values, strict=True)), params)
            elif values:
                problems.add(
                    f"line {number:,}",
                    f"has {len(values)} values, but the header has {len(header)}",
                )
    except csv.Error as problem:
        raise _bad_line(manifest, reader.line_num + 1, str(problem)) from problem
    problems.raise_if_any()


def _delimiter(header: str, manifest: Path, params: ConvertParams) -> str:
    """Return what separates values; spreadsheets write ';' where ',' is the decimal sign."""
    if manifest.suffix.lower() == ".tsv":
        return "\t"
    for delimiter in (",", ";", "\t"):
        if params.file_column in next(csv.reader([header], delimiter=delimiter), []):
            return delimiter
    return ","


def _check_columns(manifest: Path, header: list[str], params: ConvertParams) -> None:
    found = f"It has {', '.join(repr(name) for name in header[:20]) or 'no header'}."
    if params.file_column not in header:
        raise InvalidDatasetError(
            f"{manifest} has no column {params.file_column!r}. {found}",
            hint="Name the column with the file names in file_column.",
            reason="missing-column",
        )
    if params.group_column is not None and params.group_column not in header:
        raise InvalidDatasetError(
            f"{manifest} has no column {params.group_column!r}. {found}",
            hint="Name the column with the groups in group_column.",
            reason="missing-column",
        )
    if len(set(header)) != len(header):
        raise InvalidDatasetError(
            f"{manifest} has two columns of the same name. {found}",
            hint="Rename one of the two.",
            reason="repeated-column",
        )


def _row(number: int, values: Mapping[str, str | None], params: ConvertParams) -> ManifestRow:
    group = None if params.group_column is None else values.get(params.group_column)
    file = values.get(params.file_column) or ""
    return ManifestRow(number, file, values.get(params.label_column), group)


def _json_rows(manifest: Path, params: ConvertParams) -> Iterator[ManifestRow]:
    problems = ProblemList(manifest)
    keys = (params.file_column, params.label_column, params.group_column)
    for number, line in enumerate(text_lines(manifest), 1):
        if not line.strip():
            continue
        where = f"line {number:,}"
        try:
            content = read_json_text(line)
        except ValueError as problem:
            problems.add(where, f"is not JSON: {problem}")
            continue
        if not isinstance(content, dict):
            problems.add(where, "holds no JSON object")
            continue
        wrong = [key for key in keys if not isinstance(content.get(key or ""), str | None)]
        if wrong:
            problems.add(where, f"{wrong[0]!r} is neither text nor a number")
            continue
        yield _row(number, content, params)
    problems.raise_if_any()


def read_json_text(text: str) -> object:
    """Return a JSON value in which numbers stay the text that they were written as.

    Raises:
        ValueError: It is no JSON, is nested too deep, or repeats a key.
    """
    try:
        return json.loads(
            text,
            parse_int=str,
            parse_float=str,
            parse_constant=str,
            object_pairs_hook=_unique_keys,
        )
    except RecursionError as problem:
        raise ValueError("it is nested too deep") from problem


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return content


def _bad_line(manifest: Path, number: int, what: str) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"{manifest}, line {number}: {what}.",
        hint="Mend the line and convert again.",
        reason="bad-rows",
        details={"line": number},
    )

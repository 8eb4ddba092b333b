"""JSON Lines that name pictures: one object per line, in which numbers stay text."""

import json
from collections.abc import Iterator
from pathlib import Path

from imageloom.data.params import ConvertParams
from imageloom.data.sources.table.columns import FILE, LABEL, LABELS, find_columns
from imageloom.data.sources.table.problems import ProblemList
from imageloom.data.sources.table.rows import ManifestRow
from imageloom.data.sources.table.text_lines import text_lines
from imageloom.errors import json_problem

Values = dict[str, object]


def json_rows(manifest: Path, params: ConvertParams) -> Iterator[ManifestRow]:
    """Yield one row per object.

    Raises:
        InvalidDatasetError: Lines that are no objects, or lack the file, with their numbers; a key
            that no line has.
        NotExpectedLabelColumnError: No line has the key of the labels.
    """
    columns = find_columns(manifest, _keys(manifest, params), params, word="key")
    keys = (columns.file, columns.label, columns.group, columns.part)
    wanted = [key for key in keys[:3] if key is not None]
    problems = ProblemList(manifest)
    for number, values in _objects(manifest):
        where = f"line {number:,}"
        labels = _texts(values, columns.label) if params.labels == "several" else None
        wrong = [key for key in wanted if not isinstance(values.get(key), str | None)]
        wrong = [key for key in wrong if key != columns.label or labels is None]
        if wrong:
            text = "text, a number" if params.labels == "several" else "text"
            other = " nor a list of them" if params.labels == "several" else " nor a number"
            problems.add(where, f"{wrong[0]!r} is neither {text}{other}")
        elif columns.file not in values:
            problems.add(where, f"has no key {columns.file!r}")
        else:
            file, label, group, part = (_text(values, key) for key in keys)
            yield ManifestRow(number, file or "", label, group, part, labels)
    problems.raise_if_any()


def _text(values: Values, key: str | None) -> str | None:
    value = None if key is None else values.get(key)
    return value if isinstance(value, str) else None


def _texts(values: Values, key: str | None) -> tuple[str, ...] | None:
    value = None if key is None else values.get(key)
    if not isinstance(value, list):
        return None
    texts = tuple(one for one in value if isinstance(one, str))
    return texts if len(texts) == len(value) else None


def _keys(manifest: Path, params: ConvertParams) -> list[str]:
    """Return the keys of the first lines, as far as all that are wanted are there."""
    wanted = {params.file_column or FILE, params.group_column} - {None}
    if params.labels != "none":
        wanted.add(params.label_column or LABEL)
    keys: dict[str, None] = {}
    for _, values in _objects(manifest):
        keys.update(dict.fromkeys(values))
        if wanted <= keys.keys() | ({LABEL} if LABELS in keys else set()):
            break
    return list(keys)


def _objects(manifest: Path) -> Iterator[tuple[int, Values]]:
    problems = ProblemList(manifest)
    for number, line in enumerate(text_lines(manifest), 1):
        if not line.strip():
            continue
        where = f"line {number:,}"
        try:
            content = read_json_text(line)
        except ValueError as problem:
            problems.add(where, str(problem))
            continue
        if isinstance(content, dict):
            yield number, content
        else:
            problems.add(where, "holds no JSON object")
    problems.raise_if_any()


def read_json_text(line: str) -> object:
    """Return the JSON value of one line, in which numbers stay the text that they were written as.

    Keys lose their outer white space.

    Raises:
        ValueError: It is no JSON, is nested too deep, or repeats a key; the text says so.
    """
    try:
        return json.loads(
            line.rstrip("\n"),  # else a text that does not end has its end for a wrong letter
            parse_int=str,
            parse_float=str,
            parse_constant=str,
            object_pairs_hook=_unique_keys,
        )
    except (ValueError, RecursionError) as problem:
        what = json_problem(problem, is_one_line=True)
        raise ValueError(f"is not JSON: {what}") from problem


def _unique_keys(pairs: list[tuple[str, object]]) -> Values:
    content = {key.strip(): value for key, value in pairs}
    if len(content) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return content

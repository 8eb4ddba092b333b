"""Which columns of a Parquet file hold pictures, labels and groups, and what the labels mean.

Source: Hugging Face datasets, "Features": the schema's metadata hold JSON under ``huggingface``,
whose ``info.features`` names the type of each column; a ``ClassLabel`` has ``names``, and the
label -1 means that there is none.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from imageloom.data.params import ConvertParams
from imageloom.data.sources.table.columns import label_name
from imageloom.errors import InvalidDatasetError, NotExpectedLabelColumnError, json_problem
from imageloom.system.wording import some

METADATA_KEY: Final = b"huggingface"
IMAGE: Final = "image"
LABEL: Final = "label"
BYTES: Final = "bytes"
PATH: Final = "path"
NO_LABEL: Final = -1
_MOST_NAMED: Final = 10


@dataclass(frozen=True)
class ParquetColumns:
    """Where in a row stands what.

    Attributes:
        image: Column with the bytes of the picture, alone or in a struct beside its path.
        label: Column with its class, or None.
        group: Column with its group, or None.
        names: Class names of labels that are numbers, or None where a label is its own name.
        has_lists: Whether the label of a row is a list of labels.
    """

    image: str
    label: str | None
    group: str | None
    names: tuple[str, ...] | None
    has_lists: bool = False

    @property
    def all(self) -> list[str]:
        """The columns that are read."""
        return [one for one in (self.image, self.label, self.group) if one is not None]


def find_parquet_columns(schema: pa.Schema, file: Path, params: ConvertParams) -> ParquetColumns:
    """Return what stands in which column.

    Args:
        schema: Of the file.
        file: For messages.
        params: Names of the columns; by default the only one with pictures, and ``label`` or the
            only one that is a ClassLabel.

    Raises:
        InvalidDatasetError: There is no column with pictures, or there are several; a column asked
            for is not there, stands twice or has another type; class names are damaged.
        NotExpectedLabelColumnError: Others could be meant by the label.
    """
    features = _features(schema, file)
    image = _image_column(schema, file, params)
    label = None
    if params.labels != "none":
        label = _label_column(schema, features, image, file, params)
    if params.group_column is not None:
        _require(schema, params.group_column, file)
    names, has_lists = None, False
    if label is not None:
        kind, feature = schema.field(label).type, features.get(label)
        has_lists = params.labels == "several" and _is_list(kind)
        if has_lists:
            kind, feature = kind.value_type, _feature_of_items(feature)
        if pa.types.is_integer(kind):
            names = _class_names(feature, label, file)
        elif not is_text(kind):
            lists = ", or lists of them" if params.labels == "several" else ""
            raise _wrong_type(file, label, kind, f"labels: whole numbers or text{lists}")
    return ParquetColumns(image, label, params.group_column, names, has_lists)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _feature_of_items(feature: object) -> object:
    """Return what the metadata say of a list's items: ``[item]`` or ``{"feature": item}``."""
    if isinstance(feature, list):
        return feature[0] if feature else None
    return feature.get("feature") if isinstance(feature, dict) else None


def is_text(kind: pa.DataType) -> bool:
    """Whether values of an Arrow type are text, also where each stands once in a dictionary."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _holds_pictures(kind: pa.DataType) -> bool:
    if not pa.types.is_struct(kind):
        return _is_bytes(kind)
    at = kind.get_field_index(BYTES)
    return at >= 0 and _is_bytes(kind.field(at).type)


def _image_column(schema: pa.Schema, file: Path, params: ConvertParams) -> str:
    if params.file_column is not None:
        _require(schema, params.file_column, file)
        kind = schema.field(params.file_column).type
        if not _holds_pictures(kind):
            raise _wrong_type(file, params.file_column, kind, _PICTURES)
        return params.file_column
    found = [one.name for one in schema if _holds_pictures(one.type)]
    if found.count(IMAGE) == 1 or len(found) == 1:
        return IMAGE if IMAGE in found else str(found[0])
    if not found:
        columns = some([f"{one.name!r} ({str(one.type)[:60]})" for one in schema], most=_MOST_NAMED)
        raise InvalidDatasetError(
            f"{file} has no column with pictures, which is struct<bytes: binary, path: string>. "
            f"Its columns are {columns or 'none'}.",
            hint="Pictures that it only names are read from a table: .csv, .tsv or .jsonl.",
            reason="no-pictures",
        )
    raise InvalidDatasetError(
        f"{file} has several columns with pictures: {some(list(map(repr, found)))}.",
        hint=f"Choose one with --file-column, such as --file-column {found[0]}.",
        reason="several-columns",
        details={"columns": found[:100], "option": f"--file-column {found[0]}"},
    )


_PICTURES: Final = "pictures: struct<bytes: binary, path: string>"


def _label_column(
    schema: pa.Schema,
    features: Mapping[str, object],
    image: str,
    file: Path,
    params: ConvertParams,
) -> str | None:
    if params.label_column is not None:
        _require(schema, params.label_column, file)
        return params.label_column
    usual = label_name(schema.names, params)
    if usual in schema.names:
        _require(schema, usual, file)
        return usual
    labels = [name for name in schema.names if _is_class_label(features.get(name))]
    if len(labels) == 1:
        return str(labels[0])
    others = [name for name in schema.names if name not in (image, params.group_column)]
    if not others:
        return None
    meant = labels[0] if labels else others[0]
    raise NotExpectedLabelColumnError(
        f"{file} has no column {LABEL!r}, but {some(list(map(repr, others)), most=_MOST_NAMED)}.",
        hint=f"Use 'imageloom data convert' with --label-column and the name of the one that holds "
        f"the labels, such as --label-column {meant}, or with --labels none.",
        reason="missing-column",
        details={"columns": others[:100]},
    )


def _require(schema: pa.Schema, name: str, file: Path) -> None:
    times = schema.names.count(name)
    if times == 0:
        columns = some(list(map(repr, schema.names)), most=_MOST_NAMED)
        raise NotExpectedLabelColumnError(
            f"{file} has no column {name!r}. Its columns are {columns or 'none'}.",
            hint="Give the name of a column as it stands in the file.",
            reason="missing-column",
            details={"column": name},
        )
    if times > 1:
        raise InvalidDatasetError(
            f"{file} has {times} columns {name!r}.",
            hint="Give the columns different names.",
            reason="repeated-column",
            details={"column": name},
        )


def _wrong_type(file: Path, column: str, kind: pa.DataType, needed: str) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"The column {column!r} of {file} has the type {str(kind)[:100]}, but must hold {needed}.",
        hint="Choose another column with --file-column or --label-column, or write the file anew.",
        reason="wrong-type",
        details={"column": column},
    )


def _features(schema: pa.Schema, file: Path) -> Mapping[str, object]:
    """Return what the metadata say of each column; nothing where there are none."""
    text = (schema.metadata or {}).get(METADATA_KEY)
    if text is None:
        return {}
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise _bad_metadata(file, f"are not valid JSON: {json_problem(problem)}") from problem
    for key in ("info", "features"):
        content = content.get(key, {}) if isinstance(content, dict) else None
    if not isinstance(content, dict):
        raise _bad_metadata(file, "have no object 'info.features'")
    return content


def _is_class_label(feature: object) -> bool:
    return isinstance(feature, dict) and feature.get("_type") == "ClassLabel"


def _class_names(feature: object, label: str, file: Path) -> tuple[str, ...] | None:
    if not isinstance(feature, dict) or not _is_class_label(feature):
        return None
    names = feature.get("names")
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise _bad_metadata(file, f"give no list of names for the classes of {label!r}")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise _bad_metadata(file, f"name the class {name[:100]!r} of {label!r} twice")
        seen.add(name)
    return tuple(names)


def _bad_metadata(file: Path, what: str) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"The metadata of Hugging Face in {file} {what}.",
        hint="Write the file anew with datasets; or take the pictures without labels, with "
        "--labels none.",
        reason="bad-metadata",
    )

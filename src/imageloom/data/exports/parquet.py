"""Pictures in Parquet files as Hugging Face's datasets reads them.

Source: Hugging Face datasets, "Features" and "Image": a picture is ``struct<bytes, path>``, a label
an int64, several a list of them, and the schema's metadata name the features as JSON under
``huggingface``.
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from imageloom.data.exports.shards import plan_shards
from imageloom.data.images.directory import ImageDirectory
from imageloom.data.sources.parquet.columns import BYTES, IMAGE, LABEL, METADATA_KEY, PATH
from imageloom.data.sources.table.columns import LABELS

_GROUP: Final = "group"
_PICTURE: Final = pa.struct([(BYTES, pa.binary()), (PATH, pa.string())])
_ROW_BYTES: Final = 200  # path, label and what Parquet adds
_ROWS_PER_GROUP: Final = 100  # as datasets writes pictures, so that few are read for one


def write_parquet(
    images: ImageDirectory, contents: Iterator[bytes], into: Path, *, part: str, max_bytes: int
) -> None:
    """Write shards named ``train-00000-of-00002.parquet``.

    Args:
        images: The pictures.
        contents: Their bytes, in index order.
        into: An empty folder.
        part: The first word of the names.
        max_bytes: Most of a shard.
    """
    sizes = images.index.column("size_bytes").to_pylist()
    shards = plan_shards((size + _ROW_BYTES for size in sizes), max_bytes)
    schema = _schema(images)
    for number, rows in enumerate(shards):
        path = into / f"{part}-{number:05}-of-{len(shards):05}.parquet"
        # Pictures are compressed already, and no two are equal: neither pays.
        with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
            for first in range(rows.start, rows.stop, _ROWS_PER_GROUP):
                group = range(first, min(first + _ROWS_PER_GROUP, rows.stop))
                writer.write_table(_table(images, group, islice(contents, len(group)), schema))


def _schema(images: ImageDirectory) -> pa.Schema:
    fields = [(IMAGE, _PICTURE)]
    features: dict[str, object] = {IMAGE: {"_type": "Image"}}
    one = {"names": list(images.classes), "_type": "ClassLabel"}
    if images.has_several_labels:
        fields.append((LABELS, pa.list_(pa.int64())))
        features[LABELS] = {"feature": one, "_type": "Sequence"}
    elif images.classes:
        fields.append((LABEL, pa.int64()))
        features[LABEL] = one
    if images.index.column(_GROUP).null_count < len(images):
        fields.append((_GROUP, pa.string()))
        features[_GROUP] = {"dtype": "string", "_type": "Value"}
    metadata = json.dumps({"info": {"features": features}})
    return pa.schema(fields, metadata={METADATA_KEY: metadata})


def _table(
    images: ImageDirectory, rows: range, contents: Iterator[bytes], schema: pa.Schema
) -> pa.Table:
    pictures = [
        {BYTES: content, PATH: images.file(row)}
        for row, content in zip(rows, contents, strict=True)
    ]
    columns = {IMAGE: pa.array(pictures, _PICTURE)}
    if LABEL in schema.names:
        columns[LABEL] = pa.array(images.labels[rows.start : rows.stop], pa.int64())
    if LABELS in schema.names:
        lists = images.index.column(LABELS).slice(rows.start, len(rows))
        columns[LABELS] = lists.cast(pa.list_(pa.int64()))
    if _GROUP in schema.names:
        columns[_GROUP] = images.index.column(_GROUP).slice(rows.start, len(rows))
    return pa.table(columns, schema=schema)

"""Scored tables as Parquet, with the class list and the model's digest in the file's metadata."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from imageloom.errors import NotScoredDatasetError, json_problem, library_text
from imageloom.scoring.tables.csv import sets_of_text
from imageloom.scoring.tables.scored_table import LABEL, ROWS_AT_A_TIME, SCORED_LABEL
from imageloom.scoring.tables.source import BadCellError

_METADATA_KEY: Final = b"imageloom"


def write_parquet(
    path: Path, schema: pa.Schema, record: Mapping[str, object], chunks: Iterator[pa.Table]
) -> None:
    """Write columns as Parquet, one row group per chunk.

    Args:
        path: A temporary file.
        schema: Names and types of the columns.
        record: JSON values about the table as a whole, kept in the file's metadata.
        chunks: Parts of the table, in order.
    """
    # ASCII, because a folder's name may hold bytes that are not UTF-8, as lone surrogates.
    schema = schema.with_metadata({_METADATA_KEY: json.dumps(record).encode("ascii")})
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        # Probabilities never repeat.
        use_dictionary=[name for name in (LABEL, SCORED_LABEL) if name in schema.names],
        write_statistics=False,
    ) as writer:
        for chunk in chunks:
            writer.write_table(chunk)


class ParquetSource:
    """A Parquet file as ``read_table`` reads it.

    Raises:
        NotScoredDatasetError: It is no Parquet file, is damaged, or its metadata are.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with pq.ParquetFile(path) as file:
                schema, self._rows = file.schema_arrow, int(file.metadata.num_rows)
        except (pa.ArrowException, OSError) as problem:
            raise self._damaged(library_text(problem)) from problem
        self.names = tuple(schema.names)
        self.record = self._read_record((schema.metadata or {}).get(_METADATA_KEY, b"{}"))

    def count_rows(self) -> int:
        """Return the number of rows."""
        return self._rows

    def chunks(self) -> Iterator["ParquetChunk"]:
        """Yield the rows in parts.

        Raises:
            NotScoredDatasetError: The file is damaged.
        """
        try:
            with pq.ParquetFile(self._path) as file:
                for batch in file.iter_batches(ROWS_AT_A_TIME):
                    batch.validate(full=True)  # text that is not UTF-8 shows here
                    yield ParquetChunk(batch)
        except (pa.ArrowException, OSError) as problem:
            raise self._damaged(library_text(problem)) from problem

    def _damaged(self, what: str) -> NotScoredDatasetError:
        return NotScoredDatasetError(
            f"{self._path} cannot be read as Parquet: {what}.",
            hint="Is it complete? Write the table again with 'imageloom score'.",
            reason="not-parquet",
        )

    def _read_record(self, content: bytes) -> dict[str, object]:
        try:
            record = json.loads(content)
        except (ValueError, RecursionError) as problem:
            raise self._damaged(json_problem(problem)) from problem
        if not isinstance(record, dict):
            raise NotScoredDatasetError(
                f"The metadata of {self._path} are no JSON object.", reason="bad-metadata"
            )
        return record


class ParquetChunk:
    """Some rows of a Parquet file; columns go by position, because names may repeat."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def text(self, column: int) -> pa.Array:
        """Return a column as text [R] with its nulls.

        Raises:
            BadCellError: The column holds something else, such as whole numbers.
        """
        values = self._batch.column(column)
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if pa.types.is_null(values.type) or _is_text(values.type):
            return values.cast(pa.string())
        raise BadCellError(0, f"values of type {values.type}")

    def sets(self, column: int) -> pa.ListArray:
        """Return a column of label sets as lists of text [R]; null is an empty list.

        Raises:
            BadCellError: The column holds something else.
        """
        values = self._batch.column(column)
        if pa.types.is_list(values.type) and _is_text(values.type.value_type):
            lists = values.cast(pa.list_(pa.string()))
            if lists.flatten().null_count:
                raise BadCellError(0, "a list with nothing in it for a label")
            return lists
        return sets_of_text(self.text(column))

    def numbers(self, column: int) -> npt.NDArray[np.float32]:
        """Return a column as float32 [R]; null is NaN.

        Raises:
            BadCellError: The column holds no numbers.
        """
        values = self._batch.column(column)
        if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
            raise BadCellError(0, f"values of type {values.type}")
        cast = values.cast(pa.float32(), safe=False)
        numbers: npt.NDArray[np.float32] = cast.to_numpy(zero_copy_only=False)
        return numbers


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )

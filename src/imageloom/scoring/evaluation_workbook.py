"""What an evaluation says, for people who go on in a spreadsheet.

Legend: N pictures with a label, K classes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from imageloom.files.workbook import Sheet, SheetColumn, write_workbook
from imageloom.scoring.evaluate import AnyEvaluation
from imageloom.scoring.evaluation import Evaluation
from imageloom.scoring.tables.scored_table import UNKNOWN, ScoredTable

WORKBOOK: Final = "evaluation.xlsx"
MOST_PICTURES: Final = 100_000
_MOST_CLASSES: Final = 200  # of a matrix that a person can look at
_MOST_PAIRS: Final = 100_000

_CLASS = SheetColumn("class", width=24)
_PAIR = (SheetColumn("label", width=24), SheetColumn("scored label", width=24))


def write_evaluation_workbook(
    path: Path, evaluation: AnyEvaluation, table: ScoredTable | None
) -> None:
    """Write figures, classes, confused pairs and pictures as the sheets of one workbook.

    Args:
        path: The file, inside a directory that is being published.
        evaluation: The figures.
        table: The scores it was made from, where each picture has one label.

    Raises:
        OSError: It cannot be written.
    """
    sheets = [_figures(evaluation), _classes(evaluation)]
    if isinstance(evaluation, Evaluation) and table is not None:
        sheets += [_pairs(evaluation), *_matrix(evaluation), _pictures(table)]
    write_workbook(path, sheets)


def _figures(evaluation: AnyEvaluation) -> Sheet:
    rows = [("Images", evaluation.images), *evaluation.summary().items()]
    return Sheet("Figures", (SheetColumn("figure", width=28), SheetColumn("value")), rows)


def _classes(evaluation: AnyEvaluation) -> Sheet:
    rows = evaluation.per_class()
    shares = {name for name, value in rows[0].items() if isinstance(value, float)}
    columns = [
        SheetColumn(name, "percent") if name in shares else SheetColumn(name) for name in rows[0]
    ]
    return Sheet("Classes", [_CLASS, *columns[1:]], (list(row.values()) for row in rows))


def _pairs(evaluation: Evaluation) -> Sheet:
    """Every pair of classes of which one was taken for the other, most pictures first."""
    counts_KK = evaluation.confusion_KK.copy()
    np.fill_diagonal(counts_KK, 0)
    labels, scored = np.nonzero(counts_KK)
    order = np.argsort(-counts_KK[labels, scored], kind="stable")[:_MOST_PAIRS]
    support_K = np.maximum(evaluation.confusion_KK.sum(axis=1), 1)
    rows = (
        (
            evaluation.classes[label],
            evaluation.classes[given],
            int(counts_KK[label, given]),
            float(counts_KK[label, given] / support_K[label]),
        )
        for label, given in zip(labels[order].tolist(), scored[order].tolist(), strict=True)
    )
    return Sheet(
        "Confused",
        (*_PAIR, SheetColumn("pictures"), SheetColumn("share of the label", "percent")),
        rows,
    )


def _matrix(evaluation: Evaluation) -> Iterator[Sheet]:
    if len(evaluation.classes) <= _MOST_CLASSES:
        columns = [SheetColumn("label", width=24), *map(SheetColumn, evaluation.classes)]
        rows = zip(evaluation.classes, evaluation.confusion_KK.tolist(), strict=True)
        yield Sheet("Matrix", columns, ([name, *counts] for name, counts in rows))


def _pictures(table: ScoredTable) -> Sheet:
    """Pictures with a label: those that were given a wrong one first, the surest of them first."""
    rows_N = np.flatnonzero(table.labels_N != UNKNOWN)
    sure_N = table.probabilities_NK[rows_N, table.predicted_N[rows_N]]
    is_right_N = table.labels_N[rows_N] == table.predicted_N[rows_N]
    order = np.lexsort((-sure_N, is_right_N))[:MOST_PICTURES]
    chosen = rows_N[order]
    files = table.files.take(pa.array(chosen)).to_pylist()
    rows = (
        (
            file,
            table.classes[table.labels_N[row]],
            table.classes[table.predicted_N[row]],
            "yes" if is_right else "no",
            float(table.probabilities_NK[row, table.predicted_N[row]]),
            float(table.probabilities_NK[row, table.labels_N[row]]),
        )
        for file, row, is_right in zip(files, chosen, is_right_N[order], strict=True)
    )
    shares = ("probability", "probability of the label")
    columns = [SheetColumn("file", width=40), *_PAIR, SheetColumn("right")]
    return Sheet("Pictures", [*columns, *(SheetColumn(name, "percent") for name in shares)], rows)

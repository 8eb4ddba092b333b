"""Figures as files for programs and spreadsheets."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from imageloom import __version__
from imageloom.files.publish import to_json
from imageloom.scoring.comparison import Comparison
from imageloom.scoring.evaluate import AnyEvaluation
from imageloom.scoring.evaluation import Evaluation
from imageloom.scoring.tables.csv import guarded

FORMAT_VERSION: Final = 1


def write_figures(directory: Path, outcome: AnyEvaluation | Comparison) -> None:
    """Write ``evaluation.json`` and the CSV files into a directory being published.

    ``evaluation.json`` holds one row of figures per table under ``rows``, the first table first,
    and everything else under ``evaluations``.
    """
    comparison = outcome if isinstance(outcome, Comparison) else None
    evaluations: Sequence[AnyEvaluation] = (
        [outcome.left, outcome.right] if isinstance(outcome, Comparison) else [outcome]
    )
    content: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "made_by": f"imageloom {__version__}",
        "rows": [{"name": one.name, **one.summary()} for one in evaluations],
        "evaluations": [one.to_json() for one in evaluations],
    }
    if comparison is not None:
        content["comparison"] = comparison.to_json()
    (directory / "evaluation.json").write_text(to_json(content), encoding="utf-8")
    for prefix, evaluation in zip(("", "other_"), evaluations, strict=False):
        _write_per_class(directory / f"{prefix}per_class.csv", evaluation)
        if isinstance(evaluation, Evaluation):
            _write_confusion(directory / f"{prefix}confusion_matrix.csv", evaluation)


def _write_per_class(path: Path, evaluation: AnyEvaluation) -> None:
    rows = evaluation.per_class()
    _write_csv(path, list(rows[0]), (list(row.values()) for row in rows))


def _write_confusion(path: Path, evaluation: Evaluation) -> None:
    rows = (
        [name, *counts]
        for name, counts in zip(evaluation.classes, evaluation.confusion_KK.tolist(), strict=True)
    )
    _write_csv(path, ["label", *evaluation.classes], rows)


def _write_csv(
    path: Path, head: Sequence[str], rows: Iterable[Sequence[str | int | float | None]]
) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(map(guarded, head))
        writer.writerows(
            [guarded(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
        )

"""Evaluate scored tables into a folder: figures for programs, and a report for people."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imageloom.data.images.places import refuse_among_pictures
from imageloom.errors import CouldNotOpenFileError
from imageloom.events import CancelToken, Control, EventSink, Notice, ignore_events
from imageloom.files.home import expand_home
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.publish import publishing_directory, refuse_existing
from imageloom.reports.write import write_comparison_report, write_evaluation_report
from imageloom.scoring.comparison import Comparison
from imageloom.scoring.evaluate import (
    AnyEvaluation,
    Scores,
    compare,
    evaluate,
    names_of,
    table_of,
)
from imageloom.scoring.evaluation_workbook import WORKBOOK, write_evaluation_workbook
from imageloom.scoring.figure_files import write_figures
from imageloom.scoring.params import EvaluateParams
from imageloom.scoring.picture_table import write_pictures
from imageloom.scoring.read_pictures import PICTURES
from imageloom.scoring.tables.file import AnyTable
from imageloom.scoring.tables.label_set_table import LabelSetTable
from imageloom.scoring.tables.scored_table import ScoredTable
from imageloom.scoring.threshold_file import THRESHOLDS, write_thresholds


def evaluate_to(  # noqa: PLR0913 - the public call; all but the first two are keywords
    scores: Scores,
    out: Path | str,
    *,
    other: Scores | None = None,
    params: EvaluateParams | None = None,
    names: Sequence[str] | None = None,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> AnyEvaluation | Comparison:
    """Publish a folder with the figures of one table, or of two side by side.

    The folder holds ``evaluation.json``, ``evaluation.xlsx``, ``per_class.csv``,
    ``confusion_matrix.csv``, ``thresholds.json``, ``pictures.sqlite`` and ``report.html``; of a
    second table all but the first and the last once more, as ``other_per_class.csv`` and so on. Of
    pictures that may have several labels each it holds ``evaluation.json``, ``evaluation.xlsx``,
    ``per_class.csv`` and ``report.html``.

    Args:
        scores: A table, or the file of one.
        out: The folder to make.
        other: A second table to compare with.
        params: How much to list; by default ``EvaluateParams()``.
        names: What each table is called in figures and report; by default the files' names.
        on_event: Hears, as notices, of what limits the figures.
        cancel: Stops it before anything is published.

    Raises:
        FailedToWriteOutputsError: ``out`` exists, lies among the pictures or inside something that
            was published, or cannot be written.
        CouldNotOpenFileError: The folder of the pictures is not there.
        ImageloomError: As ``evaluate`` and ``compare``.
    """
    control = Control.of(on_event, cancel)
    out, params = Path(out), params or EvaluateParams()
    refuse_existing(out)
    refuse_misplaced([out])
    root = _images_folder(params)
    tables = [table_of(one) for one in (scores, other) if one is not None]
    for table in tables:
        _refuse_among_pictures(out, table, root or table.root)
    names = names or names_of([scores] if other is None else [scores, other])
    control.raise_if_cancelled()
    outcome: AnyEvaluation | Comparison
    if len(tables) == 1:
        outcome = evaluate(tables[0], params=params, name=names[0])
    else:
        outcome = compare(tables[0], tables[1], params=params, names=(names[0], names[1]))
    for message in outcome.notices:
        control.tell(Notice("warning", message))
    control.raise_if_cancelled()
    with publishing_directory(out) as partial:
        write_figures(partial, outcome)
        evaluations = (
            (outcome.left, outcome.right) if isinstance(outcome, Comparison) else (outcome,)
        )
        for prefix, table, one in zip(("", "other_"), tables, evaluations, strict=False):
            workbook = partial / f"{prefix}{WORKBOOK}"
            if isinstance(table, LabelSetTable):
                write_evaluation_workbook(workbook, one, None)
                continue
            write_evaluation_workbook(workbook, one, table)
            place = partial / f"{prefix}{PICTURES}"
            write_pictures(table, place, root=root or table.root, cancel=control.cancel)
            write_thresholds(table, partial / f"{prefix}{THRESHOLDS}")
        _write_report(
            partial / "report.html", outcome, [root or one.root for one in tables], params
        )
        control.raise_if_cancelled()
    return outcome


def _write_report(
    path: Path,
    outcome: AnyEvaluation | Comparison,
    roots: list[Path | None],
    params: EvaluateParams,
) -> None:
    if isinstance(outcome, Comparison):
        write_comparison_report(
            path, outcome, roots=(roots[0], roots[1]), thumbnails=params.thumbnails
        )
    else:
        write_evaluation_report(path, outcome, root=roots[0], thumbnails=params.thumbnails)


def _refuse_among_pictures(out: Path, table: AnyTable, root: Path | None) -> None:
    if root is not None:
        none_N = np.zeros(0, dtype=np.int32)
        refuse_among_pictures(
            [out],
            root=root,
            files=table.files,
            labels_N=table.labels_N if isinstance(table, ScoredTable) else none_N,
            classes=table.classes,
        )


def _images_folder(params: EvaluateParams) -> Path | None:
    if params.images is None:
        return None
    folder = expand_home(params.images).absolute()
    if not folder.is_dir():
        raise CouldNotOpenFileError(
            f"There is no folder {folder} to take the pictures from.",
            hint="Give the folder that the names in the column 'file' start from.",
            reason="missing-folder",
            details={"parameter": "images"},
        )
    return folder

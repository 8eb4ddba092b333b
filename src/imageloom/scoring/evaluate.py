"""Evaluate scored tables: figures as values, or a folder with figures and a report for people."""

from collections.abc import Sequence
from pathlib import Path

from imageloom.data.picture_places import refuse_among_pictures
from imageloom.errors import CouldNotOpenFileError
from imageloom.events import CancelToken, EventSink, Notice, ignore_events
from imageloom.output_places import refuse_misplaced
from imageloom.publish import publishing_directory, refuse_existing
from imageloom.scoring.comparison import Comparison, compare_tables
from imageloom.scoring.evaluation import Evaluation, evaluate_table
from imageloom.scoring.figure_files import write_figures
from imageloom.scoring.params import EvaluateParams
from imageloom.scoring.report.write import write_comparison_report, write_evaluation_report
from imageloom.scoring.scored_table import ScoredTable
from imageloom.scoring.table import read_table

Scores = ScoredTable | Path | str


def evaluate(scores: Scores, *, params: EvaluateParams | None = None, name: str = "") -> Evaluation:
    """Return the figures of one scored table.

    Args:
        scores: A table, or the file of one.
        params: How much to list; by default ``EvaluateParams()``.
        name: What the table is called in reports; by default the file's name.

    Raises:
        NotScoredDatasetError: The file holds no scored table, or the table has no rows.
        NotExpectedLabelColumnError: No picture has a label.
    """
    return evaluate_table(
        _table(scores), params=params or EvaluateParams(), name=name or _names([scores])[0]
    )


def compare(
    scores: Scores,
    other: Scores,
    *,
    params: EvaluateParams | None = None,
    names: tuple[str, str] | None = None,
) -> Comparison:
    """Return the figures of two scored tables and how they differ picture by picture.

    Args:
        scores: The first table, or the file of one.
        other: The second.
        params: How much to list; by default ``EvaluateParams()``.
        names: What the tables are called in reports; by default the files' names.

    Raises:
        NotScoredDatasetError: A file holds no scored table, or a table has no rows.
        NotExpectedLabelColumnError: No picture of a table has a label.
        InvalidDatasetError: The class lists differ, or a table names a file twice.
    """
    params = params or EvaluateParams()
    left, right = _table(scores), _table(other)
    titles = names or _names([scores, other])
    evaluations = (
        evaluate_table(left, params=params, name=titles[0]),
        evaluate_table(right, params=params, name=titles[1]),
    )
    return compare_tables(left, right, evaluations, mistakes=params.mistakes)


def evaluate_to(  # noqa: PLR0913 - the public call; all but the first two are keywords
    scores: Scores,
    out: Path | str,
    *,
    other: Scores | None = None,
    params: EvaluateParams | None = None,
    names: Sequence[str] | None = None,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> Evaluation | Comparison:
    """Publish a folder with the figures of one table, or of two side by side.

    The folder holds ``evaluation.json``, ``per_class.csv``, ``confusion_matrix.csv`` and
    ``report.html``; with a second table also ``other_per_class.csv`` and
    ``other_confusion_matrix.csv``.

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
    out, params, cancel = Path(out), params or EvaluateParams(), cancel or CancelToken()
    refuse_existing(out)
    refuse_misplaced([out])
    root = _images_folder(params)
    tables = [_table(one) for one in (scores, other) if one is not None]
    for table in tables:
        _refuse_among_pictures(out, table, root or table.root)
    names = names or _names([scores] if other is None else [scores, other])
    cancel.raise_if_set()
    outcome: Evaluation | Comparison
    if len(tables) == 1:
        outcome = evaluate(tables[0], params=params, name=names[0])
    else:
        outcome = compare(tables[0], tables[1], params=params, names=(names[0], names[1]))
    for message in outcome.notices:
        on_event(Notice("warning", message))
    cancel.raise_if_set()
    with publishing_directory(out) as partial:
        write_figures(partial, outcome)
        _write_report(
            partial / "report.html", outcome, [root or one.root for one in tables], params
        )
        cancel.raise_if_set()
    return outcome


def _write_report(
    path: Path,
    outcome: Evaluation | Comparison,
    roots: list[Path | None],
    params: EvaluateParams,
) -> None:
    if isinstance(outcome, Comparison):
        write_comparison_report(
            path, outcome, roots=(roots[0], roots[1]), thumbnails=params.thumbnails
        )
    else:
        write_evaluation_report(path, outcome, root=roots[0], thumbnails=params.thumbnails)


def _refuse_among_pictures(out: Path, table: ScoredTable, root: Path | None) -> None:
    if root is not None:
        refuse_among_pictures(
            [out],
            root=root,
            files=table.files,
            labels_N=table.labels_N,
            classes=table.classes,
        )


def _images_folder(params: EvaluateParams) -> Path | None:
    if params.images is None:
        return None
    folder = Path(params.images).expanduser().absolute()
    if not folder.is_dir():
        raise CouldNotOpenFileError(
            f"There is no folder {folder} to take the pictures from.",
            hint="Give the folder that the names in the column 'file' start from.",
            reason="missing-folder",
            details={"parameter": "images"},
        )
    return folder


def _table(scores: Scores) -> ScoredTable:
    return scores if isinstance(scores, ScoredTable) else read_table(scores)


def _names(tables: Sequence[Scores]) -> list[str]:
    """Return a short name for each table; two files of one name keep their folder's."""
    paths = [None if isinstance(one, ScoredTable) else Path(one).absolute() for one in tables]
    names = ["scores" if path is None else path.name for path in paths]
    if len(set(names)) == len(names):
        return names
    return [
        name if path is None else f"{path.parent.name}/{name}"
        for path, name in zip(paths, names, strict=True)
    ]

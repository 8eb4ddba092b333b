"""Evaluate scored tables: the figures of one, or of two side by side, as values."""

from collections.abc import Sequence
from pathlib import Path

from imageloom.scoring.comparison import Comparison, compare_tables
from imageloom.scoring.evaluation import Evaluation, evaluate_table
from imageloom.scoring.label_set_evaluation import LabelSetEvaluation, evaluate_label_sets
from imageloom.scoring.params import EvaluateParams
from imageloom.scoring.tables.file import AnyTable, read_any_table, require_one_label
from imageloom.scoring.tables.label_set_table import LabelSetTable

Scores = AnyTable | Path | str
AnyEvaluation = Evaluation | LabelSetEvaluation


def evaluate(
    scores: Scores, *, params: EvaluateParams | None = None, name: str = ""
) -> AnyEvaluation:
    """Return the figures of one scored table; where pictures may have several labels, other ones.

    Args:
        scores: A table, or the file of one.
        params: How much to list; by default ``EvaluateParams()``.
        name: What the table is called in reports; by default the file's name.

    Raises:
        NotScoredDatasetError: The file holds no scored table, or the table has no rows.
        NotExpectedLabelColumnError: No picture has a label.
    """
    table, params = table_of(scores), params or EvaluateParams()
    name = name or names_of([scores])[0]
    if isinstance(table, LabelSetTable):
        return evaluate_label_sets(table, params=params, name=name)
    return evaluate_table(table, params=params, name=name)


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
        NotScoredDatasetError: A file holds no scored table, or a table has no rows; or its pictures
            may have several labels.
        NotExpectedLabelColumnError: No picture of a table has a label.
        InvalidDatasetError: The class lists differ, or a table names a file twice.
    """
    params = params or EvaluateParams()
    titles = names or names_of([scores, other])
    left, right = (
        require_one_label(table_of(one), title)
        for one, title in zip((scores, other), titles, strict=True)
    )
    evaluations = (
        evaluate_table(left, params=params, name=titles[0]),
        evaluate_table(right, params=params, name=titles[1]),
    )
    return compare_tables(left, right, evaluations, mistakes=params.mistakes)


def table_of(scores: Scores) -> AnyTable:
    """Return the table itself, read if a file was given."""
    return scores if isinstance(scores, AnyTable) else read_any_table(scores)


def names_of(tables: Sequence[Scores]) -> list[str]:
    """Return a short name for each table; two files of one name keep their folder's."""
    paths = [None if isinstance(one, AnyTable) else Path(one).absolute() for one in tables]
    names = ["scores" if path is None else path.name for path in paths]
    if len(set(names)) == len(names):
        return names
    return [
        name if path is None else f"{path.parent.name}/{name}"
        for path, name in zip(paths, names, strict=True)
    ]

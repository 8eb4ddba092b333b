"""Two scored tables side by side: which model is better, and whether that could be chance."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imageloom.errors import InvalidDatasetError
from imageloom.metrics import chance_of_difference
from imageloom.preprocessing import check_same_classes
from imageloom.scoring.evaluation import Evaluation, Mistake, surest_mistakes
from imageloom.scoring.tables.scored_table import UNKNOWN, ScoredTable


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two evaluations, and how the two models differ on the pictures that both scored.

    Attributes:
        left: The first table's figures.
        right: The second table's figures.
        both_right: Pictures that both models have right.
        only_left: Pictures that only the first has right.
        only_right: Pictures that only the second has right.
        neither: Pictures that both have wrong.
        mistakes_of_left: What the first says of pictures that only the second has right, the
            surest first.
        mistakes_of_right: The reverse.
        notices: Things a person should know before comparing.
    """

    left: Evaluation
    right: Evaluation
    both_right: int
    only_left: int
    only_right: int
    neither: int
    mistakes_of_left: tuple[Mistake, ...]
    mistakes_of_right: tuple[Mistake, ...]
    notices: tuple[str, ...]

    @property
    def joined(self) -> int:
        """Pictures that both tables hold, with a label."""
        return self.both_right + self.only_left + self.only_right + self.neither

    @property
    def chance(self) -> float:
        """How likely so uneven a split is between equally good models (exact McNemar test)."""
        return chance_of_difference(self.only_left, self.only_right)

    def to_json(self) -> dict[str, object]:
        """Return the paired counts as JSON values; the evaluations have their own."""
        return {
            "images_in_both": self.joined,
            "both_right": self.both_right,
            "only_left_right": self.only_left,
            "only_right_right": self.only_right,
            "both_wrong": self.neither,
            "mcnemar_p_value": self.chance,
            "mistakes_of_left": [asdict(mistake) for mistake in self.mistakes_of_left],
            "mistakes_of_right": [asdict(mistake) for mistake in self.mistakes_of_right],
            "notices": list(self.notices),
        }


def compare_tables(
    left: ScoredTable,
    right: ScoredTable,
    evaluations: tuple[Evaluation, Evaluation],
    *,
    mistakes: int,
) -> Comparison:
    """Join two tables by file name and count who is right where.

    Args:
        left: The first table.
        right: The second; its classes may stand in another order.
        evaluations: Of the two tables.
        mistakes: How many pictures to list that only one of the two has right, of each kind.

    Raises:
        InvalidDatasetError: The class lists are not the same set, or a table names a file twice.
    """
    check_same_classes(left.classes, right.classes, what="the second table's scores")
    for table, evaluation in zip((left, right), evaluations, strict=True):
        _refuse_repeated_files(table, evaluation.name)
    rows_left, rows_right = _join(left.files, right.files)
    labels_left = left.labels_N[rows_left]
    labels_right = _by_name(right.labels_N, right.classes, left.classes)[rows_right]
    known = (labels_left != UNKNOWN) & (labels_right != UNKNOWN)
    relabelled = int((labels_left != labels_right)[known].sum())
    rows_left, rows_right = rows_left[known], rows_right[known]
    hits_left = left.predicted_N[rows_left] == left.labels_N[rows_left]
    hits_right = right.predicted_N[rows_right] == right.labels_N[rows_right]
    return Comparison(
        left=evaluations[0],
        right=evaluations[1],
        both_right=int((hits_left & hits_right).sum()),
        only_left=int((hits_left & ~hits_right).sum()),
        only_right=int((~hits_left & hits_right).sum()),
        neither=int((~hits_left & ~hits_right).sum()),
        mistakes_of_left=surest_mistakes(left, rows_left[~hits_left & hits_right], most=mistakes),
        mistakes_of_right=surest_mistakes(
            right, rows_right[hits_left & ~hits_right], most=mistakes
        ),
        notices=_notices(left, right, joined=len(rows_left), relabelled=relabelled),
    )


def _refuse_repeated_files(table: ScoredTable, name: str) -> None:
    counts = table.files.value_counts()
    repeated = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(repeated):
        file = repeated[0]["values"].as_py()
        raise InvalidDatasetError(
            f"{name} holds the file {file!r} {repeated[0]['counts'].as_py()} times, so rows of two "
            "tables cannot be matched by file.",
            hint="Compare tables in which every file has one row.",
            reason="repeated-file",
            details={"file": file},
        )


def _join(left: pa.Array, right: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows of both that name the same file, in the order of the left."""
    found = pc.index_in(left, value_set=right).fill_null(-1).to_numpy(zero_copy_only=False)
    rows_left = np.flatnonzero(found >= 0)
    return rows_left, found[rows_left].astype(np.int64)


def _by_name(
    positions_N: npt.NDArray[np.int32], classes: Sequence[str], other: Sequence[str]
) -> npt.NDArray[np.int32]:
    """Return positions in one class list as positions in another order of the same names."""
    table = np.array([*map(list(other).index, classes), UNKNOWN], dtype=np.int32)
    return table[positions_N]


def _notices(
    left: ScoredTable, right: ScoredTable, *, joined: int, relabelled: int
) -> tuple[str, ...]:
    notices = []
    only_left = int((left.labels_N != UNKNOWN).sum()) - joined
    only_right = int((right.labels_N != UNKNOWN).sum()) - joined
    if only_left or only_right:
        notices.append(
            f"The two tables are not about the same pictures: {joined:,} labelled pictures are in "
            f"both, {only_left:,} only in the first, {only_right:,} only in the second. Figures "
            "over different pictures do not tell which model is better."
        )
    if relabelled:
        notices.append(f"Pictures with another label in the second table: {relabelled:,}.")
    if left.model_digest and left.model_digest == right.model_digest:
        notices.append("Both tables were scored by the same model.")
    return tuple(notices)

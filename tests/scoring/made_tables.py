"""Scored tables with made-up rows."""

import numpy as np
import pyarrow as pa

from imageloom.scoring.tables.scored_table import ScoredTable


def make_table(classes=("ant", "bee"), *, files=None, labels=None, seed=0, rows=5, **more):
    rows = rows if files is None else len(files)
    odds = np.random.default_rng(seed).random((rows, len(classes)))
    probabilities = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    if labels is None:
        labels = [classes[row % len(classes)] for row in range(rows)]
    return ScoredTable(
        files=pa.array(files or [f"{row}.jpg" for row in range(rows)], pa.string()),
        labels_N=np.array(
            [-1 if name is None else classes.index(name) for name in labels], np.int32
        ),
        classes=tuple(classes),
        predicted_N=probabilities.argmax(axis=1).astype(np.int32),
        probabilities_NK=probabilities,
        **more,
    )


def assert_same_rows(one, other):
    assert one.files.to_pylist() == other.files.to_pylist()
    assert one.labels == other.labels
    assert one.classes == other.classes
    np.testing.assert_array_equal(one.predicted_N, other.predicted_N)
    assert one.probabilities_NK.dtype == other.probabilities_NK.dtype == np.float32
    assert one.probabilities_NK.tobytes() == other.probabilities_NK.tobytes()


def table_of(classes, rows, **more):
    """Return a table of (file, label or None, scored label, probability of the scored label).

    What is left of the probability goes to the label, or to the first other class.
    """
    probabilities = np.zeros((len(rows), len(classes)), dtype=np.float32)
    for row, (_, label, scored, probability) in zip(probabilities, rows, strict=True):
        row[classes.index(scored)] = probability
        others = [name for name in classes if name != scored]
        rest = label if label not in (None, scored) else others[0]
        row[classes.index(rest)] += 1 - probability
    return ScoredTable(
        files=pa.array([file for file, *_ in rows], pa.string()),
        labels_N=np.array(
            [-1 if label is None else classes.index(label) for _, label, _, _ in rows], np.int32
        ),
        classes=tuple(classes),
        predicted_N=np.array([classes.index(scored) for _, _, scored, _ in rows], np.int32),
        probabilities_NK=probabilities,
        **more,
    )

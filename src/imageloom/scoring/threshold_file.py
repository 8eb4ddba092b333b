"""What every threshold on a class's probability would do, as a file for pages and programs."""

import json
from pathlib import Path
from typing import Final

import numpy as np

from imageloom.metrics import threshold_curves
from imageloom.scoring.tables.scored_table import UNKNOWN, ScoredTable

THRESHOLDS: Final = "thresholds.json"
FORMAT_VERSION: Final = 1


def write_thresholds(table: ScoredTable, path: Path) -> None:
    """Write the counts behind precision and recall of each class at each threshold.

    Counts rather than quotients: whoever reads them can add classes up, and knows how many pictures
    a quotient stands on. Pictures without a label play no part.

    Args:
        table: The scores.
        path: The file, inside a directory that is being published.

    Raises:
        OSError: It cannot be written.
    """
    rows_N = np.flatnonzero(table.labels_N != UNKNOWN)
    labels_N = table.labels_N[rows_N].astype(np.int64)
    every = len(rows_N) == len(table)
    curves = threshold_curves(
        table.probabilities_NK if every else table.probabilities_NK[rows_N], labels_N
    )
    content = {
        "format_version": FORMAT_VERSION,
        "images": len(rows_N),
        "thresholds": curves.thresholds_T.tolist(),
        "classes": [
            {
                "class": name,
                "support": int(curves.support_K[position]),
                "found": curves.found_KT[position].tolist(),
                "reached": curves.reached_KT[position].tolist(),
            }
            for position, name in enumerate(table.classes)
        ],
    }
    # In one line: of a thousand classes it holds 200,000 numbers.
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")

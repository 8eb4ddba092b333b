"""The component ``evaluate_model``: figures and a report on one scored table or two."""

import shutil
from collections.abc import Mapping

from imageloom.errors import (
    InvalidDatasetError,
    NotExpectedLabelColumnError,
    NotScoredDatasetError,
)
from imageloom.scoring.params import EvaluateParams, ReportParams
from imageloom.spec.component import COMPONENTS, Component, Port, Task
from imageloom.spec.port_types import EVALUATION_RESULTS, SCORED_TABLE


def run(task: Task) -> Mapping[str, str]:
    """Publish the figures and the report."""
    from imageloom.reports.evaluate_to import evaluate_to
    from imageloom.scoring.tables.directory import load_scores

    other = task.inputs.get("other")
    out = task.outputs["evaluation"]
    evaluate_to(
        load_scores(task.inputs["scores"]),
        out,
        other=None if other is None else load_scores(other),
        params=EvaluateParams.parse(task.params.model_dump()),
        names=("scores",) if other is None else ("left", "right"),
        on_event=task.on_event,
        cancel=task.cancel,
    )
    shutil.copyfile(out / "report.html", task.record / "report.html")
    return {}


COMPONENTS.declare(
    "evaluate_model",
    Component(
        name="evaluate_model",
        title="Evaluate Model",
        help="Compares scored labels with true ones: accuracy, precision, recall, confusion "
        "matrix, and a report with the pictures. A second table is shown beside the first.",
        category="Scoring",
        inputs=(
            Port("scores", SCORED_TABLE, "Scores", "The scores of labelled pictures."),
            Port(
                "other",
                SCORED_TABLE,
                "Other scores",
                "Scores to compare with, of the same classes.",
                optional=True,
            ),
        ),
        outputs=(Port("evaluation", EVALUATION_RESULTS, "Evaluation", "Figures and a report."),),
        params=ReportParams,
        run=run,
        version=4,  # 2: pictures of each cell; 3: label errors and thresholds; 4: workbook
        errors=(NotScoredDatasetError, NotExpectedLabelColumnError, InvalidDatasetError),
    ),
)

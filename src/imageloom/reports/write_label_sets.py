"""Write reports on pictures that may have several labels each: of a run, and of an evaluation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from imageloom.events import Metric
from imageloom.reports.evaluation.mistakes import thumbnailer
from imageloom.reports.facts import run_facts_section, table_facts_section
from imageloom.reports.label_sets.headline import label_set_headline
from imageloom.reports.label_sets.labels import curves_of_labels_section, labels_section
from imageloom.reports.label_sets.mistakes import label_mistakes_section
from imageloom.reports.page import Heading, Section
from imageloom.reports.training.curves import Curves, curves_section
from imageloom.reports.training.record import RecordedRun
from imageloom.reports.write import run_heading, write_page
from imageloom.scoring.label_set_evaluation import LabelSetEvaluation
from imageloom.scoring.tables.label_set_table import LabelSetTable
from imageloom.system.wording import count

CHOSEN_HERE = (
    "The threshold of each label was chosen on these pictures, so that F1, precision, recall and "
    "exact match look better here than on others. Average precision and ROC AUC know no threshold."
)


def write_label_set_run_report(
    path: Path,
    *,
    run: Mapping[str, object],
    metrics: Sequence[Metric],
    evaluation: LabelSetEvaluation,
    table: LabelSetTable,
) -> None:
    """Publish the report of a training run as one HTML file.

    Args:
        path: Where; what was there before is replaced.
        run: The content of ``run.json``.
        metrics: Everything that was recorded, in order.
        evaluation: Of the validation pictures, by the model that was kept.
        table: The scores it was made from; its root says where the pictures lie.

    Raises:
        FailedToWriteOutputsError: The file cannot be written.
    """
    record = RecordedRun(run)
    sections = [
        Section(
            "figures", "In short", label_set_headline(evaluation, (*record.notices, CHOSEN_HERE))
        ),
        labels_section(evaluation),
        curves_section(Curves(metrics), record, num_classes=len(evaluation.classes)),
        curves_of_labels_section(evaluation),
        label_mistakes_section(evaluation, thumbnailer(table.root, wanted=True)),
        run_facts_section(record, evaluation),
    ]
    write_page(path, run_heading(record, evaluation), sections)


def write_label_set_report(
    path: Path, evaluation: LabelSetEvaluation, *, root: Path | None, thumbnails: bool = True
) -> None:
    """Publish the report of one table of label sets as one HTML file.

    Args:
        path: Where; what was there before is replaced.
        evaluation: The table's figures.
        root: Folder that its file names start from, or None when it is not known.
        thumbnails: Whether to show pictures.

    Raises:
        FailedToWriteOutputsError: The file cannot be written.
    """
    facts = (
        f"{count(evaluation.images, 'picture')}, "
        f"{count(len(evaluation.classes), 'label')}, several per picture"
    )
    sections = [
        Section("figures", "In short", label_set_headline(evaluation)),
        labels_section(evaluation),
        curves_of_labels_section(evaluation),
        label_mistakes_section(evaluation, thumbnailer(root, wanted=thumbnails)),
        table_facts_section([(evaluation, root)]),
    ]
    write_page(path, Heading("Evaluation report", evaluation.name, facts), sections)

"""Write reports: of a run, of an evaluation, and of a comparison."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from imageloom.events import Metric
from imageloom.files.publish import writing_file
from imageloom.reports.evaluation import sides
from imageloom.reports.evaluation.advice import advice_section
from imageloom.reports.evaluation.classes import classes_section
from imageloom.reports.evaluation.confusion import confusion_section
from imageloom.reports.evaluation.headline import headline
from imageloom.reports.evaluation.label_errors import label_errors_section
from imageloom.reports.evaluation.mistakes import Thumbnailer, mistakes_section, thumbnailer
from imageloom.reports.evaluation.reliability import reliability_section
from imageloom.reports.facts import run_facts_section, table_facts_section
from imageloom.reports.label_sets.headline import label_set_headline
from imageloom.reports.label_sets.labels import curves_of_labels_section, labels_section
from imageloom.reports.label_sets.mistakes import label_mistakes_section
from imageloom.reports.page import Heading, Section, page
from imageloom.reports.training.curves import Curves, curves_section
from imageloom.reports.training.record import RecordedRun
from imageloom.scoring.comparison import Comparison
from imageloom.scoring.evaluate import AnyEvaluation
from imageloom.scoring.label_set_evaluation import LabelSetEvaluation
from imageloom.scoring.tables.file import AnyTable
from imageloom.system.wording import count, duration

_CHOSEN_HERE: Final = (
    "The threshold of each label was chosen on these pictures, so that F1, precision, recall and "
    "exact match look better here than on others. Average precision and ROC AUC know no threshold."
)


def write_run_report(
    path: Path,
    *,
    run: Mapping[str, object],
    metrics: Sequence[Metric],
    evaluation: AnyEvaluation,
    table: AnyTable,
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
    record, curves = RecordedRun(run), Curves(metrics)
    images = thumbnailer(table.root, wanted=True)
    sections = [
        *_sections(evaluation, images, record, curves),
        run_facts_section(record, evaluation),
    ]
    _write_page(path, _run_heading(record, evaluation), sections)


def write_evaluation_report(
    path: Path, evaluation: AnyEvaluation, *, root: Path | None, thumbnails: bool = True
) -> None:
    """Publish the report of one scored table as one HTML file.

    Args:
        path: Where; what was there before is replaced.
        evaluation: The table's figures.
        root: Folder that its file names start from, or None when it is not known.
        thumbnails: Whether to show pictures.

    Raises:
        FailedToWriteOutputsError: The file cannot be written.
    """
    images = thumbnailer(root, wanted=thumbnails)
    sections = [*_sections(evaluation, images), table_facts_section([(evaluation, root)])]
    heading = Heading("Evaluation report", evaluation.name, _counts(evaluation))
    _write_page(path, heading, sections)


def write_comparison_report(
    path: Path, comparison: Comparison, *, roots: tuple[Path | None, Path | None], thumbnails: bool
) -> None:
    """Publish the report of two scored tables side by side as one HTML file.

    Args:
        path: Where; what was there before is replaced.
        comparison: The two tables' figures.
        roots: Folders that their file names start from, or None where not known.
        thumbnails: Whether to show pictures.

    Raises:
        FailedToWriteOutputsError: The file cannot be written.
    """
    left, right = comparison.left, comparison.right
    images = thumbnailer(roots[0] or roots[1], wanted=thumbnails)
    sections = [
        sides.verdict_section(comparison),
        sides.changed_pictures_section(comparison, images),
        sides.changed_classes_section(comparison),
        sides.matrices_section(comparison),
        sides.diagrams_section(comparison),
        table_facts_section([(left, roots[0]), (right, roots[1])]),
    ]
    facts = f"{count(comparison.joined, 'picture')} that both tables hold with a label"
    heading = Heading("Comparison report", f"A: {left.name} · B: {right.name}", facts)
    _write_page(path, heading, sections)


def _sections(
    evaluation: AnyEvaluation,
    images: Thumbnailer | None,
    run: RecordedRun | None = None,
    curves: Curves | None = None,
) -> list[Section | None]:
    """Return what a report says of an evaluation, and of the run that it ends, if it does."""
    course = None
    if run is not None and curves is not None:
        course = curves_section(curves, run, num_classes=len(evaluation.classes))
    notices = () if run is None else run.notices
    if isinstance(evaluation, LabelSetEvaluation):
        noted = notices if run is None else (*notices, _CHOSEN_HERE)
        return [
            Section("figures", "In short", label_set_headline(evaluation, noted)),
            labels_section(evaluation),
            course,
            curves_of_labels_section(evaluation),
            label_mistakes_section(evaluation, images),
        ]
    return [
        Section("figures", "In short", headline(evaluation, notices)),
        advice_section(evaluation, curves, run),
        course,
        confusion_section(evaluation),
        mistakes_section(evaluation, images),
        label_errors_section(evaluation, images),
        classes_section(evaluation),
        reliability_section(evaluation),
    ]


def _counts(evaluation: AnyEvaluation) -> str:
    images = count(evaluation.images, "picture")
    if isinstance(evaluation, LabelSetEvaluation):
        return f"{images}, {count(len(evaluation.classes), 'label')}, several per picture"
    return f"{images} with a label, {count(len(evaluation.classes), 'class', 'classes')}"


def _run_heading(run: RecordedRun, evaluation: AnyEvaluation) -> Heading:
    network = run.network or "A network"
    folder = Path(run.text("data", "training", "root")).name
    facts = [
        f"{count(run.training_images, 'training picture')}" if run.training_images else "",
        f"{count(evaluation.images, 'validation picture')}",
        count(len(evaluation.classes), "class", "classes"),
        f"left out: {count(run.left_out, 'file')}" if run.left_out else "",
        count(run.epochs_done, "epoch") if run.epochs_done else "",
        duration(run.number("seconds")) if run.number("seconds") else "",
        run.text("started").replace("T", " ").replace("Z", " UTC"),
    ]
    title = f"{network} on {folder}" if folder else network
    return Heading("Training report", title, " · ".join(fact for fact in facts if fact))


def _write_page(path: Path, heading: Heading, sections: Sequence[Section | None]) -> None:
    """Publish a report; sections that are None are left out."""
    document = page(heading, [one for one in sections if one is not None])
    with writing_file(path) as partial:
        partial.write_text(document, encoding="utf-8")

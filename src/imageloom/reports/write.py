"""Write reports: of a run, of an evaluation, and of a comparison."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from imageloom.events import Metric
from imageloom.files.publish import writing_file
from imageloom.reports.evaluation import sides
from imageloom.reports.evaluation.advice import advice_section
from imageloom.reports.evaluation.classes import classes_section
from imageloom.reports.evaluation.confusion import confusion_section
from imageloom.reports.evaluation.headline import headline
from imageloom.reports.evaluation.label_errors import label_errors_section
from imageloom.reports.evaluation.mistakes import mistakes_section, thumbnailer
from imageloom.reports.evaluation.reliability import reliability_section
from imageloom.reports.facts import run_facts_section, table_facts_section
from imageloom.reports.page import Heading, Section, page
from imageloom.reports.training.curves import Curves, curves_section
from imageloom.reports.training.record import RecordedRun
from imageloom.scoring.comparison import Comparison
from imageloom.scoring.evaluate import AnyEvaluation
from imageloom.scoring.evaluation import Evaluation
from imageloom.scoring.tables.scored_table import ScoredTable
from imageloom.system.wording import count, duration


def write_run_report(
    path: Path,
    *,
    run: Mapping[str, object],
    metrics: Sequence[Metric],
    evaluation: Evaluation,
    table: ScoredTable,
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
        Section("figures", "In short", headline(evaluation, record.notices)),
        advice_section(evaluation, curves, record),
        curves_section(curves, record, num_classes=len(evaluation.classes)),
        confusion_section(evaluation),
        mistakes_section(evaluation, images),
        label_errors_section(evaluation, images),
        classes_section(evaluation),
        reliability_section(evaluation),
        run_facts_section(record, evaluation),
    ]
    write_page(path, run_heading(record, evaluation), sections)


def write_evaluation_report(
    path: Path, evaluation: Evaluation, *, root: Path | None, thumbnails: bool = True
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
    facts = (
        f"{count(evaluation.images, 'picture')} with a label, "
        f"{count(len(evaluation.classes), 'class', 'classes')}"
    )
    images = thumbnailer(root, wanted=thumbnails)
    sections = [
        Section("figures", "In short", headline(evaluation)),
        advice_section(evaluation),
        confusion_section(evaluation),
        mistakes_section(evaluation, images),
        label_errors_section(evaluation, images),
        classes_section(evaluation),
        reliability_section(evaluation),
        table_facts_section([(evaluation, root)]),
    ]
    write_page(path, Heading("Evaluation report", evaluation.name, facts), sections)


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
    write_page(path, heading, sections)


def run_heading(run: RecordedRun, evaluation: AnyEvaluation) -> Heading:
    """Return the top of the report of a run."""
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


def write_page(path: Path, heading: Heading, sections: Sequence[Section | None]) -> None:
    """Publish a report; sections that are None are left out.

    Raises:
        FailedToWriteOutputsError: The file cannot be written.
    """
    document = page(heading, [one for one in sections if one is not None])
    with writing_file(path) as partial:
        partial.write_text(document, encoding="utf-8")

"""After the loop: publish the best epoch's network, score it as a user would, and report."""

import dataclasses
from collections.abc import Mapping
from typing import Final, cast

from pydantic import JsonValue

from imageloom.data.images.directory import ImageDirectory
from imageloom.events import Metric, Notice
from imageloom.metrics import USUAL_THRESHOLD, best_thresholds
from imageloom.models.model_directory import TrainedModel, save_trained
from imageloom.models.record import DataFacts
from imageloom.preprocessing import Preprocessing
from imageloom.reports.write import write_run_report
from imageloom.scoring.evaluate import evaluate
from imageloom.scoring.params import ScoreParams
from imageloom.scoring.score import score
from imageloom.scoring.tables.file import write_table
from imageloom.scoring.tables.label_set_table import LabelSetTable
from imageloom.system.wording import count, some
from imageloom.training.assemble import transforms_of
from imageloom.training.calibration import calibrate
from imageloom.training.checkpoints.checkpoint import AVERAGE_FILE, NETWORK_FILE, load_network
from imageloom.training.checkpoints.loop_state import LoopState
from imageloom.training.run.events import read_metrics
from imageloom.training.session import Session

TEMPERATURE: Final = "Temperature"
_ONE_LABEL: Final = ("Top-1 validation accuracy", "Top-5 validation accuracy")
_SEVERAL_LABELS: Final = ("Validation exact match", "Validation micro F1")


def finish(session: Session, state: LoopState) -> None:
    """Publish the best model, score the validation pictures with it and write the report.

    The model is read back from its directory, so the figures are those of what was published.
    """
    model = publish_best(session, state, is_end=True)
    # No more at once than a step or validation had room for, nor than scoring takes by itself.
    batch_size = session.params.pictures_per_batch
    params = ScoreParams(
        batch_size=max(batch_size, min(2 * batch_size, ScoreParams().batch_size)),
        device=str(session.compute.device),
        workers=0,
    )
    table = score(
        session.run.model,
        session.validation,
        params=params,
        on_event=session.reporter.forward,
        cancel=session.cancel,
    )
    if isinstance(table, LabelSetTable):
        model, table = _with_thresholds(session, model, table)
    write_table(table, session.run.scores)
    evaluation = evaluate(table)
    session.run.update(metrics={**model.metrics, **evaluation.summary()})
    metrics = read_metrics(session.run.events)
    # The report describes the run as completed, which it is as soon as the report is there.
    record = session.run.read()
    seconds = record.seconds + session.reporter.seconds
    completed = record.replace(state="completed", seconds=seconds).to_json()
    write_run_report(
        session.run.report, run=completed, metrics=metrics, evaluation=evaluation, table=table
    )


def _with_thresholds(
    session: Session, model: TrainedModel, table: LabelSetTable
) -> tuple[TrainedModel, LabelSetTable]:
    """Publish the model again, with the thresholds that suit the validation pictures best."""
    assert table.labels_NK is not None, "validation pictures have labels"
    thresholds = best_thresholds(table.labels_NK, table.probabilities_NK)
    never = [name for name, number in session.validation.counts.items() if number == 0]
    if never:
        session.reporter.notice(
            Notice(
                "warning",
                f"No validation picture has {count(len(never), 'label')} of "
                f"{len(table.classes):,} ({some(never)}): the threshold stays 0.5 there.",
            )
        )
    model = dataclasses.replace(model, label_thresholds=thresholds)
    model = save_trained(session.run.model, model, replace=True)
    return model, table.with_thresholds(thresholds, model_digest=model.digest)


def publish_best(session: Session, state: LoopState, *, is_end: bool = False) -> TrainedModel:
    """Publish the network of the epoch with the lowest validation loss as ``run/model``.

    Args:
        session: Of the run.
        state: How far it has come.
        is_end: Whether training is over, so that there is time to calibrate it.
    """
    record = session.run.read()
    network = session.stepper.network
    file = NETWORK_FILE if session.average is None else AVERAGE_FILE
    load_network(session.run.checkpoints / state.best_checkpoint, network, file)
    figures = best_epoch_metrics(read_metrics(session.run.events), state.early_stop.best_epoch)
    if is_end and session.params.calibrate:
        figures[TEMPERATURE] = calibrate(session, record.architecture)
    trained = TrainedModel(
        architecture=record.architecture,
        classes=session.training.classes,
        preprocessing=Preprocessing(
            transforms=transforms_of(session.validation), normalisation=session.normalisation
        ),
        network=network,
        parameters=cast(Mapping[str, JsonValue], session.params.model_dump()),
        metrics=figures,
        data={"training": _facts(session.training), "validation": _facts(session.validation)},
        initial_weights=record.model.initial_weights,
        # Until validation pictures have said which suit them best, at the end.
        label_thresholds=(USUAL_THRESHOLD,) * len(session.training.classes)
        if session.training.has_several_labels
        else None,
    )
    return save_trained(session.run.model, trained, replace=True)


def best_epoch_metrics(metrics: list[Metric], best_epoch: int) -> dict[str, float | None]:
    """Return the figures of the best epoch that say how good the model is."""
    names = ("Train loss", "Valid loss", *_ONE_LABEL, *_SEVERAL_LABELS)
    figures: dict[str, float | None] = {
        metric.name: metric.value
        for metric in metrics
        if metric.epoch == best_epoch and metric.name in names
    }
    return {**figures, "best epoch": float(best_epoch)}


def _facts(images: ImageDirectory) -> DataFacts:
    return DataFacts(digest=images.digest, images=len(images), images_per_class=dict(images.counts))

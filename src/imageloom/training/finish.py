"""After the loop: publish the best epoch's network, score it as a user would, and report."""

from collections.abc import Mapping
from typing import cast

from pydantic import JsonValue

from imageloom.data.image_directory import ImageDirectory
from imageloom.events import Metric
from imageloom.models.model_directory import TrainedModel, save_trained
from imageloom.models.record import DataFacts, WeightsSource
from imageloom.preprocessing import Preprocessing
from imageloom.scoring.evaluate import evaluate
from imageloom.scoring.params import ScoreParams
from imageloom.scoring.report.write import write_run_report
from imageloom.scoring.score import score
from imageloom.scoring.table import write_table
from imageloom.training.assemble import architecture_of, mapping, transforms_of
from imageloom.training.checkpoint import load_network
from imageloom.training.events import read_metrics
from imageloom.training.job import Job
from imageloom.training.loop_state import LoopState


def finish(job: Job, state: LoopState) -> None:
    """Publish the best model, score the validation pictures with it and write the report.

    The model is read back from its directory, so the figures are those of what was published.
    """
    model = publish_best(job, state)
    params = ScoreParams(
        batch_size=max(job.params.batch_size, ScoreParams().batch_size),
        device=str(job.compute.device),
        workers=0,
    )
    table = score(
        job.run.model,
        job.validation,
        params=params,
        on_event=job.reporter.forward,
        cancel=job.cancel,
    )
    write_table(table, job.run.scores)
    evaluation = evaluate(table)
    job.run.update(metrics={**model.metrics, **evaluation.summary()})
    metrics = read_metrics(job.run.events)
    # The report describes the run as completed, which it is as soon as the report is there.
    record = job.run.read()
    seconds = float(str(record["seconds"])) + job.reporter.seconds
    completed = {**record, "state": "completed", "seconds": seconds}
    write_run_report(
        job.run.report, run=completed, metrics=metrics, evaluation=evaluation, table=table
    )


def publish_best(job: Job, state: LoopState) -> TrainedModel:
    """Publish the network of the epoch with the lowest validation loss as ``run/model``."""
    record = job.run.read()
    network = job.stepper.network
    load_network(job.run.checkpoints / state.best_checkpoint, network)
    model = mapping(record["model"])
    trained = TrainedModel(
        architecture=architecture_of(record),
        classes=job.training.classes,
        preprocessing=Preprocessing(
            transforms=transforms_of(job.validation), normalisation=job.normalisation
        ),
        network=network,
        parameters=cast(Mapping[str, JsonValue], job.params.model_dump()),
        metrics=best_epoch_metrics(read_metrics(job.run.events), state.early_stop.best_epoch),
        data={"training": _facts(job.training), "validation": _facts(job.validation)},
        initial_weights=WeightsSource.model_validate(model["initial_weights"]),
    )
    return save_trained(job.run.model, trained, replace=True)


def best_epoch_metrics(metrics: list[Metric], best_epoch: int) -> dict[str, float | None]:
    """Return the figures of the best epoch that say how good the model is."""
    names = ("Train loss", "Valid loss", "Top-1 validation accuracy", "Top-5 validation accuracy")
    figures: dict[str, float | None] = {
        metric.name: metric.value
        for metric in metrics
        if metric.epoch == best_epoch and metric.name in names
    }
    return {**figures, "best epoch": float(best_epoch)}


def _facts(images: ImageDirectory) -> DataFacts:
    return DataFacts(digest=images.digest, images=len(images), images_per_class=dict(images.counts))

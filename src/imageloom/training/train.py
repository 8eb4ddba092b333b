"""Prepare a run, go on with it in any number of processes, and read what it found."""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.moved import Roots
from imageloom.data.open import open_each
from imageloom.data.params import ConvertParams
from imageloom.distributed.ranks import ALONE, Ranks
from imageloom.distributed.store import Meet, at_the_usual_place
from imageloom.errors import FailedToWriteOutputsError
from imageloom.events import Control, Event, Notice
from imageloom.files.home import expand_home
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.publish import refuse_existing
from imageloom.models.compute import choose_compute, require_device_name
from imageloom.models.model_directory import UntrainedModel
from imageloom.models.params import ModelParams
from imageloom.training.batch_size import find_batch_size
from imageloom.training.execute import execute
from imageloom.training.generators import lent_generators
from imageloom.training.memory import base_bytes, require_memory
from imageloom.training.params import TrainParams
from imageloom.training.prepare import create_run, find_model, make_plan, record_of
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.end import recorded_end
from imageloom.training.run.events import RunReporter, driver_log
from imageloom.training.run.lost import tell_loss


@dataclass(frozen=True)
class TrainResult:
    """A finished run.

    Attributes:
        run: The run directory.
        model: The trained model directory, ``run/model``.
        report: The report for people, ``run/report.html``.
        epochs: Epochs that were trained; fewer than asked for when patience was used up.
        best_epoch: Epoch of the lowest validation loss, from 1; its network is the model.
        metrics: Figures of the model on the validation pictures, by the names of
            docs/reference/metrics.md.
    """

    run: Path
    model: Path
    report: Path
    epochs: int
    best_epoch: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class NewRun:
    """A run that somebody asks for.

    Attributes:
        model: What learns, as ``imageloom.train`` takes it, as is all that follows.
        training: What it learns from.
        validation: What measures each epoch.
        out: Where the run directory shall appear.
        root: Where the pictures lie now.
        params: How to train.
        model_params: How to make a network that is given by name.
        convert_params: How plain folders of pictures are read.
    """

    model: UntrainedModel | Path | str
    training: ImageDirectory | Path | str
    validation: ImageDirectory | Path | str
    out: Path | str
    root: Roots = ()
    params: TrainParams = field(default_factory=TrainParams)
    model_params: ModelParams = field(default_factory=ModelParams)
    convert_params: ConvertParams = field(default_factory=ConvertParams)

    @property
    def directory(self) -> RunDirectory:
        """The run directory, which may not be there yet."""
        return RunDirectory(expand_home(self.out).absolute())


def prepare_run(
    new: NewRun, *, processes: int = 1, processes_here: int = 1, control: Control
) -> Path:
    """Check what is asked and make a run directory from which ``continue_run`` can start.

    One process does this, whatever the number that train.

    Args:
        new: What is asked.
        processes: How many processes will train together. The pictures per step and, by default,
            the learning rate are multiplied by it.
        processes_here: How many of them this machine trains, so that it must have the device and
            the memory; 0 where others do, of which nothing is known here.
        control: Hears progress and notices; stops the preparation.

    Returns:
        The run directory.

    Raises:
        ModuleOutOfMemoryError: Training takes certainly more memory than this machine has.
        ImageloomError: Of the class that fits; there is then no run.
    """
    run = new.directory
    _refuse_existing_run(run)
    refuse_existing(run.path)
    given = (new.model, new.training, new.validation)
    paths = [one for one in given if isinstance(one, Path | str)]
    refuse_misplaced([run.path], read=[expand_home(one) for one in paths])
    _refuse_device(new.params, trains_here=processes_here > 0)
    base = base_bytes()
    starts_from = find_model(new.model, new.model_params, control)
    told: list[str] = []

    def tell(event: Event) -> None:
        if isinstance(event, Notice):
            told.append(event.message)
        control.tell(event)

    learned, measured = open_each(
        (new.training, new.validation),
        root=new.root,
        convert_params=new.convert_params,
        control=Control(tell, control.cancel),
    )
    for one in (learned, measured):
        one.refuse_outputs([run.path])
    plan = make_plan(starts_from, learned, measured, new.params, processes=processes)
    for message in plan.notices:
        if not message.endswith(tuple(told)):  # the conversion of these pictures has said it
            control.tell(Notice("warning", message))
    if plan.finds_batch_size:
        with lent_generators():
            found = find_batch_size(
                record_of(plan), processes_here=processes_here, on_event=control.on_event
            )
        plan = plan.with_batch_size(found)
    if processes_here:
        require_memory(
            record_of(plan),
            processes_here=processes_here,
            base_bytes=base,
            on_event=control.on_event,
        )
    with lent_generators():
        create_run(plan, run, control.on_event)
    return run.path


def continue_run(
    run: Path, *, ranks: Ranks = ALONE, meet: Meet = at_the_usual_place, control: Control
) -> None:
    """Train from a run's newest checkpoint to its end: what each process of a run calls.

    Args:
        run: The run directory.
        ranks: Which of the processes this is. The first one writes the run's files; it returns
            when the run is completed, the others when there is nothing left for them to compute.
        meet: Returns the store in which the processes meet; called when this one is ready to train.
        control: Hears progress, metrics and notices, in the first process only; stops all
            processes at the same step, whichever of them is asked.

    Raises:
        CannotResumeError: There is no run or no whole checkpoint.
        OutputInUseError: Somebody else is at it.
        ImageloomError: As ``imageloom.train``.
    """
    directory = RunDirectory(run)
    if directory.is_completed:
        control.tell(Notice("info", directory.nothing_to_resume))
        return
    with contextlib.ExitStack() as stack:
        if ranks.is_first:
            stack.enter_context(directory.locked())
        stack.enter_context(driver_log(directory.log_of(ranks.rank)))
        if ranks.is_alone:  # processes that were started for one run have nobody to give back to
            stack.enter_context(lent_generators())
        reporter = (
            RunReporter(directory.events, control.on_event) if ranks.is_first else RunReporter()
        )
        stack.callback(reporter.close)
        stack.enter_context(recorded_end(directory, ranks))
        execute(directory, reporter, control.cancel, ranks, meet)


def read_result(path: Path) -> TrainResult:
    """Return what a completed run found.

    Raises:
        CannotResumeError: There is no run, or its record was changed.
        WorkerLostError: It says that it is running, but the process that trained it was killed.
        ModuleOutOfMemoryError: Likewise, for want of memory.
    """
    run = RunDirectory(path)
    if loss := tell_loss(run):
        raise loss
    record = run.read()
    return TrainResult(
        run=run.path,
        model=run.model,
        report=run.report,
        epochs=record.epochs_done,
        best_epoch=record.best_epoch,
        metrics={
            name: math.nan if value is None else value for name, value in record.metrics.items()
        },
    )


def _refuse_device(params: TrainParams, *, trains_here: bool) -> None:
    """Refuse a device that is none or, where this machine trains, that is not there."""
    require_device_name(params.device)
    if trains_here:
        choose_compute(params.device, params.precision)


def _refuse_existing_run(run: RunDirectory) -> None:
    if run.record.is_file() and run.read().state != "completed":
        raise FailedToWriteOutputsError(
            f"{run.path} holds a run that is not completed.",
            hint="Finish it, or choose another place with --out.",
            reason="exists",
            resume=run.resume,
        )

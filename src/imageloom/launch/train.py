"""Train a network on one process, several or several machines, or go on where a run stopped."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.moved import Roots
from imageloom.data.params import ConvertParams
from imageloom.distributed.ranks import StartedRank
from imageloom.events import CancelToken, Control, EventSink, Notice, ignore_events
from imageloom.files.home import expand_home
from imageloom.launch.cluster.rendezvous import MeetingPlace
from imageloom.launch.external.rank import (
    Prepare,
    is_new_start,
    rank_started_elsewhere,
    train_as_rank,
)
from imageloom.launch.launch import launch_ranks, recorded, refuse_if_led, require_place
from imageloom.launch.params import LaunchParams
from imageloom.launch.tracked import trackers_going_on, tracking
from imageloom.models.model_directory import UntrainedModel
from imageloom.models.params import ModelParams
from imageloom.spec.scale import Scale
from imageloom.tracking.choose import require_trackers
from imageloom.training.memory import base_bytes, require_memory
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.lost import tell_loss
from imageloom.training.run.pictures import point_anew
from imageloom.training.train import (
    NewRun,
    TrainResult,
    continue_run,
    prepare_run,
    read_result,
)


def train(  # noqa: PLR0913 - the public call; all but the first four are keywords
    model: UntrainedModel | Path | str,
    training: ImageDirectory | Path | str,
    validation: ImageDirectory | Path | str,
    out: Path | str,
    *,
    root: Roots = (),
    params: TrainParams | None = None,
    model_params: ModelParams | None = None,
    convert_params: ConvertParams | None = None,
    launch: LaunchParams | None = None,
    track: Sequence[str] = (),
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> TrainResult:
    """Train a network on pictures and publish the best epoch's.

    Args:
        model: Name of a network such as ``resnet18``, an untrained model, or a model directory:
            an untrained one, or a trained one (or its run) to go on learning from.
        training: Pictures to learn from: an image directory, or a folder with one sub-folder per
            class.
        validation: Pictures to measure each epoch with, of the same classes.
        out: Where the run directory shall appear.
        root: Where the pictures of image directories lie now, when they were moved; as
            ``open_images`` takes it.
        params: How to train; by default ``TrainParams()``.
        model_params: How to make a network that is given by name.
        convert_params: How plain folders of pictures are read; by default ``ConvertParams()``.
        launch: On how many processes; by default on this one.
        track: Names of trackers that show the training while it runs, such as ``tensorboard``.
        on_event: Hears progress, metrics and notices.
        cancel: Stops the run at the next step, with everything saved.

    Returns:
        Where the run, its model and its report are, and the model's figures.

    Raises:
        ImageloomError: Of the class that fits. What was asked is checked before any compute;
            after that the run directory keeps the state from which ``resume`` goes on.
    """
    new = NewRun(
        model,
        training,
        validation,
        out,
        root=root,
        params=params or TrainParams(),
        model_params=model_params or ModelParams(),
        convert_params=convert_params or ConvertParams(),
    )
    control = Control.of(on_event, cancel)
    return train_new(new, launch=launch or LaunchParams(), track=track, control=control)


def train_new(
    new: NewRun, *, launch: LaunchParams, track: Sequence[str] = (), control: Control
) -> TrainResult:
    """Prepare a run and train it, as ``train``."""
    require_trackers(track, os.environ)
    started = rank_started_elsewhere(os.environ)
    here = launch.processes_per_node if started is None else started.local_world_size or 1

    def prepare(processes: int) -> Path:
        return prepare_run(new, processes=processes, processes_here=here, control=control)

    if started is not None:
        or_find = _unless_restarted(started, new, prepare)
        with contextlib.ExitStack() as stack:
            or_find = _then_tracked(or_find, track, control, stack)
            return train_as_rank(started, _asked(new), or_find, launch=launch, control=control)
    require_place(launch)
    run = prepare(launch.scale.world_size)
    with tracking(run, track, control):
        return _go_on(run, launch, control)


def resume(
    run: Path | str,
    *,
    root: Roots = (),
    launch: LaunchParams | None = None,
    track: Sequence[str] | None = None,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> TrainResult:
    """Go on with a run from its newest checkpoint; a completed run is left as it is.

    On the same machine, versions and number of processes the final weights are bit for bit those of
    a run that never stopped.

    Args:
        run: The run directory.
        root: Where the run's pictures lie now, when they were moved: their folder, or one above it;
            of several, those that fit. Each must have the SHA-256 that was recorded. The run
            remembers it.
        launch: On how many machines and processes it goes on; by default on one machine with as
            many processes as the run began with. The pictures of each step and the learning rate
            stay those of the beginning.
        track: Names of trackers; by default those that the run remembers.
        on_event: Hears progress, metrics and notices.
        cancel: Stops the run at the next step, with everything saved.

    Raises:
        CannotResumeError: There is no run or no whole checkpoint.
        OutputInUseError: Another process is at it.
        ModuleOutOfMemoryError: It takes certainly more memory than this machine has.
        ImageloomError: As ``train``.
    """
    control = Control.of(on_event, cancel)
    path = expand_home(run).absolute()
    launch = launch or resumed_launch(path, {})
    track = trackers_going_on(path, control) if track is None else track
    require_trackers(track, os.environ)
    started = rank_started_elsewhere(os.environ)
    if started is None:
        _make_ready(path, root, launch.processes_per_node, control)
        with tracking(path, track, control):
            return _go_on(path, launch, control)
    here = started.local_world_size or 1

    def find(_processes: int) -> Path:
        RunDirectory(path).read()  # refuses a folder that is no run
        _make_ready(path, root, here, control)
        return path

    asked = {"out": f"{path}"}  # a rank that goes on with a run names the run alone
    with contextlib.ExitStack() as stack:
        find_tracked = _then_tracked(find, track, control, stack)
        return train_as_rank(started, asked, find_tracked, launch=launch, control=control)


def resumed_launch(run: Path, given: Mapping[str, object]) -> LaunchParams:
    """Return how a run is launched again: as many processes as it began with, unless given.

    Where something else has started this process as one of several, they are as many as that says.

    Raises:
        ParameterError: What is given cannot be used.
        CannotResumeError: There is no run.
    """
    launch = LaunchParams.parse(given)
    if "processes_per_node" in given or rank_started_elsewhere(os.environ) is not None:
        return launch
    began_with = RunDirectory(run).read().processes
    return launch.replace(processes_per_node=max(1, began_with // launch.nodes))


def train_or_resume(new: NewRun, *, launch: LaunchParams, control: Control) -> TrainResult:
    """Go on with the run at ``new.out`` if there is one, else ``train``.

    It can be called again after a kill or an error until it returns. What is asked must be that of
    the first call: it is not compared with the run that is there.

    Raises:
        CannotResumeError: There is a run at ``new.out``, but no whole checkpoint.
        ImageloomError: As ``train``.
    """
    run = new.directory
    if run.record.is_file():
        return resume(
            run.path, launch=launch, track=(), on_event=control.on_event, cancel=control.cancel
        )
    return train_new(new, launch=launch, control=control)


def _make_ready(path: Path, root: Roots, processes_here: int, control: Control) -> None:
    """Tell how a killed run ended, find its pictures, and refuse what cannot fit into memory."""
    run = RunDirectory(path)
    if loss := tell_loss(run):
        control.tell(Notice("warning", f"{loss.message} It goes on from its last checkpoint."))
    if root:
        refuse_if_led(path)
        point_anew(path, root, control=control)
    _require_memory(run, processes_here, control.on_event)


def _require_memory(run: RunDirectory, processes_here: int, on_event: EventSink) -> None:
    """Refuse to go on where the memory is certainly too small, and write that into the record."""
    record = run.read()
    if record.state == "completed" or MeetingPlace(run.path).is_led or run.is_written:
        return
    with recorded(run, run.log):
        require_memory(
            record, processes_here=processes_here, base_bytes=base_bytes(), on_event=on_event
        )


def _asked(new: NewRun) -> dict[str, str]:
    """Return what ranks that something else started must all have been asked for."""
    given = new.params.model_dump() | new.model_params.model_dump()
    return {
        "out": f"{new.directory.path}",
        "model": new.model.digest if isinstance(new.model, UntrainedModel) else f"{new.model}",
        **{name: f"{value}" for name, value in given.items()},
    }


def _unless_restarted(started: StartedRank, new: NewRun, prepare: Prepare) -> Prepare:
    """Return what finds the run that an earlier start of the ranks has made, or else makes it."""
    run = new.directory

    def find_or_prepare(processes: int) -> Path:
        if is_new_start(started, os.environ) and run.record.is_file():
            return run.path
        return prepare(processes)

    return find_or_prepare


def _then_tracked(
    prepare: Prepare, track: Sequence[str], control: Control, stack: contextlib.ExitStack
) -> Prepare:
    """Return what prepares the run in rank 0, and has it tracked until the stack ends."""

    def prepare_tracked(processes: int) -> Path:
        run = prepare(processes)
        stack.enter_context(tracking(run, track, control))
        return run

    return prepare_tracked


def _go_on(run: Path, launch: LaunchParams, control: Control) -> TrainResult:
    if launch.scale == Scale():  # one process, which nobody need watch: this one
        refuse_if_led(run)
        continue_run(run, control=control)
        return read_result(run)
    return launch_ranks(run, launch, control=control)

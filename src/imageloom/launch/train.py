"""Train a network on one process, several or several machines, or go on where a run stopped."""

import os
from collections.abc import Mapping
from pathlib import Path

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.moved import Roots
from imageloom.data.params import ConvertParams
from imageloom.distributed.ranks import StartedRank
from imageloom.events import CancelToken, EventSink, Notice, ignore_events
from imageloom.files.locks import is_locked
from imageloom.launch.cluster.rendezvous import MeetingPlace
from imageloom.launch.external.rank import (
    Prepare,
    is_new_start,
    rank_started_elsewhere,
    train_as_rank,
)
from imageloom.launch.launch import launch_ranks, recorded, refuse_if_led, require_place
from imageloom.launch.params import LaunchParams
from imageloom.models.model_directory import UntrainedModel
from imageloom.models.params import ModelParams
from imageloom.training.memory import base_bytes, require_memory
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.lost import tell_loss
from imageloom.training.run.pictures import point_anew
from imageloom.training.train import TrainResult, continue_run, prepare_run, read_result


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
        on_event: Hears progress, metrics and notices.
        cancel: Stops the run at the next step, with everything saved.

    Returns:
        Where the run, its model and its report are, and the model's figures.

    Raises:
        ImageloomError: Of the class that fits. What was asked is checked before any compute;
            after that the run directory keeps the state from which ``resume`` goes on.
    """
    launch, cancel = launch or LaunchParams(), cancel or CancelToken()
    started = rank_started_elsewhere(os.environ)
    here = launch.processes_per_node if started is None else started.local_world_size or 1

    def prepare(processes: int, cancel: CancelToken) -> Path:
        return prepare_run(
            model,
            training,
            validation,
            out,
            root=root,
            processes=processes,
            processes_here=here,
            params=params,
            model_params=model_params,
            convert_params=convert_params,
            on_event=on_event,
            cancel=cancel,
        )

    if started is not None:
        asked = _asked(out, model, params, model_params)
        or_find = _unless_restarted(started, out, prepare)
        return train_as_rank(
            started, asked, or_find, launch=launch, on_event=on_event, cancel=cancel
        )
    require_place(launch)
    return _go_on(prepare(launch.processes, cancel), launch, on_event, cancel)


def resume(
    run: Path | str,
    *,
    root: Roots = (),
    launch: LaunchParams | None = None,
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
        on_event: Hears progress, metrics and notices.
        cancel: Stops the run at the next step, with everything saved.

    Raises:
        CannotResumeError: There is no run or no whole checkpoint.
        OutputInUseError: Another process is at it.
        ModuleOutOfMemoryError: It takes certainly more memory than this machine has.
        ImageloomError: As ``train``.
    """
    path = Path(run).expanduser().absolute()
    launch = launch or resumed_launch(path, {})
    started = rank_started_elsewhere(os.environ)
    if started is None:
        _make_ready(path, root, launch.processes_per_node, on_event, cancel)
        return _go_on(path, launch, on_event, cancel)
    here = started.local_world_size or 1

    def find(_processes: int, cancel: CancelToken) -> Path:
        RunDirectory(path).read()  # refuses a folder that is no run
        _make_ready(path, root, here, on_event, cancel)
        return path

    return train_as_rank(
        started, _asked(path), find, launch=launch, on_event=on_event, cancel=cancel
    )


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
    began_with = RunDirectory(run).read().get("processes", 1)
    assert isinstance(began_with, int)
    return launch.replace(processes_per_node=max(1, began_with // launch.nodes))


def train_or_resume(  # noqa: PLR0913 - as train
    model: UntrainedModel | Path | str,
    training: ImageDirectory | Path | str,
    validation: ImageDirectory | Path | str,
    out: Path | str,
    *,
    params: TrainParams | None = None,
    launch: LaunchParams | None = None,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> TrainResult:
    """Go on with the run at ``out`` if there is one, else ``train``.

    It can be called again after a kill or an error until it returns. The arguments must be those of
    the first call: they are not compared with the run that is there.

    Raises:
        CannotResumeError: There is a run at ``out``, but no whole checkpoint.
        ImageloomError: As ``train``.
    """
    path = Path(out).expanduser().absolute()
    if RunDirectory(path).record.is_file():
        return resume(path, launch=launch or LaunchParams(), on_event=on_event, cancel=cancel)
    return train(
        model,
        training,
        validation,
        path,
        params=params,
        launch=launch,
        on_event=on_event,
        cancel=cancel,
    )


def _make_ready(
    path: Path,
    root: Roots,
    processes_here: int,
    on_event: EventSink,
    cancel: CancelToken | None,
) -> None:
    """Tell how a killed run ended, find its pictures, and refuse what cannot fit into memory."""
    run = RunDirectory(path)
    if loss := tell_loss(run):
        on_event(Notice("warning", f"{loss.message} It goes on from its last checkpoint."))
    if root:
        refuse_if_led(path)
        point_anew(path, root, on_event=on_event, cancel=cancel)
    _require_memory(run, processes_here, on_event)


def _require_memory(run: RunDirectory, processes_here: int, on_event: EventSink) -> None:
    """Refuse to go on where the memory is certainly too small, and write that into the record."""
    record = run.read()
    if record["state"] == "completed" or MeetingPlace(run.path).is_led or is_locked(run.lock):
        return
    with recorded(run, run.log):
        require_memory(
            record, processes_here=processes_here, base_bytes=base_bytes(), on_event=on_event
        )


def _asked(
    out: Path | str,
    model: UntrainedModel | Path | str = "",
    params: TrainParams | None = None,
    model_params: ModelParams | None = None,
) -> dict[str, str]:
    """Return what ranks that something else started must all have been asked for.

    A rank that goes on with a run names the run alone.
    """
    asked = {"out": f"{Path(out).expanduser().absolute()}"}
    if isinstance(model, Path) or model:
        asked["model"] = model.digest if isinstance(model, UntrainedModel) else f"{model}"
        given = (params or TrainParams()).model_dump() | (
            model_params or ModelParams()
        ).model_dump()
        asked |= {name: f"{value}" for name, value in given.items()}
    return asked


def _unless_restarted(started: StartedRank, out: Path | str, prepare: Prepare) -> Prepare:
    """Return what finds the run that an earlier start of the ranks has made, or else makes it."""
    path = Path(out).expanduser().absolute()

    def find_or_prepare(processes: int, cancel: CancelToken) -> Path:
        if is_new_start(started, os.environ) and RunDirectory(path).record.is_file():
            return path
        return prepare(processes, cancel)

    return find_or_prepare


def _go_on(
    run: Path, launch: LaunchParams, on_event: EventSink, cancel: CancelToken | None
) -> TrainResult:
    if launch.processes == 1 and not launch.max_restarts:  # which nobody need watch: this one
        refuse_if_led(run)
        continue_run(run, on_event=on_event, cancel=cancel)
        return read_result(run)
    return launch_ranks(run, launch, on_event=on_event, cancel=cancel)

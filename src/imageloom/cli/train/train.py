"""``imageloom train``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from imageloom.cli import pictures
from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import SectionOption, parameter_options, read_params
from imageloom.cli.lost_runs import tell_if_lost
from imageloom.cli.places import NameOrPlace, PathType, place_option, root_option
from imageloom.cli.screen import command_line, line, percent
from imageloom.cli.trackers import asked_trackers
from imageloom.cli.workspace import known_targets
from imageloom.events import Notice
from imageloom.launch.params import LaunchParams
from imageloom.models.params import ModelParams
from imageloom.remote.train_job import JOB_FOLDER
from imageloom.system.quick_imports import garbage_left_alone
from imageloom.tracking.params import TrackParams
from imageloom.training.params import TrainParams

if TYPE_CHECKING:
    from imageloom.training.train import TrainResult

_NEEDED: Final = {
    "model": "--model",
    "training": "--train",
    "validation": "--validation",
    "out": "--out",
}
_PARTS: Final = ("training", "validation")  # which --data stands for
_WITH_RESUME: Final = {
    "resume",
    "as_json",
    "debug",
    "target",
    "root",
    *LaunchParams.model_fields,
    "track",
}
_HERE: Final = "local"


@call_command(
    "train",
    examples=(
        "imageloom train --model resnet18 --train train --validation validation --out run",
        "imageloom train --model resnet50 --weights imagenet --epochs 10 --learning-rate 0.01 "
        "--train train --validation validation --out run",
        "imageloom train --model resnet18 --train train --validation validation --out run "
        "--processes-per-node 2",
        "imageloom train --model resnet50 --train train --validation validation --out run "
        "--target lab --nodes 4 --processes-per-node 8",
        "imageloom train --model resnet18 --data photos --out run",
        "imageloom train --resume run",
    ),
)
@click.option(
    "--model",
    type=NameOrPlace(),
    metavar="NAME|DIR",
    help="A network such as resnet18, a directory of 'imageloom model create', or a trained model "
    "or run to go on learning from.",
    cls=SectionOption,
    section="Input and output",
)
@place_option(
    "--data",
    "data",
    "A folder that holds both parts, such as 'train' and 'val', instead of the two that follow.",
    required=False,
)
@place_option("--train", "training", "Pictures to learn from.", required=False)
@place_option("--validation", "validation", "Pictures to test each epoch on.", required=False)
@place_option("--out", "out", "The run directory to write.", required=False)
@click.option(
    "--resume",
    type=PathType(),
    metavar="RUN",
    help="Go on with a run that was stopped, exactly where it stopped. Of the other options it "
    "takes --root, --track and those of the section 'Processes'.",
    cls=SectionOption,
    section="Input and output",
)
@root_option
@pictures.shortcut_options("follow_links")
@parameter_options(TrainParams, section="Training")
@parameter_options(ModelParams, section="Network, when --model is a name")
@click.option(
    "--target",
    metavar="NAME",
    help="Where to train, as 'imageloom targets' lists it. By default in this process, on this "
    "machine; elsewhere as a job, which goes on when the terminal is closed.",
    cls=SectionOption,
    section="Place",
)
@parameter_options(LaunchParams, section="Processes")
@parameter_options(TrackParams, section="Tracking")
def command(call: Call) -> Outcome:
    """Train a classifier, or resume a run.

    The pictures are image directories, or plain folders with a sub-folder for each class; --data
    takes one folder that holds both parts. Ctrl+C
    saves and stops; the command that resumes is printed. The model of the epoch with the lowest
    validation loss is in RUN/model at the end, and a report in RUN/report.html. With --target and
    --resume a job of the run that waits or runs there is followed.
    """
    _take_place_among_ranks(call)
    target = str(call.arguments.get("target", _HERE))
    call.target = "" if target == _HERE else target
    if call.target:
        call.signals = 2  # the second ends the job, which this process alone could leave running
    result = _resume(call) if "resume" in call.arguments else _start(call)
    report = command_line("imageloom", "score", "--model", result.run, "--data", "PICTURES")
    return Outcome(
        content={
            "run": str(result.run),
            "model": str(result.model),
            "report": str(result.report),
            "best_epoch": result.best_epoch,
            "epochs": result.epochs,
            "metrics": dict(result.metrics),
        },
        screen=(
            line("Best", _headline(result)),
            line("Wrote", str(result.run)),
            line("Report", str(result.report)),
            line("Next", f"{report} --out scores.parquet"),
        ),
    )


def _take_place_among_ranks(call: Call) -> None:
    """Find out whether torchrun or its like started this process as one of several."""
    from imageloom.launch.external.rank import rank_started_elsewhere

    started = rank_started_elsewhere(os.environ)
    if started is None:
        return
    call.rank, call.leaves_at_once = started.rank, True
    call.is_repeating = bool(started.local_rank)  # until the ranks divide the work
    if call.arguments.get("target", _HERE) != _HERE:
        raise click.UsageError(
            f"--target starts processes itself, but {started.starter} started this one as rank "
            f"{started.rank} of {started.world_size}. Leave one of the two out."
        )


def _start(call: Call) -> "TrainResult":
    _require_all(call)
    model_params = read_params(ModelParams, call.arguments)
    params = read_params(TrainParams, call.arguments)
    launch = read_params(LaunchParams, call.arguments)
    model = call.arguments["model"]
    assert isinstance(model, str | Path)
    tell_if_lost(call, model)
    call.run, call.launch = call.path("out"), launch.resume_words
    with garbage_left_alone():
        from imageloom.training.train import NewRun

    track = asked_trackers(call)
    target = known_targets().get(call.target) if call.target else None
    training, validation = _pictures(call)
    call.is_repeating = False
    new = NewRun(
        model,
        training,
        validation,
        call.run,
        root=call.roots,
        params=params,
        model_params=model_params,
        convert_params=pictures.shortcut_params(call.arguments),
    )
    if target is not None:
        from imageloom.remote.follow_training import train_on

        return train_on(
            target,
            new,
            launch=launch,
            track=track,
            control=call.control,
            is_unwatched=lambda: call.is_unwatched,
        )
    with garbage_left_alone():
        from imageloom.launch.train import train_new

    return train_new(new, launch=launch, track=track, control=call.control)


def _pictures(call: Call) -> tuple[Path, Path]:
    """Return where the pictures to learn from and those to validate with lie."""
    if "data" not in call.arguments:
        return call.path("training"), call.path("validation")
    from imageloom.data.find_parts import find_parts

    parts = find_parts(call.path("data"))
    rest = f" {parts.test} is left for the last test." if parts.test else ""
    if call.rank == 0:
        message = f"Training on {parts.training}, validating on {parts.validation}.{rest}"
        call.on_event(Notice("info", message))
    return parts.training, parts.validation


def _resume(call: Call) -> "TrainResult":
    others = sorted(set(call.arguments) - _WITH_RESUME)
    if others:
        flags = ", ".join("--" + _flag_name(name) for name in others)
        raise click.UsageError(
            f"--resume takes everything from the run, so it cannot be joined with {flags}. Leave "
            "that out, or start a new run with another --out."
        )
    call.run = call.path("resume")
    _show_earlier_epochs(call, call.run)
    with garbage_left_alone():
        from imageloom.launch.train import resume, resumed_launch

    given = {
        name: call.arguments[name] for name in LaunchParams.model_fields if name in call.arguments
    }
    launch = resumed_launch(call.run, given)
    call.launch = launch.resume_words
    track = asked_trackers(call) if "track" in call.arguments else None
    if call.target or (call.run / JOB_FOLDER).is_dir():
        from imageloom.remote.follow_training import earlier_launch, refuse_running_job, resume_on

        targets = known_targets()
        if not call.target:
            refuse_running_job(call.run, targets)
        else:
            earlier = earlier_launch(call.run)
            launch = earlier.changed_by(given) if earlier is not None else launch
            return resume_on(
                targets,
                call.target,
                call.run,
                root=call.roots,
                launch=launch,
                track=track,
                control=call.control,
                is_unwatched=lambda: call.is_unwatched,
            )
    call.is_repeating = False
    return resume(
        call.run,
        root=call.roots,
        launch=launch,
        track=track,
        on_event=call.on_event,
        cancel=call.cancel,
    )


def _require_all(call: Call) -> None:
    given = set(call.arguments)
    if "data" in given:
        twice = [_NEEDED[name] for name in _PARTS if name in given]
        if twice:
            raise click.UsageError(
                f"--data finds both parts by itself, so it cannot be joined with "
                f"{' and '.join(twice)}. Give --data alone, or --train and --validation."
            )
        given.update(_PARTS)
    missing = [flag for name, flag in _NEEDED.items() if name not in given]
    if not missing:
        return
    message = f"Missing option{'s' if len(missing) > 1 else ''} {', '.join(missing)}."
    if "--validation" in missing and "training" in call.arguments:
        pictures = call.path("training")
        split = ("data", "split", pictures, "--first", "train", "--second", "validation")
        message += f" No validation pictures yet? Make them: {command_line('imageloom', *split)}"
    elif set(_PARTS) - given == set(_PARTS):
        message += " One folder that holds both parts is given with --data."
    raise click.UsageError(message)


def _flag_name(name: str) -> str:
    return "train" if name == "training" else name.replace("_", "-")


def _show_earlier_epochs(call: Call, run: Path) -> None:
    """Show what the run did before it was stopped, so that 'best' means best of the whole run."""
    from imageloom.training.run.events import read_metrics

    events = run / "events.jsonl"
    if events.is_file() and call.rank == 0:
        for metric in read_metrics(events):
            call.on_event(metric)


def _headline(result: "TrainResult") -> str:
    # Of the published model, in float32, so that 'imageloom score' says the same.
    top1 = result.metrics.get("Overall_Accuracy")
    accuracy = "" if top1 is None else f": top-1 {percent(top1)} of the validation pictures"
    return f"epoch {result.best_epoch} of {result.epochs}{accuracy}"

"""``imageloom tune``."""

import functools
import shlex
import sys
import time
from typing import TYPE_CHECKING, Final

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.failures import Failure, exit_code
from imageloom.cli.flags import SectionOption
from imageloom.cli.places import PathType
from imageloom.cli.runs.tune_screen import TuneScreen, tuned_screen, tuned_to_json
from imageloom.cli.workspace import (
    follow_up,
    open_engine,
    open_existing_engine,
    several,
    workspace_option,
)

if TYPE_CHECKING:
    from imageloom.app import Engine
    from imageloom.tuning.study_folder import StudyFolder

_search_option = functools.partial(click.option, cls=SectionOption, section="What to search")
_trial_option = functools.partial(click.option, cls=SectionOption, section="Each trial")
_TRIALS: Final = 30
_MOST_TRIALS: Final = 100_000
_WITH_RESUME: Final = {"resume", "trials", "workspace", "as_json", "debug"}
_FLAGS: Final = {"changes": "--set", "pipeline": "PIPELINE"}


@call_command(
    "tune",
    examples=(
        "imageloom tune pipeline.json --vary train.learning_rate=1e-4..1e-1:log",
        "imageloom tune pipeline.json --vary train.learning_rate=1e-4..1e-1:log "
        "--vary train.batch_size=16,32,64 --metric 'train.Valid loss' --trials 50 --prune median",
        "imageloom tune --resume last --trials 60",
    ),
    signals=2,
)
@click.argument("pipeline", type=PathType(), required=False)
@_search_option(
    "--vary",
    multiple=True,
    metavar="NODE.PARAMETER=VALUES",
    help="What to vary: LOW..HIGH, LOW..HIGH:log, or a list A,B,C; may be repeated.",
)
@_search_option(
    "--metric",
    metavar="METRIC",
    help="What to compare trials by, or NODE.METRIC: one that a node tells at each epoch, of which "
    "the best counts, or Overall_Accuracy, Macro_F1 or Log_Loss of an evaluation. Where pictures "
    "have several labels: 'Validation micro F1' at each epoch, or Mean_Average_Precision, Micro_F1 "
    "or Exact_Match of an evaluation. With its node, trials stop there. "
    "[default: Top-1 validation accuracy]",
)
@_search_option(
    "--direction",
    type=click.Choice(["maximize", "minimize"]),
    metavar="maximize|minimize",
    help="What is better; known for the metrics of Imageloom.",
)
@_search_option(
    "--trials",
    type=click.IntRange(1, _MOST_TRIALS),
    metavar="INTEGER",
    help=f"Trials in all, those made before among them. [default: {_TRIALS}]",
)
@_search_option(
    "--prune",
    type=click.Choice(["none", "median", "halving"]),
    metavar="none|median|halving",
    help="Stop a trial that is hopeless at an epoch: worse than the median of the others there, "
    "or not among the best quarter that goes on (successive halving). [default: none]",
)
@_search_option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="INTEGER",
    help="The same seed proposes the same values for the same results. [default: 0]",
)
@_search_option(
    "--name",
    metavar="STUDY",
    help="Name of the study; by default made of the pipeline's name and of what is asked.",
)
@_search_option(
    "--resume",
    metavar="STUDY",
    help="Go on with a study: its name, or 'last'. With --trials it may get more.",
)
@_trial_option(
    "--set",
    "changes",
    multiple=True,
    metavar="NODE.PARAMETER=VALUE",
    help="Change a parameter or run setting in every trial; may be repeated.",
)
@_trial_option(
    "--only",
    multiple=True,
    metavar="NODE",
    help="Stop at this node: do it and what it needs, nothing after it; may be repeated.",
)
@_trial_option(
    "--target",
    metavar="NAME",
    help="Where nodes that can choose run: 'local' is this machine.",
)
@workspace_option
def command(call: Call) -> Outcome:
    """Search for the best parameters of a pipeline, run by run.

    PIPELINE is a JSON file (docs/guides/pipelines.md). Each trial is a run with other values for
    what --vary names, proposed by Optuna from the trials before it; what does not change from one
    to the next, such as converted and divided pictures, is taken from the cache. The first Ctrl+C
    saves and stops, the second stops at once. The same command goes on with the same study,
    however it was stopped: finished trials count, and a trial that was on its way is resumed.
    """
    from imageloom.tuning.trials import require_optuna

    require_optuna()
    engine, folder = _resume(call) if "resume" in call.arguments else _begin(call)
    return _tune(call, engine, folder)


def _tune(call: Call, engine: "Engine", folder: "StudyFolder") -> Outcome:
    from imageloom.tuning.tune import tune

    screen = TuneScreen(call.on_event, folder.record())
    study = tune(engine, folder, on_event=screen, cancel=call.cancel)
    resume = follow_up(call, "tune", "--resume", study.folder.name)
    error = study.failure
    return Outcome(
        content=tuned_to_json(study),
        screen=tuple(tuned_screen(study)),
        failure=Failure(error, exit_code(error, call.cancel.reason), resume) if error else None,
    )


def _begin(call: Call) -> "tuple[Engine, StudyFolder]":
    from imageloom.pipeline.graph.json_format import pipeline_to_json, read_pipeline
    from imageloom.tuning.metric import read_objective
    from imageloom.tuning.study_folder import StudyRecord
    from imageloom.tuning.tune import begin_study

    if "pipeline" not in call.arguments:
        raise click.UsageError("Missing argument 'PIPELINE', or --resume STUDY to go on with one.")
    if "vary" not in call.arguments:
        raise click.UsageError(
            "Missing option --vary, as in --vary train.learning_rate=1e-4..1e-1:log."
        )
    path = call.path("pipeline")
    pipeline = read_pipeline(path)
    objective = read_objective(_text(call, "metric"), _text(call, "direction"), pipeline)
    only = several(call, "only") or ((objective.node,) if objective.node else ())
    record = StudyRecord.model_validate(
        {
            "pipeline": pipeline_to_json(pipeline),
            "base": str(path.parent),
            "vary": several(call, "vary"),
            "changes": several(call, "changes"),
            "only": only,
            "target": _text(call, "target"),
            "metric": objective.metric,
            "node": objective.node,
            "direction": objective.direction,
            "prune": call.arguments.get("prune", "none"),
            "seed": call.arguments.get("seed", 0),
            "trials": call.arguments.get("trials", _TRIALS),
            "command": shlex.join(["imageloom", *sys.argv[1:]]),
            "created": time.time(),
        }
    )
    engine = open_engine(call)
    return engine, begin_study(engine, record.named(_text(call, "name")))


def _resume(call: Call) -> "tuple[Engine, StudyFolder]":
    from imageloom.tuning.study_folder import find_study

    others = sorted(_FLAGS.get(name, f"--{name}") for name in set(call.arguments) - _WITH_RESUME)
    if others:
        raise click.UsageError(
            "--resume takes everything but --trials from the study, so it cannot be joined with "
            f"{', '.join(others)}. Leave that out, or begin a new study."
        )
    engine = open_existing_engine(call)
    folder = find_study(engine.workspace, call.text("resume"))
    if "trials" in call.arguments:
        trials = call.arguments["trials"]
        folder.begin(folder.record().model_copy(update={"trials": trials}))
    return engine, folder


def _text(call: Call, name: str) -> str:
    return str(call.arguments.get(name, ""))

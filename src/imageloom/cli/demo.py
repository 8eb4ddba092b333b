"""``imageloom demo``."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import RenderableType

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.places import place_option
from imageloom.cli.runs.screen import RunScreen
from imageloom.cli.runs.summary import run_failure, run_screen, run_to_json
from imageloom.cli.screen import command_line, line, percent
from imageloom.system.wording import duration

if TYPE_CHECKING:
    from imageloom.demo import DemoResult

_DEFAULT_NAME: Final = "imageloom-demo"
_NODES: Final = ("pictures", "evaluate")  # the longest names, for the width of their column


@call_command("demo", examples=("imageloom demo", "imageloom demo --out digits"))
@place_option(
    "--out",
    "out",
    f"Folder to write; by default {_DEFAULT_NAME}, or {_DEFAULT_NAME}-2 if that is there.",
    required=False,
)
def command(call: Call) -> Outcome:
    """Run the whole path on 1,797 handwritten digits.

    The digits of scikit-learn are written as PNG files; then a pipeline converts and splits them,
    and trains, scores and evaluates a network on pictures that it never saw. Takes about two
    minutes on two cores. Needs scikit-learn: pip install 'imageloom[demo]'.
    """
    from imageloom.demo import PICTURES, run_demo

    out = call.path("out") if "out" in call.arguments else _free_place()
    screen = RunScreen(call.on_event, _NODES)
    result = run_demo(out, on_event=screen, cancel=call.cancel)
    outcome = result.outcome
    place = ("--workspace", outcome.run.path.parents[1])
    resume = command_line("imageloom", "run", "--resume", outcome.record.id, *place)
    return Outcome(
        content={
            **run_to_json(outcome),
            "folder": str(out),
            "model": str(out / "model"),
            "evaluation": str(out / "evaluation"),
            "top1": result.top1,
            "images": result.images,
            "seconds": result.seconds,
        },
        screen=(
            tuple(run_screen(outcome))
            if result.top1 is None
            else tuple(_screen(result, result.top1, next((out / PICTURES / "3").iterdir())))
        ),
        failure=run_failure(outcome, call.cancel.reason, resume),
    )


def _screen(result: "DemoResult", top1: float, picture: Path) -> Iterator[RenderableType]:
    out = result.folder
    yield line(
        "Top-1",
        f"{percent(top1)} of {result.images:,} held-out pictures are named rightly "
        f"({duration(result.seconds)})",
        style="bold green",
    )
    yield line("Wrote", str(out))
    yield line("Report", f"{out / 'evaluation' / 'report.html'} - open it in a browser")
    yield line("Run", str(out / "run" / "report.html"))
    workspace = ("--workspace", out / "workspace")
    yield line("Look", f"{command_line('imageloom', 'studio', 'last', *workspace)} - in a browser")
    yield line("Next", command_line("imageloom", "predict", "--model", out / "model", picture))
    change = command_line("imageloom", "run", out / "pipeline.json", "--set", "train.epochs=10")
    yield line("", f"{change} {command_line(*workspace)}")
    yield line("", "or your own pictures: docs/tutorial.md")


def _free_place() -> Path:
    """Return the first default name that is free, so that the demo can be run again."""
    names = itertools.chain([_DEFAULT_NAME], (f"{_DEFAULT_NAME}-{n}" for n in itertools.count(2)))
    return next(Path(name).absolute() for name in names if not Path(name).exists())

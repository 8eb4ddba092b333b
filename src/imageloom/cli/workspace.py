"""The workspace that a command works in, and what the commands around runs share."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

from imageloom.cli.call import Call
from imageloom.cli.flags import F
from imageloom.cli.places import place_option
from imageloom.cli.screen import command_line, short_path
from imageloom.errors import CouldNotOpenFileError, NoSuchRunError
from imageloom.settings import read_settings

if TYPE_CHECKING:
    from imageloom.app import Engine
    from imageloom.pipeline.run_folder import RunFolder
    from imageloom.registry import Registry
    from imageloom.spec.target import Target


def known_targets() -> "Registry[Target]":
    """Return all targets of the person who types, with those of their file."""
    from imageloom.remote.target_file import load_targets

    return load_targets(read_settings(os.environ))


def workspace_option(command: F) -> F:
    """Add ``--workspace`` to a command."""
    return place_option(
        "--workspace",
        "workspace",
        "The folder of runs and outputs; by default IMAGELOOM_WORKSPACE.",
        required=False,
    )(command)


def open_engine(call: Call) -> "Engine":
    """Return the engine of the workspace that the person named, or of the usual one."""
    from imageloom.app import Engine

    settings = read_settings(os.environ)
    if "workspace" in call.arguments:
        settings = dataclasses.replace(settings, workspace=call.path("workspace"))
    return Engine(settings)


def open_existing_engine(call: Call) -> "Engine":
    """Return the engine of a workspace that a command looks into, and must not begin.

    Raises:
        CouldNotOpenFileError: Nothing was ever run or uploaded in the folder that was named.
    """
    engine = open_engine(call)
    if "workspace" in call.arguments and not engine.workspace.exists():
        raise CouldNotOpenFileError(
            f"{engine.workspace.root} is no workspace: nothing was ever run or uploaded there.",
            hint="Look for a typing error in --workspace. Without it, IMAGELOOM_WORKSPACE holds.",
            reason="no-workspace",
        )
    return engine


def named_run(engine: "Engine", text: str) -> "RunFolder":
    """Return the run that a person means, as ``Engine.find_run``.

    Raises:
        NoSuchRunError: There is none; where the text is a directory of ``imageloom train``, the
            hint says what there is for these.
    """
    try:
        return engine.find_run(text)
    except NoSuchRunError as problem:
        place = Path(text)
        if not (place / "run.json").is_file() or (place / "states.jsonl").exists():
            raise
        scores = command_line("imageloom", "evaluate", place / "validation_scores.parquet")
        raise NoSuchRunError(
            f"{text!r} is a run of 'imageloom train', but here runs of pipelines are named.",
            hint=f"Its report is {short_path(place / 'report.html')}, and "
            f"'{command_line('imageloom', 'logs', place)}' shows its logs. Two are compared by "
            f"their scores: {scores} OTHER/validation_scores.parquet --out comparison",
            reason="a-training",
        ) from problem


def follow_up(call: Call, *words: str | Path) -> str:
    """Return a command that works in the same workspace, for a person to copy."""
    place = ("--workspace", call.path("workspace")) if "workspace" in call.arguments else ()
    return command_line("imageloom", *words, *place)


def resume_command(call: Call, run_id: str) -> str:
    """Return the command that goes on with a run."""
    return follow_up(call, "run", "--resume", run_id)


def several(call: Call, name: str) -> tuple[str, ...]:
    """Return the texts of an option that can be given several times."""
    values = call.arguments.get(name, ())
    assert isinstance(values, tuple)
    return tuple(str(value) for value in values)

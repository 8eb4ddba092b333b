"""The command that goes on with a run, as a rank wrote it, made that of its whole launch."""

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path

from imageloom.errors import ImageloomError
from imageloom.launch.params import LaunchParams


@contextlib.contextmanager
def naming_launch(run: Path, launch: LaunchParams) -> Iterator[None]:
    """Let the command that goes on, in the hint of an error, have the options of a launch.

    A rank, which wrote it, does not know how it was started.

    Args:
        run: The run directory.
        launch: How the run was started.
    """
    try:
        yield
    except ImageloomError as error:
        command = f"--resume {shlex.quote(str(run))}"
        words = shlex.join(launch.resume_words)
        error.hint = error.hint.replace(command, f"{command} {words}".rstrip())
        raise

"""The digits of the first template, written by a process of its own: it needs heavy libraries."""

import json
import subprocess
import sys
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError, ImageloomError, error_from_json
from imageloom.pipeline.workspace import Workspace
from imageloom.server.templates import DIGITS

_TIME_S: Final = 120  # it takes 3


def make_digits(workspace: Workspace) -> None:
    """See to it that the workspace has the digits as an upload.

    Raises:
        EnvironmentUnsuitableError: scikit-learn, which has them, is not installed.
        FailedToWriteOutputsError: The workspace cannot be written.
    """
    place = workspace.uploads / DIGITS
    if place.is_dir():
        return
    # -P: a folder that a person stands in cannot replace a module of ours by a file of that name.
    words = [sys.executable, "-P", "-m", "imageloom.demo", str(place)]
    try:
        done = subprocess.run(words, capture_output=True, timeout=_TIME_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise _cannot(str(problem)) from problem
    if done.returncode and not place.is_dir():  # another request may have been faster
        raise _why(done.stderr.decode("utf-8", "backslashreplace"))


def _why(text: str) -> ImageloomError:
    try:
        return error_from_json(json.loads(text))
    except ValueError:
        return _cannot(text.strip().rpartition("\n")[2])


def _cannot(why: str) -> EnvironmentUnsuitableError:
    return EnvironmentUnsuitableError(
        f"The digits could not be written: {why}.", hint="Try 'imageloom demo' in a terminal."
    )

"""How a command ends when it cannot do what it was asked."""

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from imageloom import __version__
from imageloom.cli.screen import line, print_all, short_path, stderr_console
from imageloom.cli.signals import SIGNAL_NAMES
from imageloom.errors import (
    CannotResumeError,
    ImageloomError,
    LibraryError,
    RunInterruptedError,
    library_text,
    named_error,
)
from imageloom.files.publish import read_json, write_json
from imageloom.resume_command import Resume
from imageloom.settings import read_settings

FAILED_EXIT: Final = 1


@dataclass(frozen=True)
class Failure:
    """What a command that failed tells.

    Attributes:
        error: The error, always one of ours.
        exit_code: 1, or 128 + the signal that stopped it.
        resume_command: The command that goes on where this one stopped, or empty.
    """

    error: ImageloomError
    exit_code: int
    resume_command: str = ""

    def to_json(self) -> dict[str, object]:
        """Return ``error_info`` with the command that resumes."""
        return self.error.to_json() | {"resume_command": self.resume_command}


def known_error(problem: BaseException) -> ImageloomError:
    """Return the error of ours that fits; what has no name of its own becomes LibraryError.

    The traceback of an unnamed problem is kept in a file, because it is needed to mend it and
    would only hide the message.
    """
    if isinstance(problem, KeyboardInterrupt):
        return RunInterruptedError.stopped_by("Ctrl+C")
    known = named_error(problem)
    if known is not None:
        return known
    kept = _keep_traceback(problem)
    return LibraryError(
        f"{type(problem).__name__}: {library_text(problem)}",
        hint=f"This has no name yet, so it may be a fault of Imageloom. {kept}",
        reason="unexpected",
    )


def exit_code(error: ImageloomError, reason: str) -> int:
    """Return the exit code of an error.

    Args:
        error: What ended the command.
        reason: What set the cancel token, or empty.
    """
    if not isinstance(error, RunInterruptedError):
        return FAILED_EXIT
    return 128 + next((n for n, name in SIGNAL_NAMES.items() if name == reason), signal.SIGINT)


def show_failure(console: Console, failure: Failure) -> None:
    """Print an error in a few lines: name, code, message, hint and the command that resumes."""
    error = failure.error
    stopped = isinstance(error, RunInterruptedError)
    name, code = error.title.split(" ")
    parts = [
        Text.assemble((name, "bold yellow" if stopped else "bold red"), f" {code}"),
        Text(f"  {error.message}".replace("\n", "\n  ")),
    ]
    if error.hint:
        parts.append(Text(f"  {error.hint}".replace("\n", "\n  ")))
    if failure.resume_command:
        parts.append(line("Resume", failure.resume_command))
    print_all(console, parts)


def report_outside_a_job(problem: ImportError) -> int:
    """Report that a command could not even be loaded, and return its exit code."""
    show_failure(stderr_console(), Failure(known_error(problem), FAILED_EXIT))
    return FAILED_EXIT


def _keep_traceback(problem: BaseException) -> str:
    """Write the traceback into the home folder; return a sentence that says where."""
    moment = time.strftime("%Y%m%d-%H%M%S")
    path = read_settings(os.environ).home / "crashes" / f"{moment}-{os.getpid()}.json"
    content = {
        "version": __version__,
        "python": sys.version,
        "command": _without_token(sys.argv[1:]),
        "traceback": "".join(traceback.format_exception(problem)).splitlines(),
    }
    try:
        write_json(path, content)
    except ImageloomError as failure:
        return f"The traceback could not be kept ({failure.message}); run again with --debug."
    return f"The traceback is in {path}; --debug shows it here."


def _without_token(words: Sequence[str]) -> list[str]:
    """Return a command line without the key of 'imageloom agent join': the file is kept."""
    before = ("", *words)
    return [
        "--token=..." if word.startswith("--token=") else "..." if last == "--token" else word
        for last, word in zip(before, words, strict=False)
    ]


def resume_of(run: Path, target: str = "", *, launch: Sequence[str] = ()) -> Resume | None:
    """Return how to go on with a run directory, or None when nothing is left to do.

    Args:
        run: The run directory.
        target: The target it trains on, which knows on how many machines; empty for this process.
        launch: Without a target, the options that say on which machines.
    """
    record = run / "run.json"
    if not record.is_file():
        return None
    with contextlib.suppress(ImageloomError):  # a damaged record is for 'train --resume' to tell
        if read_json(record, CannotResumeError).get("state") == "completed":
            return None
    return Resume(short_path(run), target, tuple(launch))

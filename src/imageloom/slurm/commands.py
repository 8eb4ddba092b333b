"""Slurm's commands, run as a person would; what they refuse is an error of ours."""

import subprocess
from pathlib import Path
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError

TIMEOUT_S: Final = 60.0
_MANY_LINES: Final = 5


def ask_slurm(*command: str, folder: Path | None = None) -> str:
    """Return what a command of Slurm prints.

    Args:
        command: Its words.
        folder: Where it runs.

    Raises:
        EnvironmentUnsuitableError: It is not installed (``no-slurm``), did not answer
            (``slurm-silent``) or refuses (``slurm-refused``); the message has its own words.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError as problem:
        raise EnvironmentUnsuitableError(
            f"There is no command {command[0]!r} on this machine, so Slurm cannot be reached.",
            hint="Work on a machine of the cluster, such as its login node.",
            reason="no-slurm",
        ) from problem
    except subprocess.TimeoutExpired as problem:
        raise EnvironmentUnsuitableError(
            f"{command[0]} did not answer for {TIMEOUT_S:g} s.",
            hint="Is Slurm's controller busy or away? 'scontrol ping' says so.",
            reason="slurm-silent",
        ) from problem
    except OSError as problem:
        raise EnvironmentUnsuitableError(
            f"{command[0]} could not be started: {problem.strerror or problem}.",
            hint="Is the machine out of memory or of processes?",
            reason="no-process",
        ) from problem
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-_MANY_LINES:]
        raise EnvironmentUnsuitableError(
            f"{command[0]} refuses: {' '.join(said) or f'exit code {done.returncode}'}",
            hint="The target's options, 'queue' above all, must be what this Slurm takes.",
            reason="slurm-refused",
        )
    return done.stdout

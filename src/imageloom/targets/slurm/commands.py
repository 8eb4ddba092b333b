"""Slurm's commands, run as a person would; what they refuse is an error of ours."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError

TIMEOUT_S: Final = 60.0
_MANY_LINES: Final = 5
_FAMILIES: Final = ("SLURM_", "SBATCH_", "SQUEUE_", "SCANCEL_", "SCONTROL_")
_REACH_SLURM: Final = ("SLURM_CONF", "SLURM_JWT")
# What sites set for all people, and the options that say the same.
_SITE_DEFAULTS: Final = {
    "SBATCH_ACCOUNT": ("-A", "--account"),
    "SBATCH_CLUSTERS": ("-M", "--clusters", "--cluster"),
    "SBATCH_CONSTRAINT": ("-C", "--constraint"),
    "SBATCH_PARTITION": ("-p", "--partition"),
    "SBATCH_QOS": ("-q", "--qos"),
    "SBATCH_RESERVATION": ("--reservation",),
    "SBATCH_WCKEY": ("--wckey",),
    "SLURM_CLUSTERS": ("-M", "--clusters", "--cluster"),
}
# What scancel says of a job that needs no stop any more, beside nothing at all (22.05, seen).
_IS_GONE: Final = ("already comple", "invalid job id")


def ask_slurm(*command: str) -> str:
    """Return what a command of Slurm prints.

    Raises:
        EnvironmentUnsuitableError: It is not installed (``no-slurm``), did not answer
            (``slurm-silent``) or refuses (``slurm-refused``); the message has its own words.
    """
    done = _run(command, commands_environment(os.environ))
    if done.returncode != 0:
        raise _refusal(command, done)
    return done.stdout


def submit(folder: Path, *words: str, queue: Sequence[str] = ()) -> str:
    """Run sbatch in a folder and return what it prints.

    Args:
        folder: Where the job shall run.
        words: What stands after ``sbatch``.
        queue: The options that stand in the script.

    Raises:
        EnvironmentUnsuitableError: As ``ask_slurm``.
    """
    command = ("sbatch", *words)
    done = _run(command, commands_environment(os.environ, queue=queue), folder)
    if done.returncode != 0:
        raise _refusal(
            command,
            done,
            hint="The target's options, 'queue' above all, must be what this Slurm takes.",
        )
    return done.stdout


def cancel(*words: str) -> None:
    """Run scancel; a job that has ended meanwhile, or is in another state, needs none.

    Raises:
        EnvironmentUnsuitableError: As ``ask_slurm``; the job may go on.
    """
    command = ("scancel", "--quiet", *words)
    done = _run(command, commands_environment(os.environ))
    said = done.stderr.strip().lower()
    if done.returncode != 0 and said and not any(words in said for words in _IS_GONE):
        raise _refusal(command, done)


def commands_environment(
    environment: Mapping[str, str], *, queue: Sequence[str] = ()
) -> dict[str, str]:
    """Return the variables that Slurm's commands get.

    Their own variables go before the lines of a script and narrow what squeue and scancel look at,
    and those of a job from within which we submit would reach the new job.

    Args:
        environment: What to choose from.
        queue: A target's options of sbatch, which go before the defaults of a site.
    """
    return {
        name: text
        for name, text in environment.items()
        if name in _REACH_SLURM
        or not name.startswith(_FAMILIES)
        or (name in _SITE_DEFAULTS and not _says(queue, _SITE_DEFAULTS[name]))
    }


def _says(queue: Sequence[str], options: tuple[str, ...]) -> bool:
    return any(word.startswith(options) for word in queue)


def _run(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
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


def _refusal(
    command: Sequence[str],
    done: "subprocess.CompletedProcess[str]",
    *,
    hint: str = "Is this a machine of the cluster, and Slurm's controller there? "
    "'scontrol ping' says so.",
) -> EnvironmentUnsuitableError:
    said = done.stderr.strip().splitlines()[-_MANY_LINES:]
    return EnvironmentUnsuitableError(
        f"{command[0]} refuses: {' '.join(said) or f'exit code {done.returncode}'}",
        hint=hint,
        reason="slurm-refused",
    )

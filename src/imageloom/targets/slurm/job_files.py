"""The files that a job of Slurm reads: its script and its variables."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from imageloom.errors import write_failure
from imageloom.files.publish import writing_file
from imageloom.spec.job import LOCK_WANTED_FILE
from imageloom.spec.target import AGENT_VARIABLE, INTERFACE_VARIABLE, TAKE_LOCK_VARIABLE, Work
from imageloom.spec.worker_environment import worker_environment
from imageloom.system.machine import GPUS_VARIABLE
from imageloom.targets.slurm.options import PROCESSES, SlurmOptions
from imageloom.targets.slurm.script import (
    ENVIRONMENT_FILE,
    OUTER_LOG_FILE,
    SCRIPT_FILE,
    Script,
    agent_words,
    environment_text,
)
from imageloom.targets.slurm.submission import forget_earlier_end

# They say how it is on this machine, which would mislead another.
_OF_THIS_MACHINE: Final = frozenset((GPUS_VARIABLE, AGENT_VARIABLE, INTERFACE_VARIABLE, "TMPDIR"))


def write_files(folder: Path, script: Script, variables: Mapping[str, str]) -> None:
    """Write all that a job reads, and remove what an earlier one left about its end.

    Raises:
        FailedToWriteOutputsError: The folder cannot be written.
    """
    try:
        forget_earlier_end(folder)
        (folder / LOCK_WANTED_FILE).unlink(missing_ok=True)
        (folder / OUTER_LOG_FILE).parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise write_failure(problem.filename or folder, problem) from problem
    with writing_file(folder / ENVIRONMENT_FILE) as partial:
        partial.touch(mode=0o600)
        partial.write_text(environment_text(variables), encoding="utf-8", errors="surrogateescape")
    with writing_file(folder / SCRIPT_FILE) as partial:
        # Names of files need not be UTF-8; they go through as they are.
        partial.write_text(str(script), encoding="utf-8", errors="surrogateescape")


def script_of(options: SlurmOptions, work: Work, name: str) -> Script:
    """Return the script for some work, under a name that no other job has."""
    has_own = bool(options.setup or options.container)
    python = options.python or ("python" if has_own else sys.executable)
    return Script(
        name=name,
        program=(*options.container, python, "-u", "-P", *work.program),
        agent=agent_words(options.container, python),
        scale=work.scale,
        queue=_queue_of(options, work),
        setup=options.setup,
        time_limit=options.time_limit,
        save_s=options.save_s,
    )


def _queue_of(options: SlurmOptions, work: Work) -> list[str]:
    """Return the options of sbatch; what is asked for each process is for work on GPUs."""
    wanted = [one for one in options.queue if work.demand == "heavy" or PROCESSES not in one]
    return [option.replace(PROCESSES, str(work.scale.processes_per_node)) for option in wanted]


def variables_of(
    environment: Mapping[str, str], options: SlurmOptions, work: Work, *, has_lock: bool
) -> dict[str, str]:
    """Return the variables of a job, none of them a secret.

    Args:
        environment: What to choose from.
        options: What a person says of the cluster.
        work: What it is to do.
        has_lock: Whether there is a lock, which the worker then takes itself.
    """
    chosen = worker_environment(environment)
    kept = {name: text for name, text in chosen.items() if name not in _OF_THIS_MACHINE}
    more = {
        "SLURM_CONF": environment.get("SLURM_CONF", ""),
        INTERFACE_VARIABLE: options.interface,
        TAKE_LOCK_VARIABLE: "1" if has_lock else "",
    }
    return kept | {name: text for name, text in more.items() if text} | dict(work.environment)

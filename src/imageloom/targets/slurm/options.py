"""What a person can say of a cluster with Slurm."""

from collections.abc import Mapping
from typing import Final, Self

from imageloom.errors import GreaterThanOrEqualToError, ParameterParsingError
from imageloom.params import parameter
from imageloom.spec.target_kind import TargetOptions
from imageloom.targets.slurm.time_limit import seconds_of

PROCESSES: Final = "{processes}"
"""Stands in options of sbatch for the processes per node."""
MIN_WORK_S: Final = 60
"""What a start needs before it is asked to save; with less it would be made again for ever."""
_EARLY_S: Final = 60  # by which Slurm may warn too early. Source: sbatch(1), --signal


class SlurmOptions(TargetOptions):
    """Options of targets of the kind ``slurm``."""

    queue: tuple[str, ...] = parameter(
        (),
        help='Options of sbatch, as in ["--partition=gpu", "--gpus-per-node={processes}"]; '
        "{processes} stands for the processes per node of a job, and work that needs no GPU goes "
        "without the options that have it.",
    )
    setup: tuple[str, ...] = parameter(
        (), help='Lines of shell that run before Python, as in ["module load cuda"].'
    )
    container: tuple[str, ...] = parameter(
        (), help='Words before Python, as in ["apptainer", "exec", "--nv", "image.sif"].'
    )
    python: str = parameter(
        "",
        help="The Python that has Imageloom there. By default the one that runs here; with setup "
        "or container 'python'.",
    )
    interface: str = parameter(
        "",
        help="Network interface by which the machines of a job reach each other, such as ib0.",
    )
    time_limit: str = parameter(
        "",
        help="Time after which Slurm ends a job, as in 12:00:00; by default that of the queue. A "
        "training saves before, and goes on in a new start.",
    )
    save_s: int = parameter(
        120,
        help="Seconds before the time limit at which a job is asked to save and stop.",
        unit="seconds",
        ge=30,
        le=65_000,
    )
    jobs: int = parameter(
        16,
        help="Most jobs of one pipeline in the queue at the same time.",
        unit="jobs",
        gt=0,
        le=10_000,
    )

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> Self:
        """Return the options for values from a file.

        Raises:
            ParameterError: A subclass that fits the first problem.
        """
        options = super().parse(values)
        for option in options.queue:
            _require_one_line(option)
        _require_time_to_work(options)
        return options


def _require_one_line(option: str) -> None:
    if not any(sign in option for sign in "#\n\r"):
        return
    raise ParameterParsingError(
        f'queue has "{option}", but an option cannot hold the sign # or a line end.',
        hint="Slurm reads each option as one line of the script, and what follows # as a remark.",
        details={"parameter": "queue", "value": option},
    )


def _require_time_to_work(options: SlurmOptions) -> None:
    limit_s, least_s = seconds_of(options.time_limit), options.save_s + _EARLY_S + MIN_WORK_S
    if limit_s is None or limit_s >= least_s:
        return
    raise GreaterThanOrEqualToError(
        f'time_limit is "{options.time_limit}", which is {limit_s:,} seconds, but with a save_s of '
        f"{options.save_s:,} it must be at least {least_s:,} seconds.",
        hint="A job is asked to save save_s seconds before its limit, and Slurm may say so "
        f"{_EARLY_S} seconds early. With less time it would begin again and again for nothing.",
        details={"parameter": "time_limit", "value": options.time_limit, "bound": least_s},
    )

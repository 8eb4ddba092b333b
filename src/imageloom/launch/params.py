"""On how many processes of this machine a training runs, and what becomes of it when one dies."""

import os

from imageloom.errors import LessThanOrEqualToError
from imageloom.machine import processing_units, visible_gpus
from imageloom.params import Params, parameter
from imageloom.wording import count


class LaunchParams(Params):
    """How a training is spread over the machine."""

    processes_per_node: int = parameter(
        1,
        help="Processes that train together on this machine, one for each GPU. A run that is "
        "resumed keeps its number unless another one is given.",
        unit="processes",
        gt=0,
        le=100_000,
    )
    max_restarts: int = parameter(
        0,
        help="How often all processes are started again from the last checkpoint when one of them "
        "was killed or hangs. Errors of the training itself are never tried again.",
        unit="restarts",
        ge=0,
        le=1_000_000,
        affects_output=False,
    )


def require_processes(processes: int) -> None:
    """Refuse more processes than this machine has processing units.

    Raises:
        LessThanOrEqualToError: There are fewer GPUs or, without any, cores.
    """
    units = processing_units(os.environ)
    if processes > units:
        kind = "GPU" if visible_gpus(os.environ) else "core"
        raise LessThanOrEqualToError(
            f"{processes:,} processes per node, but this machine has {count(units, kind)}.",
            hint=f"Use at most {units:,}.",
            details={"parameter": "processes_per_node", "value": processes, "bound": units},
        )

"""On how many processes of this machine a training runs, and what becomes of it when one dies."""

import os

from imageloom.errors import LessThanOrEqualToError
from imageloom.machine import GPUS_VARIABLE, processing_units, visible_gpus
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
    if processes <= units:
        return
    has_gpu = bool(visible_gpus(os.environ))
    on_cores = f" To train on the cores instead, set {GPUS_VARIABLE} to nothing." if has_gpu else ""
    raise LessThanOrEqualToError(
        f"{processes:,} processes per node, but this machine has "
        f"{count(units, 'GPU' if has_gpu else 'core')}.",
        hint=f"Use at most {units:,}.{on_cores}",
        details={"parameter": "processes_per_node", "value": processes, "bound": units},
    )

"""Where and on how many processes a node runs; it stands in the node, beside its parameters."""

from imageloom.params import Params, parameter


class RunSettings(Params):
    """The run settings of one node."""

    target: str = parameter(
        "local",
        help="Where the node runs: the name of a target; 'local' is this machine.",
        affects_output=False,
    )
    node_count: int = parameter(
        1, help="Machines that train together.", unit="machines", gt=0, le=100_000
    )
    processes_per_node: int = parameter(
        1, help="Processes on each machine, one for each GPU.", unit="processes", gt=0, le=100_000
    )

"""Where and on how many processes a node runs; it stands in the node, beside its parameters."""

from collections.abc import Mapping
from typing import Self

from imageloom.errors import LessThanOrEqualToError
from imageloom.params import Params, parameter
from imageloom.spec.scale import Scale


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
    min_node_count: int | None = parameter(
        None,
        help="Fewest machines that go on when others are lost; without it all must be there.",
        unit="machines",
        gt=0,
        le=100_000,
        affects_output=False,
    )
    max_restarts: int = parameter(
        0,
        help="How often all processes are started again from the last checkpoint when one of them "
        "was killed or hangs, or a machine is lost that must be there.",
        unit="restarts",
        ge=0,
        le=1_000_000,
        affects_output=False,
    )
    track: tuple[str, ...] = parameter(
        (),
        help="Show the training in other programs while it runs: tensorboard, mlflow, wandb. "
        "'none' is nobody. By default what settings.toml says.",
        affects_output=False,
    )

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> Self:
        """Return the run settings for values from a form or a JSON file.

        Raises:
            ParameterError: A subclass that fits the first problem; the message lists them all.
        """
        settings = super().parse(values)
        fewest, most = settings.scale.min_nodes, settings.scale.max_nodes
        if fewest > most:
            raise LessThanOrEqualToError(
                f"min_node_count is {fewest:,}, but node_count is {most:,}.",
                hint=f"Use at most {most:,}, or a greater node_count.",
                details={"parameter": "min_node_count", "value": fewest, "bound": most},
            )
        return settings

    @property
    def scale(self) -> Scale:
        """On how many machines and processes the node runs."""
        fewest = self.min_node_count or self.node_count
        return Scale(fewest, self.node_count, self.processes_per_node, self.max_restarts)

"""On how many machines and processes something runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """How many machines and processes work together; by default one process.

    Attributes:
        min_nodes: Fewest machines that go on when others are lost.
        max_nodes: Most machines.
        processes_per_node: Processes on each.
        max_restarts: How often all processes are started again when one was killed or hangs, or
            when a machine is lost that must be there.
    """

    min_nodes: int = 1
    max_nodes: int = 1
    processes_per_node: int = 1
    max_restarts: int = 0

    @property
    def is_elastic(self) -> bool:
        """Whether machines may come and go."""
        return self.min_nodes < self.max_nodes

    @property
    def world_size(self) -> int:
        """Processes when all machines are there."""
        return self.max_nodes * self.processes_per_node

    def node_range(self, between: str) -> str:
        """Return how many machines, as options take it: ``2``, or ``1-2`` where some may go."""
        fewest = f"{self.min_nodes}{between}" if self.is_elastic else ""
        return f"{fewest}{self.max_nodes}"

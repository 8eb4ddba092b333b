"""How many jobs may run side by side on each target."""

from collections import Counter

from imageloom.registry import Registry
from imageloom.spec.component import Demand
from imageloom.spec.target import Limits, Target


class Slots:
    """Counts the jobs of one execution. Heavy and light jobs do not take each other's slots.

    Args:
        targets: Whose limits hold; each is asked once.
    """

    def __init__(self, targets: Registry[Target]) -> None:
        self._targets = targets
        self._limits: dict[str, Limits] = {}
        self._taken: Counter[tuple[str, Demand]] = Counter()

    def is_free(self, target: str, demand: Demand) -> bool:
        """Whether one more job may start."""
        if target not in self._limits:
            self._limits[target] = self._targets.get(target).limits
        limits = self._limits[target]
        limit = limits.heavy_jobs if demand == "heavy" else limits.light_jobs
        return self._taken[target, demand] < limit

    def take(self, target: str, demand: Demand) -> None:
        """Count one more job, also one too many that an earlier execution left running."""
        self._taken[target, demand] += 1

    def give_back(self, target: str, demand: Demand) -> None:
        """Count one job less."""
        self._taken[target, demand] -= 1

"""The pre-flight of a training run, in the form in which machines send it to each other."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue, ValidationError

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.launch.preflight.compare import compare
from imageloom.launch.preflight.facts import MachineFacts, facts_of_this_node, mark_storage
from imageloom.launch.preflight.room import needs_of


class RunPreflight:
    """What a machine must have to take part in a run."""

    def __init__(self, run: Path) -> None:
        self._run = run

    def lead(self) -> None:
        """Leave the mark by which others show that they see the same storage."""
        mark_storage(self._run)

    def facts(self) -> dict[str, JsonValue]:
        """Return what this machine has."""
        return facts_of_this_node(self._run).model_dump(mode="json")

    def compare(
        self, own: Mapping[str, object], other: Mapping[str, object], *, processes: int
    ) -> list[str]:
        """Return what is worth a warning when another machine joins this one.

        Args:
            own: Facts of this machine.
            other: Facts of the other one.
            processes: How many processes train on each.

        Raises:
            EnvironmentUnsuitableError: The two must not train together; the message names what
                differs.
        """
        try:
            here, there = MachineFacts.model_validate(own), MachineFacts.model_validate(other)
        except ValidationError as problem:
            raise EnvironmentUnsuitableError(
                "A machine that wants to join tells nothing of itself that we know.",
                hint="Install the same version of Imageloom on all machines.",
                reason="preflight",
            ) from problem
        return compare(here, there, needs_of(self._run, processes=processes))

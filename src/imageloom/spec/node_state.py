"""The states of a node in a run, and of a run as a whole."""

from enum import StrEnum


class NodeState(StrEnum):
    """Where a node of a run is; the value is what people read."""

    WAITING = "waiting"
    RUNNING = "running"
    CACHED = "cached"
    COMPLETED = "completed"
    COMPLETED_WITH_WARNINGS = "completed with warnings"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NOT_RUN = "not run"

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will happen to the node in this execution."""
        return self not in (NodeState.WAITING, NodeState.RUNNING)

    @property
    def has_outputs(self) -> bool:
        """Whether its outputs are in the store."""
        return self in (
            NodeState.CACHED,
            NodeState.COMPLETED,
            NodeState.COMPLETED_WITH_WARNINGS,
        )


class RunState(StrEnum):
    """Where a run is; the value is what people read.

    ``queued`` is a run that was created and never began. ``interrupted`` is a run whose process was
    lost: nobody asked it to stop, and it can go on.
    """

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

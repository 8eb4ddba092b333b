"""What there is to say of a node beside its state, for screens and reports alike."""

from imageloom.pipeline.run_record import NodeFacts
from imageloom.spec.node_state import NodeState
from imageloom.system.wording import count, duration


def what_happened(facts: NodeFacts) -> str:
    """Return it in a few words: ``from 20261123-051233-4f2a`` of a cached node."""
    match facts.state:
        case NodeState.CACHED if facts.made_by:
            return f"from {facts.made_by[0]}"
        case NodeState.COMPLETED_WITH_WARNINGS:
            return count(len(facts.warnings), "warning")
        case NodeState.FAILED:
            return error_name(facts)
        case NodeState.NOT_RUN if facts.cause:
            return f"because {facts.cause} failed"
    return facts.message


def time_text(facts: NodeFacts) -> str:
    """Return how long a node worked in this run; nothing when it did no work."""
    worked = facts.seconds and facts.state is not NodeState.CACHED
    return duration(facts.seconds) if worked else ""


def error_name(facts: NodeFacts) -> str:
    """Return name and code of the error of a failed node: ``InvalidDatasetError (0018)``."""
    error = facts.error or {}
    return f"{error.get('type', 'unknown')} ({error.get('code', 'no code')})"

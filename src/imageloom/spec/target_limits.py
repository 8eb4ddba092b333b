"""Refuses what a target does not have, before anything is submitted."""

from imageloom.errors import LessThanOrEqualToError
from imageloom.spec.target import Limits, Work
from imageloom.wording import count


def require_within(limits: Limits, work: Work, name: str) -> None:
    """Refuse work that asks for more than a target has.

    Args:
        limits: What the target has.
        work: What is asked of it.
        name: The target's name, for the message.

    Raises:
        LessThanOrEqualToError: Too many machines or processes; the message has both numbers, and
            the hint the value that would work.
    """
    if work.nodes[1] > limits.nodes:
        raise LessThanOrEqualToError(
            f"A node count of {work.nodes[1]:,}, but target {name!r} has "
            f"{count(limits.nodes, 'node')}.",
            hint=f"Use at most {limits.nodes:,}.",
            details={"parameter": "nodes", "value": work.nodes[1], "bound": limits.nodes},
        )
    units = limits.processing_units_per_node
    if work.processes_per_node > units:
        raise LessThanOrEqualToError(
            f"{work.processes_per_node:,} processes per node, but a node of target {name!r} has "
            f"{count(units, 'processing unit')}.",
            hint=f"Use at most {units:,}.",
            details={
                "parameter": "processes_per_node",
                "value": work.processes_per_node,
                "bound": units,
            },
        )

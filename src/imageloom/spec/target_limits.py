"""Refuses what a target does not have, before anything is submitted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from imageloom.errors import EnvironmentUnsuitableError, LessThanOrEqualToError
from imageloom.spec.scale import Scale
from imageloom.spec.target import Limits, Work
from imageloom.system.wording import count


@dataclass(frozen=True)
class Excess:
    """Something of which more is asked for than a target has.

    Attributes:
        what: What it is.
        asked: What is asked for, in words: ``a node count of 8``.
        there: What there is, in words: ``target 'lab' has 3 nodes``.
        value: What is asked for.
        bound: What there is.
    """

    what: Literal["nodes", "processes_per_node"]
    asked: str
    there: str
    value: int
    bound: int

    @property
    def hint(self) -> str:
        """What would work."""
        return f"Use at most {self.bound:,}."


def excesses(limits: Limits, name: str, scale: Scale) -> Iterator[Excess]:
    """Yield what is beyond a target.

    Args:
        limits: What the target has.
        name: What it is called.
        scale: What is asked for.
    """
    nodes, processes = scale.max_nodes, scale.processes_per_node
    if nodes > limits.nodes:
        yield Excess(
            "nodes",
            asked=f"a node count of {nodes:,}",
            there=f"target {name!r} has {count(limits.nodes, 'node')}",
            value=nodes,
            bound=limits.nodes,
        )
    units = limits.processing_units_per_node
    if processes > units:
        yield Excess(
            "processes_per_node",
            asked=f"{processes:,} processes per node",
            there=f"a node of target {name!r} has {count(units, 'processing unit')}",
            value=processes,
            bound=units,
        )


def interface_problem(limits: Limits, name: str, *, nodes: int, interface: str = "") -> str:
    """Return why machines would not reach each other, as half a sentence; empty if they would.

    Args:
        limits: What the target has.
        name: What it is called.
        nodes: Machines that are asked for.
        interface: Network interface that is asked for; empty for the target's.
    """
    chosen = interface or limits.interface
    if nodes == 1 or limits.interfaces is None or chosen in limits.interfaces:
        return ""
    if chosen:
        return f"this machine has no network interface {chosen!r}"
    return f"target {name!r} names no network interface by which they reach each other"


def require_within(limits: Limits, work: Work, name: str) -> None:
    """Refuse work that asks for more than a target has.

    Args:
        limits: What the target has.
        work: What is asked of it.
        name: The target's name, for the message.

    Raises:
        LessThanOrEqualToError: Too many machines or processes; the message has both numbers, and
            the hint the value that would work.
        EnvironmentUnsuitableError: The machines would not know how to reach each other.
    """
    excess = next(excesses(limits, name, work.scale), None)
    if excess is not None:
        raise LessThanOrEqualToError(
            f"{excess.asked[0].upper()}{excess.asked[1:]}, but {excess.there}.",
            hint=excess.hint,
            details={"parameter": excess.what, "value": excess.value, "bound": excess.bound},
        )
    nodes = work.scale.max_nodes
    problem = interface_problem(limits, name, nodes=nodes, interface=work.interface)
    if problem:
        raise EnvironmentUnsuitableError(
            f"A node count of {nodes:,}, but {problem}.",
            hint=f"Name one with --interface: {', '.join(limits.interfaces or ())}. It must lead "
            "to a network that you trust: what processes exchange is neither encrypted nor signed.",
            reason="no-interface",
        )

"""What an execution tells whoever watches it."""

from collections.abc import Callable
from dataclasses import dataclass

from imageloom.events import Event, Notice
from imageloom.pipeline.run_record import NodeFacts


@dataclass(frozen=True)
class NodeChanged:
    """A node came into another state, or there is something new to say about its state.

    Attributes:
        node_id: The node.
        facts: What is known of it now, as it was just written down.
    """

    node_id: str
    facts: NodeFacts


@dataclass(frozen=True)
class NodeEvent:
    """A running node told something.

    Attributes:
        node_id: The node.
        event: Its progress, a metric or a notice.
    """

    node_id: str
    event: Event


@dataclass(frozen=True)
class RunNotice:
    """A sentence about the run that a person should see.

    Attributes:
        notice: The sentence.
        node_id: The node that it is about; empty for the run as a whole.
    """

    notice: Notice
    node_id: str = ""


RunEvent = NodeChanged | NodeEvent | RunNotice
RunSink = Callable[[RunEvent], None]


def ignore_run_events(_event: RunEvent) -> None:
    """A sink for callers who do not want to hear."""

"""What a person sees while a run goes on: a line when a node's state changes, bars below."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rich.text import Text

from imageloom.cli.progress import ProgressDisplay
from imageloom.errors import printable
from imageloom.run_report.words import what_happened
from imageloom.spec.node_state import NodeState, RunState
from imageloom.system.wording import duration

if TYPE_CHECKING:
    from imageloom.pipeline.run.events import RunEvent
    from imageloom.pipeline.run_record import NodeFacts

STYLES: Final = {
    NodeState.WAITING: "dim",
    NodeState.RUNNING: "bold",
    NodeState.CACHED: "cyan",
    NodeState.COMPLETED: "green",
    NodeState.COMPLETED_WITH_WARNINGS: "yellow",
    NodeState.FAILED: "bold red",
    NodeState.CANCELLED: "yellow",
    NodeState.NOT_RUN: "dim",
}
RUN_STYLES: Final = {
    RunState.QUEUED: "dim",
    RunState.RUNNING: "bold",
    RunState.COMPLETED: "green",
    RunState.FAILED: "bold red",
    RunState.CANCELLED: "yellow",
    RunState.INTERRUPTED: "yellow",
}
_WIDEST_LABEL: Final = 26  # of our components: nodes are often called like them


class RunScreen:
    """Hears of a run and draws it: all that a node tells begins with its name.

    Args:
        reporter: Where it is drawn.
        nodes: The nodes that will be heard of, so that their names stand in one column.
    """

    def __init__(self, reporter: ProgressDisplay, nodes: Iterable[str]) -> None:
        self._reporter = reporter
        self._width = min(max(map(len, nodes), default=0), _WIDEST_LABEL)
        self._parts: dict[str, ProgressDisplay] = {}
        self._last: dict[str, Text] = {}

    def __call__(self, event: "RunEvent") -> None:
        """Draw one event."""
        from imageloom.pipeline.run.events import NodeChanged, NodeEvent

        if isinstance(event, NodeChanged):
            self._changed(event.node_id, event.facts)
        elif isinstance(event, NodeEvent):
            self._part(event.node_id)(event.event)
        else:
            self._reporter(event.notice)

    def _changed(self, node_id: str, facts: "NodeFacts") -> None:
        if facts.state.is_ended and node_id in self._parts:
            self._parts.pop(node_id).close()
        text = state_line(facts)
        is_news = facts.state is not NodeState.WAITING or facts.message
        if is_news and text != self._last.get(node_id):
            self._last[node_id] = text
            self._reporter.tell(Text.assemble((self._label(node_id), "bold"), text))

    def _part(self, node_id: str) -> ProgressDisplay:
        if node_id not in self._parts:
            self._parts[node_id] = self._reporter.part(self._label(node_id))
        return self._parts[node_id]

    def _label(self, node_id: str) -> str:
        return f"{node_id:<{self._width}}  "


def state_line(facts: "NodeFacts") -> Text:
    """Return where a node is in one line: ``cached from 20261123-051233-4f2a``."""
    worked = facts.state in (NodeState.COMPLETED, NodeState.COMPLETED_WITH_WARNINGS)
    what = f"in {duration(facts.seconds)}" if worked else what_happened(facts)
    what = what.removeprefix(f"{facts.state.value} ")  # waiting for run X
    joint = ": " if facts.state in (NodeState.RUNNING, NodeState.FAILED) else " "
    message = str((facts.error or {}).get("message", "")).partition("\n")[0]
    return Text.assemble(
        (facts.state.value, STYLES[facts.state]),
        f"{joint}{printable(what)}" if what else "",
        f": {printable(message)}" if message else "",
    )

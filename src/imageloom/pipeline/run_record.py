"""What the files of a run hold: the record of what was asked, and the facts of its nodes."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from imageloom.errors import NoSuchRunError
from imageloom.events import Notice
from imageloom.spec.job import Output
from imageloom.spec.node_state import NodeState, RunState
from imageloom.system.wording import some

FORMAT_VERSION: Final = 2  # 2: asked_by


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ResolvedRecord(_Record):
    """A node as it is run: with every default filled in.

    Attributes:
        component: Name of the component.
        version: Version of the component.
        params: All parameters.
        settings: All run settings; empty where the component takes none.
    """

    component: str
    version: int
    params: dict[str, JsonValue]
    settings: dict[str, JsonValue] = {}


class RunRecord(_Record):
    """What was asked. It never changes, and names nothing of the workspace it lies in.

    Attributes:
        format_version: Version of this format.
        id: The run's id.
        name: Name of the pipeline.
        pipeline: The pipeline as JSON in its current format.
        base: Absolute folder that relative paths in parameters start from.
        changes: Changes to parameters that were asked for, such as ``train.epochs=10``.
        only: Nodes to stop at, when not all were asked for.
        start: Nodes to start anew from.
        fresh: Nodes made anew although the cache has them.
        resolved: Every node by id.
        wanted: Ids of the nodes that this run makes.
        versions: Versions of the software, by name.
        created: Seconds since 1970, UTC.
        command: What a person typed, as text.
        asked_by: Name of the person who asked; empty in records of format 1, which did not say.
    """

    format_version: int = FORMAT_VERSION
    id: str
    name: str
    pipeline: dict[str, JsonValue]
    base: str
    changes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    resolved: dict[str, ResolvedRecord]
    wanted: tuple[str, ...]
    versions: dict[str, str] = {}
    created: float
    command: str = ""
    asked_by: str = ""

    def require_node(self, node: str) -> None:
        """Refuse a node that the run does not make.

        Raises:
            NoSuchRunError: The message names those it makes.
        """
        if node not in self.wanted:
            raise NoSuchRunError(
                f"Run {self.id} has no node {node!r}.",
                hint=f"It has: {some(self.wanted, most=10)}.",
                reason="no-node",
            )


class Wait(_Record):
    """What a node waits for; the sentence for people is the message of its facts.

    Attributes:
        kind: ``slot`` of this machine, ``result`` that is being made elsewhere, or ``target``: its
            queue, or until it answers.
        run: The run that has the slot or makes the result; empty where none is known.
        node: Its node; empty where none is known.
    """

    kind: Literal["slot", "result", "target"]
    run: str = ""
    node: str = ""


class NodeFacts(_Record):
    """What is known of a node of a run at some moment.

    Attributes:
        state: Where it is.
        time: When this was written, in seconds since 1970, UTC.
        started: When it began to run.
        ended: When nothing more happened to it.
        cause: Id of the node that failed, of a node that was therefore not run.
        message: One sentence for people.
        wait: What it waits for, while it does.
        key: What its result depends on, as a digest.
        outputs: Its outputs by port; empty unless its state has outputs.
        warnings: Sentences a person should see.
        made_by: Run and node that made the outputs, when they come from the cache.
        error: Content of ``error_info.json``, when it failed.
        seconds: Time it took to make the outputs.
    """

    state: NodeState
    time: float
    started: float | None = None
    ended: float | None = None
    cause: str = ""
    message: str = ""
    wait: Wait | None = None
    key: str = ""
    outputs: dict[str, Output] = {}
    warnings: tuple[str, ...] = ()
    made_by: tuple[str, str] | None = None
    error: dict[str, JsonValue] | None = None
    seconds: float = 0.0


class StateLine(_Record):
    """A line of the file of states: the state of the run, facts of one node, or a notice.

    Attributes:
        time: When it was written, in seconds since 1970, UTC.
        run: State of the run.
        node: Id of the node; a notice may be of the run as a whole.
        facts: What is now known of that node.
        notice: A sentence that a person should see.
    """

    time: float
    run: RunState | None = None
    node: str | None = None
    facts: NodeFacts | None = None
    notice: Notice | None = None

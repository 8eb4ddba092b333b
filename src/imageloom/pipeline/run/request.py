"""What a person asks of a run besides the pipeline, and the record that is made of it."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from imageloom.errors import InvalidPipelineError, printable
from imageloom.pipeline.checks.check import require_valid
from imageloom.pipeline.graph.changes import apply_changes
from imageloom.pipeline.graph.graph import Node, Pipeline
from imageloom.pipeline.graph.json_format import pipeline_from_json, pipeline_to_json
from imageloom.pipeline.graph.json_values import first_unsafe_value
from imageloom.pipeline.graph.resolve import ResolvedNode, resolve
from imageloom.pipeline.graph.selection import choose
from imageloom.pipeline.ownership import EVERYBODYS, Ownership
from imageloom.pipeline.run_record import ResolvedRecord, RunRecord
from imageloom.registry import Registry
from imageloom.spec.component import Component
from imageloom.spec.target import Target
from imageloom.system.machine import login_name


@dataclass(frozen=True)
class Asked:
    """What a person asks of a run besides the pipeline.

    Attributes:
        base: Absolute folder that relative paths in parameters start from.
        changes: Changes to parameters, such as ``train.epochs=10``.
        only: Do these nodes and what they need, and nothing after them.
        start: Make these nodes and all that depends on them anew.
        fresh: Make these nodes anew although the cache has them.
        target: Where nodes that can choose run; as each says, when empty.
        track: Trackers of nodes that train; as each says, when empty.
        usual_trackers: Trackers of nodes that train and name none.
        command: What the person typed, as text.
        asked_by: Name of the person, by default the one who runs this process.
        owner: The user to whom the run belongs alone; empty where nobody signed in.
    """

    base: Path
    changes: Sequence[str] = ()
    only: Sequence[str] = ()
    start: Sequence[str] = ()
    fresh: Sequence[str] = ()
    target: str = ""
    track: Sequence[str] = ()
    usual_trackers: Sequence[str] = ()
    command: str = ""
    asked_by: str = field(default_factory=login_name)
    owner: str = ""

    @property
    def ownership(self) -> Ownership:
        """Whose the run is going to be: nobody but its owner sees it, until they share it."""
        return Ownership(owner=self.owner, is_shared=False) if self.owner else EVERYBODYS


def record_of(
    run_id: str,
    pipeline: Pipeline,
    asked: Asked,
    *,
    components: Registry[Component],
    targets: Registry[Target],
    versions: Mapping[str, str],
) -> RunRecord:
    """Return the record of a run that does what is asked.

    Only the nodes that are asked for must be valid: the others may still be in the making.

    Raises:
        InvalidPipelineError: What is asked for cannot run; the message lists every problem.
        UnknownNameError: A change, a node or a target names what is not there.
    """
    _require_text(asked)
    pipeline = apply_changes(pipeline, asked.changes, components)
    if asked.target:
        target = targets.get(asked.target).name
        pipeline = _with_setting(pipeline, "target", target, components)
    if asked.track:
        pipeline = _with_setting(pipeline, "track", [*asked.track], components)
    elif asked.usual_trackers:
        usual: JsonValue = [*asked.usual_trackers]
        pipeline = _with_setting(pipeline, "track", usual, components, keeps=True)
    selection = choose(pipeline, only=asked.only, start=asked.start, fresh=asked.fresh)
    part = pipeline.part(selection.wanted)
    require_valid(part, components, {target.name: target.limits for target in targets})
    resolved = resolve(part, components)
    content = pipeline_to_json(pipeline)
    # Nodes that are not asked for are not checked, but a run that cannot be read cannot begin.
    pipeline_from_json(content, pipeline.name)
    return RunRecord(
        id=run_id,
        name=pipeline.name,
        pipeline=content,
        base=str(asked.base),
        changes=tuple(asked.changes),
        only=tuple(asked.only),
        start=tuple(asked.start),
        fresh=tuple(sorted(selection.fresh)),
        resolved={name: _resolved_record(node) for name, node in resolved.items()},
        wanted=tuple(resolved),
        versions=dict(versions),
        created=time.time(),
        command=printable(asked.command),
        asked_by=printable(asked.asked_by),
    )


def _require_text(asked: Asked) -> None:
    """Refuse what no record can hold: names of files that are not UTF-8."""
    if first_unsafe_value(str(asked.base)):
        raise InvalidPipelineError(
            f"The name of the folder {asked.base} is not UTF-8, so no run can keep it.",
            hint="Rename the folder, or put the pipeline into another one.",
            reason="not-utf-8",
        )
    for change in asked.changes:
        if first_unsafe_value(change):
            raise InvalidPipelineError(
                f"The change {change} is not UTF-8, so no run can keep it.",
                hint="Rename the file or folder that it names.",
                reason="not-utf-8",
            )


def _with_setting(
    pipeline: Pipeline,
    name: str,
    value: JsonValue,
    components: Registry[Component],
    *,
    keeps: bool = False,
) -> Pipeline:
    """Return the pipeline with a run setting in every node that has such.

    Args:
        pipeline: The pipeline.
        name: Of the setting.
        value: Its value.
        components: What the nodes are.
        keeps: Whether a node that says something itself stays as it is.
    """

    def changed(node: Node) -> Node:
        known = node.component in components
        if not (known and components.get(node.component).has_run_settings):
            return node
        if keeps and node.settings.get(name):
            return node
        return dataclasses.replace(node, settings={**node.settings, name: value})

    return dataclasses.replace(pipeline, nodes=tuple(map(changed, pipeline.nodes)))


def _resolved_record(node: ResolvedNode) -> ResolvedRecord:
    settings = node.settings.model_dump(mode="json") if node.component.has_run_settings else {}
    return ResolvedRecord(
        component=node.component.name,
        version=node.component.version,
        params=node.params.model_dump(mode="json"),
        settings=settings,
    )

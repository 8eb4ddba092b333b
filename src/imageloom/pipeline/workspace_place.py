"""A run writes nothing into what its nodes read from outside, not even its workspace."""

from pathlib import Path

from imageloom.errors import ImageloomError
from imageloom.files.output_places import refuse_kept_inside
from imageloom.pipeline.run_record import RunRecord
from imageloom.pipeline.workspace import Workspace
from imageloom.registry import Registry
from imageloom.spec.component import Component, Outside


def refuse_workspace_inside_data(
    record: RunRecord, workspace: Workspace, components: Registry[Component]
) -> None:
    """Refuse a run whose workspace lies in a folder of pictures that it reads.

    Raises:
        FailedToWriteOutputsError: It does; the message names both.
    """
    outside = Outside(base=Path(record.base), uploads=workspace.uploads)
    for node in record.resolved.values():
        component = components.get(node.component)
        if component.reads is None:
            continue
        try:
            read = component.reads(component.params.parse(node.params), outside)
        except ImageloomError:
            continue  # for the node to tell, when its turn comes
        refuse_kept_inside(
            workspace.root,
            read,
            hint="Choose another workspace, with --workspace or IMAGELOOM_WORKSPACE.",
        )

"""Who asks, and what this studio works on."""

import time

from fastapi import APIRouter
from pydantic import BaseModel

from imageloom import __version__
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.studio import StudioNow
from imageloom.spec.target import Target

router = APIRouter(tags=["session"])


class SessionInfo(BaseModel):
    """What the page shows in its frame.

    Attributes:
        version: Of Imageloom.
        user: Who asks.
        role: What they may do.
        has_people: Whether several people share the studio, and sign in.
        workspace: The folder of runs and outputs.
        base: Folder that relative paths in parameters start from.
        roots: Folders in which pictures may be looked for.
        now: The server's clock, in seconds since 1970, UTC.
    """

    version: str
    user: str
    role: Role
    has_people: bool
    workspace: str
    base: str
    roots: list[str]
    now: float


class TargetInfo(BaseModel):
    """Where nodes can run, and what is there.

    Attributes:
        name: As run settings name it.
        title: What a person reads.
        help: One sentence.
        nodes: Most machines for one node of a pipeline.
        processing_units_per_node: Most processes on each machine.
        heavy_jobs: Heavy jobs side by side.
        light_jobs: Light jobs side by side.
        interfaces: Networks by which machines reach each other; null where none need be named.
    """

    name: str
    title: str
    help: str
    nodes: int
    processing_units_per_node: int
    heavy_jobs: int
    light_jobs: int
    interfaces: list[str] | None


@router.get("/session")
@needs(Role.VIEWER)
def session(studio: StudioNow) -> SessionInfo:
    """Return who asks, and where."""
    return SessionInfo(
        version=__version__,
        user=studio.user,
        role=studio.role,
        has_people=studio.people is not None,
        workspace=str(studio.engine.workspace.root),
        base=str(studio.base),
        roots=[str(one) for one in studio.roots.paths],
        now=time.time(),
    )


@router.get("/targets")
@needs(Role.VIEWER)
def targets(studio: StudioNow) -> list[TargetInfo]:
    """Return where nodes can run."""
    return [_info(one) for one in studio.engine.targets]


def _info(target: Target) -> TargetInfo:
    words = {"name": target.name, "title": target.title, "help": target.help}
    return TargetInfo.model_validate({**vars(target.limits), **words})

"""What pipelines are made of, whether one can run, and what is done already."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, JsonValue

from imageloom.params import ParameterDescription
from imageloom.pipeline.checks.problems import Problem
from imageloom.pipeline.graph.json_format import pipeline_from_json
from imageloom.server.forecasts import NodeOutlook, outlooks
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.studio import StudioNow
from imageloom.spec.component import Port
from imageloom.spec.component_json import component_to_json
from imageloom.spec.port_types import PORT_TYPES, PortType

router = APIRouter(tags=["drawing"])


class ComponentInfo(BaseModel):
    """A component with its ports and parameters, as ``imageloom components NAME --json`` has it."""

    name: str
    title: str
    help: str
    category: str
    version: int
    demand: Literal["light", "heavy"]
    inputs: list[Port]
    outputs: list[Port]
    parameters: list[ParameterDescription]
    run_settings: list[ParameterDescription]
    errors: list[dict[str, str]]


class Catalogue(BaseModel):
    """All that pipelines are made of.

    Attributes:
        components: In the order of the palette.
        port_types: What flows between them.
    """

    components: list[ComponentInfo]
    port_types: list[PortType]


class DrawnPipeline(BaseModel):
    """A pipeline to look at, which may be half drawn."""

    pipeline: dict[str, JsonValue]


class CheckedPipeline(BaseModel):
    """What a run of a pipeline would meet.

    Attributes:
        problems: What keeps it from running.
        nodes: What a run would do at each node, by its id.
    """

    problems: list[Problem]
    nodes: dict[str, NodeOutlook]


@router.get("/components")
@needs(Role.VIEWER)
def components(studio: StudioNow) -> Catalogue:
    """Return all components and the types of their ports."""
    return Catalogue(
        components=[
            ComponentInfo.model_validate(component_to_json(one)) for one in studio.engine.components
        ],
        port_types=list(PORT_TYPES),
    )


@router.post("/check")
@needs(Role.VIEWER)
def check(studio: StudioNow, question: DrawnPipeline) -> CheckedPipeline:
    """Return what keeps a pipeline from running, and what is done already of what can run."""
    pipeline = pipeline_from_json(question.pipeline, "The pipeline")
    problems = studio.engine.check(pipeline)
    return CheckedPipeline(
        problems=list(problems),
        nodes=outlooks(studio, pipeline),
    )

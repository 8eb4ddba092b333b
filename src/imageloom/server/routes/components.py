"""What pipelines are made of, whether one can run, and what is done already."""

from dataclasses import asdict
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, JsonValue

from imageloom.pipeline.checks.problems import ProblemKind
from imageloom.pipeline.graph.json_format import pipeline_from_json
from imageloom.server.forecasts import NodeOutlook, outlooks
from imageloom.server.studio import StudioNow
from imageloom.spec.component_json import component_to_json
from imageloom.spec.port_types import PORT_TYPES

router = APIRouter(tags=["drawing"])


class PortInfo(BaseModel):
    """A place where an edge begins or ends; the attributes are those of ``spec.component.Port``."""

    name: str
    type: str
    title: str
    help: str
    optional: bool
    given_by: str


class ShownWhenInfo(BaseModel):
    """When a parameter matters.

    Attributes:
        parameter: Name of the other parameter.
        values: Those of its values with which this one matters.
    """

    parameter: str
    values: list[JsonValue]


class ParameterInfo(BaseModel):
    """A parameter as a form shows it; the attributes are those of ``ParameterDescription``."""

    name: str
    title: str
    kind: str
    default: JsonValue
    optional: bool
    choices: list[JsonValue]
    minimum: float | None
    maximum: float | None
    exclusive: list[str]
    range_text: str
    unit: str
    help: str
    affects_output: bool
    section: str
    shown_when: ShownWhenInfo | None


class ComponentInfo(BaseModel):
    """A component with its ports and parameters, as ``imageloom components NAME --json`` has it."""

    name: str
    title: str
    help: str
    category: str
    version: int
    demand: Literal["light", "heavy"]
    inputs: list[PortInfo]
    outputs: list[PortInfo]
    parameters: list[ParameterInfo]
    run_settings: list[ParameterInfo]
    errors: list[dict[str, str]]


class PortTypeInfo(BaseModel):
    """What can flow along an edge, which joins two ports of one type."""

    name: str
    title: str
    help: str
    colour: str


class Catalogue(BaseModel):
    """All that pipelines are made of.

    Attributes:
        components: In the order of the palette.
        port_types: What flows between them.
    """

    components: list[ComponentInfo]
    port_types: list[PortTypeInfo]


class DrawnPipeline(BaseModel):
    """A pipeline to look at, which may be half drawn."""

    pipeline: dict[str, JsonValue]


class ProblemInfo(BaseModel):
    """One thing to put right; the attributes are those of ``pipeline.checks.problems.Problem``."""

    kind: ProblemKind
    message: str
    hint: str
    node: str
    port: str
    parameter: str


class CheckedPipeline(BaseModel):
    """What a run of a pipeline would meet.

    Attributes:
        problems: What keeps it from running.
        nodes: What a run would do at each node, by its id.
    """

    problems: list[ProblemInfo]
    nodes: dict[str, NodeOutlook]


@router.get("/components")
def components(studio: StudioNow) -> Catalogue:
    """Return all components and the types of their ports."""
    return Catalogue(
        components=[
            ComponentInfo.model_validate(component_to_json(one)) for one in studio.engine.components
        ],
        port_types=[PortTypeInfo(**asdict(one)) for one in PORT_TYPES],
    )


@router.post("/check")
def check(studio: StudioNow, question: DrawnPipeline) -> CheckedPipeline:
    """Return what keeps a pipeline from running, and what is done already of what can run."""
    pipeline = pipeline_from_json(question.pipeline, "The pipeline")
    problems = studio.engine.check(pipeline)
    return CheckedPipeline(
        problems=[ProblemInfo(**vars(one)) for one in problems],
        nodes=outlooks(studio, pipeline),
    )

"""Pipelines as JSON and back, without loss; docs/reference/pipeline-format.md describes it."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from imageloom.errors import InvalidPipelineError
from imageloom.files.publish import MAX_MANIFEST_BYTES, read_json, to_json, write_json
from imageloom.pipeline.graph.form_error import form_error
from imageloom.pipeline.graph.graph import ID_PATTERN, MAX_EDGES, MAX_NODES, Edge, Node, Pipeline
from imageloom.pipeline.graph.json_values import first_unsafe_value
from imageloom.pipeline.graph.old_formats import FORMAT_VERSION, Content, upgrade

_MAX_NAME: Final = 200  # names stand in messages
KIND: Final = "pipeline"
_END_PATTERN: Final = r"^[^.]+\.(?s:.)+$"  # ids have no dot, so the first one ends the id

Position = Annotated[list[float], Field(min_length=2, max_length=2)]


class _Record(BaseModel):
    # Unknown keys are kept, so that a file made with an extension survives without it.
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    @property
    def unknown(self) -> dict[str, JsonValue]:
        return dict(self.model_extra or {})


class _NodeRecord(_Record):
    id: str = Field(pattern=ID_PATTERN)
    component: str = Field(min_length=1, max_length=_MAX_NAME)
    params: dict[str, JsonValue] = {}
    settings: dict[str, JsonValue] = {}
    title: str = ""
    position: Position | None = None
    comment: str = ""
    version: int | None = Field(default=None, ge=1)


class _EdgeRecord(_Record):
    begin: str = Field(alias="from", pattern=_END_PATTERN, max_length=2 * _MAX_NAME)
    end: str = Field(alias="to", pattern=_END_PATTERN, max_length=2 * _MAX_NAME)


class _PipelineRecord(_Record):
    format_version: int
    kind: Literal["pipeline"]
    name: str
    description: str = ""
    nodes: list[_NodeRecord] = Field(max_length=MAX_NODES)
    edges: list[_EdgeRecord] = Field(default=[], max_length=MAX_EDGES)


def read_pipeline(path: Path | str) -> Pipeline:
    """Return the pipeline in a file of today's or an earlier format; the file stays as it is.

    Raises:
        InvalidPipelineError: The file cannot be read, is no pipeline, or is of a newer format.
    """
    # A person may name a link to a pipeline; what it leads to must be a plain file.
    file = _plain_file(path)
    content = read_json(
        file, InvalidPipelineError, hint="Correct it at that place, or open a copy."
    )
    return pipeline_from_json(content, str(path))


def _plain_file(path: Path | str) -> Path:
    try:
        file = Path(os.path.realpath(path))
        mode = file.stat().st_mode
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        raise InvalidPipelineError(
            f"The pipeline {path} cannot be read: {getattr(problem, 'strerror', problem)}.",
            hint="Check the path to the JSON file.",
            reason="missing-file",
        ) from problem
    if not stat.S_ISREG(mode):
        raise InvalidPipelineError(
            f"{path} is {'a folder' if stat.S_ISDIR(mode) else 'not a plain file'}.",
            hint="Name the JSON file of a pipeline; what comes through a pipe must be saved first.",
            reason="not-a-plain-file",
        )
    return file


def write_pipeline(pipeline: Pipeline, path: Path | str) -> None:
    """Write a pipeline in today's format, replacing the file in one step.

    Raises:
        InvalidPipelineError: What was written could not be read again: it holds values that JSON
            does not have, or is too big.
        FailedToWriteOutputsError: The place cannot be written.
    """
    content = pipeline_to_json(pipeline)
    pipeline_from_json(content, pipeline.name)
    size = len(to_json(content).encode("utf-8"))
    if size > MAX_MANIFEST_BYTES:
        raise InvalidPipelineError(
            f"{pipeline.name} would take {size:,} bytes; at most {MAX_MANIFEST_BYTES:,} are read.",
            hint="Divide it into several pipelines.",
            reason="too-big",
        )
    write_json(Path(path), content)


def pipeline_to_json(pipeline: Pipeline) -> dict[str, JsonValue]:
    """Return the content of a pipeline file. Empty optional keys are left out."""
    content: dict[str, JsonValue] = {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "name": pipeline.name,
    }
    if pipeline.description:
        content["description"] = pipeline.description
    content["nodes"] = [_node_to_json(node) for node in pipeline.nodes]
    content["edges"] = [
        {"from": edge.begin, "to": edge.end, **edge.extra} for edge in pipeline.edges
    ]
    return content | dict(pipeline.extra)


def pipeline_from_json(content: Mapping[str, object], where: str) -> Pipeline:
    """Return the pipeline that the content of a file describes.

    Components, ports and parameters that are not known here are kept; ``check`` tells of them.

    Args:
        content: Plain JSON values.
        where: What the content is, for messages: a file's name.

    Raises:
        InvalidPipelineError: Hostile values, not the form of a pipeline, a newer format, ids that
            cannot name folders, or too many nodes; the message lists every problem.
    """
    unsafe = first_unsafe_value(dict(content))
    if unsafe:
        raise InvalidPipelineError(
            f"{where}: {unsafe}",
            hint="See docs/reference/pipeline-format.md.",
            reason="unsafe-value",
        )
    current = upgrade(cast(Content, content), where)
    try:
        record = _PipelineRecord.model_validate(current)
    except ValidationError as error:
        raise form_error(error, current, where) from None
    try:
        return _pipeline_of(record)
    except InvalidPipelineError as error:
        raise InvalidPipelineError(
            f"{where}: {error.message}", hint=error.hint, reason=error.reason
        ) from None


def _node_to_json(node: Node) -> dict[str, JsonValue]:
    optional: dict[str, JsonValue] = {
        "params": dict(node.params),
        "settings": dict(node.settings),
        "title": node.title,
        "position": list(node.position or ()),
        "comment": node.comment,
        "version": node.version,
    }
    given = {key: value for key, value in optional.items() if value not in ("", None, {}, [])}
    return {"id": node.id, "component": node.component, **given, **node.extra}


def _pipeline_of(record: _PipelineRecord) -> Pipeline:
    return Pipeline(
        name=record.name,
        nodes=tuple(map(_node_of, record.nodes)),
        edges=tuple(map(_edge_of, record.edges)),
        description=record.description,
        extra=record.unknown,
    )


def _node_of(record: _NodeRecord) -> Node:
    return Node(
        id=record.id,
        component=record.component,
        params=record.params,
        settings=record.settings,
        title=record.title,
        position=(record.position[0], record.position[1]) if record.position else None,
        comment=record.comment,
        version=record.version,
        extra=record.unknown,
    )


def _edge_of(record: _EdgeRecord) -> Edge:
    from_node, _, from_port = record.begin.partition(".")
    to_node, _, to_port = record.end.partition(".")
    return Edge(from_node, from_port, to_node, to_port, extra=record.unknown)

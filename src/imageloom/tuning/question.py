"""What a study asks, read from its record and checked before anything runs."""

from dataclasses import dataclass
from pathlib import Path

from imageloom.app import Engine
from imageloom.errors import ParameterParsingError
from imageloom.pipeline.checks.check import require_valid
from imageloom.pipeline.graph.changes import apply_changes
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.graph.json_format import pipeline_from_json
from imageloom.pipeline.graph.selection import choose
from imageloom.pipeline.run.request import Asked
from imageloom.tuning.metric import Objective
from imageloom.tuning.study_folder import StudyRecord
from imageloom.tuning.vary import Varied, read_varied


@dataclass(frozen=True)
class Question:
    """What a study asks, as values.

    Attributes:
        name: Of the study.
        pipeline: What is run.
        asked: What is asked of each run, without what is varied.
        varied: What is varied.
        objective: The number by which trials are compared.
    """

    name: str
    pipeline: Pipeline
    asked: Asked
    varied: tuple[Varied, ...]
    objective: Objective


def read_question(engine: Engine, record: StudyRecord) -> Question:
    """Return what a study asks.

    Raises:
        ParameterError: What is to be varied cannot be; the message names parameter and bound.
        UnknownNameError: A node, a parameter or a target is not there.
        InvalidPipelineError: No trial could run; the message lists every problem.
    """
    pipeline = pipeline_from_json(record.pipeline, str(record.pipeline.get("name", "")))
    question = Question(
        name=record.name,
        pipeline=pipeline,
        asked=Asked(
            base=Path(record.base),
            changes=record.changes,
            only=record.only,
            target=record.target,
            command=record.command,
        ),
        varied=read_varied(record.vary, pipeline, engine.components),
        objective=Objective(record.metric, record.node, record.direction),
    )
    _require_valid(engine, question)
    return question


def _require_valid(engine: Engine, question: Question) -> None:
    """Refuse what could not run; the bounds of what is varied were looked at one by one."""
    asked, firsts = question.asked, [one.change(one.space.ends[0]) for one in question.varied]
    if asked.target:
        engine.targets.get(asked.target)
    pipeline = apply_changes(question.pipeline, [*asked.changes, *firsts], engine.components)
    wanted = choose(pipeline, only=asked.only).wanted
    require_valid(pipeline.part(wanted), engine.components, engine.limits)
    fixed = {change.partition("=")[0] for change in asked.changes}
    for one in question.varied:
        if one.name in fixed or one.node not in wanted:
            why = (
                "--set gives it one value as well"
                if one.name in fixed
                else f"no trial comes to that node, for each stops at {', '.join(asked.only)}"
            )
            raise ParameterParsingError(
                f"{one.name} cannot be varied: {why}.",
                hint="Leave one of the two out.",
                details={"parameter": "vary", "value": one.name},
            )

"""The folder of one study in a workspace: what was asked, Optuna's file, and the report."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from imageloom.errors import (
    NoSuchRunError,
    ParameterParsingError,
    StoreCorruptError,
    form_problem,
    unknown_name,
)
from imageloom.files.publish import digest_of_json, read_json, write_json
from imageloom.pipeline.workspace import Workspace
from imageloom.tuning.metric import Direction

FORMAT_VERSION: Final = 1
Prune = Literal["none", "median", "halving"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NOT_ASKED: Final = {"name", "trials", "command", "created", "format_version"}


class StudyRecord(BaseModel):
    """What was asked of a study. Only the number of trials may grow later.

    Attributes:
        format_version: Version of this format.
        kind: Always ``study``.
        name: The study's name, which is that of its folder.
        pipeline: The pipeline as JSON in its current format.
        base: Absolute folder that relative paths in parameters start from.
        vary: What is varied, as a person wrote it.
        changes: Changes that hold in every trial, such as ``train.epochs=10``.
        only: Nodes to stop at; all are run when empty.
        target: Where nodes that can choose run; as each says, when empty.
        metric: Name of the number by which trials are compared.
        node: The node that tells it; empty for the only one that does.
        direction: What is better.
        prune: What stops hopeless trials.
        seed: What the proposals are drawn from.
        trials: How many trials are asked for, the earlier ones among them.
        command: What a person typed, as text.
        created: Seconds since 1970, UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format_version: Literal[1] = FORMAT_VERSION
    kind: Literal["study"] = "study"
    name: str = ""
    pipeline: dict[str, JsonValue]
    base: str
    vary: tuple[str, ...]
    changes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    target: str = ""
    metric: str
    node: str = ""
    direction: Direction
    prune: Prune = "none"
    seed: int = 0
    trials: int
    command: str = ""
    created: float = 0.0

    def question(self) -> dict[str, JsonValue]:
        """Return all that another answer could come from."""
        return self.model_dump(mode="json", exclude=_NOT_ASKED)

    def named(self, name: str) -> "StudyRecord":
        """Return it under a name; by default one that tells pipeline and question.

        Raises:
            ParameterParsingError: No folder can have the name.
        """
        if not name:
            words = re.findall(r"[A-Za-z0-9]+", str(self.pipeline.get("name", "")))
            stem = "-".join(words).lower()[:40].strip("-") or "study"
            name = f"{stem}-{digest_of_json(self.question())[:6]}"
        if not _NAME.fullmatch(name):
            raise ParameterParsingError(
                f"{name!r} cannot be the name of a study.",
                hint="It has 1 to 64 letters A to Z, digits, '-' and '_'.",
                details={"parameter": "name", "value": name},
            )
        return self.model_copy(update={"name": name})


@dataclass(frozen=True)
class StudyFolder:
    """A study on disk.

    Attributes:
        path: The folder, whose name is the study's.
    """

    path: Path

    @property
    def name(self) -> str:
        """The study's name."""
        return self.path.name

    @property
    def record_file(self) -> Path:
        """What was asked."""
        return self.path / "study.json"

    @property
    def storage(self) -> Path:
        """The trials as Optuna keeps them, in SQLite."""
        return self.path / "optuna.sqlite"

    @property
    def lock_file(self) -> Path:
        """Held by the process that makes trials."""
        return self.path / "lock"

    @property
    def report(self) -> Path:
        """The report for people."""
        return self.path / "report.html"

    def exists(self) -> bool:
        """Whether there is such a study."""
        return self.record_file.is_file()

    def record(self) -> StudyRecord:
        """Return what was asked.

        Raises:
            StoreCorruptError: The record is damaged, or was made by a newer version.
        """
        content = read_json(self.record_file, StoreCorruptError)
        try:
            return StudyRecord.model_validate_json(json.dumps(content))
        except ValidationError as problem:
            raise StoreCorruptError(
                f"{self.record_file} is damaged or newer than we: {form_problem(problem)}.",
                hint="Restore the file, or begin a new study; the runs of its trials are whole.",
                reason="damaged",
            ) from problem

    def begin(self, asked: StudyRecord) -> StudyRecord:
        """Write down what is asked, or more trials of a study that asks the same.

        Raises:
            ParameterParsingError: A study of this name asks something else.
            FailedToWriteOutputsError: It cannot be written.
        """
        if self.exists():
            before = self.record()
            others = [
                key for key, value in asked.question().items() if before.question()[key] != value
            ]
            if others:
                raise ParameterParsingError(
                    f"The study {self.name} asks something else: {', '.join(others)}.",
                    hint=f"Give this one another --name, or go on with --resume {self.name}.",
                    reason="other-study",
                    details={"parameter": "name", "value": self.name},
                )
            asked = before.model_copy(update={"trials": asked.trials})
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.record_file, asked.model_dump(mode="json"))
        return asked


def studies_of(workspace: Workspace) -> tuple[StudyFolder, ...]:
    """Return all studies, those begun or continued last at the end."""
    found = [StudyFolder(one.parent) for one in workspace.studies.glob("*/study.json")]
    return tuple(sorted(found, key=lambda one: one.record_file.stat().st_mtime_ns))


def find_study(workspace: Workspace, name: str) -> StudyFolder:
    """Return the study that a person means: its name, or ``last``.

    Raises:
        UnknownNameError: There is none; the message names the nearest.
        NoSuchRunError: There are no studies at all.
    """
    there = studies_of(workspace)
    if not there:
        raise NoSuchRunError(
            f"There are no studies in {workspace.root}.",
            hint="Begin one: imageloom tune PIPELINE --vary NODE.PARAMETER=LOW..HIGH",
            reason="no-study",
        )
    if name == "last":
        return there[-1]
    for one in there:
        if one.name == name:
            return one
    raise unknown_name("study", name, tuple(one.name for one in reversed(there)))

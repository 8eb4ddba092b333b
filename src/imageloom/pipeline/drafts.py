"""Drawn pipelines: every save is a version of its own, and nobody overwrites another's.

One folder each, ``pipelines/ID/000042.json``. A version never changes once it is there; the newest
is the one with the highest number. Who saves says which version they drew on: when that is no
longer the newest, nothing is written, and both stay as they are.
"""

import itertools
import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError, computed_field

from imageloom.errors import (
    NoSuchPipelineError,
    PipelineChangedError,
    StoreCorruptError,
    form_problem,
)
from imageloom.files.locks import locked
from imageloom.files.publish import read_json, write_json
from imageloom.pipeline.graph.json_format import pipeline_from_json, pipeline_to_json
from imageloom.pipeline.graph.old_formats import FORMAT_VERSION as PIPELINE_FORMAT
from imageloom.pipeline.ownership import (
    EVERYBODYS,
    Ownership,
    read_ownership,
    write_ownership,
)
from imageloom.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)
FORMAT_VERSION: Final = 1
_ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")
_VERSION_FILE: Final = re.compile(r"([0-9]{6,})\.json")
_KEPT_VERSIONS: Final = 200  # the newest; of those before, the named ones and one of each day
_DAY_S: Final = 86_400
_OWNER: Final = "owner.json"


class Draft(BaseModel):
    """One version of a drawn pipeline.

    Attributes:
        format_version: Version of this format.
        id: The pipeline's id.
        version: From 1.
        pipeline: The pipeline as JSON in its current format; it may be half drawn.
        saved: When, in seconds since 1970, UTC.
        saved_by: Who saved it.
        base: The version it was drawn on; 0 for the first.
        commands: What was done since then, as a person reads it: ``Add Split Image Directory``.
        label: A name that a person gave this version; empty for an autosave.
        is_newer: Whether a newer Imageloom wrote it: to be looked at, and nothing is saved on it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    format_version: int = FORMAT_VERSION
    id: str
    version: int
    pipeline: dict[str, JsonValue]
    saved: float
    saved_by: str
    base: int = 0
    commands: tuple[str, ...] = ()
    label: str = ""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def is_newer(self) -> bool:
        """Whether a newer Imageloom wrote it, or what is drawn in it."""
        written = self.pipeline.get("format_version")
        is_newer = isinstance(written, int) and written > PIPELINE_FORMAT
        return is_newer or self.format_version > FORMAT_VERSION


@dataclass(frozen=True)
class Drafts:
    """All drawn pipelines of a workspace."""

    workspace: Workspace

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all, newest first."""
        found = (one.name for one in self.workspace.pipelines.glob("*") if _ID.fullmatch(one.name))
        return tuple(sorted(found, reverse=True))

    def folder(self, draft_id: str) -> Path:
        """Return where all versions of a drawn pipeline lie; its id must be that of one."""
        return self.workspace.pipelines / draft_id

    def newest(self, is_wanted: Callable[[Ownership], bool] = lambda _: True) -> Iterator[Draft]:
        """Yield the newest version of each that can be read, the newest pipeline first.

        Args:
            is_wanted: Told whose one is; of those that are not wanted nothing is read.
        """
        for one in self.ids():
            if is_wanted(read_ownership(self.folder(one) / _OWNER)):
                yield from itertools.islice(self.whole_versions(one), 1)

    def whole_versions(self, draft_id: str) -> Iterator[Draft]:
        """Yield the versions that can be read, the newest first; of others the log says why."""
        for version in self.versions(draft_id):
            file = self._file(draft_id, version)
            try:
                yield _read(file)
            except StoreCorruptError as problem:
                if file.exists():  # else it was deleted at this moment, or thinned out
                    logger.warning("%s", problem)

    def versions(self, draft_id: str) -> tuple[int, ...]:
        """Return the numbers of the versions that are kept, the newest first; empty for none."""
        if not _ID.fullmatch(draft_id):
            return ()
        matches = (_VERSION_FILE.fullmatch(one.name) for one in self.folder(draft_id).glob("*"))
        return tuple(sorted((int(match[1]) for match in matches if match), reverse=True))

    def read(self, draft_id: str, version: int | None = None) -> Draft:
        """Return a version, by default the newest.

        Raises:
            NoSuchPipelineError: There is no such pipeline or version.
            StoreCorruptError: Its file is damaged, or a newer Imageloom wrote it in a form that
                cannot even be looked at here.
        """
        known = self.versions(draft_id)
        if not known:
            raise no_such_pipeline(draft_id)
        number = known[0] if version is None else version
        if number not in known:
            raise NoSuchPipelineError(
                f"Pipeline {draft_id} has no version {number}.",
                hint=f"The newest is {known[0]}; autosaves of earlier days are thinned out.",
                reason="no-version",
            )
        return _read(self._file(draft_id, number))

    def ownership(self, draft_id: str) -> Ownership:
        """Return whose a drawn pipeline is, also of one that is damaged.

        Raises:
            NoSuchPipelineError: There is none.
        """
        if not self.versions(draft_id):
            raise no_such_pipeline(draft_id)
        return read_ownership(self.folder(draft_id) / _OWNER)

    def set_ownership(self, draft_id: str, ownership: Ownership) -> None:
        """Write down whose a drawn pipeline is.

        Raises:
            NoSuchPipelineError: There is none.
            FailedToWriteOutputsError: The workspace cannot be written.
        """
        self.ownership(draft_id)
        write_ownership(self.folder(draft_id) / _OWNER, ownership)

    def create(
        self,
        content: dict[str, JsonValue],
        *,
        saved_by: str,
        label: str = "",
        ownership: Ownership = EVERYBODYS,
    ) -> Draft:
        """Begin a drawn pipeline.

        Args:
            content: The pipeline as JSON; it may be half drawn, and of an earlier format.
            saved_by: Who asks.
            label: A name for the version.
            ownership: Whose it is.

        Raises:
            InvalidPipelineError: It is not the form of a pipeline.
            FailedToWriteOutputsError: The workspace cannot be written.
        """
        now = time.time()
        second = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        draft = Draft(
            id=f"{second}-{secrets.token_hex(2)}",
            version=1,
            pipeline=_normal(content),
            saved=now,
            saved_by=saved_by,
            label=label,
        )
        if ownership != EVERYBODYS:  # first: there is no pipeline before its first version
            write_ownership(self.folder(draft.id) / _OWNER, ownership)
        self._write(draft)
        return draft

    def save(
        self,
        draft_id: str,
        content: dict[str, JsonValue],
        *,
        base: int,
        saved_by: str,
        commands: Sequence[str] = (),
        label: str = "",
    ) -> Draft:
        """Write the next version.

        What was saved on the same version with the same content is there already, so a save that is
        sent twice because its answer was lost counts once.

        Raises:
            NoSuchPipelineError: It was deleted meanwhile.
            PipelineChangedError: The newest version is not ``base``; ``details`` has both numbers.
            InvalidPipelineError: The content is not the form of a pipeline.
            StoreCorruptError: The newest version is damaged, or of a newer Imageloom.
            FailedToWriteOutputsError: The workspace cannot be written.
        """
        normal = _normal(content)
        self.read(draft_id)
        with locked(self.folder(draft_id) / "lock"):
            newest = self.read(draft_id)
            if newest.is_newer:
                raise _newer(self._file(draft_id, newest.version))
            if newest.base == base and newest.pipeline == normal and newest.saved_by == saved_by:
                return newest
            if newest.version != base:
                raise PipelineChangedError(
                    f"{newest.saved_by} saved version {newest.version} of this pipeline, but "
                    f"yours was drawn on version {base}.",
                    hint="Keep yours as a copy, or take theirs; nothing was overwritten.",
                    details={"base": base, "newest": newest.version},
                )
            draft = Draft(
                id=draft_id,
                version=base + 1,
                pipeline=normal,
                saved=time.time(),
                saved_by=saved_by,
                base=base,
                commands=tuple(commands),
                label=label,
            )
            self._write(draft)
            self._thin(draft_id)
        return draft

    def _thin(self, draft_id: str) -> None:
        """Remove old autosaves, but for the last of each day."""
        days: set[float] = set()
        for version in self.versions(draft_id)[_KEPT_VERSIONS:]:
            file = self._file(draft_id, version)
            try:
                draft = _read(file)
            except StoreCorruptError:  # left for whoever can read it
                continue
            if draft.is_newer:  # likewise
                continue
            day = draft.saved // _DAY_S
            if not draft.label and day in days:
                file.unlink(missing_ok=True)
            days.add(day)

    def _write(self, draft: Draft) -> None:
        write_json(
            self._file(draft.id, draft.version), draft.model_dump(mode="json", exclude={"is_newer"})
        )

    def _file(self, draft_id: str, version: int) -> Path:
        return self.folder(draft_id) / f"{version:06}.json"


def no_such_pipeline(draft_id: str) -> NoSuchPipelineError:
    """Return the error for a drawn pipeline that is not there, or that somebody may not see."""
    return NoSuchPipelineError(
        f"There is no drawn pipeline {draft_id!r}.",
        hint="Was it deleted? The list of pipelines shows those there are.",
    )


def _normal(content: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a pipeline in today's format; what is unknown in it stays."""
    return pipeline_to_json(pipeline_from_json(content, str(content.get("name", "The pipeline"))))


def _read(file: Path) -> Draft:
    content = read_json(file, StoreCorruptError)
    written = content.get("format_version")
    try:
        return Draft.model_validate_json(json.dumps(content))
    except ValidationError as problem:
        if isinstance(written, int) and written > FORMAT_VERSION:
            raise _newer(file) from problem
        raise StoreCorruptError(
            f"{file} is damaged: {form_problem(problem)}.",
            hint="An earlier version of the pipeline may be whole.",
            reason="damaged",
        ) from problem


def _newer(file: Path) -> StoreCorruptError:
    return StoreCorruptError(
        f"{file} was written by a newer Imageloom: this one reads format version {FORMAT_VERSION} "
        f"of drawn pipelines, and {PIPELINE_FORMAT} of what is drawn.",
        hint="Open it with the version of Imageloom that wrote it. It was left as it is.",
        reason="newer",
    )

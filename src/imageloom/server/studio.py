"""What all answers share: the engine, who asks, and which folders they may see."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from fastapi import Depends, Request
from pydantic import JsonValue

from imageloom.app import Engine
from imageloom.data.previews.client import PictureHelper
from imageloom.errors import ImageloomError, InvalidRequestError, OutputInUseError
from imageloom.pipeline.drafts import Draft, Drafts, no_such_pipeline
from imageloom.pipeline.ownership import EVERYBODYS, Ownership, Viewpoint, Whose
from imageloom.pipeline.run.outside_memo import OutsideMemo
from imageloom.pipeline.run_folder import RunFolder, no_such_run
from imageloom.pipeline.run_record import NodeFacts, RunRecord
from imageloom.pipeline.store.recycle_bin import RecycleBin
from imageloom.scoring.model_process.client import ModelHelper
from imageloom.server.access import Visitor
from imageloom.server.needs import Deeds
from imageloom.server.people.register import People
from imageloom.server.people.roles import Role
from imageloom.server.receiver import PartsReceiver
from imageloom.server.roots import Roots
from imageloom.spec.component import Outside
from imageloom.spec.node_state import RunState

_ALL_RUNS: Final = 10_000


@dataclass(frozen=True)
class Studio:
    """A studio on one workspace.

    Attributes:
        engine: Runs pipelines.
        roots: Folders in which a person may look for pictures.
        user: Who asks: the person who started it, or a user who is signed in.
        base: Absolute folder that relative paths in parameters start from.
        pictures: Makes them small, in processes of its own.
        models: Names pictures and says why, in a process of its own.
        memo: What was seen of them a moment ago.
        parts: Takes parts of uploads in, a few at a time.
        dropped: Takes pictures in that a model shall name, fewer at a time: each comes whole.
        people: Who may sign in; None where only the machine's owner asks.
        role: What who asks may do.
        deeds: What the request does, as it is written down.
    """

    engine: Engine
    roots: Roots
    user: str
    base: Path
    pictures: PictureHelper
    models: ModelHelper
    memo: OutsideMemo = field(default_factory=OutsideMemo)
    parts: PartsReceiver = field(default_factory=PartsReceiver)
    dropped: PartsReceiver = field(
        default_factory=lambda: PartsReceiver(
            most_at_once=2, word="picture", smaller="Make it smaller, or crop it."
        )
    )
    people: People | None = None
    role: Role = Role.ADMIN
    deeds: Deeds = field(default_factory=lambda: Deeds(""))

    @property
    def drafts(self) -> Drafts:
        """The drawn pipelines, whosever they are."""
        return Drafts(self.engine.workspace)

    @property
    def recycle_bin(self) -> RecycleBin:
        """What was deleted, whosever it was."""
        return RecycleBin(self.engine.workspace)

    @property
    def owner(self) -> str:
        """To whom what is made now belongs; empty for the machine's owner."""
        return "" if self.people is None else self.user

    @property
    def ownership(self) -> Ownership:
        """Whose what is made now is: a user's own, until they share it."""
        return Ownership(owner=self.owner, is_shared=False) if self.owner else EVERYBODYS

    def viewpoint(self, whose: Whose = Whose.ALL) -> Viewpoint:
        """Return what who asks sees, or a part of it."""
        sees_all = self.people is None or self.role is Role.ADMIN
        return Viewpoint(person=self.owner, sees_all=sees_all, whose=whose)

    def may_change(self, one: Ownership) -> bool:
        """Whether who asks may change a thing that they see: their own, and admins all."""
        if self.people is None or self.role is Role.ADMIN:
            return True
        return self.role is Role.EDITOR and one.owner == self.user

    def require_mine(self, one: Ownership) -> None:
        """Refuse to change what belongs to somebody else.

        Raises:
            InvalidRequestError: It does.
        """
        if not self.may_change(one):
            raise InvalidRequestError(
                f"This belongs to {one.owner or 'the owner of the machine'}.",
                hint="Make a copy of it, and change that.",
                reason="not-yours",
            )

    def run(self, run_id: str, *, to_change: bool = False) -> RunFolder:
        """Return a run by its whole id.

        Args:
            run_id: Its id.
            to_change: Whether it is going to be stopped, gone on with, shared or deleted.

        Raises:
            NoSuchRunError: There is none that who asks may see.
            InvalidRequestError: It is somebody else's, and shall be changed.
        """
        run = self.engine.workspace.run(run_id)
        if self.people is not None and run.exists():
            ownership = run.ownership
            if not self.viewpoint().shows(ownership):
                raise no_such_run(run_id)
            if to_change:
                self.require_mine(ownership)
        run.require()
        return run

    def node(self, run_id: str, node: str) -> tuple[RunFolder, NodeFacts | None]:
        """Return a run and what is known of one of its nodes; None before anything is.

        Raises:
            NoSuchRunError: There is no such run or node.
        """
        run = self.run(run_id)
        run.record().require_node(node)
        return run, run.states().get(node)

    def require_draft(self, draft_id: str, *, to_change: bool = False) -> Ownership:
        """Refuse a drawn pipeline that who asks may not see, or not change; return whose it is.

        Raises:
            NoSuchPipelineError: There is none that they may see.
            InvalidRequestError: It is somebody else's, and shall be changed.
        """
        found = self.drafts.ownership(draft_id)
        if not self.viewpoint().shows(found):
            raise no_such_pipeline(draft_id)
        if to_change:
            self.require_mine(found)
        return found

    def create_draft(self, content: Mapping[str, JsonValue], *, label: str = "") -> Draft:
        """Begin a drawn pipeline that belongs to who asks.

        Args:
            content: The pipeline as JSON; it may be half drawn.
            label: A name for its first version.
        """
        made = self.drafts.create(
            dict(content), saved_by=self.user, label=label, ownership=self.ownership
        )
        self.deeds.on = made.id
        return made

    def require_unread(self, place: Path) -> None:
        """Refuse to touch what a run that has not ended reads.

        Raises:
            OutputInUseError: A run does; the message names it to those who may see it.
        """
        for state in (RunState.RUNNING, RunState.QUEUED):
            for row in self.engine.index.list(state=state, limit=_ALL_RUNS):
                run = self.engine.workspace.run(row.id)
                if any(place == read for read in self._read_by(run.record())):
                    is_seen = self.viewpoint().shows(run.ownership)
                    who = f"Run {row.id}" if is_seen else "A run of somebody else"
                    raise OutputInUseError(
                        f"{who} reads {place}.",
                        hint="Wait until it has ended, or stop it first.",
                        reason="in-use",
                    )

    def _read_by(self, record: RunRecord) -> Iterator[Path]:
        outside = Outside(base=Path(record.base), uploads=self.engine.workspace.uploads)
        for node in record.resolved.values():
            if node.component not in self.engine.components:
                continue
            component = self.engine.components.get(node.component)
            if component.reads is not None:
                with contextlib.suppress(ImageloomError):  # it does not say what it reads
                    yield component.reads(component.params.parse(node.params), outside)


def _studio(request: Request) -> Studio:
    """Return the studio as who asks has it."""
    studio = request.app.state.studio
    assert isinstance(studio, Studio)
    visitor = request.state.visitor
    deeds = getattr(request.state, "deed", studio.deeds)
    if studio.people is None or not isinstance(visitor, Visitor) or visitor.person is None:
        return dataclasses.replace(studio, deeds=deeds)
    person = visitor.person
    return dataclasses.replace(studio, user=person.name, role=person.role, deeds=deeds)


StudioNow = Annotated[Studio, Depends(_studio)]

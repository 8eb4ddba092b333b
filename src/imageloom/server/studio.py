"""What all answers share: the engine, who asks, and which folders they may see."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from fastapi import Depends, Request

from imageloom.app import Engine
from imageloom.data.previews.client import PictureHelper
from imageloom.errors import ImageloomError, OutputInUseError
from imageloom.pipeline.drafts import Drafts
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.run.outside_memo import OutsideMemo
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts, RunRecord
from imageloom.scoring.model_process.client import ModelHelper
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
        user: Who asks: the person who started it.
        base: Absolute folder that relative paths in parameters start from.
        pictures: Makes them small, in processes of its own.
        models: Names pictures and says why, in a process of its own.
        memo: What was seen of them a moment ago.
        parts: Takes parts of uploads in, a few at a time.
        dropped: Takes pictures in that a model shall name, fewer at a time: each comes whole.
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

    @property
    def drafts(self) -> Drafts:
        """The drawn pipelines."""
        return Drafts(self.engine.workspace)

    def run(self, run_id: str) -> RunFolder:
        """Return a run by its whole id.

        Raises:
            NoSuchRunError: There is none.
        """
        run = self.engine.workspace.run(run_id)
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

    def require_inside_roots(self, pipeline: Pipeline) -> None:
        """Refuse a pipeline that reads what a person may not see.

        Raises:
            CouldNotOpenFileError: A node reads from outside the roots and the uploads.
            ParameterError: A node does not say what it reads.
        """
        uploads = self.engine.workspace.uploads
        outside = Outside(base=self.base, uploads=uploads)
        for node in pipeline.nodes:
            if node.component not in self.engine.components:
                continue
            component = self.engine.components.get(node.component)
            if component.reads is not None:
                place = component.reads(component.params.parse(dict(node.params)), outside)
                if not place.is_relative_to(uploads):
                    self.roots.require(place)

    def require_unread(self, place: Path) -> None:
        """Refuse to touch what a run that has not ended reads.

        Raises:
            OutputInUseError: A run does; the message names it.
        """
        for state in (RunState.RUNNING, RunState.QUEUED):
            for row in self.engine.index.list(state=state, limit=_ALL_RUNS):
                if any(place == read for read in self._read_by(self.run(row.id).record())):
                    raise OutputInUseError(
                        f"Run {row.id} reads {place}.",
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
    studio = request.app.state.studio
    assert isinstance(studio, Studio)
    return studio


StudioNow = Annotated[Studio, Depends(_studio)]

"""A training as trackers know it: its name, where its position lies, and where its files may be."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from imageloom.tracking.tracker import TrackedRun
from imageloom.tracking.training_files import TrainingFiles


class Tracked(BaseModel):
    """A training that is tracked.

    Attributes:
        name: As people read it in a tracker: RUN, or RUN/NODE for a node of a pipeline.
        group: The run of a pipeline that it is part of, or empty.
        folder: Where what trackers remember lies, in ``tracking/``.
        places: Where its files may lie; the first place that has a record counts.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    group: str = ""
    folder: Path
    places: tuple[TrainingFiles, ...]

    def there(self) -> TrainingFiles | None:
        """Return its files; None where there are none yet."""
        return next((files for files in self.places if files.is_there), None)

    def as_run(self, id: str) -> TrackedRun:
        """Return what a tracker is opened with."""
        return TrackedRun(id, self.name, self.group, self.folder)

"""Trainings made of files alone, and a tracker that remembers what it was told."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from imageloom.errors import CannotResumeError
from imageloom.files.series.names import SeriesName
from imageloom.files.series.writer import SeriesWriter, cut_series
from imageloom.tracking.follow import Teller
from imageloom.tracking.place import Tracked
from imageloom.tracking.position import position_file, read_position
from imageloom.tracking.training_files import TrainingFiles

LOSS = SeriesName("Train loss", "nats", "step")
RATE = SeriesName("learning rate", "", "step")
LOSS_OF_EPOCH = SeriesName("Train loss", "nats", "epoch")
VALID = SeriesName("Valid loss", "nats", "epoch")
STEPS_PER_EPOCH = 4


@dataclass(frozen=True)
class ToyTraining:
    """The files of a training that nobody trains."""

    path: Path

    @property
    def files(self):
        return TrainingFiles(
            record=self.path / "run.json",
            series=self.path / "series",
            report=self.path / "report.html",
            model=self.path / "model",
        )

    @property
    def tracked(self):
        return Tracked(name=self.path.name, folder=self.path, places=(self.files,))

    def record(self, state="running", *, print_frequency=1, **more):
        ended = None if state == "running" else "2026-01-01T00:00:00Z"
        asked = {"epochs": 3, "batch_size": 16, "print_frequency": print_frequency}
        content = {"format_version": 1, "state": state, "ended": ended, "asked": asked, **more}
        self.path.mkdir(exist_ok=True)
        self.files.record.write_text(json.dumps(content))

    def steps(self, first, last, *, rank=0, loss=lambda step: 1 / step):
        """Write what was measured from one step to before another."""
        names = (LOSS, RATE, LOSS_OF_EPOCH, VALID)
        with SeriesWriter(self.files.series, names, rank=rank, error=CannotResumeError) as writer:
            for step in range(first, last):
                epoch = step / STEPS_PER_EPOCH
                writer.append({LOSS: loss(step), RATE: 0.5}, step=step, epoch=epoch)
                if epoch.is_integer():
                    values = {LOSS_OF_EPOCH: 1.0, VALID: 10 * epoch}
                    writer.append(values, step=step, epoch=int(epoch))

    def cut(self, step, epochs):
        """Take away what a checkpoint does not know, as a training does that goes on from it."""
        cut_series(self.files.series, rank=0, step=step, epochs=epochs, error=CannotResumeError)

    def publish(self):
        """Write what is there at the end: a report, and a model of two files."""
        self.files.report.write_text("<p>report</p>")
        self.files.model.mkdir(exist_ok=True)
        (self.files.model / "model.json").write_text("{}")
        (self.files.model / "weights.safetensors").write_bytes(b"weights")


@dataclass
class ToySession:
    """A tracker that keeps all it is told; it can be told to fail after so many calls."""

    is_safe_at_close: bool = False
    calls: list = field(default_factory=list)
    points: list = field(default_factory=list)
    fails_after: int = 1_000_000

    def _note(self, *call):
        if len(self.calls) >= self.fails_after:
            raise ConnectionError("nobody answers")
        self.calls.append(call)

    def parameters(self, values):
        self._note("parameters", dict(values))

    def scalars(self, points):
        self._note("scalars", len(points))
        self.points += points

    def file(self, name, path):
        assert path.exists()
        self._note("file", name)

    def state(self, state):
        self._note("state", state)

    def memory(self):
        return {"calls": len(self.calls)}

    def close(self):
        self._note("close")

    def of(self, name):
        """Return the steps and values of a curve, in the order in which they were told."""
        return [(point.step, point.value) for point in self.points if point.name == name]

    @property
    def told(self):
        """Return the calls that are no curves."""
        return [call for call in self.calls if call[0] not in ("scalars", "parameters")]


@pytest.fixture
def training(tmp_path):
    return ToyTraining(tmp_path / "run")


@pytest.fixture
def teller_of(training):
    """Return a function that opens a tracker where it was left."""

    def open_teller(session):
        file = position_file(training.path, "toy")
        return Teller(lambda: session, read_position(file), file)

    return open_teller

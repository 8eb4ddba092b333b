"""TensorBoard: a file of events in the run's folder, for ``tensorboard --logdir RUNS``."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imageloom.tracking.tracker import TRACKERS, Tracker

if TYPE_CHECKING:
    from pydantic import JsonValue

    from imageloom.tracking.tracker import Memory, Point, TrackedRun, TrainingState, Variables

FOLDER: Final = "tensorboard"
_VERSION: Final = "brain.Event:2"  # what the first record of such a file says
_TEXT: Final = "text"  # the name of TensorBoard's plug-in for texts


class TensorBoardSession:
    """Appends to the one file of events of a training.

    What was written behind the length that is remembered is cut away first: a process that was
    killed there had no time to say so, so it is written again.
    """

    is_safe_at_close = False

    def __init__(self, run: TrackedRun, memory: Memory, variables: Variables) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        path = Path(_place(run, variables)) / f"events.out.tfevents.{run.id}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        self._file = path.open("r+b")
        length = memory.get("bytes")
        self._file.truncate(min(length, path.stat().st_size) if isinstance(length, int) else 0)
        self._file.seek(0, os.SEEK_END)
        self._writer = RecordWriter(self._file)
        if not self._file.tell():
            self._write(time.time(), file_version=_VERSION)

    def parameters(self, values: Mapping[str, JsonValue]) -> None:
        """Write them as a table, and for the page of hyperparameters."""
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb

        rows = "\n".join(f"| {name} | {_cell(value)} |" for name, value in values.items())
        self._text("parameters", f"| Parameter | Value |\n|---|---|\n{rows}")
        plain = {name: _plain(value) for name, value in values.items()}
        self._write(time.time(), summary=hparams_pb(plain))
        self._file.flush()

    def scalars(self, points: Sequence[Point]) -> None:
        """Write values under their own steps and times."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        for point in points:
            value = Summary.Value(tag=point.name, simple_value=point.value)
            self._write(point.time, step=point.step, summary=Summary(value=[value]))
        self._file.flush()

    def file(self, name: str, path: Path) -> None:
        """Write where it lies, for TensorBoard keeps no files."""
        self._text(name, f"`{path}`")
        self._file.flush()

    def state(self, state: TrainingState) -> None:
        """Write it among the texts."""
        self._text("state", state)
        self._file.flush()

    def memory(self) -> Memory:
        """Return how long the file is."""
        return {"bytes": self._file.tell()}

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _text(self, tag: str, text: str) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.types_pb2 import DT_STRING

        plugin = SummaryMetadata.PluginData(plugin_name=_TEXT)
        value = Summary.Value(
            tag=tag,
            metadata=SummaryMetadata(plugin_data=plugin),
            tensor=TensorProto(dtype=DT_STRING, string_val=[text.encode()]),
        )
        self._write(time.time(), summary=Summary(value=[value]))

    def _write(self, moment: float, **content: object) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.write(Event(wall_time=moment, **content).SerializeToString())


def _cell(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace("|", "\\|").replace("\n", " ")


def _plain(value: JsonValue) -> str | float | bool:
    return value if isinstance(value, bool | int | float | str) else json.dumps(value)


def _place(run: TrackedRun, _variables: Variables) -> str:
    return str(run.folder / FOLDER)


TRACKERS.declare(
    "tensorboard",
    Tracker(
        name="tensorboard",
        title="TensorBoard",
        packages=("tensorboard",),
        extra="tensorboard",
        place=_place,
        lacking=lambda _variables: None,
        open=TensorBoardSession,
    ),
)

"""What ``state.json`` of a checkpoint holds: where the loop stands, and what is no tensor."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from imageloom.errors import CannotResumeError
from imageloom.files.publish import read_json
from imageloom.metrics import ScoreSums
from imageloom.training.early_stop import EarlyStop

STATE_FILE: Final = "state.json"
_MOST: Final = 2**53  # as many as a sum over processes can count
_WORDS: Final = 624  # of the Mersenne Twister
_Words = tuple[Annotated[int, Field(ge=0, lt=2**32)], ...]


@dataclass(frozen=True)
class LoopState:
    """Where the loop stands, besides the tensors.

    Attributes:
        epoch: Epochs completed, validation included.
        steps_in_epoch: Optimizer steps completed in the epoch under way.
        step: Optimizer steps completed in all.
        sums: Over the training pictures of the epoch under way.
        interval: Likewise since figures were last recorded.
        early_stop: What validation has shown.
        best_checkpoint: Name of the checkpoint with the best epoch's network; empty before it.
        epoch_seconds: Time spent training in the epoch under way.
        waiting_seconds: Part of it spent waiting for pictures.
        events_bytes: Length of ``events.jsonl``; later rows are made again after a resume.
    """

    epoch: int = 0
    steps_in_epoch: int = 0
    step: int = 0
    sums: ScoreSums = field(default_factory=ScoreSums)
    interval: ScoreSums = field(default_factory=ScoreSums)
    early_stop: EarlyStop = field(default_factory=EarlyStop)
    best_checkpoint: str = ""
    epoch_seconds: float = 0.0
    waiting_seconds: float = 0.0
    events_bytes: int = 0

    @property
    def name(self) -> str:
        """Name of this state's checkpoint."""
        # The end of an epoch is not its last step: validation lies between them.
        return f"step-{self.step:09d}" + ("-end-of-epoch" if self.ends_epoch else "")

    @property
    def ends_epoch(self) -> bool:
        """Whether an epoch, validation included, has just ended."""
        return self.epoch > 0 and self.steps_in_epoch == 0


class GeneratorNumbers(BaseModel):
    """The states of Python's and NumPy's global random generators, as their functions give them.

    NumPy believes a position without looking, and reads beyond its words.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    python: tuple[
        Literal[3],
        Annotated[_Words, Field(min_length=_WORDS + 1, max_length=_WORDS + 1)],
        float | None,
    ]
    numpy: tuple[
        Literal["MT19937"],
        Annotated[_Words, Field(min_length=_WORDS, max_length=_WORDS)],
        Annotated[int, Field(ge=0, le=_WORDS)],
        Literal[0, 1],
        float,
    ]


class CheckpointRecord(BaseModel):
    """What ``state.json`` holds.

    Attributes:
        state: Where the loop stands.
        optimizer: The optimizer's groups of parameters.
        generators: Of the first process.
        processes: How many trained; checkpoints of version 0.1.0 do not say.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    state: LoopState
    optimizer: list[dict[str, JsonValue]]
    generators: GeneratorNumbers
    processes: Annotated[int, Field(ge=1)] = 1


def read_checkpoint_record(path: Path) -> CheckpointRecord:
    """Return what ``state.json`` in a checkpoint's folder holds.

    Raises:
        CannotResumeError: It is not as it was written, or is another checkpoint's.
    """
    file = path / STATE_FILE
    content = read_json(file, CannotResumeError)
    try:
        record = CheckpointRecord.model_validate_json(json.dumps(content))
    except ValidationError as problem:
        raise not_as_written(file, _first(problem)) from problem
    state = record.state
    counts = [value for part in _parts(state) for value in vars(part).values()]
    if not all(0 <= number <= _MOST for number in counts if isinstance(number, int)):
        raise not_as_written(file, "a count is below 0 or above what can be counted")
    if state.name != path.name:
        raise not_as_written(file, f"it is the state of {state.name}")
    if Path(state.best_checkpoint).name != state.best_checkpoint or "\0" in state.best_checkpoint:
        raise not_as_written(file, f"{state.best_checkpoint!r} is no name of a checkpoint")
    return record


def _parts(state: LoopState) -> tuple[LoopState | ScoreSums | EarlyStop, ...]:
    return state, state.sums, state.interval, state.early_stop


def _first(problem: ValidationError) -> str:
    first = problem.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"


def not_as_written(file: Path, what: str) -> CannotResumeError:
    """Return the error for a file of a checkpoint that no training has left so."""
    return CannotResumeError(
        f"{file} is not as it was written: {what}.",
        hint="It was changed. Restore it, or go on from an earlier checkpoint.",
        reason="damaged",
        details={"file": file.name},
    )

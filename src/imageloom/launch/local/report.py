"""How the work of a rank ended, and the file by which it tells the process that started it."""

import contextlib
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from imageloom.distributed.lost_peers import LOST_REASON, SILENT_REASON, reason_of_loss
from imageloom.errors import (
    FailedToWriteOutputsError,
    ImageloomError,
    RunInterruptedError,
    any_error,
    error_from_json,
    printable,
)
from imageloom.files.publish import write_json

FOLDER_VARIABLE: Final = "IMAGELOOM_LAUNCH_FOLDER"
EVENTS_FILE: Final = "events.jsonl"  # of rank 0
_IN_THE_LOG: Final = "The log of this rank holds the whole traceback."
TOLD_BY: Final = "told_by_rank"  # in an error's details: the rank that tells a person of it


class Answer(BaseModel):
    """How the work of one rank ended; a rank that was killed leaves none.

    Attributes:
        state: Whether it did all its work, stopped because it was asked to, or could not go on.
        time: When, in seconds since 1970, before anything else could follow from it.
        error: The content of ``error_info.json``, unless it completed.
        traceback: Where in the program that was.
        blames_others: Whether all it says is that another rank did not answer.
        reason: What asked it to stop, such as ``SIGTERM``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    state: Literal["completed", "interrupted", "failed"]
    time: float
    error: dict[str, JsonValue] | None = None
    traceback: str = ""
    blames_others: bool = False
    reason: str = ""


def completed() -> Answer:
    """Return the answer of a rank that has done all its work, now."""
    return Answer(state="completed", time=time.time())


def answer_to(problem: BaseException, *, reason: str) -> Answer:
    """Return the answer of a rank whose work raised something, now.

    Args:
        problem: What it raised.
        reason: What asked the rank to stop, if anything did.
    """
    moment = time.time()
    if isinstance(problem, RunInterruptedError):
        content = {"state": "interrupted", "time": moment, "reason": reason}
        return Answer.model_validate({**content, "error": problem.to_json()})
    return Answer.model_validate(
        {
            "state": "failed",
            "time": moment,
            "error": any_error(problem, _IN_THE_LOG).to_json(),
            "traceback": printable("".join(traceback.format_exception(problem))),
            "blames_others": any(_is_loss_of_another(one) for one in _chain(problem)),
        }
    )


def write_answer(folder: Path, rank: int, answer: Answer) -> None:
    """Publish the answer of a rank."""
    write_json(_path(folder, rank), answer.model_dump(mode="json"))


def write_error_file(answer: Answer, environment: Mapping[str, str]) -> None:
    """Tell torchrun of a rank's own error, where torchrun started it; it shows the earliest.

    Source:
        torch/distributed/elastic/multiprocessing/errors/error_handler.py (record_exception)
    """
    path = environment.get("TORCHELASTIC_ERROR_FILE")
    if not path:
        return
    error = error_from_json(answer.error or {})
    content = {
        "message": f"{type(error).__name__}: {error}",
        "extraInfo": {"py_callstack": answer.traceback, "timestamp": str(int(answer.time))},
    }
    with contextlib.suppress(FailedToWriteOutputsError):  # the error itself matters more
        write_json(Path(path), {"message": content})


def read_answer(folder: Path, rank: int) -> Answer | None:
    """Return the answer of a rank, or None if it left none that can be read."""
    try:
        return Answer.model_validate_json(_path(folder, rank).read_bytes())
    except (OSError, ValidationError):
        return None


def error_of(answer: Answer, *, rank_name: str) -> ImageloomError:
    """Return the error that a rank raised, with a message that begins with the rank's name."""
    content = answer.error or {}
    message = str(content.get("message", "no message"))
    named = message if message.startswith(rank_name) else f"{rank_name}: {message}"
    return error_from_json({**content, "message": named})


def _chain(problem: BaseException) -> Iterator[BaseException]:
    """Yield an error, what it was raised for, and so on."""
    seen: set[int] = set()
    one: BaseException | None = problem
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _is_loss_of_another(problem: BaseException) -> bool:
    """Whether an error says no more than that another rank is gone or does not answer."""
    if isinstance(problem, ImageloomError):
        return problem.reason in (SILENT_REASON, LOST_REASON)
    return bool(reason_of_loss(problem))


def _path(folder: Path, rank: int) -> Path:
    return folder / f"answer_{rank}.json"

"""What a rank tells the process that started it: files in a folder that both know."""

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from imageloom.errors import ImageloomError, error_from_json
from imageloom.publish import write_json

FOLDER_VARIABLE: Final = "IMAGELOOM_LAUNCH_FOLDER"
EVENTS_FILE: Final = "events.jsonl"  # of rank 0


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


def write_answer(folder: Path, rank: int, answer: Answer) -> None:
    """Publish the answer of a rank."""
    write_json(_path(folder, rank), answer.model_dump(mode="json"))


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


def _path(folder: Path, rank: int) -> Path:
    return folder / f"answer_{rank}.json"

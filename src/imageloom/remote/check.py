"""Whether a target works: a hello of two ranks that runs there as any job does."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter

from imageloom.errors import (
    FailedToWriteOutputsError,
    ImageloomError,
    TimeoutOccuredError,
    WorkerLostError,
)
from imageloom.events import Control, Notice
from imageloom.files.publish import read_json
from imageloom.remote.hello import HELLO_FILE
from imageloom.spec.job import LOG_FILE
from imageloom.spec.scale import Scale
from imageloom.spec.target import Target, Work

RANKS: Final = 2
_POLL_S: Final = 0.1
_END_S: Final = 30.0


class Greeting(BaseModel):
    """What one rank said.

    Attributes:
        rank: Its number.
        world_size: How many there were.
        host: Name of its machine.
        python: Version.
        torch: Version.
        imageloom: Version.
        gpus: How many GPUs it sees.
        seconds: From its first line to the end of the exchange.
    """

    model_config = ConfigDict(frozen=True)

    rank: int
    world_size: int
    host: str
    python: str
    torch: str
    imageloom: str
    gpus: int
    seconds: float


def say_hello(
    target: Target, folder: Path, *, timeout_s: float, control: Control
) -> list[Greeting]:
    """Run a hello on a target and return what its ranks said.

    Args:
        target: Where it runs: a rank on each of two machines where the target brings them, else two
            on one, or one where there is no room for more.
        folder: A new folder on storage that the target sees. It stays only when the hello fails.
        timeout_s: How long to wait, the time in a queue included.
        control: Hears why it waits; stops it.

    Raises:
        TimeoutOccuredError: It did not end in time.
        WorkerLostError: It ended without an answer.
        RunInterruptedError: Somebody asked to stop.
        ImageloomError: As the target, or the rank that failed first.
    """
    limits = target.limits
    nodes, processes = min(RANKS, limits.nodes), min(RANKS, limits.processing_units_per_node)
    program = ("-m", "imageloom.remote.hello", str(folder), str(processes))
    _make(folder)
    work = Work(program, demand="heavy", scale=Scale(nodes, nodes, processes))
    target.start(folder, work)
    with _ended_afterwards(target, folder):
        reason = _wait(target, folder, timeout_s=timeout_s, control=control)
    answer = _answer(folder, target, reason)
    shutil.rmtree(folder, ignore_errors=True)
    return answer


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as problem:
        raise FailedToWriteOutputsError(
            f"{folder} could not be made: {problem.strerror or problem}.",
            hint="The hello runs in the workspace, which IMAGELOOM_WORKSPACE names.",
            reason="os-error",
        ) from problem


@contextlib.contextmanager
def _ended_afterwards(target: Target, folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        target.stop(folder, at_once=True)
        deadline = time.monotonic() + _END_S
        while target.status(folder).state != "ended" and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        raise


def _wait(target: Target, folder: Path, *, timeout_s: float, control: Control) -> str:
    """Return why the job ended, once it has."""
    control.tell(Notice("info", f"A hello was sent to target {target.name}."))
    began, note = time.monotonic(), ""
    while (status := target.status(folder)).state != "ended":
        if status.note and status.note != note:
            note = status.note
            control.tell(Notice("info", note))
        control.raise_if_cancelled()
        if time.monotonic() - began > timeout_s:
            raise TimeoutOccuredError(
                f"The hello on target {target.name!r} did not end in {timeout_s:g} s. {note}",
                hint="Wait longer with --timeout-s, or look into the queue.",
                reason="hello",
            )
        time.sleep(_POLL_S)
    return status.reason


def _answer(folder: Path, target: Target, reason: str) -> list[Greeting]:
    file = folder / HELLO_FILE
    if not file.is_file():
        raise WorkerLostError(
            f"The hello on target {target.name!r} gave no answer: {reason}. {_last_line(folder)}",
            hint=f"All that was said stands in {folder / 'logs'}. Can the target see that folder?",
            reason="hello",
        )
    content = read_json(file, WorkerLostError)
    error = content.get("error")
    if isinstance(error, dict):
        raise WorkerLostError(
            f"The hello on target {target.name!r} failed: {error['message']}",
            hint=f"{error['hint']} The logs are in {folder}.".strip(),
            reason="hello",
        )
    return TypeAdapter(list[Greeting]).validate_python(content["ranks"])


def _last_line(folder: Path) -> str:
    for log in (folder / LOG_FILE, *sorted((folder / "logs").glob("*.txt"))):
        with contextlib.suppress(OSError):
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if lines:
                return f"The last line of {log.name}: {lines[-1]}"
    return ""


def trouble_of(target: Target) -> str:
    """Return why a target cannot be reached, as a sentence; empty when it can."""
    try:
        target.require_reachable()
    except ImageloomError as problem:
        return str(problem)
    return ""

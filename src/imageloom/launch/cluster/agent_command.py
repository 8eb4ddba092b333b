"""The command of a scheduler that starts the agents of the other machines of a job."""

import contextlib
import logging
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError

logger = logging.getLogger(__name__)

_LEAVE_S: Final = 10.0  # for agents to leave once the run has ended

Ended = Callable[[], str]


@contextlib.contextmanager
def brought_agents(command: Sequence[str], run: Path) -> Iterator[Ended]:
    """Keep the agents of other machines running while the body runs.

    Yields a function that returns how the command ended, and nothing while it runs or where there
    is none.

    What the command prints goes to where our own errors go.

    Args:
        command: Starts them when the run directory is added to it; empty when people start them.
        run: The run directory.

    Raises:
        EnvironmentUnsuitableError: The command could not be started.
    """
    if not command:
        yield lambda: ""
        return
    words = [*command, str(run)]
    logger.info("Starting the agents of the other machines: %s", " ".join(words))
    try:
        agents = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as problem:
        raise EnvironmentUnsuitableError(
            f"{words[0]} could not be started: {problem.strerror or problem}.",
            hint="It is what starts the other machines of the job.",
            reason="no-agents",
        ) from problem
    try:
        yield lambda: _how_it_ended(words[0], agents.poll())
    finally:
        _see_off(agents)


def _how_it_ended(name: str, code: int | None) -> str:
    return "" if code is None else f"{name}, which starts the others, ended with exit code {code}"


def _see_off(agents: "subprocess.Popen[bytes]") -> None:
    """Wait for agents that have heard that the run has ended; end a command that does not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(subprocess.TimeoutExpired):
            agents.wait(_LEAVE_S)
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(agents.pid, number)
    agents.wait()

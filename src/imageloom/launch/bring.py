"""The command of a scheduler that starts the agents of the other machines of a job."""

import contextlib
import logging
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError

logger = logging.getLogger(__name__)

_LEAVE_S: Final = 10.0  # for agents to leave once the run has ended


@contextlib.contextmanager
def brought_agents(command: Sequence[str], run: Path) -> Iterator[None]:
    """Keep the agents of other machines running while the body runs.

    What the command prints goes to where our own errors go.

    Args:
        command: Starts them when the run directory is added to it; empty when people start them.
        run: The run directory.

    Raises:
        EnvironmentUnsuitableError: The command could not be started.
    """
    if not command:
        yield
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
        yield
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            agents.wait(_LEAVE_S)  # they have heard that the run has ended
        with contextlib.suppress(ProcessLookupError):
            if agents.poll() is None:
                os.killpg(agents.pid, signal.SIGTERM)
                agents.wait()

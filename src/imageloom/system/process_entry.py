"""How a process of ours begins and ends, whatever work it does in between."""

import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from imageloom.system.processes import ASKING_SIGNALS


def listen(ask: Callable[[str], None]) -> None:
    """Let signals ask this process to stop, and crashes in native code tell where they were.

    Args:
        ask: Told the name of each signal, such as ``CancelToken.set``.
    """
    faulthandler.enable()
    for number in ASKING_SIGNALS:
        signal.signal(number, lambda received, _: ask(signal.Signals(received).name))


def log_to_stderr() -> None:
    """Send all log lines to stderr, which whoever started this process writes to a file."""
    logging.basicConfig(
        level=logging.WARNING,  # libraries; their chatter would hide what matters
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    logging.captureWarnings(capture=True)
    logging.getLogger("imageloom").setLevel(logging.INFO)


def end(code: int) -> NoReturn:
    """End this process at once.

    Not ``sys.exit``: threads that wait for other processes, and libraries that crash while Python
    takes itself apart, can no longer hold up or spoil work that was answered.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

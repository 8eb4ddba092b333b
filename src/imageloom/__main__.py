"""The process of the command line: the script ``imageloom``, or ``python -m imageloom``."""

import os
import signal
from types import FrameType

INTERRUPTED_EXIT = 130


def main() -> None:
    """Run the command line, and leave with its exit code.

    Until a command has begun to work and heeds signals itself, and after that, Ctrl+C ends the
    process with one line: nothing is lost then, and a traceback of imports tells a person nothing.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else the caller ignores it
        signal.signal(signal.SIGINT, _stop)
    from imageloom.cli import main as run_command  # late: it is what takes its time
    from imageloom.system.pandas_left_out import leave_pandas_out

    leave_pandas_out(os.environ)
    run_command()


def _stop(_number: int, _frame: FrameType | None) -> None:
    os.write(2, b"Stopped by Ctrl+C.\n")
    os._exit(INTERRUPTED_EXIT)


if __name__ == "__main__":
    main()

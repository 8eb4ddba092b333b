"""The process of one rank: ``python -m imageloom.launch.rank RUN``, started by its neighbours."""

import faulthandler
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from imageloom.events import CancelToken, Control, ignore_events
from imageloom.files.event_lines import EventWriter
from imageloom.launch.local.report import (
    EVENTS_FILE,
    FOLDER_VARIABLE,
    Answer,
    answer_to,
    completed,
    write_answer,
)
from imageloom.system.pandas_left_out import leave_pandas_out
from imageloom.system.process_entry import end, listen
from imageloom.system.processes import ASKING_SIGNALS
from imageloom.system.quick_imports import garbage_left_alone

logger = logging.getLogger("imageloom.launch.rank")  # not __name__, which is __main__ in a rank

EXIT_CODES: Final = {"completed": 0, "failed": 1, "interrupted": 128 + signal.SIGTERM}
_SAVE_S: Final = 20.0  # for a rank whose launcher is gone to save, before it ends itself

Work = Callable[[Control], None]


def main(run: Path) -> int:
    """Do this rank's part of a run as the process's only work; return the exit code."""

    def train(control: Control) -> None:
        with garbage_left_alone():
            from imageloom.distributed.ranks import ranks_from_environment
            from imageloom.training.train import continue_run

        ranks = ranks_from_environment(os.environ)
        continue_run(run, ranks=ranks, control=control)

    return serve(train)


def serve(work: Work) -> int:
    """Do a rank's work in this process, as the launcher expects it of a rank.

    Returns:
        The exit code of the process.
    """
    cancel = CancelToken()
    listen(cancel.set)
    leave_pandas_out(os.environ)
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # a rank that hangs tells where
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING_SIGNALS)
    threading.Thread(target=_stop_with_launcher, args=(cancel,), daemon=True).start()
    logging.captureWarnings(capture=True)
    folder, rank = Path(os.environ[FOLDER_VARIABLE]), int(os.environ["RANK"])
    return EXIT_CODES[answer_for(work, folder, rank, cancel=cancel).state]


def answer_for(work: Work, folder: Path, rank: int, *, cancel: CancelToken) -> Answer:
    """Do a rank's work and write down how it ended.

    Args:
        work: What to do; its events are written by rank 0 alone.
        folder: Where the answer and the events go.
        rank: Which rank this is.
        cancel: Stops the work.

    Returns:
        The answer that was written. Nothing that the work does wrong is raised.
    """
    writer = EventWriter(folder / EVENTS_FILE) if rank == 0 else None
    try:
        work(Control(writer or ignore_events, cancel))
        answer = completed()
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - a rank reports whatever it was
        answer = answer_to(problem, reason=cancel.reason)
        if answer.traceback:
            logger.error("%s", answer.traceback)
    finally:
        if writer is not None:
            writer.close()
    write_answer(folder, rank, answer)
    return answer


def _stop_with_launcher(cancel: CancelToken) -> None:
    """Save and stop when the launcher is gone: nobody would hear of us any more."""
    # os.read, because a buffered reader would hold its lock when the interpreter ends.
    while os.read(sys.stdin.fileno(), 1):
        pass
    if not cancel.is_set:
        cancel.set("the end of the process that started it")
    time.sleep(_SAVE_S)  # also when it was asked before, as whoever started it may have been too
    os._exit(EXIT_CODES["interrupted"])


if __name__ == "__main__":
    end(main(Path(sys.argv[1])))

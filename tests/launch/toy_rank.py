"""The program of a rank that trains nothing: it ends in the ways in which ranks end.

Usage: python toy_rank.py FOLDER PLAN, where PLAN is JSON: for each rank a list of words, and
``times`` to say in how many starts they hold (1 by default: a second start goes well).
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from imageloom.errors import InvalidDatasetError
from imageloom.events import Notice, Progress
from imageloom.launch.rank import serve

RANK = int(os.environ["RANK"])
WORLD_SIZE = int(os.environ["WORLD_SIZE"])
FOLDER = Path(sys.argv[1])
DEADLINE_S = 60.0


def mark(name, text=""):
    partial = FOLDER / f".{name}"
    partial.write_text(text, encoding="utf-8")
    partial.rename(FOLDER / name)


def meet(start):
    """Wait until every rank has come so far."""
    mark(f"here_{start}_{RANK}", str(os.getpid()))
    deadline = time.monotonic() + DEADLINE_S
    while len(list(FOLDER.glob(f"here_{start}_*"))) < WORLD_SIZE and time.monotonic() < deadline:
        time.sleep(0.005)


def locked(start, rank):
    """Take the lock of a rank: the kernel gives it away in the instant in which that rank ends."""
    file = (FOLDER / f"lock_{start}_{rank}").open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def wait_for_end_of(start, rank):
    return locked(start, rank)


def work(control):
    plan = json.loads(sys.argv[2])
    start = int(os.environ.get("TOY_START") or 1 + len(list(FOLDER.glob(f"here_*_{RANK}"))))
    words = plan.get(str(RANK), []) if start <= plan.get("times", 1) else []
    sys.stdout.write(f"rank {RANK} of {WORLD_SIZE}, start {start}\n")
    own = locked(start, RANK)
    for word in words:
        if word.startswith("late:"):
            time.sleep(float(word.partition(":")[2]))
    meet(start)
    control.tell(Notice("info", f"rank {RANK} speaks"))
    control.tell(Progress("Toying", 1, 1, "steps"))
    for word in words:
        behave(word, start, control.cancel)
    if RANK == 0:
        mark("completed")
    own.close()


def wait_to_be_asked(cancel):
    deadline = time.monotonic() + DEADLINE_S
    while not cancel.is_set and time.monotonic() < deadline:
        time.sleep(0.01)


def behave(word, start, cancel):  # noqa: C901, PLR0915 - a list
    name, _, argument = word.partition(":")
    match name:
        case "kill":
            os.kill(os.getpid(), int(argument))
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "raise":
            raise ValueError("a fault of this rank alone")
        case "refuse":
            raise InvalidDatasetError("no pictures here", hint="Bring some.", details={"images": 0})
        case "leave":
            os._exit(0)
        case "lost":
            wait_for_end_of(start, argument)
            raise RuntimeError("[../gloo/transport/tcp/pair.cc:534] Connection closed by peer")
        case "abort":
            wait_for_end_of(start, argument)
            os.abort()
        case "litter":
            mark("litter", tempfile.mkdtemp())
        case "watchdog":  # as torch says it, over and over the frames of all threads
            words = "Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7) ran for 1 ms"
            sys.stderr.write(f"[rank{RANK}]: {words}" + "\nframe #0: a place" * 1000)
            os.abort()
        case "out":
            time.sleep(float(argument))
            raise RuntimeError("[gloo] Timed out waiting 1000ms for recv operation to complete")
        case "until_asked":
            wait_to_be_asked(cancel)
        case "wait":
            wait_to_be_asked(cancel)
            mark(f"saved_{RANK}")
            cancel.raise_if_set()
        case "save":  # for as long as the test likes
            wait_to_be_asked(cancel)
            mark(f"asked_{RANK}")
            behave(f"until:{argument}", start, cancel)
            mark(f"saved_{RANK}")
            cancel.raise_if_set()
        case "until":
            while not (FOLDER / argument).exists():
                time.sleep(0.01)
        case "threads":
            mark(f"threads_{RANK}", os.environ["OMP_NUM_THREADS"])
        case "deaf":
            time.sleep(DEADLINE_S)
        case "child":
            child = subprocess.Popen(["sleep", str(DEADLINE_S)])
            mark(f"child_{RANK}", str(child.pid))


def import_for_long():
    """Be a rank that does not listen yet, until the test lets it go on."""
    mark(f"importing_{RANK}", str(os.getpid()))
    deadline = time.monotonic() + DEADLINE_S
    while not (FOLDER / "imported").exists() and time.monotonic() < deadline:
        time.sleep(0.005)


if __name__ == "__main__":
    if "import" in json.loads(sys.argv[2]).get(str(RANK), []):
        import_for_long()
    code = serve(work)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

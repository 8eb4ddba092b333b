"""Ranks that only greet each other: ``python -m imageloom.hello FOLDER PROCESSES``.

It shows that processes on a target start, find each other and can add numbers, before a training
finds out that they cannot. The answer, or the error, is ``hello.json`` in the folder.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from imageloom import __version__
from imageloom.distributed.store import hosted_store
from imageloom.errors import ImageloomError
from imageloom.events import CancelToken, EventSink, ignore_events
from imageloom.launch.attempts import RankJob, run_ranks
from imageloom.launch.one_machine import OneMachine
from imageloom.publish import write_json
from imageloom.rank import serve

HELLO_FILE: Final = "hello.json"


def main(folder: Path, processes: int) -> int:
    """Start the ranks of a hello and wait for them; return the exit code."""
    began = time.monotonic()
    job = RankJob(
        command=(sys.executable, "-u", "-P", "-m", "imageloom.hello", str(folder)),
        logs=folder,
        environment={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    crew = OneMachine(processes, hosted_store)
    try:
        run_ranks(job, crew, on_event=ignore_events, cancel=CancelToken())
    except ImageloomError as error:
        write_json(folder / HELLO_FILE, {"error": error.to_json()})
        return 1
    answers = [json.loads((folder / f"rank_{rank}.json").read_bytes()) for rank in range(processes)]
    write_json(folder / HELLO_FILE, {"ranks": answers, "seconds": time.monotonic() - began})
    return 0


def greet(folder: Path, environment: Mapping[str, str]) -> None:
    """Do the part of one rank: meet the others, add up all ranks, and say who one is.

    Raises:
        ImageloomError: The others did not come.
    """
    began = time.monotonic()
    import torch

    from imageloom.distributed.group import joined_group
    from imageloom.distributed.ranks import ranks_from_environment

    ranks = ranks_from_environment(environment)
    with joined_group(ranks, torch.device("cpu")) as group:
        found = [int(row[0]) for row in group.gather([float(ranks.rank)])]
    assert found == list(range(ranks.world_size)), found
    answer = {
        "rank": ranks.rank,
        "world_size": ranks.world_size,
        "host": platform.node(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "imageloom": __version__,
        "gpus": torch.cuda.device_count(),
        "seconds": time.monotonic() - began,
    }
    write_json(folder / f"rank_{ranks.rank}.json", answer)


def _greet_as_rank(folder: Path) -> int:
    def work(_on_event: EventSink, _cancel: CancelToken) -> None:
        greet(folder, os.environ)

    return serve(work)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    code = _greet_as_rank(place) if "RANK" in os.environ else main(place, int(sys.argv[2]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # as imageloom.rank: threads of libraries hold up nobody

"""Ranks that only greet each other: ``python -m imageloom.remote.hello FOLDER PROCESSES``.

It shows that processes on a target start, find each other and can add numbers, before a training
finds out that they cannot. Where the target brings other machines, each has one rank; otherwise all
are on this one. The answer, or the error, is ``hello.json`` in the folder.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from imageloom import __version__
from imageloom.distributed.store import hosted_store
from imageloom.errors import ImageloomError
from imageloom.events import Control
from imageloom.files.publish import write_json
from imageloom.launch.cluster.machines import Machine
from imageloom.launch.cluster.rendezvous import MeetingPlace
from imageloom.launch.cluster.team import Hall, Team
from imageloom.launch.launch import require_place
from imageloom.launch.local.attempts import RankJob, run_ranks
from imageloom.launch.local.one_machine import OneMachine
from imageloom.launch.params import LaunchParams
from imageloom.launch.rank import serve
from imageloom.spec.scale import Scale
from imageloom.spec.target import AGENT_VARIABLE
from imageloom.system.process_entry import end

HELLO_FILE: Final = "hello.json"
_AGENT: Final = "agent"
_TEAM: Final = Team(scale=Scale(2, 2), wait_s=120.0)


def main(folder: Path, processes: int) -> int:
    """Start the ranks of a hello and wait for them; return the exit code."""
    began = time.monotonic()
    agents = os.environ.get(AGENT_VARIABLE, "")
    try:
        if agents:
            _machine(folder, require_place(LaunchParams(nodes=2)), json.loads(agents)).work()
            processes = _TEAM.scale.world_size
        else:
            crew = OneMachine(processes, hosted_store)
            run_ranks(_job(folder), crew, control=Control())
    except ImageloomError as error:
        write_json(folder / HELLO_FILE, {"error": error.to_json()})
        return 1
    answers = [json.loads((folder / f"rank_{rank}.json").read_bytes()) for rank in range(processes)]
    write_json(folder / HELLO_FILE, {"ranks": answers, "seconds": time.monotonic() - began})
    return 0


def join(folder: Path) -> int:
    """Take part in the hello of another machine; return the exit code."""
    _machine(folder).work()
    return 0


class _Hello:
    """A hello, as its machines see it, and what they must have for it: nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def is_completed(self) -> bool:
        return (self._folder / HELLO_FILE).exists()

    @property
    def is_written(self) -> bool:
        return False

    def lead(self) -> None:
        pass

    def facts(self) -> dict[str, JsonValue]:
        return {"host": platform.node()}

    def compare(
        self,
        own: Mapping[str, object],  # noqa: ARG002 - versions that differ are shown, not refused
        other: Mapping[str, object],  # noqa: ARG002
        *,
        processes: int,  # noqa: ARG002
    ) -> list[str]:
        return []


def _machine(folder: Path, address: str = "", agents: list[str] | None = None) -> Machine:
    hello = _Hello(folder)
    hall = Hall(
        run=hello,
        place=MeetingPlace(folder),
        store=hosted_store,
        preflight=hello,
        address=address,
        # The target's command ends with "-m imageloom agent work"; this is its like for a hello.
        agents=[*agents[:-3], "imageloom.remote.hello", _AGENT] if agents else (),
    )
    return Machine(_job(folder), hall, _TEAM, control=Control())


def _job(folder: Path) -> RankJob:
    return RankJob(
        command=(sys.executable, "-u", "-P", "-m", "imageloom.remote.hello", str(folder)),
        logs=folder,
        environment={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def greet(folder: Path, environment: Mapping[str, str]) -> None:
    """Do the part of one rank: meet the others, hear the numbers of all, and say who one is.

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
    def work(_control: Control) -> None:
        greet(folder, os.environ)

    return serve(work)


def _run(words: list[str]) -> int:
    if words[0] == _AGENT:
        return join(Path(words[1]))
    folder = Path(words[0])
    return _greet_as_rank(folder) if "RANK" in os.environ else main(folder, int(words[1]))


if __name__ == "__main__":
    end(_run(sys.argv[1:]))

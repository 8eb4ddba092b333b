"""The store in which ranks meet that something else started, found by what that left behind."""

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imageloom.distributed.group import existing_place
from imageloom.distributed.ranks import StartedRank
from imageloom.distributed.store import hosted_store, joined_store
from imageloom.errors import EnvironmentUnsuitableError, TimeoutOccuredError
from imageloom.events import CancelToken
from imageloom.files.publish import writing_file
from imageloom.launch.network import own_address
from imageloom.launch.params import LaunchParams
from imageloom.spec.target import INTERFACE_VARIABLE

if TYPE_CHECKING:
    from imageloom.distributed.store import Store

_PLACE: Final = ("MASTER_ADDR", "MASTER_PORT")
_LOOK_S: Final = 0.2


@contextlib.contextmanager
def store_of_ranks(
    started: StartedRank, run: Path, launch: LaunchParams, cancel: CancelToken
) -> Iterator[tuple["Store", str]]:
    """Yield the store of all ranks, and the address of the machine that keeps it, if known.

    It is where MASTER_ADDR and MASTER_PORT say, or rank 0 does.

    Under srun rank 0 keeps one on a port that is free, and writes where into a file beside the run
    directory, which only this user can read. Its name has the numbers of job and step, so that
    nobody reads what an earlier one left.

    Args:
        started: This process.
        run: Where the run directory is or will be.
        launch: Names the network interface, and how long to wait for rank 0.
        cancel: Stops the waiting.

    Raises:
        EnvironmentUnsuitableError: Nothing says where, or rank 0 cannot listen there.
        TimeoutOccuredError: Rank 0 does not listen.
        RunInterruptedError: Somebody asked to stop.
    """
    place: Mapping[str, str] = os.environ
    with contextlib.ExitStack() as stack:
        if existing_place() is None and not all(place.get(name) for name in _PLACE):
            file = _file_of_step(started, run, os.environ)
            if started.rank == 0:
                place = stack.enter_context(_announced(file, launch))
            else:
                place = _read_when_there(file, launch.wait_for_nodes, cancel)
        store = joined_store(place, started.rank, timeout_s=launch.wait_for_nodes, cancel=cancel)
        yield store, place.get("MASTER_ADDR", "")


def _file_of_step(started: StartedRank, run: Path, environment: Mapping[str, str]) -> Path:
    job, step = environment.get("SLURM_JOB_ID"), environment.get("SLURM_STEP_ID")
    if started.starter != "srun" or job is None or step is None:
        raise EnvironmentUnsuitableError(
            f"{started.starter} started this process as rank {started.rank} of "
            f"{started.world_size}, but MASTER_ADDR and MASTER_PORT do not say where the ranks "
            "meet.",
            hint="Give all ranks both: an address of the machine of rank 0, and a port that is "
            "free there.",
            reason="no-store",
        )
    start = environment.get("SLURM_RESTART_COUNT", "0")
    return run.with_name(f".{run.name}.srun-{job}.{step}.{start}")


@contextlib.contextmanager
def _announced(file: Path, launch: LaunchParams) -> Iterator[Mapping[str, str]]:
    address = "127.0.0.1"
    if os.environ.get("SLURM_STEP_NUM_NODES") != "1":
        interface = launch.interface or os.environ.get(INTERFACE_VARIABLE, "")
        address = own_address(interface, by_name=True)
    with hosted_store(address) as place:
        with writing_file(file) as partial:
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            partial.write_text(json.dumps(place), encoding="utf-8")
        try:
            yield place
        finally:
            file.unlink(missing_ok=True)


def _read_when_there(file: Path, timeout_s: float, cancel: CancelToken) -> dict[str, str]:
    deadline = time.monotonic() + timeout_s
    while True:
        cancel.raise_if_set()
        with contextlib.suppress(FileNotFoundError):
            place: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
            return place
        if time.monotonic() > deadline:
            raise TimeoutOccuredError(
                f"Rank 0 did not say in {file} where the ranks meet, for {timeout_s:g} s.",
                hint="Do all machines see this folder under the same path, and did rank 0 start? "
                "Its output says why it did not. --wait-for-nodes sets how long to wait.",
                reason="no-leader",
            )
        time.sleep(_LOOK_S)

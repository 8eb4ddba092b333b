"""A machine whose ranks train nothing, as a process that can be killed or stopped.

Usage: python toy_machine.py RUN PLAN TEAM FACTS ADDRESS, where PLAN is that of toy_rank.py, TEAM
and FACTS are JSON, and ADDRESS is empty for a machine that only follows.
"""

import contextlib
import json
import logging
import os
import signal
import sys
from pathlib import Path

from imageloom.errors import EnvironmentUnsuitableError, ImageloomError
from imageloom.events import CancelToken, Notice
from imageloom.launch.attempts import RankJob
from imageloom.launch.machines import Machine
from imageloom.launch.meeting import MeetingPlace
from imageloom.launch.team import Hall, Team
from imageloom.launch.watch import Patience

TOY = Path(__file__).with_name("toy_rank.py")


def next_start(toys):
    """Return the number of the next start of all ranks, whoever leads them."""
    return 1 + max((int(file.name.split("_")[1]) for file in toys.glob("here_*")), default=0)


class ToyRun:
    def __init__(self, run):
        self.run = run

    @property
    def is_completed(self):
        return (self.run / "toys" / "completed").exists()

    @property
    def is_written(self):
        return False


class ToyPreflight:
    def __init__(self, facts):
        self.own = facts

    def lead(self):
        pass

    def facts(self):
        return {"host": f"host-{os.getpid()}", **self.own}

    def compare(self, own, other, *, processes):  # noqa: ARG002 - toys need no room
        if own.get("torch") != other.get("torch"):
            raise EnvironmentUnsuitableError(f"torch is {other['torch']}, not {own['torch']}.")
        return []


def say(event):
    if isinstance(event, Notice):
        sys.stdout.write(event.message + "\n")
        sys.stdout.flush()


def main(run, plan, team, facts, address):
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    run = Path(run)
    cancel = CancelToken()
    signal.signal(signal.SIGTERM, lambda *_: cancel.set("SIGTERM"))
    job = RankJob(
        command=(sys.executable, "-u", str(TOY), str(run / "toys"), plan),
        logs=run / "logs",
        environment=dict(os.environ),
        patience=Patience(others_s=3.0, hang_s=5.0),
    )
    hall = Hall(
        run=ToyRun(run),
        place=MeetingPlace(run),
        store=lambda _: contextlib.nullcontext({"TOY_START": str(next_start(run / "toys"))}),
        preflight=ToyPreflight(json.loads(facts)),
        address=address,
    )
    machine = Machine(job, hall, Team(**json.loads(team)), on_event=say, cancel=cancel)
    try:
        machine.work()
    except ImageloomError as error:
        sys.stdout.write(f"Hint: {error.hint}\n")
        sys.stdout.write(f"{type(error).__name__}: {error.message}\n")
        return 1
    sys.stdout.write("done\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""A machine whose ranks train nothing, as a process that can be killed or stopped.

Usage: python toy_machine.py RUN PLAN TEAM FACTS ADDRESS, where PLAN is that of toy_rank.py, TEAM
and FACTS are JSON, and ADDRESS is empty for a machine that only follows. Among the facts may be
``slow``: at which of these places, ``facts``, ``store`` or ``end``, it waits for the test; and
``others``: without how many others it does not begin, however long they take to come.
"""

import contextlib
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path

from imageloom.errors import EnvironmentUnsuitableError, ImageloomError
from imageloom.events import CancelToken, Control, Notice
from imageloom.launch.cluster.machines import Machine
from imageloom.launch.cluster.rendezvous import MeetingPlace
from imageloom.launch.cluster.team import Hall, Team
from imageloom.launch.local.attempts import RankJob
from imageloom.launch.local.watch import Patience

TOY = Path(__file__).with_name("toy_rank.py")
DEADLINE_S = 60.0


def next_start(toys):
    """Return the number of the next start of all ranks, whoever leads them."""
    return 1 + max((int(file.name.split("_")[1]) for file in toys.glob("here_*")), default=0)


class Places:
    """Where a machine waits until the test lets it go on, by making a file of that name."""

    def __init__(self, toys, slow):
        self.toys = toys
        self.slow = slow

    def come_to(self, name):
        if name == self.slow:
            (self.toys / f"at_{name}").touch()
            while not (self.toys / f"after_{name}").exists():
                time.sleep(0.01)


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
    def __init__(self, facts, places):
        self.others = facts.pop("others", 0)
        self.own = facts
        self.places = places

    def lead(self):
        pass

    def facts(self):
        self.places.come_to("facts")
        return {"host": f"host-{os.getpid()}", **self.own}

    def compare(self, own, other, *, processes):  # noqa: ARG002 - toys need no room
        if own.get("torch") != other.get("torch"):
            raise EnvironmentUnsuitableError(f"torch is {other['torch']}, not {own['torch']}.")
        self.others -= 1
        return []

    def hear(self, event):
        """Say it; where it is that others are waited for, go on when those have come."""
        if isinstance(event, Notice):
            sys.stdout.write(f"{event.level.title()}: {event.message}\n")
            sys.stdout.flush()
            deadline = time.monotonic() + DEADLINE_S
            is_wait = event.message.startswith("Waiting for")
            while is_wait and self.others > 0 and time.monotonic() < deadline:
                time.sleep(0.01)


def main(run, plan, team, facts, address):
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    run, facts = Path(run), json.loads(facts)
    places = Places(run / "toys", facts.pop("slow", ""))
    cancel = CancelToken()
    signal.signal(signal.SIGTERM, lambda *_: cancel.set("SIGTERM"))
    job = RankJob(
        command=(sys.executable, "-u", str(TOY), str(run / "toys"), plan),
        logs=run / "logs",
        environment=dict(os.environ),
        patience=Patience(others_s=3.0, hang_s=5.0),
    )

    def store(_address):
        places.come_to("store")
        return contextlib.nullcontext({"TOY_START": str(next_start(run / "toys"))})

    preflight = ToyPreflight(facts, places)
    hall = Hall(
        run=ToyRun(run),
        place=MeetingPlace(run),
        store=store,
        preflight=preflight,
        address=address,
    )
    control = Control(preflight.hear, cancel)
    machine = Machine(job, hall, Team.model_validate(json.loads(team)), control=control)
    try:
        machine.work()
        places.come_to("end")
    except ImageloomError as error:
        sys.stdout.write(f"Hint: {error.hint}\n")
        if error.resume:
            sys.stdout.write(f"Go on with: {error.resume.command}\n")
        sys.stdout.write(f"{type(error).__name__}: {error.message}\n")
        return 1
    sys.stdout.write("done\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

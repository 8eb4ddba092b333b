"""Toy machines of one run: how tests start them, and hear what they say."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import psutil

from imageloom.spec.scale import Scale

MACHINE = Path(__file__).with_name("toy_machine.py")
FIXED = {"min_nodes": 2, "max_nodes": 2, "processes_per_node": 2, "settle_s": 1.0, "wait_s": 30.0}
SCALE = [field.name for field in dataclasses.fields(Scale)]
WAIT = {str(rank): ["wait"] for rank in range(4)}


def team_of(numbers):
    """Return the team of such numbers, as JSON values."""
    scale = {name: numbers[name] for name in numbers if name in SCALE}
    return {"scale": scale} | {name: numbers[name] for name in numbers if name not in SCALE}


class Machines:
    """Starts toy machines of one run, and knows what they said."""

    def __init__(self, folder, wait_until):
        self.run = folder
        self.wait_until = wait_until
        self.processes = []
        self.toys = folder / "toys"
        for name in ("toys", "logs"):
            (folder / name).mkdir()

    def start(self, team, plan=None, *, address="127.0.0.1", facts=None):
        command, own_address = self.command(address)
        asked = [json.dumps(one or {}) for one in (plan, team_of(team), facts)]
        arguments = [str(self.run), *asked, own_address if address else ""]
        with (self.run / f"machine_{len(self.processes)}.txt").open("w") as output:
            process = subprocess.Popen(
                [*command, *arguments], stdout=output, stderr=subprocess.STDOUT
            )
        self.processes.append(process)
        return process

    def command(self, address):
        """Return how a machine is started, and its address."""
        return [sys.executable, str(MACHINE)], address

    def said(self, process):
        return (self.run / f"machine_{self.processes.index(process)}.txt").read_text()

    def wait_for(self, process, words):
        self.wait_until(lambda: words in self.said(process), f"{words!r} was not said")

    def wait_for_file(self, name):
        self.wait_until((self.toys / name).exists, f"{name} did not appear")

    def go_on_after(self, place):
        (self.toys / f"after_{place}").touch()

    def wait_for_ranks(self, count, start=1):
        def are_here():
            return len(list(self.toys.glob(f"here_{start}_*"))) == count

        self.wait_until(are_here, f"{count} ranks did not start for the time {start}")

    def code(self, process):
        process.wait(60)
        return process.returncode

    def log(self, rank):
        return (self.run / "logs" / f"70_driver_log_{rank}.txt").read_text()

    def rank_processes(self, process):
        return psutil.Process(process.pid).children()

    def end(self, wait_until):
        """End all machines; their ranks then end by themselves."""
        for process in self.processes:
            process.kill()
            process.wait()
        for rank in psutil.process_iter():
            wait_until(lambda rank=rank: str(self.toys) not in _words(rank), "a rank is left")


def _words(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def two(machines, team, plan=None, **leader_facts):
    """Start a machine that leads and one that follows; the first start of ranks is on both."""
    leader = machines.start(team, plan, facts=leader_facts | {"others": 1})
    machines.wait_for(leader, "more machine")
    return leader, machines.start(team, plan, address="")

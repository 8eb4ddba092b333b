"""Disturb a training on two machines, its ranks started by torch elastic, as ``machines.py`` does.

    sudo python benchmarks/machines_elastic.py --pictures DIR --out DIR [--only PATTERN]

On each of the two machines runs ``torchrun`` with the c10d rendezvous. Its store is a process of
its own on a third machine that nothing happens to, the most that can be done for it. Each rank
goes on with the run if there is one. A row says what ``torchrun`` or the ranks wrote on the screen.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from machines import MOMENTS, Machines, cable, copy_pictures, in_epoch, namespaces, train_words

STORE = "10.78.0.3:29400"
KEEP_STORE = """
import signal, torch.distributed as dist
store = dist.TCPStore("10.78.0.3", 29400, is_master=True, wait_for_workers=False)
signal.pause()
"""
# Runs in each rank at each start: torchrun counts no restart when a machine comes or goes.
BEGIN_OR_GO_ON = (
    'if [ -e "$0/run.json" ]; then exec "$1" -m imageloom train --resume "$0"; else exec "$@"; fi'
)
END_S = 180.0  # after the last thing that was done to them
ALL_MACHINES = (1, 2)
BLAMED = re.compile(
    r"failed \(exitcode: (?P<code>-?\d+)\) local_rank: (?P<local>\d+)|"
    r"Rank (?P<rank>\d) of \d (?P<how>fell silent|was killed|did not go on|has ended)"
)


@dataclass
class ElasticMachines(Machines):
    """Two machines with an agent of torch elastic each, and the store on a third one."""

    nodes: str = "2"
    restarts: int = 1
    read_timeout_s: int = 60
    pictures: Path = field(default_factory=Path)

    def start_store(self):
        self.store = subprocess.Popen(
            ["ip", "netns", "exec", "imageloom3", sys.executable, "-c", KEEP_STORE]
        )

    def start_agent(self, number):
        words = train_words(self.folder, self.pictures, nodes=1, processes=1, restarts=0)
        words = words[: words.index("--nodes")]
        command = [
            *("ip", "netns", "exec", f"imageloom{number}"),
            *(sys.executable, "-m", "torch.distributed.run"),
            *("--nnodes", self.nodes, "--nproc-per-node", 2, "--max-restarts", self.restarts),
            *("--rdzv-backend", "c10d", "--rdzv-endpoint", STORE, "--rdzv-id", self.folder.name),
            *("--rdzv-conf", f"is_host=0,read_timeout={self.read_timeout_s}"),
            *("--local-addr", f"10.78.0.{number}"),
            *("--no-python", "sh", "-c", BEGIN_OR_GO_ON, self.run),
            *(sys.executable, "-m", "imageloom", *words),
        ]
        environment = os.environ | {
            "IMAGELOOM_RANK_TIMEOUT_S": "20",
            "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
            "GLOO_SOCKET_IFNAME": "eth0",
        }
        with (self.folder / f"machine_{number}.txt").open("ab") as stream:
            self.processes[number] = subprocess.Popen(
                [str(word) for word in command], stdout=stream, stderr=stream, env=environment
            )

    def ranks(self):
        found = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                if str(self.run) in words and words[1:3] == ["-m", "imageloom"]:
                    found[int(process.environ()["RANK"])] = process
        return found

    def blamed(self):
        """Return what the screens say of ranks that failed, by machine, in order on each."""
        found = []
        for number in ALL_MACHINES:
            for one in BLAMED.finditer(self.said(number)):
                rank = one["rank"] or 2 * (number - 1) + int(one["local"])
                found.append((number, int(rank), one["how"] or f"exit code {one['code']}"))
        return found

    def is_over(self):
        return all(process.poll() is not None for process in self.processes.values())

    def clear(self):
        """End what is left of this run; return how many processes that were."""
        left = 0
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if str(self.run) in process.cmdline():
                    process.kill()
                    left += 1
        self.store.kill()
        self.store.wait()
        return left


@dataclass
class Row:
    """What came of one disturbance.

    Attributes:
        right: Ranks any of which it is right to blame.
        codes: How the two agents ended; None for one that had to be ended.
        seconds: From the disturbance until the first blame.
        first: All that was blamed then.
        left: How many processes had to be ended.
    """

    name: str
    machines: ElasticMachines
    right: tuple[int, ...] = ()
    began: float = field(default_factory=time.monotonic)
    codes: dict = field(default_factory=dict)
    seconds: float | None = None
    first: list = field(default_factory=list)
    left: int = 0

    def disturb(self, how):
        self.began = time.monotonic()
        how()

    def watch(self, is_so, seconds):
        """Wait until something is so, and note who is blamed first; return whether it became so."""
        give_up = time.monotonic() + seconds
        while not (answer := is_so()) and time.monotonic() < give_up:
            if self.seconds is None and (blamed := self.machines.blamed()):
                self.seconds, self.first = time.monotonic() - self.began, blamed
            time.sleep(0.02)
        return bool(answer)

    def is_completed(self):
        record = self.machines.run / "run.json"
        return record.exists() and json.loads(record.read_text())["state"] == "completed"

    def text(self, quiet):
        all_blamed = self.machines.blamed()
        is_first = bool(self.first) and self.first[0][1] in self.right
        named = (
            "yes" if is_first else "later" if any(b[1] in self.right for b in all_blamed) else "no"
        )
        equal = "yes" if self.is_completed() and self.machines.weights() == quiet else "no"
        blamed = ", ".join(dict.fromkeys(f"m{m} r{r} {how}" for m, r, how in all_blamed))
        return (
            f"| {self.name} | {named if self.right else ''} "
            f"| {'' if self.seconds is None else f'{self.seconds:.1f}'} | {equal} "
            f"| {'yes' if self.is_completed() else 'no'} | {time.monotonic() - self.began:.0f} "
            f"| {blamed}; codes {self.codes}; {self.left} left |"
        )


class Scenarios:
    def __init__(self, pictures, out, read_timeout_s):
        self.pictures = pictures
        self.out = out
        self.read_timeout_s = read_timeout_s

    @contextlib.contextmanager
    def row(self, name, right=(), *, nodes="2"):
        """Start two machines; once the body has disturbed them, wait until all is over."""
        machines = ElasticMachines(
            self.out / re.sub(r"\W+", "_", name),
            nodes=nodes,
            read_timeout_s=self.read_timeout_s,
            pictures=self.pictures,
        )
        shutil.rmtree(machines.folder, ignore_errors=True)
        machines.folder.mkdir(parents=True)
        machines.start_store()
        for number in ALL_MACHINES:
            machines.start_agent(number)
        row = Row(name, machines, right)
        try:
            yield row
            row.watch(machines.is_over, END_S)
        finally:
            row.codes = {number: one.poll() for number, one in machines.processes.items()}
            row.left = machines.clear()

    def quiet(self):
        with self.row("quiet") as row:
            pass
        return row

    def kill(self, rank, moment):
        with self.row(f"kill -9 of rank {rank}, {moment}", (rank,)) as row:
            MOMENTS[moment](row.machines)
            row.disturb(row.machines.ranks()[rank].kill)
        return row

    def stop(self, rank):
        with self.row(f"SIGSTOP of rank {rank} (time-out 20 s)", (rank,)) as row:
            in_epoch(row.machines)
            row.disturb(row.machines.ranks()[rank].suspend)
        return row

    def lose(self, lost):
        """Lose a machine, and start it again by the same command once that was noticed."""
        with self.row(f"loss and return of machine {lost}", ranks_of(lost)) as row:
            in_epoch(row.machines)
            row.disturb(lambda: row.machines.end(lost))
            row.watch(lambda: row.seconds is not None, 60.0)
            row.machines.start_agent(lost)
        return row

    def go_on_alone(self, lost):
        """Lose a machine that need not be there."""
        with self.row(f"loss of machine {lost} of 1:2", ranks_of(lost), nodes="1:2") as row:
            in_epoch(row.machines)
            row.disturb(lambda: row.machines.end(lost))
        return row

    def cut(self, seconds):
        with self.row(f"network cut of {seconds} s", ranks_of(2) if seconds > 9 else ()) as row:
            in_epoch(row.machines)
            try:
                row.disturb(lambda: cable(2, "down"))
                row.watch(lambda: False, seconds)
            finally:
                cable(2, "up")
        return row

    def lose_store(self):
        with self.row("loss of the store") as row:
            in_epoch(row.machines)
            row.disturb(row.machines.store.kill)
        return row


def ranks_of(machine):
    return 2 * machine - 2, 2 * machine - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="scenarios whose name this pattern matches")
    parser.add_argument("--read-timeout-s", type=int, default=60, help="of the agents' store")
    arguments = parser.parse_args()
    out = arguments.out.absolute()
    pictures = out / "pictures"
    copy_pictures(arguments.pictures, pictures)
    scenarios = Scenarios(pictures, out, arguments.read_timeout_s)
    todo = [
        *((f"lose {number}", scenarios.lose, number) for number in ALL_MACHINES),
        *((f"alone {number}", scenarios.go_on_alone, number) for number in ALL_MACHINES),
        *((f"cut {seconds}", scenarios.cut, seconds) for seconds in (5, 120)),
        *((f"stop {rank}", scenarios.stop, rank) for rank in (0, 3)),
        *(
            (f"kill {rank} {one}", scenarios.kill, rank, one)
            for one in MOMENTS
            for rank in range(4)
        ),
        ("store", scenarios.lose_store),
    ]
    with namespaces(3):
        quiet = scenarios.quiet()
        print(quiet.text(quiet.machines.weights()), flush=True)
        for name, scenario, *what in todo:
            if re.search(arguments.only, name):
                print(scenario(*what).text(quiet.machines.weights()), flush=True)


if __name__ == "__main__":
    main()

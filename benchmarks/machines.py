"""Disturb a training on two machines in every way, and compare what comes out with a quiet run.

    sudo python benchmarks/machines.py --pictures DIR --out DIR [--only WORD]

The two machines are network namespaces of this one, with addresses of their own on a bridge; they
share the disk. DIR holds a sub-folder of pictures for each class. Every disturbed run must end by
itself (or after the one command that a person would type) with the weights of a quiet run, bit for
bit, and must name the rank or the machine that was disturbed.
"""

import argparse
import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

CLASSES, TRAINING, VALIDATION = 4, 24, 12  # pictures per class
STEPS = CLASSES * TRAINING // 16  # of an epoch: four ranks with batches of four
DEADLINE_S = 420.0
BRIDGE = "imageloombr"
JOIN = re.compile(r"imageloom (agent join \S+ --token [0-9a-f]+)")


def network(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextlib.contextmanager
def namespaces(count):
    """Make machines that reach each other at 10.78.0.1, 10.78.0.2, ..."""
    names = [f"imageloom{number}" for number in range(1, count + 1)]
    take_away(names)
    network("link", "add", BRIDGE, "type", "bridge")
    network("link", "set", BRIDGE, "up")
    for number, name in enumerate(names, 1):
        network("netns", "add", name)
        network("link", "add", f"il{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
        network("link", "set", f"il{number}", "master", BRIDGE, "up")
        network("-n", name, "addr", "add", f"10.78.0.{number}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            network("-n", name, "link", "set", device, "up")
    try:
        yield names
    finally:
        take_away(names)


def take_away(names):
    for words in (["link", "del", BRIDGE], *(["netns", "del", name] for name in names)):
        subprocess.run(["ip", *words], check=False, capture_output=True)


def cable(number, state):
    network("link", "set", f"il{number}", state)


@dataclass
class Machines:
    """Commands on machines 1 and 2, and what they said."""

    folder: Path
    processes: dict[int, subprocess.Popen] = field(default_factory=dict)

    @property
    def run(self):
        return self.folder / "run"

    def start(self, number, *words):
        log = self.folder / f"machine_{number}.txt"
        environment = os.environ | {"IMAGELOOM_RANK_TIMEOUT_S": "20"}
        with log.open("ab") as stream:
            self.processes[number] = subprocess.Popen(
                ["ip", "netns", "exec", f"imageloom{number}", sys.executable, "-m", "imageloom"]
                + [str(word) for word in words],
                stdout=stream,
                stderr=stream,
                env=environment,
            )

    def said(self, number):
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / f"machine_{number}.txt").read_text(errors="replace")
        return ""

    def join(self, number, leader):
        wait_for(lambda: JOIN.findall(self.said(leader)), f"machine {leader} waits for others")
        self.start(number, *JOIN.findall(self.said(leader))[-1].split())

    def wait_for_step(self, step):
        def is_taken():
            with contextlib.suppress(FileNotFoundError):
                return f'"step": {step},' in (self.run / "events.jsonl").read_text()
            return False

        wait_for(lambda: is_taken() or self.processes[1].poll() is not None, f"step {step}")
        assert self.processes[1].poll() is None, self.said(1)

    def ranks(self):
        """Return the processes of ranks by number."""
        found = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if (
                    str(self.run) in process.cmdline()
                    and "imageloom.launch.rank" in process.cmdline()
                ):
                    found[int(process.environ()["RANK"])] = process
        return found

    def end(self, number):
        """End a machine as a loss of power does: all of its processes at once."""
        lost = [process for process in self._all_of(number) if process.is_running()]
        for process in lost:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.processes[number].wait()

    def _all_of(self, number):
        top = psutil.Process(self.processes[number].pid)
        return [*top.children(recursive=True), top]

    def codes(self):
        return {number: process.wait(DEADLINE_S) for number, process in self.processes.items()}

    def weights(self):
        file = self.run / "model" / "weights.safetensors"
        return hashlib.sha256(file.read_bytes()).hexdigest()

    def log(self):
        return "".join(file.read_text() for file in sorted(self.run.glob("logs/70_mpi_log*")))


def wait_for(is_so, what):
    give_up = time.monotonic() + DEADLINE_S
    while not (answer := is_so()):
        if time.monotonic() > give_up:
            raise TimeoutError(what)
        time.sleep(0.002)
    return answer


def train_words(folder, pictures, *, nodes, processes, restarts):
    return [
        *("train", "--model", "resnet18", "--out", folder / "run"),
        *("--train", pictures / "training", "--validation", pictures / "validation"),
        *("--image-size", 32, "--batch-size", 4, "--epochs", 2, "--learning-rate", 0.01),
        *("--workers", 0, "--precision", "float32", "--print-frequency", 1),
        *("--nodes", nodes, "--processes-per-node", processes, "--interface", "eth0"),
        *("--max-restarts", restarts),
    ]


# The moment at which something happens, by what can be seen from outside.
def at_start(machines):
    wait_for(lambda: len(machines.ranks()) == 4, "four ranks")


def in_epoch(machines):
    machines.wait_for_step(STEPS + STEPS // 2)


def in_validation(machines):
    machines.wait_for_step(STEPS)


def in_save(machines):
    machines.wait_for_step(STEPS)  # there is a checkpoint from before the first step
    folder = machines.run / "checkpoints"
    before = len(list(folder.glob("*")))
    wait_for(lambda: len(list(folder.glob("*"))) > before, "a checkpoint being written")


MOMENTS = {"start": at_start, "epoch": in_epoch, "validation": in_validation, "save": in_save}


@dataclass
class Outcome:
    name: str
    machines: Machines
    seconds_to_report: float | None
    must_say: str

    def problems(self, quiet):
        said = self.machines.said(1) + self.machines.said(2) + self.machines.log()
        if self.must_say and not re.search(self.must_say, said):
            yield f"it does not say {self.must_say!r}"
        if not (self.machines.run / "model" / "weights.safetensors").exists():
            yield "it published no model"
        elif self.machines.weights() != quiet:
            yield "its weights are not those of the quiet run"
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if str(self.machines.run) in process.cmdline():
                    yield f"process {process.pid} is left"


class Scenarios:
    def __init__(self, pictures, out):
        self.pictures = pictures
        self.out = out

    def begin(self, name, *, nodes="2", processes=2, restarts=1):
        machines = Machines(self.out / name)
        shutil.rmtree(machines.folder, ignore_errors=True)
        machines.folder.mkdir(parents=True)
        options = {"nodes": nodes, "processes": processes, "restarts": restarts}
        machines.start(1, *train_words(machines.folder, self.pictures, **options))
        if nodes != "1":
            machines.join(2, 1)
        return machines

    def report_time(self, machines, words, since):
        wait_for(lambda: re.search(words, machines.said(1) + machines.said(2)), words)
        return time.monotonic() - since

    def quiet(self, nodes, processes):
        machines = self.begin(f"quiet_{nodes}x{processes}", nodes=nodes, processes=processes)
        machines.codes()
        return Outcome(f"quiet {nodes}x{processes}", machines, None, "")

    def kill(self, rank, moment):
        machines = self.begin(f"kill_{rank}_{moment}")
        MOMENTS[moment](machines)
        wait_for(lambda: rank in machines.ranks(), "the rank")
        began = time.monotonic()
        machines.ranks()[rank].send_signal(signal.SIGKILL)
        words = rf"Rank {rank} of 4 was killed by signal 9"
        seconds = self.report_time(machines, words, began)
        machines.codes()
        return Outcome(f"kill -9 of rank {rank}, {moment}", machines, seconds, words)

    def stop(self, rank):
        machines = self.begin(f"stop_{rank}")
        in_epoch(machines)
        began = time.monotonic()
        machines.ranks()[rank].send_signal(signal.SIGSTOP)
        words = rf"Rank {rank} of 4 did not go on"
        seconds = self.report_time(machines, words, began)
        machines.codes()
        name = f"SIGSTOP of rank {rank} (time-out 20 s)"
        return Outcome(name, machines, seconds, words)

    def lose(self, lost):
        """Lose a machine, the leading one too, and start it again."""
        machines = self.begin(f"lose_{lost}")
        in_epoch(machines)
        began = time.monotonic()
        machines.end(lost)
        words = "closed the connection"
        seconds = self.report_time(machines, words, began)
        if lost == 1:
            wait_for(lambda: JOIN.search(machines.said(2)), "the other machine leads")
            machines.start(
                1, "train", "--resume", machines.run, "--nodes", 2, "--interface", "eth0"
            )
        else:
            machines.join(2, 1)
        machines.codes()
        who = "the leading machine" if lost == 1 else "the other machine"
        return Outcome(f"loss and return of {who}", machines, seconds, words)

    def go_on_alone(self, lost):
        """Lose a machine that need not be there."""
        machines = self.begin(f"alone_{lost}", nodes="1:2", restarts=0)
        in_epoch(machines)
        began = time.monotonic()
        machines.end(lost)
        seconds = self.report_time(machines, "closed the connection", began)
        machines.codes()
        return Outcome(f"loss of machine {lost} of 1:2", machines, seconds, "closed the connection")

    def cut(self, seconds):
        machines = self.begin(f"cut_{seconds}")
        in_epoch(machines)
        began = time.monotonic()
        cable(2, "down")
        reported = None
        try:
            if seconds > 9:
                words = r"was silent for 9 s"
                reported = self.report_time(machines, words, began)
            time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        finally:
            cable(2, "up")
        machines.codes()
        words = "was silent for 9 s" if seconds > 9 else ""
        return Outcome(f"network cut of {seconds} s", machines, reported, words)


def copy_pictures(source, place):
    """Take the first pictures of the first classes, so that every run learns from the same."""
    shutil.rmtree(place, ignore_errors=True)
    for folder in sorted(path for path in source.iterdir() if path.is_dir())[:CLASSES]:
        files = sorted(folder.iterdir())[: TRAINING + VALIDATION]
        for part, chosen in (("training", files[:TRAINING]), ("validation", files[TRAINING:])):
            (place / part / folder.name).mkdir(parents=True)
            for file in chosen:
                shutil.copy(file, place / part / folder.name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="scenarios whose name holds this word")
    arguments = parser.parse_args()
    out = arguments.out.absolute()
    pictures = out / "pictures"
    copy_pictures(arguments.pictures, pictures)
    scenarios = Scenarios(pictures, out)
    failed = 0
    with namespaces(2):
        quiet = scenarios.quiet("2", 2).machines.weights()
        todo = [
            *(
                (f"kill {rank} {one}", scenarios.kill, rank, one)
                for one in MOMENTS
                for rank in range(4)
            ),
            *((f"stop {rank}", scenarios.stop, rank) for rank in (0, 3)),
            *((f"lose {number}", scenarios.lose, number) for number in (2, 1)),
            *((f"cut {seconds}", scenarios.cut, seconds) for seconds in (5, 120)),
        ]
        for name, scenario, *what in todo:
            if arguments.only not in name:
                continue
            began = time.monotonic()
            outcome = scenario(*what)
            problems = list(outcome.problems(quiet))
            failed += bool(problems)
            reported = outcome.seconds_to_report
            print(
                f"| {outcome.name} | {'' if reported is None else f'{reported:.1f}'} "
                f"| {time.monotonic() - began:.0f} | {'; '.join(problems) or 'equal'} |",
                flush=True,
            )
        if not arguments.only or "alone" in arguments.only:
            for lost in (2, 1):
                outcome = scenarios.go_on_alone(lost)
                codes = outcome.machines.codes()
                is_there = (outcome.machines.run / "model" / "weights.safetensors").exists()
                print(
                    f"| {outcome.name} | {outcome.seconds_to_report:.1f} | | codes {codes}, "
                    f"{'completed' if is_there else 'NOT completed'} |",
                    flush=True,
                )
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

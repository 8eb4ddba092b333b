"""Runs a command and says how long it took, when it trained how fast, and what memory it held."""

import contextlib
import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).parent
# Everything that is compared is run without network and tells nobody of it.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "WANDB_MODE": "disabled",
}


class Failed(SystemExit):
    """A command did not end well; this ends the benchmark too, unless it can go on without."""


@dataclass(frozen=True)
class Watched:
    """What was seen of a command.

    Attributes:
        seconds: From its start to its end.
        marks: What ``marks/sitecustomize.py`` noted, as word and seconds since the start.
        peak_bytes: Most memory of all its processes together (``Memory``); 0 where it was not
            looked at.
        cpu_seconds: Processor time of all of them.
        output: What it said.
    """

    seconds: float
    marks: list
    peak_bytes: int
    cpu_seconds: float
    output: str


def watch(command, folder, *, memory_every_s=0.0, env=None):
    """Run a command to its end.

    Args:
        command: Words.
        folder: For notes and output; made anew.
        memory_every_s: Time between two looks at the memory, or 0 for none. A look at 3 GB takes
            some 10 ms of one core.
        env: Changes of the environment.

    Raises:
        Failed: It did not end with 0; with what it said.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    said, words = folder / "output.txt", [str(word) for word in command]
    before = os.times()
    began = time.monotonic()
    with said.open("wb") as output:
        process = subprocess.Popen(
            words,
            env=environment(folder) | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        with looking_at_memory(process.pid, memory_every_s) as memory:
            code = process.wait()
    seconds, after = time.monotonic() - began, os.times()
    text = said.read_text(errors="replace")
    if code:
        # Python writes what is left of its output after the traceback.
        why = text[text.rfind("Traceback") :][:4000] if "Traceback" in text else text[-4000:]
        raise Failed(f"{' '.join(words)} ended with {code}:\n{why}")
    return Watched(
        seconds=seconds,
        marks=[(word, at - began) for word, at in read_marks(folder)],
        peak_bytes=memory.peak_bytes,
        cpu_seconds=after.children_user
        + after.children_system
        - before.children_user
        - before.children_system,
        output=text,
    )


def environment(folder):
    """Return the environment of a command, in which nothing is known of an earlier one."""
    own = [HERE / "marks", HERE, os.environ.get("PYTHONPATH")]
    return (
        os.environ
        | OFFLINE
        | {
            "PYTHONPATH": os.pathsep.join(str(one) for one in own if one),
            "PYTHONDONTWRITEBYTECODE": "",  # else what is installed in place is compiled each time
            "SPEED_MARKS": str(folder),
            "YOLO_CONFIG_DIR": str(folder),
            "IMAGELOOM_HOME": str(folder / "imageloom"),
        }
    )


def read_marks(folder):
    """Return the notes of all processes, by time."""
    lines = [line for file in folder.glob("[0-9]*.txt") for line in file.read_text().splitlines()]
    marks = [(word, float(at)) for word, at in (line.split() for line in lines)]
    return sorted(marks, key=lambda mark: mark[1])


def epochs_of(marks, steps_per_epoch):
    """Return start and end of each epoch's training, validation left out.

    An epoch starts with the last call of ``train()`` before its first step, so waiting for its
    first batch is a part of it.

    Raises:
        ValueError: The steps make no whole epochs.
    """
    epochs, started, steps = [], None, 0
    for word, at in marks:
        if word == "epoch" and steps % steps_per_epoch == 0:
            started = at
        elif word == "step":
            steps += 1
            if steps % steps_per_epoch == 0:
                epochs.append((started, at))
    if not epochs or steps % steps_per_epoch:
        raise ValueError(f"{steps} steps were seen; an epoch has {steps_per_epoch}")
    return epochs


class Memory:
    """Most memory of a process and all below it, looked at from time to time.

    Pages that several of them share count once (PSS). What a process held for a moment between two
    looks is known of each alone (VmHWM, as the kernel notes it); it is added for the largest.
    """

    def __init__(self, pid):
        self._pid = pid
        self._most_together = 0
        self._seen, self._ever = {}, {}  # resident bytes of each process

    def look(self):
        together = 0
        for pid in tree_of(self._pid):
            sizes = sizes_of_process(pid)
            together += sizes.get("Pss", 0)
            self._seen[pid] = max(self._seen.get(pid, 0), sizes.get("Rss", 0))
            self._ever[pid] = max(self._ever.get(pid, 0), sizes.get("VmHWM", 0))
        self._most_together = max(self._most_together, together)

    @property
    def peak_bytes(self):
        if not self._ever:
            return 0
        largest = max(self._ever, key=self._ever.get)
        return self._most_together + max(0, self._ever[largest] - self._seen[largest])


@contextlib.contextmanager
def looking_at_memory(pid, every_s):
    """Look at the memory of a process and all below it until the body is left."""
    memory, ended = Memory(pid), threading.Event()

    def look():
        while not ended.wait(every_s):
            memory.look()

    thread = threading.Thread(target=look)
    if every_s:
        thread.start()
    try:
        yield memory
    finally:
        ended.set()
        if every_s:
            thread.join()


def tree_of(pid):
    """Return a process and all below it."""
    try:
        return [pid, *(one.pid for one in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def sizes_of_process(pid):
    """Return what Linux says of a process's memory in bytes, by its words; nothing if it ended."""
    try:
        texts = [Path(f"/proc/{pid}/{name}").read_text() for name in ("smaps_rollup", "status")]
    except OSError:
        return {}
    lines = (line.split() for text in texts for line in text.splitlines())
    return {one[0][:-1]: int(one[1]) * 1024 for one in lines if one[-1:] == ["kB"]}

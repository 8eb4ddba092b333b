"""Publish in a child process and make it fail at every point in turn; print what is left.

Usage: python publishing.py SCENARIO FAULT FOLDER

SCENARIO is ``new`` (nothing was there), ``replace`` (a directory is exchanged), ``move`` (the same
where the file system cannot exchange) or ``file``.
FAULT is ``kill`` (SIGKILL) or the number of an error such as 28 for ENOSPC.

A point is any open, rename, mkdir, remove, listing or fsync that ``imageloom.files.publish`` does;
the n-th child fails at its n-th point. One JSON line per child. Torch is not loaded here, so
forking is quick and safe.
"""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from imageloom.errors import ImageloomError, InvalidDatasetError
from imageloom.files import publish as publish_module
from imageloom.files.publish import (
    publishing_directory,
    read_json,
    remove_stale_partials,
    verify_directory,
    write_json,
)

EVENTS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.listdir", "os.scandir"}
SURVIVED, FAILED = 0, 7


def publish(scenario: str, place: Path, version: str) -> None:
    if scenario == "file":
        write_json(place, {"version": version, "filling": version * 10_000})
        return
    if scenario == "move":
        publish_module.ctypes.CDLL = lambda *_args, **_named: object()  # has no renameat2
    with publishing_directory(place, replace=scenario != "new") as partial:
        for number in range(3):
            (partial / f"{number}.txt").write_text(version * 10_000, encoding="ascii")


def version_at(scenario: str, place: Path) -> str:
    """Return what a reader sees: ``old``, ``new``, ``absent``, or what is broken."""
    if not place.exists():
        return "absent"
    try:
        if scenario == "file":
            content = read_json(place, InvalidDatasetError)
            whole = content["filling"] == str(content["version"]) * 10_000
            return str(content["version"]) if whole else "broken: mixed"
        names = verify_directory(place, InvalidDatasetError)
    except ImageloomError as error:
        return f"broken: {error.message}"
    texts = {(place / name).read_text(encoding="ascii") for name in names}
    if len(names) != 3 or len(texts) != 1:
        return "broken: mixed"
    return texts.pop()[:3]


def call_at_each_point(call: Callable[[], None]) -> None:
    """Have ``call`` run before each point of this process, for the rest of its life."""
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        call()
        real_fsync(descriptor)

    os.fsync = fsync
    sys.addaudithook(lambda event, _arguments: call() if event in EVENTS else None)


def run_child(scenario: str, place: Path, *, point: int, fault: str) -> tuple[int, int]:
    """Publish in a child that fails at its n-th point; return its exit code and points reached."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        reached = 0

        def strike() -> None:
            nonlocal reached
            reached += 1
            os.write(writer, b".")
            if reached == point and fault == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if reached == point:
                raise OSError(int(fault), os.strerror(int(fault)))

        code = FAILED
        with contextlib.suppress(ImageloomError):
            call_at_each_point(strike)
            publish(scenario, place, "new")
            code = SURVIVED
        os._exit(code)
    os.close(writer)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    reached = len(os.read(reader, 100_000))
    os.close(reader)
    return code, reached


def main(scenario: str, fault: str, folder: Path) -> None:
    point, reached = 0, 0
    while reached >= point:  # a point that is not reached is one too many
        point += 1
        place = folder / f"{point}" / "place"
        place.parent.mkdir()
        if scenario != "new":
            publish(scenario, place, "old")
        code, reached = run_child(scenario, place, point=point, fault=fault)
        row = {
            "point": point,
            "reached": reached,
            "code": code,
            "seen": version_at(scenario, place),
            "left": len(list(place.parent.glob(".place.*"))),
        }
        remove_stale_partials(place)  # as the next start does first
        row["seen_at_start"] = version_at(scenario, place)
        if scenario != "new" or row["seen"] != "new":
            publish(scenario, place, "new")
        row["seen_after"] = version_at(scenario, place)
        row["left_after"] = len(list(place.parent.glob(".place.*")))
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

"""The folder of one run: its record, and the append-only file of states that is the truth.

Whoever appends states holds the execution lock; anybody may read at any time.
"""

import contextlib
import json
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import ValidationError

from imageloom.errors import (
    NoSuchRunError,
    OutputInUseError,
    StoreCorruptError,
    form_problem,
    write_failure,
)
from imageloom.events import Notice
from imageloom.files.locks import holder, is_locked, release, try_lock
from imageloom.files.publish import appearing_directory, read_json, write_json
from imageloom.pipeline.ownership import EVERYBODYS, Ownership, read_ownership, write_ownership
from imageloom.pipeline.run_record import FORMAT_VERSION, NodeFacts, RunRecord, StateLine
from imageloom.spec.node_state import RunState

RECORD: Final = "run.json"
STATES: Final = "states.jsonl"
_OWNER: Final = "owner.json"
_NODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class RunHistory:
    """What the file of states says.

    Attributes:
        nodes: The newest facts of each node that has any, in the order of their first.
        recorded: The newest state of the run as its executor wrote it, or None before the first.
        began: When the run began for the first time, or None.
        changed: When the newest state of the run was written, or None.
        notices: Lines with what a person should see of the run since it last began or went on.
        damaged_lines: Lines that a killed process left half written.
    """

    nodes: Mapping[str, NodeFacts] = field(default_factory=dict)
    recorded: RunState | None = None
    began: float | None = None
    changed: float | None = None
    notices: tuple[StateLine, ...] = ()
    damaged_lines: int = 0


@dataclass(frozen=True)
class RunFolder:
    """A run on disk.

    Attributes:
        path: The folder, whose name is the run's id.
    """

    path: Path

    @property
    def id(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def record_file(self) -> Path:
        """What was asked; immutable."""
        return self.path / RECORD

    @property
    def states_file(self) -> Path:
        """States of the run and its nodes, a JSON object per line."""
        return self.path / STATES

    @property
    def ownership(self) -> Ownership:
        """Whose it is, and whether others see it."""
        return read_ownership(self.path / _OWNER)

    @property
    def lock_file(self) -> Path:
        """Held by the process that executes the run."""
        return self.path / "executor.lock"

    @property
    def executor_log(self) -> Path:
        """What the processes wrote that executed the run on their own."""
        return self.path / "executor.log"

    @property
    def executor_error(self) -> Path:
        """The error that ended the last of them, if one did."""
        return self.path / "executor_error.json"

    @property
    def report(self) -> Path:
        """The report for people."""
        return self.path / "report.html"

    def exists(self) -> bool:
        """Whether there is such a run."""
        return self.record_file.is_file()

    def node_folder(self, node_id: str) -> Path:
        """Return the folder of a node's job, which may not be there yet.

        Raises:
            NoSuchRunError: No node can have this id.
        """
        if not _NODE_ID.fullmatch(node_id):
            raise NoSuchRunError(f"No node is called {node_id!r}.", reason="no-node")
        return self.path / "nodes" / node_id

    def create(self, record: RunRecord, *, ownership: Ownership = EVERYBODYS) -> None:
        """Make the folder with the record in it, in one step.

        Args:
            record: What was asked.
            ownership: Whose it is.

        Raises:
            FailedToWriteOutputsError: There is such a run already, or it cannot be written.
        """
        with appearing_directory(self.path) as partial:
            write_json(partial / self.record_file.name, record.model_dump(mode="json"))
            if ownership != EVERYBODYS:
                write_ownership(partial / _OWNER, ownership)

    def set_ownership(self, ownership: Ownership) -> None:
        """Write down whose it is; lists of runs tell it from then on.

        Raises:
            NoSuchRunError: There is no such run.
            FailedToWriteOutputsError: It cannot be written.
        """
        self.require()
        write_ownership(self.path / _OWNER, ownership)
        try:
            os.utime(self.record_file)  # so that the row of the run is made anew
            os.utime(self.path.parent)
        except OSError as problem:
            raise write_failure(self.record_file, problem) from problem

    def record(self) -> RunRecord:
        """Return what was asked.

        Raises:
            NoSuchRunError: There is no such run.
            StoreCorruptError: The record is damaged, or was made by a newer version.
        """
        self.require()
        content = read_json(self.record_file, StoreCorruptError)
        version = content.get("format_version")
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise StoreCorruptError(
                f"{self.record_file} has format version {version}, "
                f"but this version of Imageloom reads up to {FORMAT_VERSION}.",
                hint="Open it with a newer version of Imageloom.",
                reason="newer",
            )
        try:
            return RunRecord.model_validate_json(json.dumps(content))
        except ValidationError as problem:
            raise StoreCorruptError(
                f"{self.record_file} is damaged: {form_problem(problem)}.",
                hint="Its outputs in the store are whole. Delete the run, or restore the file.",
                reason="damaged",
            ) from problem

    def states(self) -> Mapping[str, NodeFacts]:
        """Return the newest facts of each node that has any."""
        return self.history().nodes

    def history(self) -> RunHistory:
        """Return what the file of states says; a line that is not whole is counted, not read.

        Raises:
            StoreCorruptError: The file is there but cannot be read.
        """
        try:
            lines = self.states_file.read_bytes().split(b"\n")
        except FileNotFoundError:
            return RunHistory()
        except OSError as problem:
            raise self.unreadable(problem) from problem
        nodes: dict[str, NodeFacts] = {}
        changes: list[tuple[RunState, float]] = []
        notices: list[StateLine] = []
        damaged = 0
        for text in filter(None, lines):
            try:
                line = StateLine.model_validate_json(text)
            except ValidationError:
                damaged += 1
                continue
            if line.run is not None:
                changes.append((line.run, line.time))
            if line.run is RunState.RUNNING:
                notices.clear()
            if line.notice is not None:
                notices.append(line)
            if line.node is not None and line.facts is not None:
                nodes[line.node] = line.facts
        recorded, changed = changes[-1] if changes else (None, None)
        began = changes[0][1] if changes else None
        return RunHistory(nodes, recorded, began, changed, tuple(notices), damaged)

    def append_node(self, node_id: str, facts: NodeFacts) -> None:
        """Write down what is now known of a node."""
        self._append(StateLine(time=time.time(), node=node_id, facts=facts))

    def append_notice(self, notice: Notice, node_id: str = "") -> None:
        """Write down what a person should see of the run, or of one node."""
        self._append(StateLine(time=time.time(), node=node_id or None, notice=notice))

    def append_run(self, state: RunState) -> None:
        """Write down the state of the run; it and all before it then outlive a loss of power."""
        if state is RunState.RUNNING:
            # Whoever lists runs looks again only at those that had not ended, unless this changed.
            with contextlib.suppress(OSError):
                os.utime(self.path.parent)
        self._append(StateLine(time=time.time(), run=state), sync=True)

    def state(self) -> RunState:
        """Return where the run is: as recorded, unless nobody runs it who should.

        Without any state on file it is queued, and interrupted where the last one is running.
        """
        # Asked before reading: an executor that is gone by now has written all it had to write.
        held = self.is_executed()
        recorded = self.history().recorded
        if recorded not in (None, RunState.RUNNING):
            return recorded
        if held or self.is_executed():  # it may have begun in between
            return RunState.RUNNING
        return RunState.QUEUED if recorded is None else RunState.INTERRUPTED

    def needs(self) -> frozenset[str]:
        """Return the digests of all objects that the states of its nodes name."""
        outputs = (output for facts in self.states().values() for output in facts.outputs.values())
        return frozenset(output.object for output in outputs)

    @contextlib.contextmanager
    def execution_lock(self, *, wait_s: float = 0.0) -> Iterator[None]:
        """Keep other processes from executing, changing or deleting the run.

        Args:
            wait_s: How long to wait for those who hold it for a moment, to write down the truth.

        Raises:
            NoSuchRunError: There is no such run.
            OutputInUseError: Another process holds it; the message names it.
        """
        self.require()
        note = _executor_note(os.getpid())
        give_up = time.monotonic() + wait_s
        while (descriptor := try_lock(self.lock_file, note)) is None:
            if time.monotonic() < give_up:
                time.sleep(0.02)
                continue
            who = holder(self.lock_file) or "another process"
            raise OutputInUseError(
                f"Run {self.id} is in use by {who}.",
                hint=f"Wait for it, or stop it with 'imageloom runs cancel {self.id}'.",
                reason="running",
            )
        try:
            if not self.exists():  # deleted in between; the lock made a folder in its place
                self.lock_file.unlink(missing_ok=True)
                self.path.rmdir()
            self.require()
            yield
        finally:
            release(descriptor)

    def unreadable(self, problem: OSError) -> StoreCorruptError:
        """Return the error of a file of states that is there but cannot be read."""
        return StoreCorruptError(
            f"{self.states_file} cannot be read: {problem.strerror}.",
            hint="See to it that it is a file that you may read.",
            reason="unreadable",
        )

    def is_executed(self) -> bool:
        """Whether a process executes the run, or looks after it for a moment."""
        return is_locked(self.lock_file)

    def is_executed_by(self, pid: int) -> bool:
        """Whether a process of this machine holds the lock."""
        return holder(self.lock_file) == _executor_note(pid)

    def ask_to_cancel(self, *, at_once: bool = False) -> None:
        """Leave a sign for who executes the run or is about to; asking again only renews it.

        Raises:
            NoSuchRunError: There is no such run.
            FailedToWriteOutputsError: It cannot be left, on a read-only disk for instance.
        """
        self.require()
        for sign in self._cancel_signs if at_once else self._cancel_signs[:1]:
            _leave_sign(sign)

    def cancel_asked(self, *, at_once: bool = False) -> bool:
        """Whether somebody asked to stop, or to stop at once."""
        return self._cancel_signs[at_once].exists()

    def forget_cancel(self, *, before: float) -> None:
        """Remove signs that were left before a time; a newer one is heeded by who executes the run.

        Args:
            before: When the execution was asked for, in seconds since 1970, UTC.
        """
        for sign in self._cancel_signs:
            _remove_sign(sign, before=before)

    @property
    def _cancel_signs(self) -> tuple[Path, Path]:
        return self.path / "cancel", self.path / "cancel_at_once"

    def require(self) -> None:
        """Return when there is such a run.

        Raises:
            NoSuchRunError: There is none.
        """
        if not self.exists():
            raise no_such_run(self.id)

    def _append(self, line: StateLine, *, sync: bool = False) -> None:
        text = line.model_dump_json(exclude_none=True).encode() + b"\n"
        try:
            with self.states_file.open("a+b") as file:
                if _is_torn(file):
                    text = b"\n" + text
                file.write(text)
                file.flush()
                if sync:
                    os.fsync(file.fileno())
        except OSError as problem:
            kept = "Then go on: what is finished is kept."
            raise write_failure(self.states_file, problem, kept=kept) from problem


def no_such_run(run_id: str) -> NoSuchRunError:
    """Return the error for a run that is not there, or that somebody may not see."""
    return NoSuchRunError(
        f"There is no run {run_id}.", hint="'imageloom runs list' shows those there are."
    )


def _leave_sign(sign: Path) -> None:
    """Make a file whose time of change is now, exactly: the clock of the file system is coarse."""
    new = sign.with_name(f".{sign.name}-{os.urandom(4).hex()}")
    try:
        new.touch()
        os.utime(new, ns=(time.time_ns(),) * 2)
        new.replace(sign)
    except OSError as problem:
        raise write_failure(sign, problem) from problem


def _remove_sign(sign: Path, *, before: float) -> None:
    # Taken away first: one that is left between a look and a removal would be lost.
    taken = sign.with_name(f".{sign.name}-{os.urandom(4).hex()}")
    with contextlib.suppress(FileNotFoundError):
        sign.rename(taken)
        if taken.stat().st_mtime < before:
            taken.unlink()
        else:
            taken.replace(sign)


def _executor_note(pid: int) -> str:
    return f"process {pid} on {socket.gethostname()}"


def _is_torn(file: BinaryIO) -> bool:
    """Whether a killed process left a line without its end."""
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"

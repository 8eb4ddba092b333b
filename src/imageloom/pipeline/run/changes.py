"""What happened to a run since somebody last looked, for those who show it while it goes on.

A position is a number of bytes of a file, so who was killed, or never knew the run, goes on where
another left off.
"""

from dataclasses import dataclass

from pydantic import ValidationError

from imageloom.events import Event
from imageloom.files.appended_lines import read_lines
from imageloom.files.event_lines import event_of
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import StateLine
from imageloom.spec.job import EVENTS_FILE


@dataclass(frozen=True)
class Change:
    """A line of the file of states.

    Attributes:
        line: The new state of the run, or what is now known of a node.
        position: Behind it; who has seen this change goes on from here.
    """

    line: StateLine
    position: int


@dataclass(frozen=True)
class Changes:
    """What happened to a run.

    Attributes:
        changes: In the order in which they happened.
        position: Where to go on; behind the last change, and behind lines that nobody can read.
        generation: Tells the file of states from one that stood in its place before.
        is_cut: Whether what was read before is no longer there; ``changes`` are then all there are,
            and nothing that was known of the run holds.
        has_more: Whether there is more to read at once.
        is_executed: Whether a process executed the run just before this was read. Where that or a
            change is new, ``RunFolder.state`` has something new to say.
        damaged_lines: How many lines a killed process left half written.
    """

    changes: tuple[Change, ...]
    position: int
    generation: str
    is_cut: bool
    has_more: bool
    is_executed: bool
    damaged_lines: int


@dataclass(frozen=True)
class Told:
    """What a node told while it worked.

    Attributes:
        events: Its progress, metrics and notices, each with the position behind it.
        position: As of ``Changes``, like ``generation``, ``is_cut`` and ``has_more``.
    """

    events: tuple[tuple[Event, int], ...]
    position: int
    generation: str
    is_cut: bool
    has_more: bool


def read_changes(run: RunFolder, position: int, *, generation: str = "") -> Changes:
    """Return what happened to a run behind a position: never half a line, and at most about 1 MiB.

    Where nothing changed it takes a look at the length of the file and one at the lock.

    Args:
        run: The run, which need not have begun.
        position: 0 for all, or what an earlier call returned, perhaps to another process.
        generation: What that call returned beside it; without it, a file that was replaced by one
            that is as long or longer may be taken for the same.

    Raises:
        NoSuchRunError: There is no such run.
        StoreCorruptError: The file of states is there but cannot be read.
    """
    run.require()
    is_executed = run.is_executed()  # before reading: who is gone by now has written all it had to
    try:
        found = read_lines(run.states_file, position, generation=generation)
    except OSError as problem:
        raise run.unreadable(problem) from problem
    changes: list[Change] = []
    damaged = 0
    for text, end in found.lines:
        try:
            changes.append(Change(StateLine.model_validate_json(text), end))
        except ValidationError:
            damaged += bool(text)  # an empty line ends one that was torn
    return Changes(
        tuple(changes),
        found.position,
        found.generation,
        is_cut=found.is_cut,
        has_more=found.has_more,
        is_executed=is_executed,
        damaged_lines=damaged,
    )


def read_told(run: RunFolder, node_id: str, position: int, *, generation: str = "") -> Told:
    """Return what a node told behind a position; arguments are as of ``read_changes``.

    What earlier executions of the node told stands before what the last one does. A node that was
    answered from the cache told it to the run that did the work.

    Raises:
        NoSuchRunError: No node can have this id.
    """
    try:
        file = run.node_folder(node_id) / EVENTS_FILE
        found = read_lines(file, position, generation=generation)
    except OSError:  # what a node tells is no part of the truth
        return Told((), position, generation, is_cut=False, has_more=False)
    events = ((event_of(text), end) for text, end in found.lines)
    return Told(
        tuple((event, end) for event, end in events if event is not None),
        found.position,
        found.generation,
        is_cut=found.is_cut,
        has_more=found.has_more,
    )

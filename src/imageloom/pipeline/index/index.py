"""The index of the runs: lists them quickly, and never knows better than their files."""

import contextlib
import difflib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, RowMapping, Select, bindparam, delete, select

from imageloom.errors import NoSuchRunError, StoreError
from imageloom.events import Event, EventSink, Notice
from imageloom.pipeline.index.guarded import GuardedDatabase
from imageloom.pipeline.index.summary import SummaryRow, state_of_files, summarise
from imageloom.pipeline.index.tables import RUNS
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.node_state import RunState
from imageloom.system.wording import some

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

logger = logging.getLogger(__name__)
_LOOKS: Final = 5  # runs may go on changing while they are listed
_BATCH: Final = 200  # rows in one transaction, so that other processes wait for moments only
_SUMMARY_COLUMNS: Final = (
    *(RUNS.c.id, RUNS.c.name, RUNS.c.state, RUNS.c.created, RUNS.c.began, RUNS.c.ended),
    *(RUNS.c.num_nodes, RUNS.c.num_done, RUNS.c.problem),
)


@dataclass(frozen=True)
class RunSummary:
    """What a list of runs shows of one.

    Attributes:
        id: The run's id.
        name: Name of the pipeline; empty when the record of the run cannot be read.
        state: Where it is, in truth.
        created: When it was asked for; times are in seconds since 1970, UTC.
        began: When it began to run for the first time, or None.
        ended: When it last ended, or None while it is queued, runs or is interrupted.
        num_nodes: Nodes it makes.
        num_done: Nodes whose outputs are there.
        problem: The first node that failed and why, or why the record cannot be read.
    """

    id: str
    name: str
    state: RunState
    created: float
    began: float | None
    ended: float | None
    num_nodes: int
    num_done: int
    problem: str


def log_notice(event: Event) -> None:
    """Write down what was put right, for callers without a better place for it."""
    if isinstance(event, Notice):
        level = logging.WARNING if event.level == "warning" else logging.INFO
        logger.log(level, "%s", event.message)


def open_index(
    url: str | None,
    workspace: Workspace,
    *,
    on_event: EventSink = log_notice,
    busy_timeout_s: float = 30.0,
) -> "RunIndex":
    """Open the index of a workspace, making or repairing its database if need be.

    Args:
        url: Address of a database that several workspaces may share, or None for a SQLite file in
            the workspace.
        workspace: Whose runs to index.
        on_event: Hears when a damaged database was replaced and the like.
        busy_timeout_s: How long to wait for other processes.

    Raises:
        ParameterParsingError: The address cannot be used.
        StoreBusyError: Another process holds the database for too long.
        StoreCorruptError: A newer version made the database, or its tables are not ours.
        EnvironmentUnsuitableError: The server does not answer, or its driver is missing.
    """
    database = GuardedDatabase(
        url, workspace.database, on_event=on_event, busy_timeout_s=busy_timeout_s
    )
    return RunIndex(database, workspace, scope="" if url is None else str(workspace.root))


class RunIndex:
    """Rows made from the folders of the runs.

    Every question is preceded by a look at the files, so a row is never older than they are. All
    methods raise what ``open_index`` raises.

    Args:
        database: Where the rows are.
        workspace: Where the runs are.
        scope: What tells the rows of this workspace from those of others in the same database.
    """

    def __init__(self, database: GuardedDatabase, workspace: Workspace, *, scope: str) -> None:
        self._database = database
        self._workspace = workspace
        self._scope = scope

    def sync(self, run: RunFolder) -> None:
        """Make the row of a run what its files say."""
        self._write([run.id])

    def sync_all(self) -> None:
        """Make the rows of all runs whose files changed what these say."""
        self._write(self._stale(self._database.transact(self._known_files)))

    def rebuild(self) -> None:
        """Make all rows again, whether files changed or not."""
        known = self._database.transact(self._known_files)
        self._write([*{*known, *self._workspace.run_ids()}])

    def list(
        self, *, limit: int = 50, offset: int = 0, state: RunState | None = None, text: str = ""
    ) -> tuple[RunSummary, ...]:
        """Return runs, newest first.

        Args:
            limit: How many at most.
            offset: How many to leave out first.
            state: Only runs in this state.
            text: Only runs whose id or name contains this, whatever the case.
        """
        wanted = select(*_SUMMARY_COLUMNS).where(RUNS.c.workspace == self._scope)
        if text:
            wanted = wanted.where(RUNS.c.search.contains(text.casefold(), autoescape=True))
        wanted = wanted.order_by(RUNS.c.id.desc())
        if state in (RunState.QUEUED, RunState.RUNNING, RunState.INTERRUPTED):
            # Which of them it is stands in no file: somebody holds the lock of the run or not.
            wanted = wanted.where(RUNS.c.state == RunState.RUNNING)
            found = [one for one in self._summaries(wanted) if one.state is state]
            return tuple(found[offset : offset + limit])
        if state is not None:
            wanted = wanted.where(RUNS.c.state == state)
        return tuple(self._summaries(wanted.offset(offset).limit(limit)))

    def find(self, text: str) -> str:
        """Return the id of the run that a person means.

        Args:
            text: ``last``, an id, or as much of the beginning of one as is needed.

        Raises:
            NoSuchRunError: There is none, or several begin like this; the message names them.
        """
        run_ids = self._workspace.run_ids()
        if text == "last" and run_ids:
            return run_ids[-1]
        found = [one for one in run_ids if text and one.startswith(text)]
        if text in found or len(found) == 1:
            return text if text in found else found[0]
        if found:
            raise NoSuchRunError(
                f"{len(found)} runs begin with {text!r}.",
                hint=f"Give more of it: {some(found[::-1])}.",
                reason="ambiguous",
            )
        if not run_ids:
            raise NoSuchRunError(
                f"There are no runs in {self._workspace.root}.",
                hint="Is that the workspace? --workspace or IMAGELOOM_WORKSPACE names another.",
            )
        near = difflib.get_close_matches(text, run_ids, n=3, cutoff=0.5)
        meant = f"Did you mean {' or '.join(near)}? " if near else ""
        raise NoSuchRunError(
            f"There is no run {text!r}.",
            hint=f"{meant}'imageloom runs list' shows those there are.",
        )

    def remove(self, run_id: str) -> None:
        """Remove the row of a run; it comes back if the run is still there."""
        self._database.transact(partial(self._replace, rows=(), gone=(run_id,)), write=True)

    def close(self) -> None:
        """Close the connections to the database."""
        self._database.close()

    def _known_files(self, connection: Connection) -> dict[str, str]:
        wanted = select(RUNS.c.id, RUNS.c.files).where(RUNS.c.workspace == self._scope)
        return {row.id: row.files for row in connection.execute(wanted)}

    def _stale(self, known: Mapping[str, str]) -> Sequence[str]:
        """Return the runs whose rows are not what their files say.

        Args:
            known: What state of the files each row was made from. It was read before the folders
                are listed here: a run that began in between must not look like one deleted.
        """
        there = self._workspace.run_ids()
        runs = [self._workspace.run(run_id) for run_id in there]
        changed = [run.id for run in runs if known.get(run.id) != state_of_files(run)]
        return [*changed, *(known.keys() - set(there))]

    def _summaries(self, wanted: "Select[*tuple[object, ...]]") -> Sequence[RunSummary]:
        """Return the rows that are wanted, of a moment at which no row was stale."""

        def read(connection: Connection) -> tuple[dict[str, str], Sequence[RowMapping]]:
            return self._known_files(connection), connection.execute(wanted).mappings().all()

        known, rows = self._database.transact(read)
        for _ in range(_LOOKS):
            if not (stale := self._stale(known)):
                break
            self._write(stale)
            known, rows = self._database.transact(read)
        return [self._summary(row) for row in rows]

    def _summary(self, row: RowMapping) -> RunSummary:
        state = RunState(row["state"])
        if state is RunState.RUNNING:
            with contextlib.suppress(StoreError):  # the row says why its files cannot be read
                state = self._workspace.run(row["id"]).state()
        return RunSummary(**{**row, "state": state})

    def _write(self, run_ids: Iterable[str]) -> None:
        """Make the rows of some runs what their files say; runs that are gone lose theirs."""
        ordered = sorted(run_ids)  # in one order everywhere: no two processes wait for each other
        for start in range(0, len(ordered), _BATCH):
            batch = ordered[start : start + _BATCH]
            made = (summarise(self._workspace.run(one), self._scope) for one in batch)
            rows = [row for row in made if row is not None]
            gone = sorted(set(batch) - {str(row["id"]) for row in rows})
            self._database.transact(partial(self._replace, rows=rows, gone=gone), write=True)

    def _replace(
        self, connection: Connection, *, rows: Sequence[SummaryRow], gone: Sequence[str]
    ) -> None:
        if rows:
            insert = _insertion(connection)
            new = {one.name: insert.excluded[one.name] for one in RUNS.c if not one.primary_key}
            keys = list(RUNS.primary_key.columns)
            upsert = insert.on_conflict_do_update(index_elements=keys, set_=new)
            connection.execute(upsert, list(rows))
        if gone:
            mine = (RUNS.c.workspace == self._scope) & (RUNS.c.id == bindparam("gone"))
            connection.execute(delete(RUNS).where(mine), [{"gone": one} for one in gone])


def _insertion(connection: Connection) -> "postgresql.Insert | sqlite.Insert":
    # Late: one of the two is enough, and that of PostgreSQL takes long to import.
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(RUNS)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(RUNS)

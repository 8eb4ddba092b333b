"""The index of the runs: lists them quickly, and never knows better than their files."""

import difflib
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, RowMapping, Table, bindparam, delete, func, select

from imageloom.errors import NoSuchRunError, StoreError
from imageloom.events import Event, EventSink, Notice
from imageloom.pipeline.index.guarded import GuardedDatabase
from imageloom.pipeline.index.order import RunOrder
from imageloom.pipeline.index.query import ENDED, Page, page_of
from imageloom.pipeline.index.summary import RunSummary, SummaryRow, state_of_files, summarise
from imageloom.pipeline.index.sweep import mark_of, settled_mark_of, sweep
from imageloom.pipeline.index.tables import RUNS, SWEEPS
from imageloom.pipeline.ownership import EVERYTHING, Viewpoint
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.node_state import RunState
from imageloom.system.wording import some

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

logger = logging.getLogger(__name__)
_LOOKS: Final = 5  # runs may go on changing while they are listed
_BATCH: Final = 200  # rows in one transaction, so that other processes wait for moments only


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

    Every question is preceded by a look at the files of the runs that are shown or had not ended,
    and at those of all runs when one came, went or goes on again; so no row that is shown is older
    than its files. All methods raise what ``open_index`` raises.

    Args:
        database: Where the rows are.
        workspace: Where the runs are.
        scope: What tells the rows of this workspace from those of others in the same database.
        viewpoint: Who looks: ``list`` returns what they see.
    """

    def __init__(
        self,
        database: GuardedDatabase,
        workspace: Workspace,
        *,
        scope: str,
        viewpoint: Viewpoint = EVERYTHING,
    ) -> None:
        self._database = database
        self._workspace = workspace
        self._scope = scope
        self._viewpoint = viewpoint

    def seen_from(self, viewpoint: Viewpoint) -> "RunIndex":
        """Return the same index, of which somebody sees a part."""
        return RunIndex(self._database, self._workspace, scope=self._scope, viewpoint=viewpoint)

    def sync(self, run: RunFolder) -> None:
        """Make the row of a run what its files say."""
        self._write([run.id])

    def sync_all(self) -> None:
        """Look at the folders of all runs, and make the rows of those that changed anew.

        A list does this itself when the runs' folder changed; a process that lives long may do it
        from time to time, for what people change by hand inside the folder of a run that has ended.
        """
        known = self._database.transact(self._known_files)
        # After the rows are read: a run that begins in between must not look like one deleted.
        found = sweep(self._workspace)
        changed = [one for one, files in found.files.items() if known.get(one) != files]
        self._write([*changed, *(known.keys() - found.files.keys())])
        if found.mark:
            self._note(found.mark, num_runs=len(found.files))

    def rebuild(self) -> None:
        """Make all rows again, whether files changed or not."""
        known = self._database.transact(self._known_files)
        self._write([*{*known, *self._workspace.run_ids()}])

    def list(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        state: RunState | None = None,
        text: str = "",
        order: RunOrder = RunOrder.CREATED,
        is_reversed: bool = False,
    ) -> tuple[RunSummary, ...]:
        """Return runs, newest first or in another order.

        Args:
            limit: How many at most.
            offset: How many to leave out first.
            state: Only runs in this state.
            text: Only runs whose id or name contains this, whatever the case.
            order: What comes first.
            is_reversed: Whether what comes first comes last instead.
        """
        page = Page(limit, offset, state, text, order, is_reversed, self._viewpoint)
        for _ in range(_LOOKS):
            repairs = self._database.num_repairs
            self._catch_up()
            found = self._look(page)
            stale = self._stale({row["id"]: row["files"] for row, _ in found})
            if not stale and self._database.num_repairs == repairs:  # else rows may be missing
                break
            self._write(stale)
        return tuple(RunSummary.of(row, state) for row, state in found)

    def stamp(self, open_runs: Iterable[str]) -> str | None:
        """Return a text that changes whenever a list does, or None while that cannot be told.

        It looks at a few files, however many runs there are. What people change by hand inside the
        folder of a run that has ended it does not see.

        Args:
            open_runs: The runs of the list that had not ended.
        """
        mark = settled_mark_of(self._workspace.runs)
        if not mark:
            return None
        runs = map(self._workspace.run, open_runs)
        return "\n".join([mark, *(f"{state_of_files(one)} {one.is_executed()}" for one in runs)])

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

        def work(connection: Connection) -> None:
            connection.execute(delete(SWEEPS).where(SWEEPS.c.workspace == self._scope))
            self._replace(connection, rows=(), gone=(run_id,))

        self._database.transact(work, write=True)

    @property
    def is_in_memory(self) -> bool:
        """Whether its database could not be used when it was last needed."""
        return self._database.is_in_memory

    def close(self) -> None:
        """Close the connections to the database."""
        self._database.close()

    def _known_files(self, connection: Connection) -> dict[str, str]:
        """Return what state of the files each row was made from."""
        wanted = select(RUNS.c.id, RUNS.c.files).where(RUNS.c.workspace == self._scope)
        return {row.id: row.files for row in connection.execute(wanted)}

    def _open_files(self, connection: Connection) -> dict[str, str]:
        """Return the same of the runs that had not ended."""
        mine = RUNS.c.workspace == self._scope
        wanted = select(RUNS.c.id, RUNS.c.files).where(mine, RUNS.c.state.not_in(ENDED))
        return {row.id: row.files for row in connection.execute(wanted)}

    def _catch_up(self) -> None:
        """Bring all rows up to date that may have changed, without a look at runs that ended."""
        noted = select(SWEEPS.c.mark).where(SWEEPS.c.workspace == self._scope)
        mark = self._database.transact(lambda connection: connection.scalar(noted))
        if mark != mark_of(self._workspace.runs):
            self.sync_all()
        else:
            self._write(self._stale(self._database.transact(self._open_files)))

    def _stale(self, known: Mapping[str, str]) -> Sequence[str]:
        """Return the runs whose rows are not what their files say."""
        return [one for one, files in known.items() if files != self._files(one)]

    def _files(self, run_id: str) -> str:
        return state_of_files(self._workspace.run(run_id))

    def _look(self, page: Page) -> Sequence[tuple[RowMapping, RunState]]:
        """Return the rows of a page, as they are, with the true state of each run."""
        live: dict[str, RunState] = {}
        if page.needs_true_states:
            ids = self._database.transact(self._open_files)
            live = {run_id: self._true_state(run_id) for run_id in ids}
        wanted = page_of(page, self._scope, live)
        rows = self._database.transact(
            lambda connection: connection.execute(wanted).mappings().all()
        )
        return [(row, live.get(row["id"]) or self._state_of(row)) for row in rows]

    def _state_of(self, row: RowMapping) -> RunState:
        state = RunState(row["state"])
        return state if state in ENDED else self._true_state(row["id"])

    def _true_state(self, run_id: str) -> RunState:
        try:
            return self._workspace.run(run_id).state()
        except StoreError:  # the row says why its files cannot be read
            return RunState.RUNNING

    def _note(self, mark: str, *, num_runs: int) -> None:
        """Write down up to what mark the rows are those of the folders, if that can be written."""
        mine = RUNS.c.workspace == self._scope

        def work(connection: Connection) -> None:
            # Others come and go, and a damaged database may just have been made anew.
            if connection.scalar(select(func.count()).where(mine)) == num_runs:
                _upsert(connection, SWEEPS, [{"workspace": self._scope, "mark": mark}])

        self._database.write_if_possible(work)

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
            _upsert(connection, RUNS, rows)
        if gone:
            mine = (RUNS.c.workspace == self._scope) & (RUNS.c.id == bindparam("gone"))
            connection.execute(delete(RUNS).where(mine), [{"gone": one} for one in gone])


def _upsert(connection: Connection, table: Table, rows: Sequence[SummaryRow]) -> None:
    insert = _insertion(connection, table)
    new = {one.name: insert.excluded[one.name] for one in table.c if not one.primary_key}
    keys = list(table.primary_key.columns)
    upsert = insert.on_conflict_do_update(index_elements=keys, set_=new)
    connection.execute(upsert, list(rows))


def _insertion(connection: Connection, table: Table) -> "postgresql.Insert | sqlite.Insert":
    # Late: one of the two is enough, and that of PostgreSQL takes long to import.
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)

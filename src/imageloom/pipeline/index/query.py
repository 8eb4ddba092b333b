"""The statement that picks the runs of a page."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, case, func, select

from imageloom.pipeline.index.order import RunOrder
from imageloom.pipeline.index.tables import RUNS
from imageloom.pipeline.ownership import Viewpoint, Whose
from imageloom.spec.node_state import RunState

ENDED: Final = (RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED)


@dataclass(frozen=True)
class Page:
    """Which runs are wanted; as the arguments of ``RunIndex.list``, and who looks."""

    limit: int
    offset: int
    state: RunState | None
    text: str
    order: RunOrder
    is_reversed: bool
    viewpoint: Viewpoint

    @property
    def needs_true_states(self) -> bool:
        """Whether it depends on which runs have a process, which no file says."""
        is_open = self.state is not None and self.state not in ENDED
        return is_open or self.order in (RunOrder.STATE, RunOrder.DURATION)


def page_of(page: Page, scope: str, live: Mapping[str, RunState]) -> Select[*tuple[Any, ...]]:
    """Return the statement that gives the rows of a page, in its order.

    Args:
        page: What is wanted.
        scope: The workspace, as the database tells several apart.
        live: The true states of the runs that have not ended; needed where the page depends on
            them.
    """
    state = _true_state(live)
    wanted = select(RUNS).where(RUNS.c.workspace == scope)
    if page.text:
        wanted = wanted.where(RUNS.c.search.contains(page.text.casefold(), autoescape=True))
    shown = _shown(page.viewpoint)
    if shown is not None:
        wanted = wanted.where(shown)
    if page.state is not None:
        wanted = wanted.where(state == page.state.value)
    return wanted.order_by(*_order(page, state)).limit(page.limit).offset(page.offset)


def _shown(viewpoint: Viewpoint) -> ColumnElement[bool] | None:
    """Return what ``Viewpoint.shows`` asks of a row; None where all are shown."""
    is_mine = RUNS.c.owner == viewpoint.person
    if viewpoint.whose is Whose.MINE:
        return is_mine
    if viewpoint.whose is Whose.SHARED:
        return RUNS.c.is_shared & ~is_mine
    return None if viewpoint.sees_all else RUNS.c.is_shared | is_mine


def _true_state(live: Mapping[str, RunState]) -> ColumnElement[str]:
    """Return the state of a row; one that has not ended is interrupted unless ``live`` knows."""
    ids = defaultdict(list)
    for run_id, state in live.items():
        if state is not RunState.INTERRUPTED:
            ids[state].append(run_id)
    return case(
        (RUNS.c.state.in_(ENDED), RUNS.c.state),
        *((RUNS.c.id.in_(some), state.value) for state, some in ids.items()),
        else_=RunState.INTERRUPTED.value,
    )


def _order(page: Page, state: ColumnElement[str]) -> list[ColumnElement[Any]]:
    newest = RUNS.c.id.asc() if page.is_reversed else RUNS.c.id.desc()
    if page.order is RunOrder.CREATED:
        return [newest]
    if page.order is RunOrder.DURATION:
        running = (state == RunState.RUNNING.value, time.time() - RUNS.c.began)
        took = case(running, else_=RUNS.c.ended - RUNS.c.began)
        return [took.is_(None), took.asc() if page.is_reversed else took.desc(), newest]
    value = state if page.order is RunOrder.STATE else func.lower(RUNS.c.name)
    return [value.desc() if page.is_reversed else value.asc(), newest]

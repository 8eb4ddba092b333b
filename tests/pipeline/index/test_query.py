"""Runs are listed in the order that is asked for, on SQLite and PostgreSQL alike."""

import itertools

import pytest

from imageloom.pipeline.index.order import RunOrder
from imageloom.pipeline.run_record import StateLine
from imageloom.spec.node_state import RunState

from ..made_runs import RUN_IDS, ids_of, make_run  # noqa: TID252 - the absolute name depends on who runs pytest

pytestmark = pytest.mark.processes


@pytest.fixture
def _various(workspace):
    """Runs of other names, states and lengths; the second has a process, the last never began."""
    for run_id, name, state in zip(
        RUN_IDS,
        ("b", "A", "c", "a", "b"),
        (RunState.COMPLETED, RunState.RUNNING, RunState.FAILED, RunState.RUNNING, None),
        strict=True,
    ):
        make_run(workspace, run_id, name=name, state=state)
    for run_id, ended in ((RUN_IDS[0], 30.0), (RUN_IDS[2], 90.0)):
        lines = [
            StateLine(time=10.0, run=RunState.RUNNING),
            StateLine(time=ended, run=RunState.COMPLETED),
        ]
        texts = [line.model_dump_json(exclude_none=True) for line in lines]
        workspace.run(run_id).states_file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    with workspace.run(RUN_IDS[1]).execution_lock():
        yield


@pytest.mark.usefixtures("_various")
@pytest.mark.parametrize(
    ("order", "forwards", "backwards"),
    [
        ("created", (4, 3, 2, 1, 0), (0, 1, 2, 3, 4)),
        ("name", (3, 1, 4, 0, 2), (2, 0, 4, 1, 3)),
        ("state", (2, 0, 3, 4, 1), (1, 4, 3, 0, 2)),
        ("duration", (2, 0, 1, 4, 3), (1, 0, 2, 3, 4)),
    ],
)
def test_runs_are_listed_in_any_order_and_round(index, order, forwards, backwards):
    for is_reversed, expected in ((False, forwards), (True, backwards)):
        named = {"order": RunOrder(order), "is_reversed": is_reversed}
        whole = ids_of(index, **named)
        assert whole == [RUN_IDS[number] for number in expected]
        pages = [ids_of(index, limit=2, offset=offset, **named) for offset in (0, 2, 4)]
        assert [*itertools.chain(*pages)] == whole

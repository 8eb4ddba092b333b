"""Whenever executor and worker are killed at once, the truth is found and the run completes.

Holds J01.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.slow]

HARNESS = Path(__file__).parents[1] / "faults" / "executing.py"


def test_a_kill_at_any_open_rename_or_fsync_costs_nothing_but_time(tmp_path):
    done = subprocess.run(
        [sys.executable, str(HARNESS), str(tmp_path)],
        env=dict(os.environ)
        | {"PYTHONPATH": os.pathsep.join([str(HARNESS.parents[1]), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) > 150, "points that were reached"
    for row in rows:
        assert row["wrong"] == [], row
        assert row["state"] == "completed", row
        assert row["after"] == {"one": "completed", "two": "completed"}, row
        assert row["text"] == "the number 3", row
    found = [tuple(row["found"].values()) for row in rows]
    # First nothing is written down, then all waits, then one node is done after the other.
    order = [(), ("waiting",), *(("waiting",) * 2, ("completed", "waiting"), ("completed",) * 2)]
    assert list(dict.fromkeys(found)) == order
    assert [order.index(states) for states in found] == sorted(map(order.index, found))

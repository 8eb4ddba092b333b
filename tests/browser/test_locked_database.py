"""J02: somebody holds the database for a minute; a training goes on, and the page says what is."""

import contextlib
import subprocess
import sys

import pytest
from playwright.sync_api import TimeoutError, expect

from imageloom.files.series.read import list_series, read_series

from .scene import small_training

EPOCHS = 3
LOSS = ("Train loss", "step")
STEPS_PER_EPOCH = 20  # 1,258 pictures of 64
pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.timeout(580)]
HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held(studio):
    """A process that holds the database of the workspace, which is there once somebody looked."""
    studio.ask("runs")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(studio.workspace / "database.sqlite")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def pipeline(studio):
    return {**small_training(studio, epochs=EPOCHS), "name": "Meanwhile"}


def test_j02_a_training_is_begun_and_ends_while_the_database_is_held(studio, pipeline, held, tab):
    run = studio.ask("runs", {"pipeline": pipeline, "only": ["train"]})["id"]
    tab.goto(f"{studio.address}runs/{run}/nodes/train")
    studio.wait_for_run(run)
    expect(tab.get_by_text("completed").first).to_be_visible()
    folder = studio.workspace / "runs" / run / "nodes" / "train" / "series"
    (loss,) = [one for one in list_series(folder) if (one.name, one.kind) == LOSS]
    rows = read_series(loss.path, 0, loss.num_rows)
    assert [row.step for row in rows] == list(range(1, EPOCHS * STEPS_PER_EPOCH + 1))
    tab.goto(f"{studio.address}runs")
    expect(tab.get_by_text("holds the database").first).to_be_visible()
    assert held.poll() is None
    held.kill()
    held.wait()
    with contextlib.suppress(TimeoutError):  # the page may have looked again by itself
        tab.get_by_role("button", name="Try again").click(timeout=5000)
    expect(tab.get_by_role("link", name="Meanwhile").first).to_be_visible()

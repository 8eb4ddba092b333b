"""Where what a node measured is found, while it works, afterwards, and in another run."""

import shutil
import subprocess
import sys

import pytest

from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.workspace import Workspace
from imageloom.run_report.node_files import series_folder
from imageloom.spec.node_state import NodeState

from .made_runs import EARLIER, RUN

KEY = "ab" * 32


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


def test_curves_are_in_the_training_while_it_can_go_on_and_then_in_the_nodes_folder(workspace):
    run = RunFolder(workspace.root / "runs" / RUN)
    facts = NodeFacts(state=NodeState.RUNNING, time=1.0, key=KEY)
    kept = run.path / "nodes" / "train" / "series"
    assert series_folder(workspace, run, "train", None) == kept
    assert series_folder(workspace, run, "train", facts) == kept
    training = workspace.work_scratch(KEY) / "run" / "series"
    training.mkdir(parents=True)
    assert series_folder(workspace, run, "train", facts) == training
    shutil.rmtree(training)
    assert series_folder(workspace, run, "train", facts) == kept


def test_curves_of_a_node_from_the_cache_are_in_the_run_that_made_it(workspace):
    run = RunFolder(workspace.root / "runs" / RUN)
    facts = NodeFacts(state=NodeState.CACHED, time=1.0, key=KEY, made_by=(EARLIER, "learn"))
    (workspace.work_scratch(KEY) / "run" / "series").mkdir(parents=True)  # of another execution
    expected = workspace.root / "runs" / EARLIER / "nodes" / "learn" / "series"
    assert series_folder(workspace, run, "train", facts) == expected


def test_looking_for_the_files_of_a_node_imports_nothing_heavy():
    code = (
        "import sys, imageloom.run_report.node_files\n"
        "print([m for m in ('torch', 'numpy', 'PIL', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

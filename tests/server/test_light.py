"""The server loads nothing heavy, so that it starts at once and survives what it shows."""

import os
import subprocess

import pytest

# Asks every address of the API once, the way a page does; what is not there answers 404.
ASK_ALL = """
import os, sys
from pathlib import Path
from fastapi.testclient import TestClient
from imageloom.app import Engine
from imageloom.server.access import Access
from imageloom.server.app import create_app
from imageloom.server.roots import Roots
from imageloom.server.studio import Studio
from imageloom.settings import read_settings

workspace, run = sys.argv[1:]
engine = Engine(read_settings({**os.environ, "IMAGELOOM_WORKSPACE": workspace}))
base = Path(workspace)
studio = Studio(engine=engine, roots=Roots.of((base,)), user="ada", base=base)
access = Access("t" * 43, 8460)
client = TestClient(create_app(studio, access), base_url="http://127.0.0.1:8460")
client.headers["authorization"] = "Bearer " + access.token
paths = client.get("/api/openapi.json").json()["paths"]
answers = []
for path, methods in sorted(paths.items()):
    for name, value in (("run_id", run), ("node", "a"), ("label", "worker")):
        path = path.replace("{" + name + "}", value)
    if "get" in methods and "events" not in path:
        answers.append(client.get(path.replace("{", "").replace("}", "")).status_code)
assert answers.count(200) >= 8, answers
assert set(answers) <= {200, 404, 422}, answers
client.post("/api/check", json={"pipeline": studio.engine.workspace.run(run).record().pipeline})
heavy = ("torch", "torchvision", "numpy", "PIL", "pyarrow", "safetensors", "timm", "sklearn")
print([name for name in heavy if name in sys.modules])
"""


@pytest.mark.slow
def test_no_answer_loads_a_heavy_library(python, tmp_path):
    run = _run_in(tmp_path)
    command = [python, "-c", ASK_ALL, str(tmp_path), run]
    environment = {**os.environ, "IMAGELOOM_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def _run_in(root):
    """Write down a run of one node that completed, and return its id."""
    from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord, RunRecord
    from imageloom.pipeline.workspace import Workspace
    from imageloom.spec.node_state import NodeState, RunState

    node = {"id": "a", "component": "dataset", "params": {"path": "."}}
    run = Workspace(root).run("20261101-120000-0001")
    run.create(
        RunRecord(
            id=run.id,
            name="One",
            pipeline={"format_version": 2, "kind": "pipeline", "name": "One", "nodes": [node]},
            base=str(root),
            resolved={"a": ResolvedRecord(component="dataset", version=1, params={"path": "."})},
            wanted=("a",),
            created=1.0,
        )
    )
    run.append_run(RunState.RUNNING)
    run.append_node("a", NodeFacts(state=NodeState.COMPLETED, time=2.0))
    run.append_run(RunState.COMPLETED)
    return run.id

"""The server loads nothing heavy, so that it starts at once and survives what it shows."""

import subprocess

import pytest

from .made_run import made_run

# Asks every address of the API once, the way a page does; what is not there answers 404.
ASK_ALL = """
import os, sys
from pathlib import Path
from fastapi.testclient import TestClient
from imageloom.app import Engine
from imageloom.data.previews.client import PictureHelper
from imageloom.scoring.model_process.client import ModelHelper
from imageloom.server.access import Access
from imageloom.server.app import create_app
from imageloom.server.roots import Roots
from imageloom.server.studio import Studio
from imageloom.settings import read_settings

workspace, run = sys.argv[1:]
engine = Engine(read_settings({**os.environ, "IMAGELOOM_WORKSPACE": workspace}))
base = Path(workspace)
pictures = PictureHelper(base / "previews", looks=base / "looks.sqlite", roots=(base,))
models = ModelHelper(base / "previews", features=base / "features", roots=(base,))
studio = Studio(
    engine=engine,
    roots=Roots.of((base,)),
    user="ada",
    base=base,
    pictures=pictures,
    models=models,
)
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
def test_no_answer_loads_a_heavy_library(python, studio):
    run = made_run(studio)
    command = [python, "-c", ASK_ALL, str(studio.engine.workspace.root), run.id]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr

"""A run that is killed while it writes to disk ends with the weights of one that was not."""

import json
import os
import signal

import pytest
from networks import TINY
from warm_python import start_program

from imageloom.files.publish import sha256_of_file
from imageloom.launch.train import train
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory

PARAMS = TrainParams(
    epochs=2, batch_size=8, learning_rate=0.02, precision="float32", workers=0, print_frequency=1
)

# Runs in a process of its own: it kills itself at its n-th fsync, and so in the middle of writing
# a checkpoint, a record or the model. What follows a kill -9 does not depend on who sends it.
CHILD = """
import json, os, signal, sys
from imageloom.training.params import TrainParams
from imageloom.launch.train import resume, train

out, training, validation, fatal, params = sys.argv[1:]
calls, real = 0, os.fsync

def fsync(descriptor):
    global calls
    calls += 1
    if calls == int(fatal):
        os.kill(os.getpid(), signal.SIGKILL)
    real(descriptor)

os.fsync = fsync
if os.path.exists(os.path.join(out, "run.json")):
    resume(out)
else:
    params = TrainParams.parse(json.loads(params))
    train("timm/test_resnet", training, validation, out, params=params)
"""


def live(out, folders, fatal):
    """Train or resume until the n-th fsync or the end; return the exit status."""
    arguments = [str(out), *map(str, folders), str(fatal), json.dumps(PARAMS.model_dump())]
    process = start_program(CHILD, *arguments, environment=os.environ)
    assert process.wait() in (0, -signal.SIGKILL), process.stderr
    return process.returncode


@pytest.mark.slow
def test_i01_killed_at_every_kind_of_write_and_resumed_equals_never_killed(make_pictures, tmp_path):
    folders = tmp_path / "training", tmp_path / "validation"
    pictures = make_pictures(size=16), make_pictures(per_class=4, size=16, seed=1)
    for images, folder in zip(pictures, folders, strict=True):
        images.save(folder)
    quiet = train(TINY, *folders, tmp_path / "quiet", params=PARAMS)

    out = tmp_path / "disturbed"
    # In the first life no run exists before some thirty writes; later ones begin with a record.
    for fatal in (9, 40, 5, 14, 9):
        assert live(out, folders, fatal) == -signal.SIGKILL
    assert live(out, folders, 10**9) == 0
    assert RunDirectory(out).read().state == "completed"
    name = "model/weights.safetensors"
    assert sha256_of_file(out / name) == sha256_of_file(quiet.run / name)
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []
    assert [path.name for path in out.rglob("*") if ".partial" in path.name] == []

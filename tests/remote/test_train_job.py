"""The process of a training on a target says for itself how the run goes on."""

import subprocess

import pytest
from networks import TINY

from imageloom.events import Control
from imageloom.files.publish import read_json, write_json
from imageloom.launch.params import LaunchParams
from imageloom.remote.train_job import TRAIN_JOB_FILE, TrainJob
from imageloom.spec.job import ERROR_FILE
from imageloom.training.params import TrainParams
from imageloom.training.train import NewRun, prepare_run

PARAMS = TrainParams(epochs=1, batch_size=4, image_size=32, precision="float32", workers=0)


@pytest.mark.slow
def test_its_own_error_file_names_the_command_that_goes_on_at_the_target(
    make_pictures, tmp_path, python
):
    training, validation = make_pictures(per_class=4), make_pictures(per_class=2, seed=1)
    new = NewRun(TINY, training, validation, tmp_path / "run", params=PARAMS)
    run = prepare_run(new, control=Control())
    training.root.rename(tmp_path / "elsewhere")
    job = TrainJob(run=str(run), launch=LaunchParams(), target="lab")
    write_json(run / "job" / TRAIN_JOB_FILE, job.model_dump(mode="json"))
    command = [python, "-m", "imageloom.remote.train_job", str(run / "job")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    error = read_json(run / "job" / ERROR_FILE, ValueError)
    assert error["resume"]["target"] == "lab"
    assert error["resume"]["command"] == f"imageloom train --resume {run} --root NEW --target lab"

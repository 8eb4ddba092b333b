"""MLflow has a training as a run: in a database, and on a real server that is killed meanwhile."""

import contextlib
import math
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from imageloom.events import Control
from imageloom.tracking.beside import Followers
from imageloom.tracking.position import position_file

pytestmark = pytest.mark.slow

SERVER_VARIABLE = "IMAGELOOM_TEST_MLFLOW"  # the command 'mlflow' of an environment of its own
NO_SERVER = (
    f"{SERVER_VARIABLE} names no 'mlflow' command: the server brings 47 packages along and an "
    "older pyarrow, so it is not among ours. Make an environment with 'pip install mlflow'."
)
START_S = 120.0


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")


def followed(training):
    followers = Followers("imageloom track run")
    followers.start(["mlflow"], training.tracked, Control(), tries_s=0)
    return followers


def caught_up(training):
    """Have the tracker catch up; return what kept it from that, or nothing."""
    ((_, answer),) = followed(training).wait(Control(), most_s=240)
    return answer.problem


def only_run(uri):
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("imageloom")
    (run,) = client.search_runs([experiment.experiment_id])
    return client, run


def steps(client, run, name):
    return sorted(metric.step for metric in client.get_metric_history(run.info.run_id, name))


# Of SQLAlchemy, about MLflow's own queries, in the client that reads here.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_database_has_the_run_with_every_step_once(training, tmp_path, monkeypatch):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.chdir(tmp_path)  # where MLflow puts artefacts of a database
    training.record()
    training.steps(1, 5, loss=lambda step: math.nan if step == 2 else 1.0)
    assert caught_up(training) == ""
    file = position_file(training.path, "mlflow")
    noted = file.read_bytes()
    training.steps(5, 9)
    training.record("completed", metrics={"Overall_Accuracy": 0.75})
    training.publish()
    assert caught_up(training) == ""
    file.write_bytes(noted)  # as if it had been killed before it noted what it had told
    assert caught_up(training) == ""
    client, run = only_run(uri)
    assert (run.info.run_name, run.info.status) == ("run", "FINISHED")
    assert run.data.params["batch_size"] == "16"
    assert steps(client, run, "step/Train loss") == list(range(1, 9))
    assert steps(client, run, "Valid loss") == [4, 8]
    losses = client.get_metric_history(run.info.run_id, "step/Train loss")
    assert [metric.step for metric in losses if math.isnan(metric.value)] == [2]
    assert {one.path for one in client.list_artifacts(run.info.run_id)} == {"model", "report.html"}


def test_a_server_that_never_answers_holds_nobody_up_and_shows_no_password(training, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:geheim@127.0.0.1:{port}")
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "token-of-mine")
        training.record("completed")
        training.steps(1, 5)
        told = []
        followers = followed(training)
        ((_, answer),) = followers.wait(Control(told.append), most_s=1)
    assert answer.problem == "It took more than 1 s."
    (notice,) = told
    assert "Catch up with: imageloom track run" in notice.message
    folder = position_file(training.path, "mlflow").parent
    written = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"geheim" not in written
    assert b"token-of-mine" not in written


def test_a_server_that_is_not_there_is_said_in_one_sentence_without_a_password(
    training, monkeypatch
):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:geheim@127.0.0.1:{port}")
    training.record("completed")
    assert caught_up(training) == "ConnectionRefusedError: [Errno 111] Connection refused"
    log = position_file(training.path, "mlflow").with_suffix(".log").read_text()
    assert "Connection refused" in log
    assert "geheim" not in log


class Server:
    """A real server on a port of its own, which can be killed and started again."""

    def __init__(self, command, folder):
        self._command, self._folder = command, folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"

    def start(self):
        words = ["server", "--host", "127.0.0.1", "--port", f"{self.port}", "--workers", "1"]
        words += ["--backend-store-uri", f"sqlite:///{self._folder}/mlflow.db"]
        words += ["--artifacts-destination", f"{self._folder}/artefacts", "--serve-artifacts"]
        self._process = subprocess.Popen(
            [self._command, *words],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()
                return
            time.sleep(0.2)
        raise AssertionError("the server did not start")

    def kill(self):
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def server(tmp_path):
    command = os.environ.get(SERVER_VARIABLE)
    if not command:
        pytest.skip(NO_SERVER)
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(command, folder)
    server.start()
    yield server
    server.kill()


@pytest.mark.processes
def test_a_server_that_is_killed_in_the_middle_catches_up(server, training, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    training.record()
    training.steps(1, 5)
    assert caught_up(training) == ""
    server.kill()
    training.steps(5, 9)
    training.record("completed")
    training.publish()
    assert caught_up(training) == "ConnectionRefusedError: [Errno 111] Connection refused"
    server.start()
    assert caught_up(training) == ""
    client, run = only_run(server.uri)
    assert run.info.status == "FINISHED"
    assert steps(client, run, "step/Train loss") == list(range(1, 9))
    assert {one.path for one in client.list_artifacts(run.info.run_id)} == {"model", "report.html"}

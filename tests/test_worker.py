"""A worker answers whatever its component does, and the answer comes after everything else."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest

import imageloom.worker
from imageloom.errors import InvalidDatasetError
from imageloom.events import CancelToken, Metric, Notice
from imageloom.files.event_lines import EventTail
from imageloom.params import Params
from imageloom.pipeline.run.job_folder import read_result
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.pipeline.workspace import Workspace
from imageloom.registry import Registry
from imageloom.spec.component import Component, Port, Task
from imageloom.spec.job import ERROR_FILE, EVENTS_FILE, JOB_FILE, RESULT_FILE
from imageloom.worker import run_job


class AnyParams(Params):
    how: str = "well"
    gate: str = ""


def components(run: Callable[[Task], Mapping[str, str]]) -> Registry[Component]:
    """Return a registry with one component, called as the jobs of these tests ask."""
    registry: Registry[Component] = Registry("component")
    ports = tuple(Port(name, "Number", name, "A number.") for name in ("value", "other"))
    registry.declare(
        "odd", Component("odd", "Odd", "It is odd.", "Training", (), ports, AnyParams, run)
    )
    return registry


def publish(task: Task, *ports: str) -> None:
    for port in ports or task.outputs:
        task.outputs[port].mkdir()
        (task.outputs[port] / "value.txt").write_text(port, encoding="utf-8")


@pytest.fixture
def job(make_odd_job):
    return make_odd_job("well")


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "workspace")


def key_of(folder) -> str:
    return json.loads((folder / JOB_FILE).read_text(encoding="utf-8"))["key"]


def test_outputs_are_in_the_store_when_the_answer_is_there(job, workspace):
    def run(task):
        publish(task)
        return {}

    result = run_job(job, components(run))
    assert result == read_result(job)
    assert result.state == "completed"
    output = result.outputs["value"]
    assert output.digest == output.object
    assert output.size_bytes == len("value")
    path = ObjectStore(workspace).path(output.object) / "value.txt"
    assert path.read_text(encoding="utf-8") == "value"


def test_the_cache_names_the_run_and_node_that_made_a_result(job, workspace):
    def run(task):
        publish(task)
        task.on_event(Notice("warning", "Beware."))
        return {}

    result = run_job(job, components(run))
    entry = ObjectStore(workspace).cache_entry(key_of(job))
    assert (entry.run_id, entry.node_id, entry.component) == ("r1", "odd", "odd")
    assert (entry.outputs, entry.warnings) == (result.outputs, ("Beware.",))


def test_a_flood_of_warnings_is_counted_in_the_answer(job):
    def run(task):
        for number in range(1_234):
            task.on_event(Notice("warning", f"Picture {number} is left out."))
        publish(task)
        return {}

    warnings = run_job(job, components(run)).warnings
    assert len(warnings) == 101
    assert warnings[99:] == (
        "Picture 99 is left out.",
        "1,134 more warnings are in events.jsonl.",
    )


def test_a_component_can_say_what_an_output_means(job):
    def run(task):
        publish(task)
        return {"value": "5" * 64}

    output = run_job(job, components(run)).outputs["value"]
    assert output.digest == "5" * 64
    assert output.object != output.digest


def test_scratch_stays_after_a_failure_and_is_cleared_when_the_result_is_there(job, workspace):
    scratch = workspace.work_scratch(key_of(job))

    def run(task):
        if not any(task.scratch.iterdir()):
            (task.scratch / "half").touch()
            raise InvalidDatasetError("Only half.")
        publish(task)
        return {}

    assert run_job(job, components(run)).state == "failed"
    assert (scratch / "half").exists()
    assert run_job(job, components(run)).state == "completed"
    assert not scratch.exists()
    assert list(workspace.trash.iterdir()) == []


def test_what_a_killed_worker_published_half_is_gone_at_the_next_start(job, workspace):
    left = workspace.work_outputs(key_of(job)) / "value"
    left.mkdir(parents=True)

    def run(task):
        assert not task.outputs["value"].exists()
        publish(task)
        return {}

    assert run_job(job, components(run)).state == "completed"


def test_events_are_written_while_the_component_runs(job):
    seen = []

    def run(task):
        task.on_event(Metric("Valid loss", 0.5, 1.0, 3))
        seen.extend(EventTail(job / EVENTS_FILE).read())
        publish(task)
        return {}

    run_job(job, components(run))
    assert seen == [Metric("Valid loss", 0.5, 1.0, 3)]


def test_an_error_of_ours_is_the_answer_and_error_info(job):
    def run(task):
        raise InvalidDatasetError("No pictures.", hint="Add some.", reason="empty")

    result = run_job(job, components(run))
    assert result.state == "failed"
    assert result.outputs == {}
    assert result.error["code"] == "0018"
    assert json.loads((job / ERROR_FILE).read_text(encoding="utf-8")) == result.error


@pytest.mark.parametrize(
    ("problem", "name", "text"),
    [
        (ZeroDivisionError("by 0"), "LibraryError", "ZeroDivisionError: by 0"),
        (MemoryError(), "ModuleOutOfMemoryError", "not enough memory"),
        (ImportError("No timm", name="timm"), "EnvironmentUnsuitableError", "timm cannot be"),
        (SystemExit(0), "LibraryError", "called sys.exit(0)"),
        (RecursionError(), "LibraryError", "RecursionError"),
    ],
)
def test_a_problem_of_python_is_an_error_with_the_traceback_in_the_log(
    job, problem, name, text, caplog
):
    def run(task):
        raise problem

    result = run_job(job, components(run))
    assert (result.state, result.error["type"]) == ("failed", name)
    assert text in result.error["message"]
    assert "Traceback (most recent call last)" in caplog.text
    assert "Traceback" not in result.error["message"]


@pytest.mark.parametrize(
    ("given", "published", "text"),
    [
        ({}, ("value",), "without publishing other"),
        ({"third": "3" * 64}, ("value", "other"), "gave a digest for third"),
    ],
)
def test_outputs_that_do_not_fit_the_ports_are_a_failure(
    make_odd_job, workspace, given, published, text
):
    def run(task):
        publish(task, *published)
        return given

    job = make_odd_job("well", output_ports={"value": "Number", "other": "Number"})
    result = run_job(job, components(run))
    assert (result.state, result.error["type"]) == ("failed", "FailedToWriteOutputsError")
    assert text in result.error["message"]
    assert ObjectStore(workspace).cache_entry(key_of(job)) is None


def test_a_job_that_is_damaged_or_asks_for_what_is_not_there_fails_by_name(job):
    (job / JOB_FILE).write_text("{", encoding="utf-8")
    assert run_job(job, components(publish)).error["type"] == "LibraryError"


def test_an_unknown_component_fails_by_name(make_odd_job):
    job = make_odd_job("well", component="ood")
    error = run_job(job, components(publish)).error
    assert error["type"] == "UnknownNameError"
    assert "Did you mean odd?" in error["hint"]


def test_a_component_that_heeds_the_token_is_cancelled(job):
    token = CancelToken()

    def run(task):
        token.set("SIGTERM")
        task.cancel.raise_if_set()

    result = run_job(job, components(run), cancel=token)
    assert (result.state, result.error) == ("cancelled", None)
    assert not (job / ERROR_FILE).exists()


def test_a_component_is_not_begun_when_it_was_cancelled_before(job):
    token = CancelToken()
    token.set("SIGTERM")
    assert run_job(job, components(pytest.fail), cancel=token).state == "cancelled"


def test_a_failure_while_stopping_is_a_failure(job):
    token = CancelToken()

    def run(task):
        token.set("SIGTERM")
        raise InvalidDatasetError("Broken.")

    assert run_job(job, components(run), cancel=token).state == "failed"


def test_the_answer_is_the_last_thing_written(job, workspace, monkeypatch):
    written = []
    real = imageloom.worker.write_json

    def note(path, content):
        written.append(path.name)
        assert ObjectStore(workspace).cache_entry(key_of(job)) is not None
        assert not workspace.work_scratch(key_of(job)).exists()
        real(path, content)

    def run(task):
        publish(task)
        return {}

    monkeypatch.setattr(imageloom.worker, "write_json", note)
    run_job(job, components(run))
    assert written == [RESULT_FILE]


def test_extensions_that_cannot_be_loaded_are_a_failed_job(job, tmp_path):
    components_folder = tmp_path / "extensions" / "components"
    components_folder.mkdir(parents=True)
    (components_folder / "bad.py").write_text("1 / 0", encoding="utf-8")
    done = run_process(job, IMAGELOOM_EXTENSIONS=str(tmp_path / "extensions"))
    assert done.returncode == 1
    error = read_result(job).error
    assert error["type"] == "EnvironmentUnsuitableError"
    assert "bad.py, line 1" in error["message"]


def run_process(folder, **environment) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "imageloom.worker", str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("how", "code", "text"),
    [
        ("well", 0, "Node odd of run r1"),
        ("hungry", 1, "MemoryError"),
        ("thread", 0, "Node odd of run r1"),  # and nobody waits for the thread
    ],
)
def test_a_process_says_by_its_exit_code_and_log_how_it_went(
    make_odd_job, odd_extensions, how, code, text
):
    done = run_process(make_odd_job(how), IMAGELOOM_EXTENSIONS=str(odd_extensions))
    assert done.returncode == code
    assert text in done.stderr


def test_a_worker_imports_no_torch_unless_its_component_does(job, odd_extensions):
    code = (
        "import sys; from pathlib import Path; from imageloom.worker import main;"
        f"assert main(Path({str(job)!r})) == 0;"
        "print([name for name in ('torch', 'numpy', 'sqlalchemy', 'click') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"IMAGELOOM_EXTENSIONS": str(odd_extensions)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "[]\n", done.stderr

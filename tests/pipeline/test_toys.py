"""The toys do real work, so that tests of the engine prove something."""

from imageloom.events import CancelToken, ignore_events
from imageloom.spec.component import Task
from imageloom.spec.run_settings import RunSettings

from .toys import read_value, toy_components, write_value


def run_toy(name, tmp_path, inputs, **params):
    component = toy_components().get(name)
    folders = {}
    for port, value in inputs.items():
        folders[port] = tmp_path / "inputs" / port
        write_value(folders[port], value)
    values = component.params.parse(params)
    (tmp_path / "scratch").mkdir()
    outputs = {port.name: tmp_path / "outputs" / port.name for port in component.outputs}
    component.run(
        Task(
            params=values,
            inputs=folders,
            outputs=outputs,
            scratch=tmp_path / "scratch",
            record=tmp_path,
            settings=RunSettings(),
            base=tmp_path,
            uploads=tmp_path,
            on_event=ignore_events,
            cancel=CancelToken(),
        )
    )
    return {port.name: read_value(outputs[port.name]) for port in component.given_outputs(values)}


def test_add_adds_what_is_there(tmp_path):
    assert run_toy("add", tmp_path, {"left": 2}, plus=5) == {"sum": "7.0"}


def test_divide_gives_the_third_output_when_asked(tmp_path):
    outputs = run_toy("divide", tmp_path, {"number": 17, "by": 5}, third_share=0.5)
    assert outputs == {"quotient": "3.0", "remainder": "2.0", "third": "8.5"}


def test_count_counts_from_its_start(tmp_path):
    assert run_toy("count", tmp_path, {"start": 10}, steps=4) == {"total": "14.0"}
    assert (tmp_path / "scratch" / "reached.txt").read_text(encoding="utf-8") == "4"

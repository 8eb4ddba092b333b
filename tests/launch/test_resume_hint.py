"""The command that goes on, with the options of the launch."""

import pytest

from imageloom.errors import RunInterruptedError
from imageloom.launch.params import LaunchParams
from imageloom.launch.resume_hint import naming_launch


@pytest.mark.parametrize(
    ("launch", "expected"),
    [
        (LaunchParams(processes_per_node=2), "imageloom train --resume '/a run'"),
        (LaunchParams(max_restarts=3), "imageloom train --resume '/a run' --max-restarts 3"),
    ],
)
def test_the_hint_of_a_rank_names_the_launch(tmp_path, launch, expected):
    run = tmp_path / "a run"
    with (
        pytest.raises(RunInterruptedError, match="Stopped") as caught,
        naming_launch(run, launch),
    ):
        raise RunInterruptedError("Stopped.", hint=f"Go on: imageloom train --resume '{run}'.")
    assert caught.value.hint == f"Go on: {expected.replace('/a run', str(run))}."

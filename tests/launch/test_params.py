"""How many processes a machine is asked for."""

import pytest

from imageloom.errors import GreaterThanError, LessThanOrEqualToError
from imageloom.launch import params
from imageloom.launch.params import LaunchParams, require_processes


def test_h08_more_processes_than_units_are_refused_with_both_numbers(monkeypatch):
    monkeypatch.setattr(params, "processing_units", lambda _: 4)
    require_processes(4)
    with pytest.raises(
        LessThanOrEqualToError, match="8 processes per node, but this machine has 4 cores"
    ) as caught:
        require_processes(8)
    assert caught.value.hint == "Use at most 4."


def test_gpus_are_named_where_they_are_what_counts(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(LessThanOrEqualToError, match=r"2 processes per node, .* has 1 GPU"):
        require_processes(2)


def test_no_process_is_too_few():
    with pytest.raises(GreaterThanError, match="processes_per_node is 0"):
        LaunchParams.parse({"processes_per_node": 0})

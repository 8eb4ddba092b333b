"""Options of a cluster that can never work are refused where they are read."""

import pytest

from imageloom.errors import GreaterThanOrEqualToError, ParameterParsingError
from imageloom.targets.slurm.options import SlurmOptions


def test_a_time_limit_that_leaves_no_time_to_train_is_refused():
    with pytest.raises(
        GreaterThanOrEqualToError, match=r'"00:02:00", which is 120 .* at least 240 seconds'
    ):
        SlurmOptions.parse({"time_limit": "00:02:00"})
    assert SlurmOptions.parse({"time_limit": "00:04:00"}).save_s == 120
    assert SlurmOptions.parse({"time_limit": "0"}).time_limit == "0", "which is no limit"


@pytest.mark.parametrize("option", ["--comment=a#b", "--mem=4G\n--exclusive", "--qos=a\rb"])
def test_an_option_of_the_queue_that_slurm_would_cut_is_refused(option):
    with pytest.raises(ParameterParsingError, match="cannot hold the sign # or a line end"):
        SlurmOptions.parse({"queue": ["--partition=gpu", option]})

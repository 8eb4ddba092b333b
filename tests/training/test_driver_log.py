"""The log of a process that trains."""

import logging
from pathlib import Path

import pytest

from imageloom.errors import FailedToWriteOutputsError
from imageloom.training.run.events import driver_log

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full to write to")
def test_i02_a_log_on_a_full_disk_loses_lines_and_says_nothing_of_it(capsys):
    with driver_log(FULL):
        logging.getLogger("imageloom.toy").info("a line")
    assert capsys.readouterr().err == ""


def test_a_log_that_cannot_be_opened_is_named_with_what_to_do(tmp_path):
    """As that of another person's run, which one may read and not write."""
    log = tmp_path / "logs" / "70_driver_log_0.txt"
    log.mkdir(parents=True)
    handlers = logging.getLogger("imageloom").handlers.copy()
    with pytest.raises(FailedToWriteOutputsError, match=f"{log} could not be written: Is a") as bad:
        driver_log(log).__enter__()
    assert bad.value.hint.endswith("The run is as it was.")
    assert logging.getLogger("imageloom").handlers == handlers

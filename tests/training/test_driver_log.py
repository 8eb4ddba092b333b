"""The log of a process that trains."""

import logging
from pathlib import Path

import pytest

from imageloom.training.run.events import driver_log

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full to write to")
def test_i02_a_log_on_a_full_disk_loses_lines_and_says_nothing_of_it(capsys):
    with driver_log(FULL):
        logging.getLogger("imageloom.toy").info("a line")
    assert capsys.readouterr().err == ""

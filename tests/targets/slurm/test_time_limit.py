"""Time limits in all the ways in which sbatch takes them."""

import pytest

from imageloom.targets.slurm.time_limit import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 5400),
        ("2:30", 150),
        ("00:02:00", 120),
        ("12:00:00", 43_200),
        ("2-0", 172_800),
        ("1-12", 129_600),
        ("1-12:30", 131_400),
        ("1-12:30:15", 131_415),
    ],
)
def test_every_form_of_the_manual_is_read(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "00:00:00", "UNLIMITED", "12h", "1:2:3:4"])
def test_no_limit_and_what_only_slurm_can_judge_have_no_seconds(text):
    assert seconds_of(text) is None

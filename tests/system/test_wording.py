"""Words for counts, lists and times."""

import pytest

from imageloom.system.wording import count, duration, some


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b", "c"], "a, b, c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
        ([str(number) for number in range(6000)], "0, 1, 2 and 5,997 more"),
    ],
)
def test_a_list_is_three_names_and_a_count(names, text):
    assert some(names) == text


def test_a_list_of_which_only_the_first_names_are_known_counts_them_all():
    assert some(["a", "b", "c", "d", "e"], most=5, total=1_300_000) == (
        "a, b, c, d, e and 1,299,995 more"
    )


def test_one_thing_is_told_in_the_singular():
    assert [count(number, "class", "classes") for number in (0, 1, 2345)] == [
        "0 classes",
        "1 class",
        "2,345 classes",
    ]


def test_times_are_told_in_the_units_that_people_use():
    assert [duration(seconds) for seconds in (0.4, 185, 7620)] == [
        "0 s",
        "3 min 05 s",
        "2 h 07 min",
    ]

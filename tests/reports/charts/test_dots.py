"""Dots stand where their numbers say, on straight, logarithmic and named axes."""

import re
from xml.etree import ElementTree

import pytest

from imageloom.reports.charts import Dot, DotAxis, dot_chart

LEFT, RIGHT, TOP, BOTTOM = 62.0, 544.0, 26.0, 264.0  # of the field in which dots stand


def chart(dots, axis=None, **named) -> str:
    return dot_chart(dots, axis or DotAxis("trial"), title="Loss", tick="{:g}".format, **named)


def places(drawn: str) -> list[tuple[float, float]]:
    """Return where the visible dots stand."""
    found = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="4"', drawn)
    return [(float(x), float(y)) for x, y in found]


def test_numbers_stand_in_proportion():
    drawn = chart([Dot(0, 0, "a"), Dot(5, 1, "b"), Dot(10, 2, "c")])
    assert places(drawn) == [(LEFT, BOTTOM), (303, 145), (RIGHT, TOP)]


def test_on_a_logarithmic_axis_equal_ratios_are_equally_long():
    drawn = chart(
        [Dot(x, y, "") for x, y in ((1e-4, 0), (1e-2, 1), (1, 2))], DotAxis("r", (), True)
    )
    assert [x for x, _ in places(drawn)] == pytest.approx([LEFT, 303, RIGHT])
    assert "r (logarithmic axis)" in drawn


def test_names_share_the_axis():
    drawn = chart([Dot(0, 0, ""), Dot(1, 1, "")], DotAxis("shape", ("round", "a very long name")))
    assert [x for x, _ in places(drawn)] == pytest.approx([182.5, 423.5])
    assert "round" in drawn
    assert "a very lo..." in drawn


def test_a_high_number_does_not_press_the_others_flat():
    assert "logarithmic axis" in chart([Dot(i, y, "") for i, y in enumerate((1, 1, 2, 1000))])
    assert "logarithmic axis" not in chart([Dot(i, y, "") for i, y in enumerate((0, 1, 2, 1000))])


def test_one_dot_is_a_chart_and_every_text_is_escaped():
    drawn = chart([Dot(1, 0.5, "<trial>")], steps=[(1, 0.5)])
    assert ElementTree.fromstring(drawn).tag == "svg"
    assert "&lt;trial&gt;" in drawn
    assert "polyline" not in drawn


def test_the_best_so_far_is_a_line_behind_the_dots():
    drawn = chart([Dot(0, 2, ""), Dot(1, 1, "")], steps=[(0, 2), (1, 2), (1, 1)])
    assert drawn.index("polyline") < drawn.index("circle")
